"""Pooling upward: one estimate over strata such as domains or languages."""

from collections.abc import Sequence
from dataclasses import replace
from math import fsum, sqrt

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_clusters, finite_vector
from audit.statistics.intervals import (
    ClusterEstimate,
    all_equal,
    check_bounds,
    equal_clusters_estimate,
    t_estimate,
)
from audit.statistics.unseen import unseen_of, with_unseen, witnesses

__all__ = ["stratified_t"]


def stratified_t(
    strata: Sequence[npt.ArrayLike],
    *,
    level: float = 0.95,
    weights: npt.ArrayLike | None = None,
    bounds: tuple[float, float] | None = None,
) -> ClusterEstimate:
    """The weighted mean of strata's means with its t interval; each stratum may have its own spread.

    point = sum(w_k mean_k) with weights that sum to 1; variance = sum(w_k^2 s_k^2 / T_k); degrees of
    freedom by Satterthwaite: variance^2 / sum((w_k^2 s_k^2 / T_k)^2 / (T_k - 1)). Equal weights ask
    "how much on average over domains", whichever domain has more templates.

    The strata are fixed, not a sample: the result says nothing of domains that were not asked about.
    Not for strata that share templates: their clusters would not be independent.

    Args:
        strata: Cluster values of each stratum, shape (T_k,) each, T_k >= 2.
        level: Nominal coverage, a fraction in (0, 1).
        weights: Weight of each stratum, above 0; equal by default.
        bounds: Smallest and largest value one cluster can have; needed if a stratum has no spread.

    Returns:
        The estimate, in the unit of the values. If no stratum has any spread it is flagged
        `degenerate` and bounded as in `equal_clusters_interval`, with the number of
        clusters reduced to what unequal strata are worth. If only some have none, or few clusters that
        differ, what they may hide is added to the t interval (`unseen_of`, `with_unseen`).

    Raises:
        NotMeasuredError: There is no stratum, one has fewer than 2 clusters, or one has no spread and
            `bounds` is not given.
        ValueError: A value is not finite or outside `bounds`, or a weight is not above 0.

    Source:
        Cochran (1977), Sampling Techniques, 3rd ed., section 5.4; Satterthwaite (1946), Biometrics
        Bulletin 2:110-114.

    >>> estimate = stratified_t([[0.1, 0.3, 0.2], [0.0, 0.2, 0.1, 0.1]])
    >>> round(estimate.point, 3), round(estimate.df, 2)
    (0.15, 3.86)
    """
    values = [finite_vector("strata", stratum) for stratum in strata]
    weight = _weights(weights, len(values))
    for position, stratum in enumerate(values):
        check_clusters(f"stratum {position}", stratum.size)
        check_bounds(stratum, bounds)
    sizes = np.array([stratum.size for stratum in values], dtype=np.float64)
    alone = [_mean_and_variance(stratum, bounds) for stratum in values]
    means = np.array([mean for mean, _ in alone])
    parts = weight**2 * np.array([variance for _, variance in alone]) / sizes
    point, variance = fsum((weight * means).tolist()), fsum(parts.tolist())
    n_clusters = int(sizes.sum())
    if variance == 0:
        effective = float(n_clusters)
        if bounds is not None:
            effective = witnesses(weight * (means - bounds[0]), weight * (bounds[1] - means), sizes)
        return equal_clusters_estimate(point, effective, n_clusters=n_clusters, bounds=bounds, level=level)
    df = variance**2 / fsum((parts**2 / (sizes - 1)).tolist())
    method = f"stratified t over clusters ({len(values)} strata, df {df:.1f})"
    found = t_estimate(point, sqrt(variance), df, n_clusters=n_clusters, level=level, method=method)
    unseen = unseen_of(values, weight, bounds)
    return replace(found if unseen is None else with_unseen(found, unseen), bounds=bounds)


def _mean_and_variance(stratum: Vector, bounds: tuple[float, float] | None) -> tuple[float, float]:
    mean = fsum(stratum.tolist()) / stratum.size
    if all_equal(stratum, bounds):
        return mean, 0.0
    return mean, fsum(((stratum - mean) ** 2).tolist()) / (stratum.size - 1)


def _weights(weights: npt.ArrayLike | None, n: int) -> Vector:
    if n == 0:
        raise NotMeasuredError("pooling needs at least 1 stratum; got 0")
    weight = np.ones(n) if weights is None else finite_vector("weights", weights)
    if weight.shape != (n,) or (weight <= 0).any():
        raise ValueError(f"weights must be {n} numbers above 0; got {weight.tolist()!r}")
    return np.asarray(weight / weight.sum())
