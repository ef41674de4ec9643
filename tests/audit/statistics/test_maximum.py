"""Simultaneous intervals over groups."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.group_contrasts import group_contrasts
from audit.statistics.maximum import SimultaneousEstimates, max_t_intervals
from audit.statistics.pooling import stratified_t
from probes.seeds import rng

UNIT = (-1.0, 1.0)
Matrix = npt.NDArray[np.float64]


def simulated(stream: np.random.Generator, templates: int, groups: int, repeats: int = 4) -> Matrix:
    """Rates of equal groups by template, with template and slope heterogeneity, shape (T, G)."""
    base = 1.5 * stream.standard_normal((templates, 1))
    slope = 0.5 * stream.standard_normal((templates, groups))
    return np.asarray(stream.binomial(repeats, expit(base + slope)) / repeats)


def misses(found: SimultaneousEstimates) -> bool:
    """Whether any interval leaves out 0."""
    return any(one.interval.low > 0 or one.interval.high < 0 for one in found.estimates)


def test_one_contrast_is_the_paired_difference() -> None:
    """With two groups the point and standard error are those of cluster-t, and the interval is no shorter."""
    means = simulated(rng(41, "two"), 40, 2)
    single = cluster_t_interval(means[:, 1] - means[:, 0])
    (found,) = max_t_intervals(group_contrasts(means, reference=0), rng=rng(41, "signs")).estimates
    assert found.point == pytest.approx(single.point)
    assert found.standard_error == pytest.approx(single.standard_error)
    assert found.interval.low <= single.interval.low + 1e-12
    assert found.p_value >= single.p_value
    assert found.interval.high - found.interval.low == pytest.approx(
        single.interval.high - single.interval.low, rel=0.08
    )


def test_critical_value_is_between_one_test_and_bonferroni() -> None:
    """For 6 independent normal contrasts the critical value is near the exact one, below Bonferroni's."""
    d = rng(44, "normal").standard_normal((400, 6))
    contrasts = group_contrasts(np.column_stack([np.zeros(400), d]), reference=0)
    found = max_t_intervals(contrasts, rng=rng(44, "signs"), resamples=8000)
    critical = stats.t.isf(found.single_error / 2, 399)
    assert critical == pytest.approx(stats.norm.ppf(0.5 + 0.95 ** (1 / 6) / 2), abs=0.09)
    assert critical > 1.96


def test_copies_of_one_contrast_cost_nothing() -> None:
    """Contrasts that are one and the same need no correction: the dependence is used."""
    d = rng(45, "copies").standard_normal((60, 1)).repeat(8, axis=1)
    contrasts = group_contrasts(np.column_stack([np.zeros(60), d]), reference=0)
    found = max_t_intervals(contrasts, rng=rng(45, "signs"), resamples=8000)
    assert found.single_error == pytest.approx(0.05, abs=0.008)
    assert found.estimates[0].p_value == pytest.approx(cluster_t_interval(d[:, 0]).p_value, abs=0.03)


def test_each_contrast_is_the_stratified_estimate() -> None:
    """Point, error and degrees of freedom over domains are those of `stratified_t`, silent domains too."""
    means = simulated(rng(50, "strata"), 40, 3)
    means[:8, 1] = means[:8, 0]
    strata = np.repeat([0, 1, 2], [8, 12, 20])
    contrasts = group_contrasts(means, reference=0, strata=strata, bounds=UNIT)
    found = max_t_intervals(contrasts, rng=rng(50, "signs"))
    for column, one in zip((1, 2), found.estimates, strict=True):
        parts = np.split(means[:, column] - means[:, 0], [8, 20])
        alone = stratified_t(parts, bounds=UNIT, level=1 - found.single_error)
        assert (one.point, one.standard_error, one.df) == pytest.approx(
            (alone.point, alone.standard_error, alone.df)
        )
        assert (one.interval.low, one.interval.high) == pytest.approx(
            (alone.interval.low, alone.interval.high), abs=1e-6
        )
    assert found.estimates[0].unseen is not None


def test_few_clusters_go_by_bonferroni() -> None:
    """With four templates signs tell too little, and each interval has its share of the error."""
    contrasts = group_contrasts(simulated(rng(51, "few"), 4, 5, repeats=100), reference=0)
    found = max_t_intervals(contrasts, rng=rng(51, "signs"))
    assert found.single_error == pytest.approx(0.05 / 4)
    one = found.estimates[0]
    assert one.interval.high - one.point == pytest.approx(stats.t.isf(0.05 / 8, 3) * one.standard_error)
    assert "Bonferroni" in one.interval.method


def test_equal_clusters_are_bounded_and_the_rest_keep_their_share() -> None:
    """A contrast without spread becomes a bound at its Bonferroni level; without bounds it is refused."""
    means = simulated(rng(46, "equal"), 30, 3)
    means[:, 2] = means[:, 0]
    with pytest.raises(NotMeasuredError, match="spread cannot be estimated"):
        group_contrasts(means, reference=0)
    found = max_t_intervals(group_contrasts(means, reference=0, bounds=UNIT), rng=rng(46, "signs"))
    varied, equal = found.estimates
    assert not varied.degenerate
    assert equal.degenerate
    assert equal.interval.level == pytest.approx(0.975)
    assert equal.interval.high == pytest.approx(1 - 0.025 ** (1 / 30))
    assert found.single_error == pytest.approx(0.025, abs=0.004)  # of the varied one
    same = group_contrasts(np.full((20, 3), 0.5), reference=0, bounds=UNIT)
    nothing = max_t_intervals(same, rng=rng(46, "signs"))
    assert nothing.single_error == 0
    assert all(one.degenerate and one.p_value == 1 for one in nothing.estimates)


def test_same_generator_same_numbers() -> None:
    """The same inputs and generator give the same intervals, in chunks or not."""
    contrasts = group_contrasts(simulated(rng(47, "same"), 25, 4))
    first, second = (max_t_intervals(contrasts, rng=rng(47, "signs")) for _ in range(2))
    assert first == second


def test_high_levels_need_resamples() -> None:
    """A level that the resamples cannot resolve is refused with the number that can."""
    contrasts = group_contrasts(simulated(rng(49, "high"), 25, 3), reference=0)
    with pytest.raises(ValueError, match="at least 1000 at this level; got 500"):
        max_t_intervals(contrasts, rng=rng(49, "signs"), level=0.999, resamples=500)


@pytest.mark.parametrize(("templates", "reference"), [(12, 0), (30, None)])
def test_families_hold_their_level(templates: int, reference: int | None) -> None:
    """Of five equal groups any is called different in about 5 % of runs; one by one it would be 15 %."""
    stream = rng(48, "level", templates)
    wrong, single = [], []
    for _ in range(1000):
        contrasts = group_contrasts(simulated(stream, templates, 5), reference=reference, bounds=UNIT)
        found = max_t_intervals(contrasts, rng=stream, resamples=399)
        wrong.append(misses(found))
        single.append(
            any(2 * stats.t.sf(abs(one.point) / one.standard_error, one.df) < 0.05 for one in found.estimates)
        )
        for one in found.estimates:
            assert (one.p_value <= 0.05) == (one.interval.low > 0 or one.interval.high < 0)
    assert 0.025 < np.mean(wrong) < 0.075
    assert np.mean(single) > 0.11


@pytest.mark.parametrize(("templates", "groups"), [(3, 3), (3, 8), (6, 3)])
def test_families_over_domains_hold_their_level(templates: int, groups: int) -> None:
    """Over 4 domains of few templates one of several equal groups is told apart in at most 5 % of runs."""
    stream = rng(52, "domains", templates, groups)
    strata = np.repeat(np.arange(4), templates)
    wrong = []
    for _ in range(400):
        means = simulated(stream, strata.size, groups, repeats=100)
        contrasts = group_contrasts(means, reference=0, strata=strata, bounds=UNIT)
        wrong.append(misses(max_t_intervals(contrasts, rng=stream, resamples=399)))
    assert np.mean(wrong) < 0.05 + 3 * 0.0109
