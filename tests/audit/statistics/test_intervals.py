"""Bounds where all clusters are equal, and t estimates."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.statistics.intervals import equal_clusters_interval, equal_clusters_p_value, t_estimate

differences = st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=2, max_size=25)
UNIT = (-1.0, 1.0)


@settings(max_examples=60)
@given(st.floats(-1, 1), st.integers(2, 200), st.floats(-1, 1))
def test_bound_and_p_value_of_equal_clusters_are_dual(value: float, n: int, null: float) -> None:
    """A mean is outside the bound exactly when its p-value is at most 1 - level."""
    interval = equal_clusters_interval(value, n, bounds=UNIT, level=0.95)
    p = equal_clusters_p_value(value, n, bounds=UNIT, null=null)
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (not interval.low <= null <= interval.high)


def test_the_bound_for_equal_clusters_covers() -> None:
    """If 9 % of clusters differ, 30 equal ones are seen in more than 5 % of samples: the bound is needed."""
    share = equal_clusters_interval(0.0, 30, bounds=(0.0, 1.0)).high
    assert (1 - share) ** 30 == pytest.approx(0.05)


@pytest.mark.parametrize(("standard_error", "df"), [(0.0, 5.0), (float("nan"), 5.0), (0.1, 0.0)])
def test_an_estimate_needs_an_error(standard_error: float, df: float) -> None:
    """A standard error of 0 or nan gives no interval."""
    with pytest.raises(ValueError, match="must be above 0"):
        t_estimate(0.1, standard_error, df, n_clusters=6, level=0.95, method="t")
