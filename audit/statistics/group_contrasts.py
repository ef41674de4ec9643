"""Contrasts of several groups within clusters, with what each cluster adds to the error of all of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import Codes, Vector, check_clusters
from audit.statistics.intervals import Unseen, all_equal, check_bounds
from audit.statistics.unseen import unseen_of

__all__ = ["GroupContrasts", "Matrix", "group_contrasts"]

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContrasts:
    """Each group against the reference or the grand mean, with the joint influence of the clusters."""

    points: Vector
    """Mean difference of each contrast over its strata, which weigh alike, shape (K,)."""
    influence: Matrix
    """What each cluster adds to the error of each contrast, shape (C, K); 0 where it has no value. The
    squares of a column add up to the contrast's variance."""
    strata: Codes
    """Stratum of each cluster, from 0, shape (C,); strata that share clusters are one."""
    n_clusters: Codes
    """Clusters of each stratum behind each contrast, shape (S, K); of strata that are one, those of the
    smallest."""
    groups: Codes
    """Column of each contrast's group, shape (K,); the reference has none."""
    unseen: tuple[Unseen | None, ...]
    """What clusters not met may hide of each contrast, K of them."""
    bounds: tuple[float, float] | None
    """Smallest and largest value one cluster's difference can have, if known."""


def group_contrasts(
    cluster_means: npt.ArrayLike,
    *,
    reference: int | None = None,
    strata: npt.ArrayLike | None = None,
    clusters: npt.ArrayLike | None = None,
    bounds: tuple[float, float] | None = None,
) -> GroupContrasts:
    """Contrasts of several groups within clusters: each against the reference, or against the grand mean.

    d_tk = mean_tk - mean_t,ref, or mean_tk - (sum over groups of mean_tg) / G; point_k = the mean over the
    S_k strata that have values of their means of d_tk; influence_tk = (d_tk - mean of its stratum)
    sqrt(T_sk / (T_sk - 1)) / (T_sk S_k), with T_sk the clusters of the stratum that have a value. Rows of
    one cluster in several strata are added up.

    The grand mean needs every group in the cluster: clusters without are left out for all
    groups. The contrasts against the grand mean include the group itself in the mean.

    Args:
        cluster_means: Mean of each group in each cluster and stratum, nan if missing, shape (T, G), G >= 2.
        reference: Column of the reference group; None for the grand mean.
        strata: Stratum of each row, an integer, shape (T,); None for a single one.
        clusters: Cluster of each row, an integer, shape (T,); None if each row is one.
        bounds: Smallest and largest difference; needed where the clusters of a stratum are all equal.

    Returns:
        The contrasts: G - 1 against a reference, G against the grand mean.

    Raises:
        NotMeasuredError: A contrast has values in fewer than 2 clusters (of a stratum in which it has any),
            or a stratum without spread and no `bounds`.
        ValueError: The array is not of two dimensions and two groups, a value is infinite or out of bounds,
            codes have another shape, or `reference` is no column.

    Source:
        Hothorn, Bretz & Westfall (2008), Biometrical Journal 50:346-363, section 3 (Dunnett and
        grand-mean contrasts); Cochran (1977), Sampling Techniques, 3rd ed., section 5.4 (strata).

    >>> found = group_contrasts([[0.1, 0.3, 0.2], [0.3, 0.3, 0.6]], reference=0)
    >>> found.points.round(2).tolist(), found.groups.tolist()
    ([0.1, 0.2], [1, 2])
    """
    differences, groups = _differences(cluster_means, reference)
    stratum = _codes("strata", strata, np.zeros(len(differences), dtype=np.int64))
    cluster = _codes("clusters", clusters, np.arange(len(differences)))
    for group, column in zip(groups, differences.T, strict=True):
        _check_counts(f"the contrast of group {group}", stratum[~np.isnan(column)])
    columns = [_column(column, stratum, cluster, bounds) for column in differences.T]
    joined = _joined(stratum, cluster)
    rows = np.stack([column.influence for column in columns], axis=1)
    total = np.zeros((int(cluster.max()) + 1, len(columns)))
    np.add.at(total, cluster, rows)
    of_cluster = np.zeros(len(total), dtype=np.int64)
    of_cluster[cluster] = joined[stratum]
    counts = np.stack([column.counts for column in columns], axis=1)
    merged = [counts[joined == one] for one in range(int(joined.max()) + 1)]
    return GroupContrasts(
        points=np.array([column.point for column in columns]),
        influence=total,
        strata=of_cluster,
        n_clusters=np.stack([np.where(part > 0, part, part.max(axis=0)).min(axis=0) for part in merged]),
        groups=groups.astype(np.int64),
        unseen=tuple(column.unseen for column in columns),
        bounds=bounds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One contrast by itself."""

    point: float
    influence: Vector
    """Shape (T,)."""
    counts: Codes
    """Clusters with a value of each stratum, shape (S,)."""
    unseen: Unseen | None


def _differences(cluster_means: npt.ArrayLike, reference: int | None) -> tuple[Matrix, Codes]:
    """Differences, shape (T, K), and the group of each."""
    means = np.asarray(cluster_means, dtype=np.float64)
    if means.ndim != 2 or means.shape[1] < 2 or np.isinf(means).any():  # noqa: PLR2004 - clusters by groups
        raise ValueError(f"cluster_means must be finite or nan, of shape (T, G >= 2); got {means.shape}")
    groups = np.arange(means.shape[1])
    if reference is None:
        return means - means.mean(axis=1, keepdims=True), groups
    if not 0 <= reference < groups.size:
        raise ValueError(f"reference must be a column from 0 to {groups.size - 1}; got {reference!r}")
    groups = np.delete(groups, reference)
    return means[:, groups] - means[:, [reference]], groups


def _codes(name: str, codes: npt.ArrayLike | None, otherwise: Codes) -> Codes:
    """Dense codes from 0, shape (T,)."""
    if codes is None:
        return otherwise
    given = np.asarray(codes, dtype=np.int64)
    if given.shape != otherwise.shape:
        raise ValueError(f"{name} must have the shape {otherwise.shape}; got {given.shape}")
    return np.unique(given, return_inverse=True)[1].astype(np.int64)


def _check_counts(what: str, stratum: Codes) -> None:
    """Refuse a contrast with fewer than 2 clusters, in all or in a stratum in which it has any."""
    check_clusters(what, stratum.size)
    check_clusters(f"{what} in each stratum", int(np.unique(stratum, return_counts=True)[1].min()))


def _column(values: Vector, stratum: Codes, cluster: Codes, bounds: tuple[float, float] | None) -> _Column:
    """A contrast's point, influence and hidden room; strata in which it has no value do not count."""
    present = ~np.isnan(values)
    counts = np.bincount(stratum[present], minlength=int(stratum.max()) + 1)
    used = np.flatnonzero(counts)
    influence = np.zeros(values.size)
    means = []
    for one in used.tolist():
        inside = np.flatnonzero(present & (stratum == one))
        part, n = values[inside], inside.size
        check_bounds(part, bounds)
        means.append(float(part.mean()))
        if not all_equal(part, bounds):
            influence[inside] = (part - means[-1]) * np.sqrt(n / (n - 1)) / (n * used.size)
    return _Column(
        point=float(np.mean(means)),
        influence=influence,
        counts=counts.astype(np.int64),
        unseen=_unseen(values[present], stratum[present], cluster[present], bounds),
    )


def _unseen(
    values: Vector, stratum: Codes, cluster: Codes, bounds: tuple[float, float] | None
) -> Unseen | None:
    """What clusters not met may hide; what strata share is weighed together first, as its spread is."""
    names, place = np.unique(cluster, return_inverse=True)
    used, of = np.unique(stratum, return_inverse=True)
    if names.size < values.size:
        weight = 1 / np.bincount(of)[of]
        return unseen_of(
            [np.bincount(place, weight * values) / np.bincount(place, weight)], np.ones(1), bounds
        )
    return unseen_of(
        [values[of == one] for one in range(used.size)], np.full(used.size, 1 / used.size), bounds
    )


def _joined(stratum: Codes, cluster: Codes) -> Codes:
    """New code of each stratum, from 0: strata that share a cluster, directly or through others, are one."""
    code = np.arange(int(stratum.max()) + 1)
    for one in np.flatnonzero(np.bincount(cluster) > 1).tolist():
        sharing = code[stratum[cluster == one]]
        code[np.isin(code, sharing)] = sharing.min()
    return np.unique(code, return_inverse=True)[1].astype(np.int64)
