"""What clusters that hardly differ may hide."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.equivalence import equivalence_of, tost
from audit.statistics.intervals import Unseen, t_estimate
from audit.statistics.rates import clopper_pearson_interval
from audit.statistics.unseen import reaches, unseen_of, with_unseen, within_unseen
from probes.seeds import rng

UNIT = (-1.0, 1.0)
ROOMS = st.tuples(st.floats(2, 60), st.floats(0, 1), st.floats(0, 1), st.floats(3, 99))


def few(differ: int, n: int, size: float) -> list[float]:
    """So many clusters that differ, first, among equal ones."""
    return [size] * differ + [0.0] * (n - differ)


@pytest.mark.parametrize("n", [12, 44, 100])
@pytest.mark.parametrize("size", [0.01, 0.1, 0.5, 1.0])
def test_a_cluster_that_differs_never_makes_equivalence_easier(n: int, size: float) -> None:
    """From none to a few that differ both ends move outwards, and the test of equivalence gets harder."""
    found = [cluster_t_interval(few(m, n, size), bounds=UNIT) for m in range(1 + min(5, n // 6))]
    highs = [one.interval.high for one in found]
    assert highs == sorted(highs)
    p_values = [equivalence_of(one, margin=0.1).p_value for one in found]
    assert p_values == sorted(p_values)


@pytest.mark.parametrize("n", [12, 44, 100])
def test_one_cluster_that_hardly_differs_is_nearly_none(n: int) -> None:
    """As the size of the one that differs shrinks, two one-sided tests come to those of equal clusters."""
    equal, almost = (cluster_t_interval(few(1, n, size), bounds=UNIT) for size in (0.0, 1e-6))
    same, nearly = (equivalence_of(one, margin=0.1) for one in (equal, almost))
    assert (equal.degenerate, almost.degenerate) == (True, False)
    assert nearly.p_value == pytest.approx(same.p_value, abs=1e-4)
    assert nearly.interval.high == pytest.approx(same.interval.high, abs=1e-4)


@pytest.mark.parametrize(("hits", "n"), [(1, 44), (3, 44), (5, 100), (2, 30)])
def test_whole_differences_are_bounded_about_as_exactly_as_rates(hits: int, n: int) -> None:
    """Where a few clusters are 1 and all others 0 the high end is within 6 % of Clopper-Pearson's."""
    high = cluster_t_interval(few(hits, n, 1.0), bounds=(0.0, 1.0)).interval.high
    assert high == pytest.approx(clopper_pearson_interval(hits, n).high, rel=0.06)


def test_enough_that_differ_leave_the_t_interval() -> None:
    """From 15 that differ, or half of fewer than 30, nothing is added; the room falls evenly up to there."""
    weight = np.ones(1)
    rises = []
    for m in range(17):
        hidden = unseen_of([np.array(few(m, 60, 0.5))], weight, UNIT)
        rises.append(0.0 if hidden is None else hidden.rise / (1 - m / 120))
    assert rises == pytest.approx([*[1.0] * 6, *np.arange(0.9, 0.05, -0.1), 0, 0])
    assert unseen_of([np.array(few(6, 12, 0.5))], weight, UNIT) is None
    assert unseen_of([np.arange(12) / 12], weight, UNIT) is None
    assert unseen_of([np.array([0.0, 0.1])], weight, UNIT) is None


def test_without_bounds_the_largest_distance_seen_stands_in() -> None:
    """A unit without limits: no cluster is taken to lie further off than those met; equal ones fail."""
    hidden = unseen_of([np.array([3.0, *[1.0] * 30])], np.ones(1), None)
    assert hidden is not None
    mean = 1 + 2 / 31
    assert (hidden.fall, hidden.rise) == pytest.approx((mean + 1, 3 - mean))
    with pytest.raises(NotMeasuredError, match="all 30 clusters of stratum 0 have the value 1"):
        unseen_of([np.ones(30)], np.ones(1), None)


def test_rounding_is_no_difference() -> None:
    """Clusters that differ in the last digit are equal ones, so what they hide counts in full."""
    hidden = unseen_of([np.array([0.1 + 0.2, *[0.3] * 20, 0.7])], np.ones(1), UNIT)
    assert hidden is not None
    assert hidden.rise == pytest.approx(1 - (0.3 * 21 + 0.7) / 22)


@pytest.mark.parametrize(
    ("error", "df", "room", "n"),
    [(0.02, 43.0, 1.0, 44.0), (0.0005, 43.0, 1.0, 44.0), (0.2, 2.5, 0.5, 10.0), (1e-12, 10.0, 1.0, 30.0)],
)
def test_ends_are_quantiles_of_the_sum(error: float, df: float, room: float, n: float) -> None:
    """The ends agree with a million draws of t and beta, whichever of the two is the wider."""
    found = t_estimate(0.0, error, df, n_clusters=30, level=0.95, method="t")
    draw = rng(3, "sum", int(n))
    sums = error * draw.standard_t(df, 1_000_000) + room * draw.beta(1, n, 1_000_000)
    below, above = reaches(found, Unseen(fall=0.0, rise=room, n=n), 0.025)
    assert above == pytest.approx(np.quantile(sums, 0.975), rel=0.01)
    assert below == pytest.approx(error * stats.t.ppf(0.975, df))


@settings(max_examples=40)
@given(st.floats(-0.3, 0.3), st.floats(1e-4, 0.2), ROOMS)
def test_p_and_interval_are_dual(point: float, error: float, room: tuple[float, float, float, float]) -> None:
    """At the level 1 - p the interval ends at 0, and TOST's lies within the margin exactly if p is small."""
    df, fall, rise, n = room
    unseen = Unseen(fall=fall, rise=rise, n=n)

    def at(level: float) -> tuple[float, float]:
        found = t_estimate(point, error, df, n_clusters=30, level=level, method="t")
        interval = with_unseen(found, unseen).interval
        return interval.low, interval.high

    found = with_unseen(t_estimate(point, error, df, n_clusters=30, level=0.95, method="t"), unseen)
    assert found.interval.low < point < found.interval.high
    interval, p_value = within_unseen(found, unseen, margin=0.1, level=0.95)
    assume(abs(p_value - 0.05) > 1e-6)
    assert (interval.low > -0.1 and interval.high < 0.1) == (p_value <= 0.05)
    assume(1e-6 < found.p_value < 0.999)
    assert min(map(abs, at(1 - found.p_value))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("n", "size"), [(60, 1.0), (60, 0.5), (100, 1.0), (200, 1.0)])
def test_few_that_differ_are_seldom_called_equivalent_at_the_margin(n: int, size: float) -> None:
    """The mean is the margin: at most 5 % of runs call it equivalent (6 % at 200); t alone 11 to 20 %."""
    chances = stats.binom.pmf(np.arange(n + 1), n, 0.05 / size)
    wrong = np.zeros(2)
    for m in np.flatnonzero(chances > 1e-5).tolist():
        found = cluster_t_interval(few(m, n, size), bounds=UNIT)
        by_t = (
            not found.degenerate and tost(found.point, found.standard_error, found.df, margin=0.05).equivalent
        )
        wrong += chances[m] * np.array([equivalence_of(found, margin=0.05).equivalent, by_t])
    assert wrong[0] < 0.06
    assert wrong[1] > 0.11
