"""Reduced calibration: every estimator holds its level where the truth is known.

The bands are 4 Monte-Carlo standard errors wide, and narrow enough that the usual mistakes (T for
T - 1, rows for clusters, z for t) fall out of them. The full table is made by benchmarks/calibration.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit

from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.intervals import Interval
from audit.statistics.multiplicity import benjamini_hochberg
from audit.statistics.paired import template_differences
from audit.statistics.pooling import stratified_t
from audit.statistics.rates import clustered_rate_interval, wilson_interval
from audit.statistics.resampling import cluster_bootstrap
from audit.statistics.signflip import sign_flip_test
from audit.statistics.two_way import two_way_cluster
from probes.seeds import rng

Vector = npt.NDArray[np.float64]
UNIT = (-1.0, 1.0)


def null_differences(simulations: int, templates: int, repeats: int, *, seed: int) -> Vector:
    """Paired differences without a true effect, shape (simulations, templates)."""
    stream = rng(seed, "null", templates, repeats)
    shape = (simulations, templates)
    base, slope = 1.5 * stream.standard_normal(shape), 0.5 * stream.standard_normal(shape)
    group = stream.binomial(repeats, expit(base + slope / 2))
    return np.asarray((group - stream.binomial(repeats, expit(base - slope / 2))) / repeats)


def false_alarms(rows: Vector, make: Callable[[Vector], Interval]) -> float:
    """Share of rows whose interval leaves out 0."""
    intervals = [make(row) for row in rows]
    return float(np.mean([interval.low > 0 or interval.high < 0 for interval in intervals]))


@pytest.mark.parametrize(("templates", "repeats"), [(12, 16), (30, 4)])
def test_cluster_t_holds_its_level(templates: int, repeats: int) -> None:
    """Cluster-t raises a false alarm in 5 % of runs under template and slope heterogeneity."""
    rows = null_differences(4000, templates, repeats, seed=1)
    assert false_alarms(rows, lambda row: cluster_t_interval(row, bounds=UNIT).interval) == pytest.approx(
        0.05, abs=0.014
    )


def test_cluster_t_is_exact_at_three_normal_clusters() -> None:
    """At 3 clusters the level still is 5 %: dividing by T, or using z, would miss it by far."""
    rows = rng(2, "few").standard_normal((4000, 3))
    assert false_alarms(rows, lambda row: cluster_t_interval(row).interval) == pytest.approx(0.05, abs=0.014)


def test_stratified_t_holds_its_level() -> None:
    """Strata of unequal size and spread keep 5 %, which one pooled sample of all clusters would not."""
    stream = rng(3, "strata")
    rows = np.concatenate(
        [stream.normal(0, 3, (3000, 4)), stream.normal(0, 1, (3000, 10)), stream.normal(0, 0.5, (3000, 20))],
        axis=1,
    )
    found = false_alarms(rows, lambda row: stratified_t(np.split(row, [4, 14])).interval)
    assert found == pytest.approx(0.05, abs=0.016)


def test_bootstrap_holds_its_level_at_sixty_clusters() -> None:
    """At 60 clusters both methods are within two points of 5 %, and not below it by much."""
    rows = null_differences(600, 60, 4, seed=4)
    stream = rng(4, "resamples")
    for method in ("percentile", "bca"):

        def make(row: Vector, method: str = method) -> Interval:
            return cluster_bootstrap(
                lambda counts: counts @ row / row.size,
                row.size,
                resamples=400,
                rng=stream,
                method="bca" if method == "bca" else "percentile",
            ).interval

        assert 0.02 < false_alarms(rows, make) < 0.09


@pytest.mark.parametrize("weighted", [False, True])
def test_sign_flips_hold_their_level(weighted: bool) -> None:  # noqa: FBT001 - a parametrised case
    """The p-value of symmetric differences is at most 5 % in 5 % of runs, weighted and studentised too."""
    rows = rng(5, "flips").standard_normal((1500, 20))
    weights = np.linspace(1, 3, 20) if weighted else None
    stream = rng(5, "signs")
    found = [
        sign_flip_test(row, flips=199, rng=stream, weights=weights, studentised=weighted) for row in rows
    ]
    assert np.mean([one.p_value <= 0.05 for one in found]) == pytest.approx(0.05, abs=0.023)


def test_rows_are_not_clusters() -> None:
    """Over 40 templates of 100 repeats the row-wise interval misses mostly, the clustered one hardly."""
    stream = rng(6, "rows")
    hits = stream.binomial(100, expit(1.5 * stream.standard_normal((1000, 40))))
    asked = np.full(40, 100)
    naive = [wilson_interval(int(row.sum()), 4000) for row in hits]
    clustered = [clustered_rate_interval(row, asked).interval for row in hits]
    missed = [np.mean([not one.low <= 0.5 <= one.high for one in found]) for found in (naive, clustered)]
    assert missed[0] > 0.5
    assert missed[1] == pytest.approx(0.05, abs=0.028)


@pytest.mark.parametrize(("templates", "intercept", "rate"), [(30, -3.0, 0.0974), (100, -6.0, 0.0066)])
def test_rare_rates_are_covered(templates: int, intercept: float, rate: float) -> None:
    """The clustered interval covers rare rates too, where a symmetric one would reach below 0."""
    stream = rng(7, "rare", templates)
    logits = intercept + 1.5 * stream.standard_normal((1500, templates))
    asked = np.full(templates, 4)
    found = [clustered_rate_interval(row, asked).interval for row in stream.binomial(4, expit(logits))]
    assert np.mean([one.low <= rate <= one.high for one in found]) > 0.925


def test_two_way_holds_its_level_where_names_matter() -> None:
    """Names with effects break one-way clustering of 100 templates; the two-way interval keeps its level."""
    stream = rng(8, "names")
    cluster = np.repeat(np.arange(100), 8)
    rows = np.tile(np.arange(800), 2)
    wrong = []
    for _ in range(600):
        effects = 0.6 * stream.standard_normal(60)
        names = np.stack([stream.integers(0, 30, 800), stream.integers(30, 60, 800)], axis=1)
        base = 1.5 * stream.standard_normal(100)[cluster]
        values = stream.binomial(1, expit(np.concatenate([base + effects[name] for name in names.T])))
        found = template_differences(values, np.tile(cluster, 2), rows, np.arange(1600) < 800)
        one_way = cluster_t_interval(found.differences)
        two_way = two_way_cluster(
            found.set_influence, found.set_clusters, names[found.sets], point=one_way.point
        )
        wrong.append([not one.interval.low <= 0 <= one.interval.high for one in (one_way, two_way)])
    one_way_rate, two_way_rate = np.mean(wrong, axis=0)
    assert one_way_rate > 0.12
    assert 0.02 < two_way_rate < 0.085


def test_families_keep_their_false_discovery_rate() -> None:
    """Among contrasts called disparities by Benjamini-Hochberg at 10 % at most that share is false."""
    stream = rng(9, "families")
    effects = np.where(np.arange(20) < 6, 0.9, 0.0)
    shares = []
    for _ in range(400):
        rows = stream.standard_normal((20, 15)) + effects[:, np.newaxis]
        called = benjamini_hochberg([cluster_t_interval(row).p_value for row in rows]) <= 0.1
        shares.append((called & (effects == 0)).sum() / max(1, called.sum()))
    assert 0.04 < np.mean(shares) < 0.1
