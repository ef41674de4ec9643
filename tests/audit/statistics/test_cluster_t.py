"""The t interval over clusters."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval

differences = st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=2, max_size=25)
UNIT = (-1.0, 1.0)


@settings(max_examples=60)
@given(differences, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_interval_is_the_textbook_t_interval(values: list[float], level: float) -> None:
    """Clusters of which most differ give scipy's one-sample t interval and p-value."""
    assume(len(set(values)) > len(values) / 2 + 1)
    found = cluster_t_interval(values, level=level)
    assert found.unseen is None
    expected = stats.ttest_1samp(values, 0.0)
    low, high = expected.confidence_interval(level)
    assert found.interval.low == pytest.approx(low, abs=1e-9)
    assert found.interval.high == pytest.approx(high, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.df == len(values) - 1
    assert not found.degenerate


@settings(max_examples=60)
@given(differences)
def test_order_does_not_matter_and_negation_mirrors(values: list[float]) -> None:
    """Shuffled clusters give the very same estimate, negated ones its mirror image with the same p."""
    found = cluster_t_interval(values, bounds=UNIT)
    assert cluster_t_interval(values[::-1], bounds=UNIT) == found
    assert cluster_t_interval(sorted(values), bounds=UNIT) == found
    mirror = cluster_t_interval([-value for value in values], bounds=UNIT)
    assert mirror.point == -found.point
    assert mirror.interval.low == -found.interval.high
    assert mirror.interval.high == -found.interval.low
    assert mirror.p_value == found.p_value


@settings(max_examples=60)
@given(differences)
def test_a_higher_level_never_gives_a_shorter_interval(values: list[float]) -> None:
    """Intervals are nested in their level and contain the point."""
    inner, outer = (cluster_t_interval(values, level=level, bounds=UNIT) for level in (0.9, 0.99))
    assert outer.interval.low <= inner.interval.low <= inner.point
    assert inner.point <= inner.interval.high <= outer.interval.high


@pytest.mark.parametrize("value", [0.0, 0.3, 0.1 + 0.2, -1.0])
def test_equal_clusters_never_give_certainty(value: float) -> None:
    """Thirty equal clusters give a flagged interval of positive width within the bounds."""
    found = cluster_t_interval([value] * 30, bounds=UNIT)
    assert found.degenerate
    assert found.standard_error == 0
    assert found.interval.high - found.interval.low == pytest.approx(2 * 0.0950, abs=1e-3)
    assert found.interval.low >= -1
    assert found.interval.high <= 1
    assert found.interval.method == "bound for equal clusters"


def test_equal_clusters_need_bounds() -> None:
    """Without bounds nothing is stated about the spread of equal clusters."""
    with pytest.raises(NotMeasuredError, match=r"all 4 clusters have the value 0\.5"):
        cluster_t_interval([0.5] * 4)


def test_rounding_noise_is_not_spread() -> None:
    """Clusters that differ in the last digit only count as equal."""
    assert cluster_t_interval([0.1 + 0.2, 0.3, 0.3], bounds=UNIT).degenerate


@pytest.mark.parametrize(
    ("values", "bounds", "message"),
    [
        ([0.1, float("nan")], None, "1 nan or infinite"),
        ([[0.1, 0.2]], None, "one dimension"),
        ([0.1, 1.2], UNIT, "outside the bounds"),
        ([0.1, 0.2], (1.0, -1.0), "outside the bounds"),
    ],
)
def test_bad_values_are_refused(
    values: list[float], bounds: tuple[float, float] | None, message: str
) -> None:
    """Values that no cluster can have are an error in one line, not an estimate."""
    with pytest.raises(ValueError, match=message):
        cluster_t_interval(values, bounds=bounds)


def test_a_percentage_is_no_level() -> None:
    """A level of 95 is refused, since 0.95 is meant."""
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\); got 95"):
        cluster_t_interval([0.1, 0.2], level=95)


def test_one_cluster_is_not_measured() -> None:
    """A single cluster has no spread between clusters, so no error is stated."""
    with pytest.raises(NotMeasuredError, match="at least 2 clusters; got 1"):
        cluster_t_interval([0.1])


def test_extreme_values_lie_in_order() -> None:
    """Very small and very large measures keep finite, ordered intervals."""
    for scale in (1e-9, 1e9):
        found = cluster_t_interval(np.array([1.0, 2.0, 4.0]) * scale)
        assert found.interval.low < found.point < found.interval.high
