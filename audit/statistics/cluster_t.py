"""The default for means and differences: the t interval over clusters."""

from dataclasses import replace
from math import fsum, sqrt

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import check_clusters, check_fraction, finite_vector
from audit.statistics.intervals import (
    ClusterEstimate,
    all_equal,
    check_bounds,
    equal_clusters_estimate,
    t_estimate,
)
from audit.statistics.unseen import unseen_of, with_unseen

__all__ = ["cluster_t_interval"]


def cluster_t_interval(
    cluster_means: npt.ArrayLike,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> ClusterEstimate:
    """The mean of independent clusters with its t interval: the default for means and differences.

    point = mean(x); standard error = sqrt(sum((x - mean)^2) / (T (T - 1))); t with T - 1 degrees of
    freedom. The order of the clusters does not matter.

    If all clusters are equal the data hold no spread to estimate from, and an interval of width 0
    would claim certainty. With `bounds` the interval is then `equal_clusters_interval`, and the
    estimate is flagged `degenerate`; without bounds nothing can be said. Where fewer than 15 clusters
    differ from the most frequent value, and fewer than half, what clusters not met may hide is added
    (`unseen_of`, `with_unseen`).

    Do not use it below about 12 clusters, nor for ratios and maxima (see `cluster_bootstrap`).

    Args:
        cluster_means: One value a cluster, such as the template's mean paired difference, shape (T,).
        level: Nominal coverage, a fraction in (0, 1).
        bounds: Smallest and largest value one cluster can have: (-1, 1) for a difference of rates.

    Returns:
        The estimate, in the unit of the values; its interval may reach beyond `bounds`.

    Raises:
        NotMeasuredError: Fewer than 2 clusters, or all are equal and `bounds` is not given.
        ValueError: A value is not finite or outside `bounds`, or `level` is outside (0, 1).

    Source:
        Student (1908), Biometrika 6:1-25; for clusters, Cameron & Miller (2015), J. Human
        Resources 50:317-372, section VI.

    >>> estimate = cluster_t_interval([0.1, 0.3, 0.2, 0.2])
    >>> round(estimate.point, 3), round(estimate.interval.low, 3), round(estimate.interval.high, 3)
    (0.2, 0.07, 0.33)
    """
    check_fraction("level", level)
    means = finite_vector("cluster_means", cluster_means)
    n = means.size
    check_clusters("the error of a mean", n)
    check_bounds(means, bounds)
    # An exactly rounded sum depends neither on the order of the clusters nor on their sign.
    point = fsum(means.tolist()) / n
    if all_equal(means, bounds):
        return equal_clusters_estimate(point, n, n_clusters=n, bounds=bounds, level=level)
    standard_error = sqrt(fsum(((means - point) ** 2).tolist()) / (n * (n - 1.0)))
    found = t_estimate(
        point, standard_error, n - 1.0, n_clusters=n, level=level, method=f"cluster-t (df {n - 1})"
    )
    unseen = unseen_of([means], np.ones(1), bounds)
    return replace(found if unseen is None else with_unseen(found, unseen), bounds=bounds)
