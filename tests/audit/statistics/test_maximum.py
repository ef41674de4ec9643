"""Simultaneous intervals over groups."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.maximum import GroupContrasts, SimultaneousEstimates, group_contrasts, max_t_intervals
from probes.seeds import rng

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


def test_grand_mean_contrasts_sum_to_nothing() -> None:
    """Deviations from the grand mean cover every group and sum to 0."""
    found = group_contrasts(simulated(rng(42, "grand"), 30, 5))
    assert found.groups.tolist() == [0, 1, 2, 3, 4]
    assert found.points.sum() == pytest.approx(0, abs=1e-12)
    assert np.allclose(found.influence.sum(axis=0), 0)


def test_missing_cells_are_left_out() -> None:
    """A missing group mean drops that cluster for that contrast alone, and never counts as 0."""
    means = simulated(rng(43, "missing"), 30, 3)
    means[:10, 2] = np.nan
    found = group_contrasts(means, reference=0)
    assert found.n_clusters.tolist() == [30, 20]
    single = cluster_t_interval(means[10:, 2] - means[10:, 0])
    second = max_t_intervals(found, rng=rng(43, "signs")).estimates[1]
    assert (second.point, second.standard_error) == pytest.approx((single.point, single.standard_error))
    assert second.df == 19
    assert (found.influence[:10, 1] == 0).all()


def test_critical_value_is_between_one_test_and_bonferroni() -> None:
    """For 6 independent normal contrasts the critical value is near the exact one, below Bonferroni's."""
    d = rng(44, "normal").standard_normal((400, 6))
    contrasts = GroupContrasts(
        points=d.mean(axis=0),
        influence=(d - d.mean(axis=0)) / 400,
        n_clusters=np.full(6, 400),
        groups=np.arange(6),
    )
    critical = max_t_intervals(contrasts, rng=rng(44, "signs"), resamples=8000).critical
    assert critical == pytest.approx(stats.norm.ppf(0.5 + 0.95 ** (1 / 6) / 2), abs=0.09)
    assert critical > 1.96


def test_copies_of_one_contrast_cost_nothing() -> None:
    """Contrasts that are one and the same need no correction: the dependence is used."""
    d = rng(45, "copies").standard_normal((60, 1)).repeat(8, axis=1)
    contrasts = GroupContrasts(
        points=d.mean(axis=0),
        influence=(d - d.mean(axis=0)) / 60,
        n_clusters=np.full(8, 60),
        groups=np.arange(8),
    )
    found = max_t_intervals(contrasts, rng=rng(45, "signs"), resamples=8000)
    assert found.critical == pytest.approx(stats.t.ppf(0.975, 59), abs=0.08)
    assert found.estimates[0].p_value == pytest.approx(cluster_t_interval(d[:, 0]).p_value, abs=0.03)


def test_equal_clusters_are_bounded_and_the_rest_keep_their_share() -> None:
    """A contrast without spread becomes a bound at its Bonferroni level; without bounds it is refused."""
    means = simulated(rng(46, "equal"), 30, 3)
    means[:, 2] = means[:, 0]
    contrasts = group_contrasts(means, reference=0)
    with pytest.raises(NotMeasuredError, match="spread cannot be estimated"):
        max_t_intervals(contrasts, rng=rng(46, "signs"))
    found = max_t_intervals(contrasts, rng=rng(46, "signs"), bounds=(-1, 1))
    varied, equal = found.estimates
    assert not varied.degenerate
    assert equal.degenerate
    assert equal.interval.level == pytest.approx(0.975)
    assert equal.interval.high == pytest.approx(1 - 0.025 ** (1 / 30))
    assert found.critical > 2.05  # the varied one works at 97.5 % now
    same = group_contrasts(np.full((20, 3), 0.5), reference=0)
    nothing = max_t_intervals(same, rng=rng(46, "signs"), bounds=(-1, 1))
    assert nothing.critical == 0
    assert all(one.degenerate and one.p_value == 1 for one in nothing.estimates)


def test_same_generator_same_numbers() -> None:
    """The same inputs and generator give the same intervals, in chunks or not."""
    contrasts = group_contrasts(simulated(rng(47, "same"), 25, 4))
    first, second = (max_t_intervals(contrasts, rng=rng(47, "signs")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("means", "reference", "message"),
    [
        ([1.0, 2.0], 0, "shape"),
        ([[1.0], [2.0]], 0, "shape"),
        ([[1.0, np.inf]], 0, "finite or nan"),
        ([[1.0, 2.0], [1.0, 2.0]], 2, "from 0 to 1; got 2"),
    ],
)
def test_bad_tables_are_refused(means: list[float], reference: int, message: str) -> None:
    """A table without two groups, with infinity or without the reference is refused."""
    with pytest.raises(ValueError, match=message):
        group_contrasts(means, reference=reference)


def test_high_levels_need_resamples() -> None:
    """A level that the resamples cannot resolve is refused with the number that can."""
    contrasts = group_contrasts(simulated(rng(49, "high"), 25, 3), reference=0)
    with pytest.raises(ValueError, match="at least 1000 at this level; got 500"):
        max_t_intervals(contrasts, rng=rng(49, "signs"), level=0.999, resamples=500)


def test_bad_contrasts_are_refused() -> None:
    """Shapes that do not fit, infinite influence and a contrast of one cluster are refused."""
    good = group_contrasts([[0.1, 0.2], [0.3, 0.1]], reference=0)
    with pytest.raises(NotMeasuredError, match="contrast of group 1 needs at least 2"):
        group_contrasts([[0.1, 0.2], [0.3, np.nan]], reference=0)
    for influence, counts, message in (
        (np.zeros((2, 2)), good.n_clusters, "must have the shape"),
        (np.full((2, 1), np.nan), good.n_clusters, "finite"),
    ):
        broken = GroupContrasts(
            points=good.points, influence=influence, n_clusters=counts, groups=good.groups
        )
        with pytest.raises(ValueError, match=message):
            max_t_intervals(broken, rng=rng(0, "unused"))


@pytest.mark.parametrize(("templates", "reference"), [(12, 0), (30, None)])
def test_families_hold_their_level(templates: int, reference: int | None) -> None:
    """Of five equal groups any is called different in about 5 % of runs; one by one it would be 15 %."""
    stream = rng(48, "level", templates)
    wrong, single = [], []
    for _ in range(1000):
        contrasts = group_contrasts(simulated(stream, templates, 5), reference=reference)
        found = max_t_intervals(contrasts, rng=stream, resamples=399, bounds=(-1, 1))
        wrong.append(misses(found))
        single.append(
            any(2 * stats.t.sf(abs(one.point) / one.standard_error, one.df) < 0.05 for one in found.estimates)
        )
        for one in found.estimates:
            assert (one.p_value <= 0.05) == (one.interval.low > 0 or one.interval.high < 0)
    assert 0.025 < np.mean(wrong) < 0.075
    assert np.mean(single) > 0.11
