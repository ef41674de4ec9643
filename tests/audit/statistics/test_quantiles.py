"""Quantiles with intervals that hold whatever the distribution is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from audit.errors import NotMeasuredError
from audit.statistics.quantiles import quantile_interval


@given(
    st.integers(1, 400),
    st.sampled_from([0.1, 0.5, 0.9, 0.95, 0.99]),
    st.sampled_from([0.8, 0.95, 0.99]),
)
@settings(max_examples=150, deadline=None)
def test_the_chance_of_a_miss_is_at_most_half_on_each_side(n: int, quantile: float, level: float) -> None:
    """The chances of a true quantile below or above are what binomial counts say, each within the level."""
    found = quantile_interval(np.arange(1.0, n + 1.0), quantile, level=level)
    if found.interval is None:
        # Not even the smallest and the largest value enclose it surely enough on both sides.
        assert max(binom.pmf(0, n, quantile), binom.pmf(n, n, quantile)) > (1 - level) / 2
        return
    lower, upper = int(found.interval.low), int(found.interval.high)
    below, above = binom.cdf(lower - 1, n, quantile), binom.sf(upper - 1, n, quantile)
    assert max(below, above) <= (1 - level) / 2 + 1e-12
    # One value further in on either side would be too narrow.
    assert binom.cdf(lower, n, quantile) > (1 - level) / 2
    assert binom.sf(upper - 2, n, quantile) > (1 - level) / 2
    assert found.interval.low <= found.point <= found.interval.high


@pytest.mark.parametrize(("quantile", "expected"), [(0.5, 2.0), (0.51, 3.0), (0.75, 3.0), (0.99, 4.0)])
def test_the_point_is_a_value_of_the_sample(quantile: float, expected: float) -> None:
    """The point is the smallest value that the fraction of the sample does not exceed."""
    found = quantile_interval(np.array([4.0, 1.0, 3.0, 2.0]), quantile)
    assert (found.point, found.n, found.interval) == (expected, 4, None)


def test_nothing_is_not_measured() -> None:
    """No value, no quantile; and a value that is no number is refused."""
    with pytest.raises(NotMeasuredError):
        quantile_interval(np.zeros(0), 0.5)
    with pytest.raises(ValueError, match=r"finite|nan"):
        quantile_interval(np.array([1.0, np.nan]), 0.5)
    with pytest.raises(ValueError, match="quantile"):
        quantile_interval(np.ones(1), 1.0)
