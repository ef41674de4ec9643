"""Combining and selecting e-values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.evalues import combine_e_values, e_benjamini_hochberg
from audit.statistics.multiplicity import benjamini_hochberg
from probes.seeds import rng


@given(st.lists(st.floats(0, 1e4), max_size=12), st.floats(0.01, 0.5))
@settings(max_examples=100)
def test_selection_is_that_of_its_definition(e_values: list[float], rate: float) -> None:
    """Those selected are the k largest, with k the last rank at which k e(k) / m reaches 1 / rate."""
    ordered = sorted(e_values, reverse=True)
    ranks = [k for k, e in enumerate(ordered, 1) if k * e / len(ordered) >= 1 / rate]
    near = [abs(k * e * rate / len(ordered) - 1) < 1e-9 for k, e in enumerate(ordered, 1)]
    found = e_benjamini_hochberg(e_values)
    assert found.shape == (len(e_values),)
    assert any(near) or (found <= rate).sum() == sum(e >= ordered[max(ranks) - 1] for e in e_values if ranks)


def test_products_and_means() -> None:
    """New outputs multiply, shared ones average; an empty list and negative values are refused."""
    assert combine_e_values([2.0, 3.0, 0.5], dependence="sequential") == pytest.approx(3.0)
    assert combine_e_values([2.0, 3.0, 0.5], dependence="any") == pytest.approx(5.5 / 3)
    with pytest.raises(NotMeasuredError, match="at least 1 e-value"):
        combine_e_values([], dependence="any")
    with pytest.raises(ValueError, match=r"at least 0; got .*-1"):
        e_benjamini_hochberg([1.0, -1.0])


def test_false_discoveries_are_few_under_hostile_dependence() -> None:
    """Where nulls exclude each other, e-BH keeps its rate while BH on the same p-values passes its own.

    The p-values are arranged so that BH errs as much as it can: 1 + 1/2 + ... times its rate.
    """
    stream = rng(61, "hostile")
    m, rate, shares = 40, 0.2, []
    # With chance rate / k a set of k nulls is drawn whose p-values all lie just below rate k / m.
    steps = np.cumsum(rate / np.arange(1, m + 1))
    for _ in range(4000):
        k = int(np.searchsorted(steps, stream.uniform())) + 1
        p = np.ones(m)
        if k <= m:
            p[stream.permutation(m)[:k]] = stream.uniform(rate * (k - 1) / m, rate * k / m, k)
        # 1 / (2 sqrt(p)) is an e-value for any p-value.
        selected = benjamini_hochberg(p) <= rate, e_benjamini_hochberg(p**-0.5 / 2) <= rate
        shares.append([one.any() for one in selected])
    by_p, by_e = np.mean(shares, axis=0)
    assert by_p > 1.5 * rate
    assert by_e < rate
