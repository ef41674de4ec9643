"""Cluster bootstrap: intervals for statistics that are not means, such as ratios and published scores."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_at_least, check_clusters, check_fraction
from audit.statistics.intervals import Interval

__all__ = ["BootstrapEstimate", "ClusterCounts", "cluster_bootstrap", "resample_counts"]

ClusterCounts = npt.NDArray[np.float64]
"""How often each cluster counts, shape (B, T): one row a resample."""

_CHUNK = 2_000_000
"""Cluster counts held at once."""

_MOST_UNDEFINED = 0.05
"""Share of resamples without a value above which no interval is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapEstimate:
    """A statistic with its bootstrap interval."""

    point: float
    standard_error: float
    """Standard deviation over resamples."""
    interval: Interval
    n_clusters: int
    n_undefined: int
    """Resamples in which the statistic had no value (such as a denominator of 0); they are left out."""


def cluster_bootstrap(
    statistic: Callable[[ClusterCounts], Vector],
    n_clusters: int,
    *,
    resamples: int = 2000,
    rng: np.random.Generator,
    level: float = 0.95,
    method: Literal["percentile", "bca"] = "bca",
) -> BootstrapEstimate:
    """Interval of any statistic of cluster sums, by drawing whole clusters with replacement.

    The statistic is computed from how often each cluster counts, which needs the clusters' sums only
    and never the rows: for a ratio, `lambda w: (w @ numerators) / (w @ denominators)`. So ten million
    rows cost what their clusters cost.

    Not for means and differences: `cluster_t_interval` covers better at the same price. Coverage of a
    nominal 95 % for mean differences was 89 to 90 % at 12 clusters with either method and 94 to 95 %
    at 30 (docs/explanation/calibration.md). For a maximum over groups neither is valid when the groups
    are equal.

    Args:
        statistic: From counts of shape (B, T) to values of shape (B,); nan where it has no value.
            All counts 1 is the sample itself. It must treat the rows one by one.
        n_clusters: T, at least 2.
        resamples: B, at least 200; 2,000 for an interval that is reported.
        rng: Source of the resampling.
        level: Nominal coverage, a fraction in (0, 1).
        method: `percentile`, or `bca`, which corrects for bias and skew by leaving out clusters one by one
            (T further evaluations, each over T clusters).

    Returns:
        The point on the sample itself and the interval, in the statistic's unit.

    Raises:
        NotMeasuredError: Fewer than 2 clusters, or the statistic has no value on the sample, or on more
            than 5 % of resamples, or on the sample without one cluster (`bca`).
        ValueError: An argument is outside the range above.

    Source:
        Efron (1987), JASA 82:171-185 (BCa, eq. 2.3 and 6.6); Davison & Hinkley (1997), Bootstrap
        Methods, section 3.8 (clusters).

    >>> hits, asked = np.array([1.0, 4, 0, 3, 2, 5]), np.array([5.0, 5, 4, 6, 5, 5])
    >>> found = cluster_bootstrap(lambda w: (w @ hits) / (w @ asked), 6, rng=np.random.default_rng(0))
    >>> found.point, found.interval.low < 0.5 < found.interval.high
    (0.5, True)
    """
    check_at_least("resamples", resamples, 200)
    check_fraction("level", level)
    check_clusters("a cluster bootstrap", n_clusters)
    point = float(statistic(np.ones((1, n_clusters)))[0])
    if not np.isfinite(point):
        raise NotMeasuredError("the statistic has no value on the sample itself")
    values = np.concatenate([statistic(counts) for counts in resample_counts(n_clusters, resamples, rng)])
    defined = values[np.isfinite(values)]
    n_undefined = values.size - defined.size
    if n_undefined > _MOST_UNDEFINED * resamples:
        raise NotMeasuredError(f"the statistic has no value on {n_undefined} of {resamples} resamples")
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        tails = _bca_tails(tails, point, defined, _leave_one_out(statistic, n_clusters))
    low, high = np.quantile(defined, tails)
    return BootstrapEstimate(
        point=point,
        standard_error=float(defined.std(ddof=1)),
        interval=Interval(
            low=float(low),
            high=float(high),
            level=level,
            method=f"{'BCa' if method == 'bca' else 'percentile'} cluster bootstrap ({resamples} resamples)",
        ),
        n_clusters=n_clusters,
        n_undefined=n_undefined,
    )


def resample_counts(
    n_clusters: int, resamples: int, rng: np.random.Generator, *, size: int | None = None
) -> Iterator[ClusterCounts]:
    """How often each cluster is drawn, in chunks of resamples that bound the memory.

    Args:
        n_clusters: T, at least 1.
        resamples: Number of rows over all chunks.
        rng: Source of the draws.
        size: Draws a resample, T by default.

    Yields:
        Counts of shape (b, T), float64, each row with sum `size`.

    >>> [counts.sum(axis=1).tolist() for counts in resample_counts(3, 2, np.random.default_rng(0))]
    [[3.0, 3.0]]
    """
    draws = n_clusters if size is None else size
    step = max(1, _CHUNK // max(n_clusters, draws))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, n_clusters, size=(rows, draws))
        drawn += np.arange(rows, dtype=np.int64)[:, np.newaxis] * n_clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * n_clusters)
        yield counts.reshape(rows, n_clusters).astype(np.float64)


def _leave_one_out(statistic: Callable[[ClusterCounts], Vector], n_clusters: int) -> Vector:
    step = max(1, _CHUNK // n_clusters)
    found = []
    for start in range(0, n_clusters, step):
        left_out = np.arange(start, min(start + step, n_clusters))
        counts = np.ones((left_out.size, n_clusters))
        counts[np.arange(left_out.size), left_out] = 0.0
        found.append(statistic(counts))
    values = np.concatenate(found)
    if not np.isfinite(values).all():
        raise NotMeasuredError("the statistic has no value without one of the clusters, so BCa cannot be had")
    return values


def _bca_tails(tails: Vector, point: float, resampled: Vector, jackknife: Vector) -> Vector:
    """Which quantiles of the resamples bound the interval."""
    below = (resampled < point).sum() + 0.5 * (resampled == point).sum()
    # Kept off 0 and 1, where the correction would be infinite.
    share = min(max(below / resampled.size, 0.5 / resampled.size), 1 - 0.5 / resampled.size)
    bias = ndtri(share)
    spread = jackknife.mean() - jackknife
    cubes = float((spread**2).sum() ** 1.5)
    acceleration = float((spread**3).sum()) / (6 * cubes) if cubes > 0 else 0.0
    reach = bias + ndtri(tails)
    return np.asarray(ndtr(bias + reach / np.maximum(1 - acceleration * reach, np.finfo(np.float64).tiny)))
