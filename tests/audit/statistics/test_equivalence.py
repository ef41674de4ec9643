"""Equivalence and non-inferiority."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.equivalence import equivalence_of, non_inferiority, tost
from audit.statistics.intervals import t_estimate

points = st.floats(-0.2, 0.2)
errors = st.floats(0.001, 0.1)
UNIT = (-1.0, 1.0)


@settings(max_examples=150)
@given(points, errors, st.integers(2, 200), st.sampled_from([0.9, 0.95, 0.99]))
def test_tost_is_dual_to_the_interval(point: float, error: float, df: int, level: float) -> None:
    """Equivalent exactly when p <= alpha, and when the 1 - 2 alpha t interval is inside the margin."""
    found = tost(point, error, df, margin=0.1, level=level)
    interval = t_estimate(point, error, df, n_clusters=9, level=2 * level - 1, method="t").interval
    assert found.interval.low == pytest.approx(interval.low)
    assert found.interval.high == pytest.approx(interval.high)
    assert found.equivalent == (interval.low > -0.1 and interval.high < 0.1)
    if abs(found.p_value - (1 - level)) > 1e-9:
        assert found.equivalent == (found.p_value < 1 - level)


@settings(max_examples=60)
@given(points, errors)
def test_tost_has_no_direction(point: float, error: float) -> None:
    """A negated estimate has the same verdict and p."""
    found, mirror = tost(point, error, 29, margin=0.1), tost(-point, error, 29, margin=0.1)
    assert (found.equivalent, found.p_value) == (mirror.equivalent, mirror.p_value)


def test_larger_margins_are_easier() -> None:
    """Whatever is equivalent inside a margin is equivalent inside a larger one, with a smaller p."""
    ps = [tost(0.01, 0.02, 59, margin=margin).p_value for margin in (0.02, 0.05, 0.1)]
    assert ps == sorted(ps, reverse=True)


@settings(max_examples=100)
@given(points, errors, st.integers(2, 200), st.sampled_from(["lower", "higher"]))
def test_non_inferiority_is_dual_to_its_bound(point: float, error: float, df: int, worse: str) -> None:
    """Non-inferior exactly when the bound on the worse side is inside the margin, and when p <= alpha."""
    found = non_inferiority(point, error, df, margin=0.05, worse="lower" if worse == "lower" else "higher")
    inside = found.bound > -0.05 if worse == "lower" else found.bound < 0.05
    assert found.non_inferior == inside
    assert (found.bound < point) == (worse == "lower")
    if abs(found.p_value - 0.05) > 1e-9:
        assert found.non_inferior == (found.p_value < 0.05)


def test_tost_needs_both_sides_and_non_inferiority_one() -> None:
    """A large gain is no equivalence, but it is not a loss either."""
    assert not tost(0.3, 0.01, 59, margin=0.05).equivalent
    assert non_inferiority(0.3, 0.01, 59, margin=0.05).non_inferior
    assert not non_inferiority(0.3, 0.01, 59, margin=0.05, worse="higher").non_inferior


@settings(max_examples=80)
@given(st.floats(-0.08, 0.08), st.integers(2, 150))
def test_equal_clusters_are_equivalent_only_by_their_bound(value: float, n: int) -> None:
    """Where all clusters are equal the verdict is that of the bound, and dual to its p."""
    found = equivalence_of(cluster_t_interval([value] * n, bounds=UNIT), margin=0.05)
    assert found.equivalent == (found.interval.low > -0.05 and found.interval.high < 0.05)
    if abs(found.p_value - 0.05) > 1e-9:
        assert found.equivalent == (found.p_value < 0.05)


def test_silent_templates_are_proof_from_59_on() -> None:
    """No difference at all on 58 templates does not show sameness within 5 points; on 59 it does."""
    few, many = (cluster_t_interval([0.0] * n, bounds=UNIT) for n in (58, 59))
    assert not equivalence_of(few, margin=0.05).equivalent
    assert equivalence_of(many, margin=0.05).equivalent


def test_spread_clusters_use_the_t_test() -> None:
    """Clusters with spread have the verdict of TOST on their t estimate."""
    estimate = cluster_t_interval([0.01, -0.02, 0.0, 0.03, -0.01], bounds=UNIT)
    found = equivalence_of(estimate, margin=0.05)
    assert found == tost(estimate.point, estimate.standard_error, estimate.df, margin=0.05)


def test_certainty_and_senseless_margins_are_refused() -> None:
    """A standard error of 0 is not measured; a margin, level or df that cannot be is an error."""
    with pytest.raises(NotMeasuredError, match="all clusters are equal"):
        tost(0.0, 0.0, 29, margin=0.05)
    for error, df, margin in ((-0.1, 29, 0.05), (0.1, 0, 0.05), (0.1, 29, 0.0)):
        with pytest.raises(ValueError, match="must be above 0"):
            tost(0.0, error, df, margin=margin)
    with pytest.raises(ValueError, match=r"2 \* level - 1"):
        non_inferiority(0.0, 0.1, 29, margin=0.05, level=0.5)
