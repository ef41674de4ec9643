"""Cluster jackknife: a t interval and a p-value for any smooth statistic of cluster sums."""

from collections.abc import Callable
from dataclasses import replace
from math import fsum, sqrt

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_clusters
from audit.statistics.intervals import ClusterEstimate, t_estimate
from audit.statistics.unseen import unseen_of, with_unseen

__all__ = ["cluster_jackknife"]

_ROUNDING = 1e-12
"""Spread, as a fraction of the statistic's own size, below which the leave-one-out values count as equal."""


def cluster_jackknife(
    statistic: Callable[[Vector], Vector],
    cluster_sums: npt.ArrayLike,
    *,
    null: float = 0.0,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> ClusterEstimate:
    """A smooth statistic of sums, with the t interval of its leave-one-cluster-out values.

    With v(t) the statistic without cluster t: variance = (T - 1) / T * sum((v(t) - mean(v))^2), and t
    with T - 1 degrees of freedom about the statistic of all clusters. Where few clusters differ, what others
    may hide is added (see `audit.statistics.unseen`); clusters whose leaving out moves the statistic alike
    are of one kind. For the mean of clusters of one size this is `cluster_t_interval`. For ratios,
    differences and products of rates over clusters of unequal size it leans to the wide side.

    Not for statistics with jumps (medians, maxima), whose leave-one-out values say nothing of
    their spread: use `cluster_bootstrap`.

    Args:
        statistic: From sums of counts, shape (B, K), to values, shape (B,); nan where there is no value.
        cluster_sums: Counts summed within each cluster, shape (T, K), T at least 2.
        null: The value that the p-value is against, in the statistic's unit.
        level: Nominal coverage, a fraction in (0, 1).
        bounds: Smallest and largest value that the statistic of one cluster can have. Without them the
            largest distance that was seen stands in: where every cluster that differs differs little,
            coverage can then be as low as without help.

    Returns:
        The estimate in the statistic's unit; its `p_value` is two-sided against `null`.

    Raises:
        NotMeasuredError: Fewer than 2 clusters; the statistic has no value, on all clusters or without one
            of them; or it is the same whichever cluster is left out, so that no spread can be seen.
        ValueError: `level` is outside (0, 1), or `cluster_sums` is not two-dimensional.

    Source:
        Efron & Stein (1981), Annals of Statistics 9:586-596; for clusters, the estimator CV3J of
        MacKinnon, Nielsen & Webb (2023), J. Applied Econometrics 38:671-694.

    >>> sums = [[1, 5], [4, 5], [0, 4], [3, 6], [2, 5], [5, 5]]
    >>> found = cluster_jackknife(lambda s: s[:, 0] / s[:, 1], sums, null=0.5)
    >>> found.point, round(found.interval.low, 2), round(found.interval.high, 2)
    (0.5, 0.14, 0.86)
    """
    sums = np.asarray(cluster_sums, dtype=np.float64)
    if sums.ndim != 2:  # noqa: PLR2004 - clusters by counts
        raise ValueError(f"cluster_sums must have shape (T, K); got {sums.shape}")
    n = sums.shape[0]
    check_clusters("a cluster jackknife", n)
    total = sums.sum(axis=0, keepdims=True)
    point = float(statistic(total)[0])
    values = statistic(total - sums)
    if not (np.isfinite(point) and np.isfinite(values).all()):
        raise NotMeasuredError("the statistic has no value on all clusters or without one of them")
    centre = fsum(values.tolist()) / n
    standard_error = sqrt((n - 1) / n * fsum(((values - centre) ** 2).tolist()))
    if standard_error <= _ROUNDING * max(1.0, abs(point)):
        raise NotMeasuredError("the statistic is the same whichever cluster is left out")
    method = f"cluster jackknife t (df {n - 1})"
    about = t_estimate(point - null, standard_error, n - 1.0, n_clusters=n, level=level, method=method)
    # Clusters whose leaving out moves the statistic alike are of one kind.
    unseen = unseen_of([n * point - (n - 1) * values], np.ones(1), bounds)
    about = about if unseen is None else with_unseen(about, unseen)
    ends = replace(about.interval, low=about.interval.low + null, high=about.interval.high + null)
    return replace(about, point=point, interval=ends)
