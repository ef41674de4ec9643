"""Clusters of comparisons: two of them depend on each other if they share a template or anybody compared."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from audit.statistics.arguments import Vector, finite_vector
from audit.statistics.intervals import ClusterEstimate, t_estimate
from audit.statistics.multi_way import scaled_by_stratum, within_templates

__all__ = ["Members", "shared_member_cluster"]

_BLOCK = 1024
"""Rows of the table of sharing that are held at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Whom each of several comparisons compares."""

    of: Sequence[Iterable[Hashable]]
    """The members of each comparison, n of them; anything that can be told apart."""
    fewest: int
    """Members on the side that has fewest, 2 or more."""


def shared_member_cluster(
    influence: npt.ArrayLike,
    templates: npt.ArrayLike,
    strata: npt.ArrayLike,
    members: Members,
    *,
    point: float = 0.0,
    level: float = 0.95,
) -> ClusterEstimate:
    """Interval of a mean of comparisons that share templates and people.

    variance = sum of u_s u_s' over all pairs of comparisons s, s' that share a template or a member, s = s'
    included, and at least that over pairs that share a template. Influences are multiplied by
    sqrt(T_k / (T_k - 1)) in each stratum of T_k templates, and what members add by N / (N - 1) for N members
    on the side that has fewest. Degrees of freedom: Satterthwaite's over the strata, or N - 1 where that is
    less.

    Clustering each comparison by one of its members only, as if the other had no part in it, sees half of
    what a member does and, where squares are only added up, a quarter of its variance. Where no member
    recurs this is the clustering by template. Not for fewer than about 10 members a side
    (docs/explanation/calibration-comparisons.md).

    Args:
        influence: What each comparison adds to the error of the estimate, shape (n,); about 0 in sum.
        templates: Template code of each, shape (n,); the same code in two strata is the same template.
        strata: Stratum code of each, shape (n,).
        members: Whom each compares.
        point: The estimate itself.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The estimate, in the unit of the influence; `n_clusters` is the number of templates.

    Raises:
        NotMeasuredError: A stratum has fewer than 2 templates, or nothing varies between templates.
        ValueError: The shapes do not fit, or an influence is not finite.

    Source:
        The dyadic cluster-robust variance: Fafchamps & Gubert (2007), J. Development Economics 83:326-350;
        Aronow, Samii & Assenova (2015), Political Analysis 23:564-577. Satterthwaite (1946), Biometrics
        Bulletin 2:110-114.

    >>> pairs = Members(of=[{"a", "x"}, {"b", "y"}, {"a", "x"}, {"b", "y"}], fewest=2)
    >>> found = shared_member_cluster([0.1, -0.1, 0.2, -0.2], [0, 1, 2, 3], [0, 0, 0, 0], pairs)
    >>> round(found.standard_error, 3), found.df
    (0.589, 1.0)
    """
    parts = finite_vector("influence", influence)
    template, stratum = np.asarray(templates, dtype=np.int64), np.asarray(strata, dtype=np.int64)
    if template.shape != parts.shape or stratum.shape != parts.shape or len(members.of) != parts.size:
        raise ValueError(
            f"templates, strata and members must have the shape {parts.shape} of influence; "
            f"got {template.shape}, {stratum.shape} and {len(members.of)}"
        )
    scaled, sizes = scaled_by_stratum(parts, template, stratum)
    by_template, df = within_templates(scaled, template, stratum, sizes)
    beyond = _beyond_templates(scaled, template, members.of)
    beyond *= members.fewest / max(1, members.fewest - 1)
    # Another way to depend can only add variance in truth, so it may take none away by chance.
    variance = by_template + max(0.0, beyond)
    names = len({one for group in members.of for one in group})
    df = min(df, members.fewest - 1.0)
    n_templates = int(np.unique(template).size)
    counts = f"{n_templates} templates, {names} names"
    method = f"cluster-t over comparisons that share a template or a name ({counts}), df {df:.1f}"
    return t_estimate(point, sqrt(variance), df, n_clusters=n_templates, level=level, method=method)


def _beyond_templates(
    parts: Vector, template: npt.NDArray[np.int64], members: Sequence[Iterable[Hashable]]
) -> float:
    """Sum of products over pairs that share a member and no template."""
    code: dict[Hashable, int] = {}
    rows, columns = [], []
    for row, group in enumerate(members):
        for one in set(group):
            rows.append(row)
            columns.append(code.setdefault(one, len(code)))
    if not code:
        return 0.0
    shape = (parts.size, len(code))
    belongs = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    total = 0.0
    for start in range(0, parts.size, _BLOCK):
        some = slice(start, min(start + _BLOCK, parts.size))
        shares = (belongs[some] @ belongs.T).tocoo()
        here, there = shares.coords[0] + start, shares.coords[1]
        apart = template[here] != template[there]
        total += float((parts[here[apart]] * parts[there[apart]]).sum())
    return total
