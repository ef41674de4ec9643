"""Paired differences: rows of a counterfactual design, reduced to one number a set and one a template."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Flags, Vector

__all__ = ["PairedDifferences", "template_differences"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifferences:
    """Group minus reference, by set and by cluster, with the count of what could not be used.

    The mean of `differences` equals the mean of `group_means` minus that of `reference_means`: both
    sides have the same weights, each cluster 1, each set within a cluster alike.
    """

    differences: Vector
    """Mean difference of each cluster, shape (T,), in the order of `clusters`."""
    clusters: Codes
    """Cluster codes, ascending, shape (T,)."""
    group_means: Vector
    """Mean of the group's arm of each cluster, shape (T,)."""
    reference_means: Vector
    """Mean of the reference arm of each cluster, shape (T,)."""
    set_differences: Vector
    """Difference of each complete set, shape (S,), in the order of `sets`."""
    sets: Codes
    """Codes of the complete sets, ascending, shape (S,)."""
    set_clusters: Codes
    """Position in `clusters` of each complete set, shape (S,)."""
    set_influence: Vector
    """What each set adds to the error of the mean of `differences`, shape (S,); it sums to 0."""
    n_rows: int
    """Rows used."""
    n_missing: int
    """Rows whose value is nan."""
    n_unpaired: int
    """Rows with a value whose set has no value in the other arm."""
    sets_dropped: int
    """Sets seen that lack a value in at least one arm."""
    clusters_dropped: int
    """Clusters seen that have no complete set."""


def template_differences(
    values: npt.ArrayLike, cluster: npt.ArrayLike, set_code: npt.ArrayLike, is_group: npt.ArrayLike
) -> PairedDifferences:
    """Reduce rows to paired differences: mean over repeats, difference in a set, mean over a cluster's sets.

    Missing values are left out and counted, never read as 0: a set counts only if both arms have a
    value. One linear pass; memory is proportional to rows plus the largest code.

    Not for designs without sets (rows of two populations that are not counterparts).

    Args:
        values: One score a row, nan if missing, shape (n,).
        cluster: Code of the row's cluster, an integer from 0, shape (n,).
        set_code: Code of the row's counterfactual set, an integer from 0, shape (n,); dense codes,
            as `numpy.unique(..., return_inverse=True)` gives, need the least memory.
        is_group: True for rows of the group, False for rows of the reference, shape (n,).

    Returns:
        The differences, group minus reference, in the unit of the values.

    Raises:
        NotMeasuredError: No set has a value in both arms.
        ValueError: The shapes differ, a code is negative, a value is infinite, or a set spans clusters.

    >>> found = template_differences([1, 0, 1, 1, 0, float("nan")], [0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 2, 2],
    ...                              [True, False, True, False, True, False])
    >>> found.differences.tolist(), found.n_rows, found.sets_dropped
    ([0.5], 4, 1)
    """
    value, clusters, sets, group = _checked(values, cluster, set_code, is_group)
    cluster_of_set = _cluster_of_set(clusters, sets)
    present = ~np.isnan(value)
    arm = 2 * sets[present] + group[present]
    cells = 2 * cluster_of_set.size
    counts = np.bincount(arm, minlength=cells).reshape(-1, 2)
    sums = np.bincount(arm, weights=value[present], minlength=cells).reshape(-1, 2)
    complete = np.flatnonzero((counts > 0).all(axis=1))
    if complete.size == 0:
        raise NotMeasuredError("no counterfactual set has a value for both the group and the reference")
    arm_means = sums[complete] / counts[complete]
    differences = arm_means[:, 1] - arm_means[:, 0]
    kept, position = np.unique(cluster_of_set[complete], return_inverse=True)
    sets_of = np.bincount(position, minlength=kept.size)
    by_cluster = np.bincount(position, weights=differences) / sets_of
    n_rows = int(counts[complete].sum())
    return PairedDifferences(
        differences=by_cluster,
        clusters=kept,
        group_means=np.bincount(position, weights=arm_means[:, 1]) / sets_of,
        reference_means=np.bincount(position, weights=arm_means[:, 0]) / sets_of,
        set_differences=differences,
        sets=complete.astype(np.int64),
        set_clusters=position.astype(np.int64),
        set_influence=(differences - by_cluster.mean()) / (sets_of[position] * kept.size),
        n_rows=n_rows,
        n_missing=int((~present).sum()),
        n_unpaired=int(present.sum()) - n_rows,
        sets_dropped=int((cluster_of_set >= 0).sum()) - complete.size,
        clusters_dropped=int((np.bincount(clusters) > 0).sum()) - kept.size,
    )


def _checked(
    values: npt.ArrayLike, cluster: npt.ArrayLike, set_code: npt.ArrayLike, is_group: npt.ArrayLike
) -> tuple[Vector, Codes, Codes, Flags]:
    value = np.asarray(values, dtype=np.float64)
    clusters = np.asarray(cluster, dtype=np.int64)
    sets = np.asarray(set_code, dtype=np.int64)
    group = np.asarray(is_group, dtype=np.bool_)
    shapes = {value.shape, clusters.shape, sets.shape, group.shape}
    if len(shapes) > 1 or value.ndim != 1:
        raise ValueError(
            f"values, cluster, set_code and is_group must share one shape (n,); got {sorted(shapes)}"
        )
    if value.size == 0:
        raise NotMeasuredError("there is no row to pair")
    if np.isinf(value).any() or clusters.min() < 0 or sets.min() < 0:
        raise ValueError("values must be finite or nan, and codes at least 0")
    return value, clusters, sets, group


def _cluster_of_set(clusters: Codes, sets: Codes) -> Codes:
    """Cluster of every set code up to the largest, -1 where no row has it, shape (largest code + 1,)."""
    cluster_of_set = np.full(int(sets.max()) + 1, -1, dtype=np.int64)
    cluster_of_set[sets] = clusters
    astray = np.flatnonzero(cluster_of_set[sets] != clusters)
    if astray.size:
        raise ValueError(f"set {int(sets[astray[0]])} has rows in more than one cluster")
    return cluster_of_set
