"""Specification curve: one question, every defensible way to analyse it, and one joint test.

An analyst may choose thresholds, exclusions, analyzers. The curve shows the estimate under each
choice; the joint test asks whether the curve as a whole could come from no effect.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Flags, Vector, check_at_least, check_fraction

__all__ = ["JointTest", "SpecificationCurve", "specification_curve"]

Matrix = npt.NDArray[np.float64]

_CHUNK = 2_000_000
"""Signs, and estimates, held at once."""

_ROUNDING = 1e-9
"""Relative difference within which two statistics count as equal, so that ties are ties."""

_LEAST_CLUSTERS = 2
_SPECIFICATIONS_BY_CLUSTERS = 2
"""Dimensions of the table of differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """One summary of the curve and its p-value under sign flips of whole clusters."""

    value: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationCurve:
    """The curve and its joint tests; specifications are in the order received."""

    estimates: Vector
    """Mean over clusters under each specification, shape (S,)."""
    low: Vector
    high: Vector
    """Ends of each specification's own cluster-t interval, shape (S,)."""
    n_clusters: npt.NDArray[np.int64]
    """Clusters that count under each specification, shape (S,)."""
    median: JointTest
    """Median estimate; its p-value is the headline, two-sided."""
    same_sign: JointTest
    """Share of specifications on the side where most are."""
    significant: JointTest
    """Share of specifications whose interval leaves out 0 on the side where most do."""
    level: float
    flips: int


def specification_curve(
    differences: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    flips: int = 1999,
    level: float = 0.95,
) -> SpecificationCurve:
    """Estimates of one disparity under many specifications, and whether they jointly could be nothing.

    Under no effect a cluster's difference is as likely of one sign as of the other, and one flip turns
    it in every specification alike: that keeps the dependence between specifications, which share
    their data. Three summaries are compared with their values under flips: the absolute median, the
    share on the larger side, and the share whose interval leaves out 0 on one side. p = (1 + those at
    least as extreme) / (1 + flips).

    Not a licence to add specifications until one differs: they are declared before the run, and
    each must be defensible by itself. The three tests are one family; the median is the headline. Where
    specifications share most of their data they nearly always agree in sign, by chance too, so the share
    of one sign then shows nothing.

    Args:
        differences: Paired difference of each specification and cluster, nan where a specification
            leaves the cluster out, shape (S, T).
        rng: Source of the random signs.
        flips: Sign patterns to draw, at least 99.
        level: Nominal coverage of each specification's own interval, a fraction in (0, 1).

    Returns:
        The curve, in the unit of the differences.

    Raises:
        NotMeasuredError: No specification, or one with fewer than 2 clusters.
        ValueError: Not two dimensions, infinite values, or an argument outside the range above.

    Source:
        Simonsohn, Simmons & Nelson (2020), Nature Human Behaviour 4:1208-1214, section "Inference";
        + 1: Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9:39.

    >>> curve = specification_curve([[0.1, 0.3, 0.2, 0.2, 0.3, 0.1], [0.2, 0.2, 0.1, 0.4, 0.2, 0.1]],
    ...                             rng=np.random.default_rng(0), flips=999)
    >>> round(curve.median.value, 3), curve.same_sign.value, curve.median.p_value < 0.06
    (0.2, 1.0, True)
    """
    check_fraction("level", level)
    check_at_least("flips", flips, 99)
    sums = _Sums.of(differences, level)
    observed = sums.summaries(np.ones((1, sums.values.shape[1])))
    extreme = np.zeros(3)
    for signs in _signs(sums.values.shape[1], flips, max(sums.values.shape), rng):
        threshold = observed - _ROUNDING * np.maximum(1.0, np.abs(observed)) * sums.scale
        extreme += (sums.summaries(signs) >= threshold).sum(axis=0)
    p_values = (1 + extreme) / (1 + flips)
    estimates, errors = (part[0] for part in sums.estimates(np.ones((1, sums.values.shape[1]))))
    reach = sums.quantile * errors
    values = (float(np.median(estimates)), float(observed[0, 1]), float(observed[0, 2]))
    tests = [JointTest(value=value, p_value=float(p)) for value, p in zip(values, p_values, strict=True)]
    return SpecificationCurve(
        estimates=estimates,
        low=estimates - reach,
        high=estimates + reach,
        n_clusters=sums.counts.astype(np.int64),
        median=tests[0],
        same_sign=tests[1],
        significant=tests[2],
        level=level,
        flips=flips,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    values: Matrix
    """Differences with 0 for nan, shape (S, T)."""
    counts: Vector
    squares: Vector
    """Sum of squares of each specification: no flip changes it."""
    quantile: Vector
    scale: Vector
    """Unit of each summary, so that ties are found in any unit, shape (3,)."""

    @classmethod
    def of(cls, differences: npt.ArrayLike, level: float) -> "_Sums":
        """Check the differences and put clusters in an order that does not depend on the one received."""
        given = np.asarray(differences, dtype=np.float64)
        if given.ndim != _SPECIFICATIONS_BY_CLUSTERS or np.isinf(given).any():
            raise ValueError(f"differences must be finite or nan, of shape (S, T); got shape {given.shape}")
        present: Flags = ~np.isnan(given)
        counts = present.sum(axis=1).astype(np.float64)
        if not counts.size or counts.min() < _LEAST_CLUSTERS:
            least = int(counts.min()) if counts.size else 0
            raise NotMeasuredError(
                f"a specification curve needs specifications of at least {_LEAST_CLUSTERS} clusters each; "
                f"got {counts.size} of at least {least}"
            )
        values = np.where(present, given, 0.0)
        values = values[:, np.lexsort(np.abs(values))]
        largest = float(np.abs(values).max())
        return cls(
            values=values,
            counts=counts,
            squares=(values**2).sum(axis=1),
            quantile=np.asarray(stdtrit(counts - 1, 0.5 + level / 2)),
            scale=np.array([largest, 1.0, 1.0]),
        )

    def estimates(self, signs: Matrix) -> tuple[Matrix, Matrix]:
        """Means and their standard errors under patterns of signs, (B, T) to twice (B, S)."""
        means = signs @ self.values.T / self.counts
        variance = (self.squares - self.counts * means**2) / (self.counts * (self.counts - 1))
        return means, np.sqrt(np.maximum(variance, 0.0))

    def summaries(self, signs: Matrix) -> Matrix:
        """Absolute median, larger share of one sign, larger share significant on one side, (B, 3)."""
        means, errors = self.estimates(signs)
        slack = _ROUNDING * float(self.scale[0])
        reach = self.quantile * errors + slack
        sides = [
            np.maximum((means > least).mean(axis=1), (means < -least).mean(axis=1))
            for least in (slack, reach)
        ]
        return np.column_stack([np.abs(np.median(means, axis=1)), *sides])


def _signs(n: int, flips: int, width: int, rng: np.random.Generator) -> Iterator[Matrix]:
    step = max(1, _CHUNK // max(n, width))
    for start in range(0, flips, step):
        bits = rng.integers(0, 2, size=(min(step, flips - start), n))
        yield np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
