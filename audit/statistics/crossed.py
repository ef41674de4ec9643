"""Variance of a difference of two arms over templates and names that cross, free of the bias of centring.

Each arm's influences are distances from the arm's own mean, so what all its names have in common is gone from
them. With 6 names in an arm that is a sixth of what names do, and the more of it is lost the more ways of
clustering are added up. How much is lost follows from the design alone, for effects of any kind; how
large the effects are is estimated from the same influences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from audit.statistics.arguments import Codes, Vector
from audit.statistics.codes import dense_codes, joined_codes

__all__ = ["CrossedNames", "crossed_variance"]

Table = npt.NDArray[np.float64]
_TAKEN = np.array([[1.0], [1.0], [-1.0]])
"""Of the means of arm and template, and of the stratum: whether it is taken away or given back."""
_FILLED = 0.1
"""Share of filled cells from which on a table is no longer kept sparse."""
_LONG = 16
"""Tables this many times as long as their values are still filled faster than values are sorted."""
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
    dimensions = [dense_codes(template), *(dense_codes(one) for one in names.of)]
    design = _Design(weight, dimensions, dense_codes(stratum))
    influence = design.without_level(influence)
    alone = [design.expected(of, weight) for of in dimensions]
    found, expected = 0.0, np.zeros(len(dimensions) + 1)
    for size in range(1, len(dimensions) + 1):
        for places in combinations(range(len(dimensions)), size):
            cluster = joined_codes([dimensions[place] for place in places])
            found -= (-1) ** size * _squares(influence * factor, cluster)
            if size == 1 and np.all(factor == factor[0]):
                mean = factor[0] ** 2 * alone[places[0]]
            else:
                mean = design.expected(cluster, weight * factor)
            expected -= (-1) ** size * mean
    kinds = [*dimensions, np.arange(weight.size)]
    seen = np.array([_squares(influence, of) for of in kinds])
    moments = np.array([*alone, design.expected_of_parts()])
    scale = np.abs(moments).sum(axis=1)
    # Of names that each make up a whole arm of a stratum the sums are 0 whatever the data: they say nothing.
    told = scale > _RELATIVE * scale.max()
    moments, seen, scale = moments[told], seen[told], scale[told]
    solved = np.linalg.lstsq(moments / scale[:, np.newaxis], seen / scale, rcond=_RELATIVE)
    truly = np.array([_squares(weight * sign, of) for of, sign in zip(kinds, design.signs, strict=True)])
    return float(found + solved[0] @ (truly - expected))


class _Design:
    """What influences contain of effects, once levels of templates and means of arms are taken away.

    Of the value of a part three means are taken, weighted as in the estimate: that of its arm and that of
    its template, in its stratum, less that of the stratum. Effects are independent, of mean 0 and variance 1,
    one a level: of a template, of a name in each dimension, and of the part itself. Levels of all dimensions
    lie side by side; parts are kept apart, since each is in three means only.
    """

    def __init__(self, weight: Vector, dimensions: Sequence[Codes], stratum: Codes) -> None:
        """Keep the design.

        Args:
            weight: Of each part, shape (n,).
            dimensions: Codes of the templates, then of the names, shape (n,) each.
            stratum: Code of each part's stratum.
        """
        self._weight = weight
        self._within = joined_codes((stratum, dimensions[0]))
        starts = np.cumsum([0, 2 * (int(stratum.max()) + 1), int(self._within.max()) + 1])
        self._size = int(starts[-1]) + int(stratum.max()) + 1
        in_arm = 2 * stratum + (weight > 0)
        self._means = np.stack([in_arm, starts[1] + self._within, starts[2] + stratum])
        """The three means of each part, shape (3, n)."""
        total = np.bincount(self._means.ravel(), weights=np.tile(np.abs(weight), 3), minlength=self._size)
        self._share = np.abs(weight) / np.where(total > 0, total, 1.0)[self._means]
        """Its share in each."""
        even = np.ones(weight.size)
        self.signs = [np.sign(weight), *(even for _ in dimensions)]
        """Whether the effect of each kind adds to a part or is taken from it."""
        ends = np.cumsum([0, *(int(of.max()) + 1 for of in dimensions)])
        self._levels = [start + of for start, of in zip(ends[:-1], dimensions, strict=True)]
        self._kind = np.repeat(np.arange(len(dimensions)), np.diff(ends))
        self._shares = self._shares_of_levels()
        """Share of each level in each mean, shape (means, levels)."""
        self._between = self._between_means()
        """By kind: products of these shares for every two means, summed over levels."""

    def without_level(self, influence: Vector) -> Vector:
        """Influences less what a template does to both arms."""
        size = np.abs(self._weight)
        level = np.bincount(self._within, weights=influence * np.sign(self._weight))
        return influence - self._weight * (level / np.bincount(self._within, weights=size))[self._within]

    def expected(self, cluster: Codes, weight: Vector) -> Vector:
        """Mean of the sum over clusters of squared sums of influences, for each kind of effects alone.

        With S the sums of weights by cluster and level, W those by cluster and mean taken away, and M the
        shares of levels in these means, it is the squared norm of S - W M.
        """
        clusters, several = int(cluster.max()) + 1, len(self._levels)
        levels = self._kind.size
        taken = _Sums.of(cluster * self._size + self._means, _TAKEN * weight, clusters * self._size)
        signed = weight * np.stack(self.signs[:several])
        own = _Sums.of(cluster * levels + np.stack(self._levels), signed, clusters * levels)
        squares = np.bincount(self._kind[own.codes % levels], weights=own.sums**2, minlength=several)
        crossed, both = _multiplied(taken.table(clusters, self._size), own.table(clusters, self._kind.size))
        shared = np.bincount(self._kind, weights=(crossed * self._shares).sum(axis=0), minlength=several)
        of_parts = float(weight @ (taken.at * self._share).sum(axis=0))
        return self._norm((*squares, float(weight @ weight)), (*shared, of_parts), both)

    def expected_of_parts(self) -> Vector:
        """The same where every part is a cluster of its own."""
        weight = self._weight
        shared = [
            float((weight**2 * sign) @ (_TAKEN * self._shares[self._means, level]).sum(axis=0))
            for level, sign in zip(self._levels, self.signs, strict=False)
        ]
        of_parts = float(weight**2 @ (_TAKEN * self._share).sum(axis=0))
        squares = [float(weight @ weight)] * len(self.signs)
        return self._norm(squares, (*shared, of_parts), self._products(_TAKEN * weight))

    def _norm(self, squares: Sequence[float], shared: Sequence[float], both: Table) -> Vector:
        means = np.einsum("ij,kij->k", both, self._between)
        found: Vector = np.array(squares) - 2 * np.array(shared) + means
        return found

    def _shares_of_levels(self) -> Table:
        width = self._kind.size
        cells = np.concatenate([(self._means * width + level).ravel() for level in self._levels])
        values = [(self._share * sign).ravel() for _, sign in zip(self._levels, self.signs, strict=False)]
        summed = np.bincount(cells, weights=np.concatenate(values), minlength=self._size * width)
        return summed.astype(np.float64).reshape(self._size, width)

    def _between_means(self) -> Table:
        of_kinds = (self._shares[:, self._kind == kind] for kind in range(len(self._levels)))
        return np.array([*(one @ one.T for one in of_kinds), self._products(self._share)])

    def _products(self, values: Table) -> Table:
        """Products of what each part has in every two of its means, summed over parts."""
        found = np.zeros((self._size, self._size))
        for place, other in combinations_with_replacement(range(len(self._means)), 2):
            cells = self._means[place] * self._size + self._means[other]
            summed = np.bincount(cells, weights=values[place] * values[other], minlength=found.size)
            one = summed.reshape(found.shape)
            found += one if place == other else one + one.T
        return found


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of values by code, for the codes there are."""

    codes: Codes
    sums: Vector
    at: npt.NDArray[np.float64]
    """The sum of each value's own code, in the shape of the values."""

    @classmethod
    def of(cls, codes: Codes, values: Table, most: int) -> Self:
        """The sums; codes lie below `most`."""
        flat = codes.ravel()
        if most <= _LONG * flat.size:
            full = np.bincount(flat, weights=values.ravel(), minlength=most).astype(np.float64)
            some = np.flatnonzero(full)
            return cls(some, full[some], full[codes])
        found, place = np.unique(flat, return_inverse=True)
        sums = np.bincount(place, weights=values.ravel()).astype(np.float64)
        return cls(found, sums, sums[place].reshape(codes.shape))

    def table(self, rows: int, columns: int) -> csr_array:
        """As a sparse table, the code being row times columns plus column."""
        return csr_array((self.sums, divmod(self.codes, columns)), shape=(rows, columns))


def _multiplied(one: csr_array, other: csr_array) -> tuple[Table, Table]:
    """The transpose of `one` times the other, and times itself; not sparse where much of it is filled."""
    rows, columns = one.shape
    if one.nnz > _FILLED * rows * columns:
        full: Table = one.toarray()
        return full.T @ other.toarray(), full.T @ full
    return (one.T @ other).toarray(), (one.T @ one).toarray()


def _squares(parts: Vector, cluster: Codes) -> float:
    sums = np.bincount(cluster, weights=parts)
    return float(sums @ sums)
