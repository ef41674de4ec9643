"""Several groups at once: intervals that hold for all of them together, and never maximum minus minimum."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from audit.statistics.arguments import (
    Codes,
    Flags,
    Vector,
    check_at_least,
    check_fraction,
)
from audit.statistics.group_contrasts import GroupContrasts, Matrix
from audit.statistics.intervals import (
    ClusterEstimate,
    equal_clusters_estimate,
    t_estimate,
)
from audit.statistics.unseen import p_value_of, reaches

__all__ = ["SimultaneousEstimates", "max_t_intervals"]

_CHUNK = 2_000_000
"""Resampled statistics held at once."""

_ROUNDING = 1e-9
"""Fraction by which two p-values of the same signs may differ."""

_LEAST_DF = 11
"""Below this, as with fewer than 12 clusters, signs tell too little of how contrasts go together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimultaneousEstimates:
    """Estimates whose intervals contain all their truths at once at the level."""

    estimates: tuple[ClusterEstimate, ...]
    """In the order of the contrasts; p-values are adjusted for the number of contrasts."""
    single_error: float
    """Chance of error of each interval by itself; 0 if every contrast is degenerate."""


def max_t_intervals(
    contrasts: GroupContrasts, *, rng: np.random.Generator, level: float = 0.95, resamples: int = 2000
) -> SimultaneousEstimates:
    """Intervals that hold for all contrasts together, and p-values adjusted for looking at all of them.

    Each contrast alone is a t estimate: variance = sum of its squared influences, degrees of freedom by
    Satterthwaite over the strata, V^2 / sum(V_s^2 / (T_s - 1)), with what clusters not met may hide
    (`with_unseen`). Every resample gives each cluster one random sign s_c, the same for all contrasts, so
    their dependence is kept: t*_k = sum_c s_c i_ck / se*_k, with the signed influences centred in each
    stratum, V*_s = (sum i^2 - (sum s i)^2 / T_s) T_s / (T_s - 1), and degrees of freedom of their own.

    The adjusted p of contrast k is the share of resamples whose smallest p over contrasts is at most its
    own (plus 1 in both counts), and the intervals are those at the level that this makes critical; with equal
    degrees of freedom that is the quantile of max_k |t*_k|. Neither is ever kinder than the contrast's own t
    interval. With fewer than 11 degrees of freedom in some contrast the signs tell too little, and
    Bonferroni's inequality takes their place.

    Name the contrasts beforehand; this is the honest form of "the group that differs most". Not for a
    maximum minus a minimum, whose null expectation is far above 0. A contrast without any spread enters as
    `equal_clusters_interval`, by Bonferroni.

    Args:
        contrasts: From `group_contrasts`.
        rng: Source of the signs.
        level: Chance that all intervals contain their truths, a fraction in (0, 1).
        resamples: Number of sign patterns, at least 200.

    Returns:
        The estimates, in the unit of the points, and the error of each interval by itself.

    Raises:
        ValueError: An argument is out of range (a level near 1 needs more resamples).

    Source:
        Westfall & Young (1993), Resampling-Based Multiple Testing, section 2.3 (single-step max-T and
        min-P); multiplier bootstrap of maxima: Chernozhukov, Chetverikov & Kato (2013), Annals of
        Statistics 41:2786-2819; signs by cluster: Cameron, Gelbach & Miller (2008), Review of
        Economics and Statistics 90:414-427; Satterthwaite (1946), Biometrics Bulletin 2:110-114.

    >>> from audit.statistics.group_contrasts import group_contrasts
    >>> means = np.array([[0.1, 0.2], [0.2, 0.4], [0.3, 0.4], [0.1, 0.4], [0.2, 0.3], [0.2, 0.3]])
    >>> found = max_t_intervals(group_contrasts(means, reference=0), rng=np.random.default_rng(0))
    >>> round(found.estimates[0].point, 3)
    0.15
    """
    check_at_least("resamples", resamples, 200)
    check_fraction("level", level)
    alpha, n_contrasts = 1 - level, contrasts.points.size
    variances = _by_stratum(contrasts.influence**2, contrasts.strata, len(contrasts.n_clusters))
    spread = np.asarray(variances.sum(axis=0) > 0)
    # Contrasts without spread take their Bonferroni share of the error, the others share the rest.
    joint = alpha * int(spread.sum()) / n_contrasts
    total, df = _pooled(variances[:, spread], contrasts.n_clusters[:, spread])
    smallest = _smallest(contrasts, spread, resamples, rng) if min(df, default=0.0) >= _LEAST_DF else None
    single = _single_error(smallest, joint, int(spread.sum()))
    errors = np.full((2, n_contrasts), np.nan)
    errors[:, spread] = np.sqrt(total), df
    found = []
    for place, (error, freedom) in enumerate(errors.T.tolist()):
        if not spread[place]:
            found.append(_without_spread(contrasts, place, alpha))
            continue
        one = _alone(contrasts, place, (error, freedom), level)
        p_value = _adjusted(one.p_value, smallest, int(spread.sum())) * alpha / joint
        below, above = reaches(one, one.unseen, single / 2)
        interval = replace(
            one.interval, low=one.point - below, high=one.point + above, method=_method(smallest)
        )
        found.append(replace(one, p_value=min(1.0, p_value), interval=interval, bounds=contrasts.bounds))
    return SimultaneousEstimates(estimates=tuple(found), single_error=single)


def _by_stratum(rows: Matrix, strata: Codes, n: int) -> Matrix:
    """Sums of rows over the clusters of each stratum, shape (S, K)."""
    found = np.zeros((n, rows.shape[1]))
    np.add.at(found, strata, rows)
    return found


def _pooled(variances: Matrix, counts: npt.NDArray[np.int64]) -> tuple[Matrix, Matrix]:
    """Variance of each contrast and its degrees of freedom, from those of its strata (first axis)."""
    freedom = np.maximum(counts - 1, 1).reshape(
        counts.shape[0], *(1,) * (variances.ndim - 2), counts.shape[1]
    )
    total = variances.sum(axis=0)
    return total, total**2 / (variances**2 / freedom).sum(axis=0)


def _smallest(contrasts: GroupContrasts, spread: Flags, resamples: int, rng: np.random.Generator) -> Vector:
    """Smallest p over contrasts of each resample, in rising order, shape (B,)."""
    influence, counts = contrasts.influence[:, spread], contrasts.n_clusters[:, spread]
    squares = _by_stratum(influence**2, contrasts.strata, len(counts))
    inside = [np.flatnonzero(contrasts.strata == one) for one in range(len(counts))]
    step = max(1, _CHUNK // max(influence.shape[0], counts.size))
    found = []
    for start in range(0, resamples, step):
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(min(step, resamples - start), influence.shape[0]))
        sums = np.stack([signs[:, rows] @ influence[rows] for rows in inside])
        # Signs leave the squares as they are; only the mean that is taken off differs.
        n = np.maximum(counts, 2)[:, np.newaxis]
        left = squares[:, np.newaxis] - sums**2 / n
        variances = np.maximum(left, _ROUNDING * squares[:, np.newaxis]) * n / (n - 1)
        total, df = _pooled(variances, counts)
        found.append((2 * stdtr(df, -np.abs(sums.sum(axis=0)) / np.sqrt(total))).min(axis=1))
    return np.sort(np.concatenate(found))


def _single_error(smallest: Vector | None, joint: float, n: int) -> float:
    """The chance of error of each interval by itself that keeps that of all at `joint`."""
    if smallest is None:
        return joint / max(n, 1)
    rank = int(round(joint * (1 + smallest.size), 9))
    if rank < 1:
        raise ValueError(f"resamples must be at least {ceil(1 / joint)} at this level; got {smallest.size}")
    return min(joint, float(smallest[rank - 1]))


def _adjusted(p_value: float, smallest: Vector | None, n: int) -> float:
    if smallest is None:
        return n * p_value
    beyond = int(np.searchsorted(smallest, p_value * (1 + _ROUNDING), side="right"))
    return max(p_value, (1 + beyond) / (1 + smallest.size))


def _alone(
    contrasts: GroupContrasts, place: int, error: tuple[float, float], level: float
) -> ClusterEstimate:
    """One contrast by itself."""
    n = int(contrasts.n_clusters[:, place].sum())
    point = float(contrasts.points[place])
    found = t_estimate(point, *error, n_clusters=n, level=level, method="t")
    unseen = contrasts.unseen[place]
    return found if unseen is None else replace(found, unseen=unseen, p_value=p_value_of(found, unseen))


def _without_spread(contrasts: GroupContrasts, place: int, alpha: float) -> ClusterEstimate:
    """A contrast whose clusters are all equal, at its Bonferroni share of the error."""
    n_contrasts, unseen = contrasts.points.size, contrasts.unseen[place]
    n_clusters = int(contrasts.n_clusters[:, place].sum())
    found = equal_clusters_estimate(
        float(contrasts.points[place]),
        n_clusters if unseen is None else unseen.n,
        n_clusters=n_clusters,
        bounds=contrasts.bounds,
        level=1 - alpha / n_contrasts,
    )
    return replace(found, p_value=min(1.0, n_contrasts * found.p_value))


def _method(smallest: Vector | None) -> str:
    if smallest is None:
        return "t over contrasts by Bonferroni (few clusters)"
    return f"max-T over contrasts, cluster multiplier bootstrap ({smallest.size} resamples)"
