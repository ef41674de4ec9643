"""Several groups at once: intervals that hold for all of them together, and never maximum minus minimum."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from audit.statistics.arguments import (
    Flags,
    Vector,
    check_at_least,
    check_clusters,
    check_fraction,
    finite_vector,
)
from audit.statistics.intervals import ClusterEstimate, Interval, equal_clusters_estimate

__all__ = ["GroupContrasts", "SimultaneousEstimates", "group_contrasts", "max_t_intervals"]

_CHUNK = 2_000_000
"""Resampled statistics held at once."""

_ROUNDING = 1e-12
"""Spread, as a fraction of the range of the values, below which clusters count as equal."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContrasts:
    """Each group against the reference or the grand mean, with the joint influence of the clusters."""

    points: Vector
    """Mean difference of each contrast, shape (K,)."""
    influence: Matrix
    """What each cluster adds to the error of each contrast, shape (T, K); 0 where it has no value."""
    n_clusters: npt.NDArray[np.int64]
    """Clusters behind each contrast, shape (K,)."""
    groups: npt.NDArray[np.int64]
    """Column of each contrast's group, shape (K,); the reference has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimultaneousEstimates:
    """Estimates whose intervals contain all their truths at once at the level."""

    estimates: tuple[ClusterEstimate, ...]
    """In the order of the contrasts; p-values are adjusted for the number of contrasts."""
    critical: float
    """How many standard errors each interval reaches to either side."""


def group_contrasts(cluster_means: npt.ArrayLike, *, reference: int | None = None) -> GroupContrasts:
    """Contrasts of several groups within clusters: each against the reference, or against the grand mean.

    d_tk = mean_tk - mean_t,ref, or mean_tk - (sum over groups of mean_tg) / G; point_k = the mean of d_tk
    over clusters that have it, and influence_tk = (d_tk - point_k) / T_k.

    The grand mean needs every group in the cluster: clusters without are left out for all
    groups. The contrasts against the grand mean include the group itself in the mean.

    Args:
        cluster_means: Mean of each group in each cluster, nan where missing, shape (T, G), G >= 2.
        reference: Column of the reference group; None for the grand mean.

    Returns:
        The contrasts: G - 1 against a reference, G against the grand mean.

    Raises:
        NotMeasuredError: A contrast has values in fewer than 2 clusters.
        ValueError: The array is not of two dimensions and two groups, a value is infinite, or `reference`
            is no column.

    Source:
        Hothorn, Bretz & Westfall (2008), Biometrical Journal 50:346-363, section 3 (Dunnett and
        grand-mean contrasts).

    >>> found = group_contrasts([[0.1, 0.3, 0.2], [0.3, 0.3, 0.6]], reference=0)
    >>> found.points.round(2).tolist(), found.groups.tolist()
    ([0.1, 0.2], [1, 2])
    """
    means = np.asarray(cluster_means, dtype=np.float64)
    if means.ndim != 2 or means.shape[1] < 2 or np.isinf(means).any():  # noqa: PLR2004 - clusters by groups
        raise ValueError(f"cluster_means must be finite or nan, of shape (T, G >= 2); got {means.shape}")
    groups = np.arange(means.shape[1])
    if reference is None:
        differences = means - means.mean(axis=1, keepdims=True)
    elif 0 <= reference < groups.size:
        groups = np.delete(groups, reference)
        differences = means[:, groups] - means[:, [reference]]
    else:
        raise ValueError(f"reference must be a column from 0 to {groups.size - 1}; got {reference!r}")
    present = ~np.isnan(differences)
    counts = present.sum(axis=0)
    for group, count in zip(groups, counts, strict=True):
        check_clusters(f"the contrast of group {group}", int(count))
    points = np.where(present, differences, 0.0).sum(axis=0) / counts
    return GroupContrasts(
        points=points,
        influence=np.where(present, differences - points, 0.0) / counts,
        n_clusters=counts.astype(np.int64),
        groups=groups.astype(np.int64),
    )


def max_t_intervals(
    contrasts: GroupContrasts,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2000,
    bounds: tuple[float, float] | None = None,
) -> SimultaneousEstimates:
    """Intervals that hold for all contrasts together, and p-values adjusted for looking at all of them.

    Every resample gives each cluster one random sign, the same for all contrasts, so their dependence
    is kept; t*_k = sum_t s_t i_tk / se*_k with the standard error of the signed influences. The critical
    value is the quantile of max_k |t*_k| at the level, the adjusted p of contrast k the share of maxima at
    least |t_k| (plus 1 in both counts). Neither is ever kinder than the single t interval's with
    the degrees of freedom of the contrast's own clusters.

    Name the contrasts beforehand; this is the honest form of "the group that differs most". Not for a
    maximum minus a minimum, whose null expectation is far above 0. With fewer than 12 clusters the
    signs have too few patterns. A contrast without spread enters as `equal_clusters_interval`, by
    Bonferroni.

    Args:
        contrasts: From `group_contrasts`, or any estimates with the clusters' joint influence.
        rng: Source of the signs.
        level: Chance that all intervals contain their truths, a fraction in (0, 1).
        resamples: Number of sign patterns, at least 200.
        bounds: Smallest and largest value one cluster's difference can have; needed where all are equal.

    Returns:
        The estimates, in the unit of the points, and the critical value.

    Raises:
        NotMeasuredError: A contrast has fewer than 2 clusters, or no spread while `bounds` is not given.
        ValueError: The shapes do not fit, a number is not finite, or an argument is out of range (a
            level near 1 needs more resamples).

    Source:
        Westfall & Young (1993), Resampling-Based Multiple Testing, section 2.3 (single-step max-T);
        multiplier bootstrap of maxima: Chernozhukov, Chetverikov & Kato (2013), Annals of
        Statistics 41:2786-2819; signs by cluster: Cameron, Gelbach & Miller (2008), Review of
        Economics and Statistics 90:414-427.

    >>> means = np.array([[0.1, 0.2], [0.2, 0.4], [0.3, 0.4], [0.1, 0.4], [0.2, 0.3], [0.2, 0.3]])
    >>> found = max_t_intervals(group_contrasts(means, reference=0), rng=np.random.default_rng(0))
    >>> round(found.estimates[0].point, 3)
    0.15
    """
    check_at_least("resamples", resamples, 200)
    check_fraction("level", level)
    points, influence, counts = _checked(contrasts)
    spread = _with_spread(points, influence, bounds)
    errors = np.sqrt((influence**2).sum(axis=0) * counts / (counts - 1))
    # Contrasts without spread take their Bonferroni share of the error, the others share the rest.
    single = (1 - level) / points.size
    joint = single * int(spread.sum())
    maxima = _maxima(influence[:, spread], counts[spread], resamples, rng)
    critical = _critical(maxima, joint)
    found = []
    rows = zip(points.tolist(), errors.tolist(), counts.tolist(), spread.tolist(), strict=True)
    for point, error, n, varies in rows:
        if varies:
            one = _estimate((point, error, int(n)), maxima, critical, joint)
            p_value = min(1.0, one.p_value * (1 - level) / joint)
            interval = replace(one.interval, level=level)
            found.append(replace(one, p_value=p_value, interval=interval, bounds=bounds))
        else:
            one = equal_clusters_estimate(point, n, n_clusters=int(n), bounds=bounds, level=1 - single)
            found.append(replace(one, p_value=min(1.0, points.size * one.p_value)))
    return SimultaneousEstimates(estimates=tuple(found), critical=critical)


def _checked(contrasts: GroupContrasts) -> tuple[Vector, Matrix, Vector]:
    points = finite_vector("points", contrasts.points)
    influence = np.asarray(contrasts.influence, dtype=np.float64)
    counts = finite_vector("n_clusters", contrasts.n_clusters)
    if influence.ndim != 2 or influence.shape[1] != points.size or counts.shape != points.shape:  # noqa: PLR2004 - clusters by contrasts
        raise ValueError(
            f"influence must have the shape (T, {points.size}) and n_clusters ({points.size},); "
            f"got {influence.shape} and {counts.shape}"
        )
    if not np.isfinite(influence).all():
        raise ValueError("influence must be finite")
    check_clusters("an interval over contrasts", int(counts.min(initial=influence.shape[0])))
    return points, influence, counts


def _with_spread(points: Vector, influence: Matrix, bounds: tuple[float, float] | None) -> Flags:
    """Which contrasts have clusters that differ, beyond rounding."""
    scale = np.abs(points) if bounds is None else np.full(points.size, bounds[1] - bounds[0])
    largest = np.abs(influence).max(axis=0) * influence.shape[0]
    return np.asarray(largest > _ROUNDING * scale)


def _maxima(influence: Matrix, counts: Vector, resamples: int, rng: np.random.Generator) -> Vector:
    """Largest absolute t of each resample, shape (B,); empty without contrasts."""
    n_clusters, n_contrasts = influence.shape
    if not n_contrasts:
        return np.empty(0)
    squares = (influence**2).sum(axis=0)
    step = max(1, _CHUNK // n_clusters)
    found = []
    for start in range(0, resamples, step):
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(min(step, resamples - start), n_clusters))
        sums = signs @ influence
        # Signs leave the squares as they are; only the mean that is taken off differs.
        variances = np.maximum(squares - sums**2 / counts, _ROUNDING * squares) * counts / (counts - 1)
        found.append((np.abs(sums) / np.sqrt(variances)).max(axis=1))
    return np.concatenate(found)


def _critical(maxima: Vector, rate: float) -> float:
    """The value that p-values (1 + larger) / (1 + B) of at most `rate` lie beyond; 0 without contrasts."""
    if not maxima.size:
        return 0.0
    rank = int(round(rate * (1 + maxima.size), 9))
    if rank < 1:
        raise ValueError(f"resamples must be at least {ceil(1 / rate)} at this level; got {maxima.size}")
    return float(np.sort(maxima)[-rank])


def _estimate(
    what: tuple[float, float, int], maxima: Vector, critical: float, rate: float
) -> ClusterEstimate:
    """One contrast (point, standard error, clusters) with its simultaneous interval and adjusted p."""
    point, error, n = what
    df = n - 1.0
    reach = max(critical, float(stdtrit(df, 1 - rate / 2))) * error
    size = abs(point) / error
    adjusted = (1 + int((maxima >= size * (1 - _ROUNDING)).sum())) / (1 + maxima.size)
    return ClusterEstimate(
        point=point,
        standard_error=error,
        df=df,
        n_clusters=n,
        p_value=max(adjusted, float(2 * stdtr(df, -size))),
        interval=Interval(
            low=point - reach,
            high=point + reach,
            level=1 - rate,
            method=f"max-T over contrasts, cluster multiplier bootstrap ({maxima.size} resamples)",
        ),
    )
