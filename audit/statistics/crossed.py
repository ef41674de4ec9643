"""Variance of a difference of two arms over templates and names that cross, free of the bias of centring.

Each arm's influences are distances from the arm's own mean, so what all its names have in common is gone from
them. With 6 names in an arm that is a sixth of what names do, and the more of it is lost the more ways of
clustering are added up. How much is lost follows from the design alone, for effects of any kind; how
large the effects are is estimated from the same influences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack

from audit.statistics.arguments import Codes, Vector

__all__ = ["CrossedNames", "crossed_variance"]

_RELATIVE = 1e-9
"""Smallest singular value, relative to the largest, that two kinds of effects are told apart by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedNames:
    """Names as a sample: whose name each part is, and how it weighs."""

    of: Sequence[npt.ArrayLike]
    """Code of each part in every name dimension (first names, last names), shape (n,) each; one or more."""
    weights: npt.ArrayLike
    """What each part is multiplied by in the estimate, shape (n,): above 0 in one arm, below 0 in the other.
    Its influence is the weight times the distance from the mean of its arm and stratum."""


def crossed_variance(
    influence: Vector, factor: Vector, template: Codes, stratum: Codes, names: CrossedNames
) -> float:
    """The variance by inclusion and exclusion over templates and names, with what centring takes put back.

    variance = sum over all non-empty sets of dimensions of (-1)^(size + 1) V(set) + sum_k s_k (d_k - e_k)

    V(set) is the sum over its clusters of the squared sum of influences. What a template does to both arms is
    taken from these first: the estimate does not feel it, but clusters of names would.

    k goes over kinds of independent effects of mean 0: of a template on the difference, of a name in each
    dimension, and of the part itself. d_k is what effects of variance 1 add to the variance of the estimate,
    and e_k what the sum of V finds of it on average: both follow from the design. The variances s_k solve
    as many equations: sums of squares by template, by each name dimension and over parts equal what they
    are on average.

    Args:
        influence: What each part adds to the error of the estimate, shape (n,).
        factor: What each influence is multiplied by before it is squared, shape (n,).
        template: Code of its template; in every stratum both arms weigh alike in each.
        stratum: Code of its stratum.
        names: Names and weights.

    Returns:
        The variance; by chance it may be below 0.

    Source:
        Cameron, Gelbach & Miller (2011), J. Business & Economic Statistics 29:238-249, eq. 2.13; a working
        model for the bias of clustered variances: Bell & McCaffrey (2002), Survey Methodology 28:169-181;
        its variances by moments: Henderson (1953), Biometrics 9:226-252, method 1.
    """
    weight = np.asarray(names.weights, dtype=np.float64)
    dimensions = [_dense(template), *(_dense(np.asarray(one)) for one in names.of)]
    parts = np.arange(weight.size)
    design = _Design(weight, dimensions[0], _dense(stratum))
    influence = design.without_level(influence)
    kinds = [*dimensions, parts]
    signs = [np.sign(weight), *(np.ones(weight.size) for _ in kinds[1:])]
    effects = design.effects(kinds, signs)
    found, expected = 0.0, np.zeros(len(kinds))
    for size in range(1, len(dimensions) + 1):
        for chosen in combinations(dimensions, size):
            cluster = _joined(chosen)
            found -= (-1) ** size * _squares(influence * factor, cluster)
            expected -= (-1) ** size * design.expected(cluster, weight * factor, effects)
    seen = np.array([_squares(influence, of) for of in kinds])
    moments = np.array([design.expected(of, weight, effects) for of in kinds])
    scale = np.abs(moments).sum(axis=1)
    # Of names that each make up a whole arm of a stratum the sums are 0 whatever the data: they say nothing.
    told = scale > _RELATIVE * scale.max()
    moments, seen, scale = moments[told], seen[told], scale[told]
    solved = np.linalg.lstsq(moments / scale[:, np.newaxis], seen / scale, rcond=_RELATIVE)
    truly = np.array([_squares(weight * sign, of) for of, sign in zip(kinds, signs, strict=True)])
    return float(found + solved[0] @ (truly - expected))


@dataclass(frozen=True, slots=True)
class _Effects:
    """Kinds of independent effects of mean 0 and variance 1, one a level; levels side by side."""

    kind: Codes
    """Of each level, shape (levels,)."""
    levels: csr_array
    """How each part takes part in each level, shape (n, levels)."""
    means: csr_array
    """Share of each level in each mean that is taken away, shape (means, levels)."""
    between: npt.NDArray[np.float64]
    """`means` times its transpose, for the levels of each kind, shape (kinds, means, means)."""


class _Design:
    """What influences contain of effects, once levels of templates and means of arms are taken away.

    Of the value of a part three means are taken, weighted as in the estimate: that of its arm and that of
    its template, in its stratum, less that of the stratum.
    """

    def __init__(self, weight: Vector, template: Codes, stratum: Codes) -> None:
        self._weight = weight
        within = _joined((stratum, template))
        means = [2 * stratum + (weight > 0), within, stratum]
        starts = np.cumsum([0, 2 * (int(stratum.max()) + 1), int(within.max()) + 1])
        size = int(starts[-1]) + int(stratum.max()) + 1
        self._within = within
        rows = np.tile(np.arange(weight.size), 3)
        columns = np.concatenate([start + one for start, one in zip(starts, means, strict=True)])
        taken = np.repeat([1.0, 1.0, -1.0], weight.size)
        self._taken = csr_array((taken, (rows, columns)), shape=(weight.size, size))
        total = np.bincount(columns, weights=np.tile(np.abs(weight), 3), minlength=size)
        share = np.tile(np.abs(weight), 3) / np.where(total > 0, total, 1.0)[columns]
        self._share = csr_array((share, (columns, rows)), shape=(size, weight.size))

    def without_level(self, influence: Vector) -> Vector:
        """Influences less what a template does to both arms."""
        size = np.abs(self._weight)
        level = np.bincount(self._within, weights=influence * np.sign(self._weight))
        return influence - self._weight * (level / np.bincount(self._within, weights=size))[self._within]

    def effects(self, kinds: Sequence[Codes], signs: Sequence[Vector]) -> _Effects:
        """Effects of several kinds: the level of each part, and whether it adds to it or is taken from it."""
        apart = [csr_array((sign, (np.arange(of.size), of))) for of, sign in zip(kinds, signs, strict=True)]
        means = [self._share @ levels for levels in apart]
        return _Effects(
            kind=np.repeat(np.arange(len(apart)), [levels.shape[1] for levels in apart]),
            levels=csr_array(hstack(apart)),
            means=csr_array(hstack(means)),
            between=np.array([(one @ one.T).toarray() for one in means]),
        )

    def expected(self, cluster: Codes, weight: Vector, effects: _Effects) -> Vector:
        """Mean of the sum over clusters of squared sums of influences, for each kind of effects alone.

        With S the sums of weights by cluster and level, W those by cluster and mean taken away, and M the
        shares of levels in these means, it is the squared norm of S - W M.
        """
        sums = csr_array((weight, (cluster, np.arange(weight.size))))
        own, taken = sums @ effects.levels, sums @ self._taken
        shared = (taken.T @ own).multiply(effects.means).sum(axis=0)
        squares = np.bincount(own.indices, weights=own.data**2, minlength=effects.kind.size)
        of_means = np.einsum("ij,kij->k", (taken.T @ taken).toarray(), effects.between)
        expected: Vector = np.bincount(effects.kind, weights=squares - 2 * shared) + of_means
        return expected


def _dense(codes: Codes) -> Codes:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _joined(dimensions: Sequence[Codes]) -> Codes:
    """Dense codes of clusters that share all dimensions."""
    joined = dimensions[0]
    for one in dimensions[1:]:
        joined = _dense(joined * (int(one.max()) + 1) + one)
    return joined


def _squares(parts: Vector, cluster: Codes) -> float:
    sums = np.bincount(cluster, weights=parts)
    return float(sums @ sums)
