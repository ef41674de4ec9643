"""Sign-flip test: is the mean paired difference 0, without assuming a distribution?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, log2

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_at_least, check_fraction, finite_vector

__all__ = [
    "SignFlipResult",
    "flips_needed",
    "least_clusters_for_flips",
    "random_sums",
    "sign_flip_test",
]

_CHUNK = 2_000_000
"""Signs held at once."""

_OCTET = 8
"""Signs in a random byte."""

_ROUNDING = 1e-9
"""Difference within which two statistics count as equal, so that ties are ties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignFlipResult:
    """A two-sided sign-flip p-value and how it was had."""

    p_value: float
    mid_p_value: float
    """The same with patterns exactly as extreme counted by half: near the nominal level on average where
    differences are coarse, as shares of few answers are, and p is needlessly large."""
    flips: int
    """Sign patterns looked at."""
    exact: bool
    """True if every pattern was looked at; else the p-value has Monte-Carlo error."""
    least_p_value: float
    """Smallest p this test could have given: it cannot pass a threshold below that."""


def sign_flip_test(
    differences: npt.ArrayLike,
    *,
    flips: int,
    rng: np.random.Generator,
    weights: npt.ArrayLike | None = None,
    studentised: bool = False,
    enough: int | None = None,
) -> SignFlipResult:
    """Two-sided test that independent cluster differences are symmetric about 0.

    The statistic is |sum(w d)|; its null distribution gives each d the sign + or - with equal
    chance. All 2^T patterns are enumerated when they are at most `flips`; otherwise `flips` random
    ones are drawn and p = (1 + those at least as extreme) / (1 + flips), which never is 0. Clusters
    with d = 0 do not matter and are left out first. Neither the order of the clusters nor
    the sign of all of them changes p.

    With `enough` the drawing ends as soon as that many patterns were at least as extreme, with
    p = enough / flips drawn. That p is as valid, and saves nearly all flips where there is nothing to see;
    its relative error is about 1 / sqrt(enough).

    With `studentised` each pattern's sum is divided by its own standard error, which keeps the
    level approximately right where the differences are not symmetric. Without weights the two
    orderings are the same, so p is.

    Not for rows that share a cluster, and not to test that two distributions are equal beyond their means.

    Args:
        differences: One paired difference a cluster, shape (T,).
        flips: Most patterns to look at; `flips_needed` says how many a family of tests needs.
        rng: Source of the random signs; unused when the test is exact.
        weights: Weight of each cluster, at least 0, shape (T,); by default all 1.
        studentised: Divide by the standard error under each pattern.
        enough: Patterns at least as extreme that end the drawing, at least 1; None never ends it early.

    Returns:
        The p-value, in (0, 1]; 1 if all differences are 0.

    Raises:
        NotMeasuredError: There is no cluster.
        ValueError: `flips` or `enough` is below 1, or the arrays are not finite, not of one shape or
            negative in weight.

    Source:
        Fisher (1935), The Design of Experiments, section 21; the + 1: Phipson & Smyth (2010), Stat.
        Appl. Genet. Mol. Biol. 9:39; studentised: Janssen (1999), J. Stat. Planning 81:151-168;
        `enough`: Besag & Clifford (1991), Biometrika 78:301-304; mid-p: Lancaster (1961), JASA 56:223-234.

    >>> sign_flip_test([0.1, 0.2, 0.1, 0.3, 0.2], flips=100, rng=np.random.default_rng(0)).p_value
    0.0625
    """
    check_at_least("flips", flips, 1)
    check_at_least("enough", 1 if enough is None else enough, 1)
    size, weight = _checked(differences, weights, studentised=studentised)
    n = int((size != 0).sum())
    if n == 0:
        return SignFlipResult(p_value=1.0, mid_p_value=1.0, flips=1, exact=True, least_p_value=1.0)
    test = _Statistic(magnitude=np.abs(size), weight=weight, studentised=studentised)
    observed = float(test.of(np.sign(size)[np.newaxis] @ test.columns)[0])
    slack = _ROUNDING * max(1.0, observed)
    if size.size <= log2(flips):
        sums = _every_sum(test.columns)
        counts = [_counts(test.of(found), observed, slack) for found in sums]
        extreme, ties = (sum(column) for column in zip(*counts, strict=True))
        looked_at = 2 ** (size.size - 1)
        return SignFlipResult(
            p_value=extreme / looked_at,
            mid_p_value=(extreme - ties / 2) / looked_at,
            flips=2 * looked_at,
            exact=True,
            least_p_value=2.0 ** (1 - n),
        )
    drawn = _drawn(test, observed, flips=flips, enough=enough, rng=rng)
    least = max(2.0 ** (1 - n), 1 / (1 + flips))
    return replace(drawn, least_p_value=least)


def _counts(statistics: Vector, observed: float, slack: float) -> tuple[int, int]:
    """How many patterns are at least as extreme as the data, and how many exactly as extreme."""
    return int((statistics >= observed - slack).sum()), int((np.abs(statistics - observed) <= slack).sum())


def flips_needed(family_size: int, rate: float, *, weight: float = 1.0, resolution: int = 10) -> int:
    """Random flips a test needs so that its p-value can pass the family's strictest threshold.

    The strictest threshold of Benjamini-Hochberg (and Holm) is rate / family_size, and weight times
    that in `weighted_benjamini_hochberg`. With B flips the smallest p is 1 / (B + 1); `resolution`
    times finer than the threshold leaves room for that many equally extreme patterns.

    Args:
        family_size: Tests in the family, at least 1.
        rate: False discovery rate or error level of the family, a fraction in (0, 1).
        weight: Weight of the test, above 0, where the weights of the family average 1.
        resolution: How many times finer than the threshold the p-values are to be, at least 1.

    Returns:
        Number of flips.

    >>> flips_needed(20, 0.05)
    3999
    """
    check_at_least("resolution", resolution, 1)
    return ceil(round(resolution / _threshold(family_size, rate, weight), 6)) - 1


def least_clusters_for_flips(family_size: int, rate: float, *, weight: float = 1.0) -> int:
    """Fewest clusters with which a sign-flip test can pass a family's strictest threshold.

    With T clusters the smallest two-sided p is 2^(1 - T): with fewer clusters no result, however
    clear, can be a disparity, and `cluster_t_interval` has to give the p-value.

    Args:
        family_size: Tests in the family, at least 1.
        rate: False discovery rate or error level of the family, a fraction in (0, 1).
        weight: Weight of the test, above 0, where the weights of the family average 1.

    Returns:
        Number of clusters (that differ from 0).

    >>> least_clusters_for_flips(20, 0.05)
    10
    """
    return ceil(round(-log2(_threshold(family_size, rate, weight)), 9)) + 1


def _threshold(family_size: int, rate: float, weight: float) -> float:
    """What p must reach for the test to be selected when no other of the family is."""
    check_at_least("family_size", family_size, 1)
    check_fraction("rate", rate)
    if not weight > 0:
        raise ValueError(f"weight must be above 0; got {weight!r}")
    return rate * min(1.0, weight / family_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statistic:
    magnitude: Vector
    weight: Vector
    studentised: bool

    @property
    def columns(self) -> Vector:
        """What the signs are multiplied with, shape (T, 1), or (T, 2) if studentised."""
        weighted = self.weight * self.magnitude
        columns = [weighted, self.weight * weighted] if self.studentised else [weighted]
        return np.column_stack(columns)

    def of(self, found: Vector) -> Vector:
        """Statistics of patterns from their sums over `columns`, shape (B, 1 or 2) to (B,); without unit."""
        weighted = self.weight * self.magnitude
        sums = found[:, 0]
        if not self.studentised:
            return np.asarray(np.abs(sums) / weighted.sum())
        mean = sums / self.weight.sum()
        squares = weighted @ weighted
        # sum(w^2 (s d - mean)^2), multiplied out.
        variance = squares - 2 * mean * found[:, 1] + mean**2 * (self.weight @ self.weight)
        # All clusters equal and on one side: no spread, so nothing is more extreme.
        return np.asarray(np.abs(sums) / np.sqrt(np.maximum(variance, _ROUNDING * squares)))


def _drawn(
    test: _Statistic, observed: float, *, flips: int, enough: int | None, rng: np.random.Generator
) -> SignFlipResult:
    """The result over random patterns."""
    extreme = ties = drawn = 0
    slack = _ROUNDING * max(1.0, observed)
    # Small portions where the drawing may end soon.
    portion = flips if enough is None else 8 * enough
    for start in range(0, flips, portion):
        for found in random_sums(test.columns, min(portion, flips - start), rng):
            statistics = test.of(found)
            hits = np.flatnonzero(statistics >= observed - slack)
            if enough is not None and extreme + hits.size >= enough:
                last = int(hits[enough - extreme - 1]) + 1
                ties += _counts(statistics[:last], observed, slack)[1]
                return _monte_carlo(enough, ties, drawn + last, drawn + last)
            extreme += hits.size
            ties += _counts(statistics, observed, slack)[1]
            drawn += len(found)
    return _monte_carlo(1 + extreme, ties, 1 + flips, flips)


def _monte_carlo(extreme: int, ties: int, of: int, flips: int) -> SignFlipResult:
    return SignFlipResult(
        p_value=extreme / of,
        mid_p_value=(extreme - ties / 2) / of,
        flips=flips,
        exact=False,
        least_p_value=1 / of,
    )


def _checked(
    differences: npt.ArrayLike, weights: npt.ArrayLike | None, *, studentised: bool
) -> tuple[Vector, Vector]:
    """Differences and weights in an order that does not depend on signs or on the order received."""
    size = finite_vector("differences", differences)
    weight = np.ones_like(size) if weights is None else finite_vector("weights", weights)
    if size.shape != weight.shape or (weight < 0).any():
        raise ValueError("differences and weights must have one shape, and weights must be at least 0")
    if size.size == 0:
        raise NotMeasuredError("a sign-flip test needs at least 1 cluster; got 0")
    # A zero difference changes no sum; it does count in a standard error.
    kept = np.flatnonzero(weight > 0 if studentised else weight * size != 0)
    order = kept[np.lexsort((weight[kept], np.abs(size[kept])))]
    return size[order], weight[order]


def _every_sum(columns: Vector) -> Iterator[Vector]:
    """Signed sums over all sign patterns with the first sign +, in chunks; the others mirror them."""
    n = columns.shape[0]
    total, step = 2 ** (n - 1), max(1, _CHUNK // n)
    digits = np.arange(n, dtype=np.int64)
    for start in range(0, total, step):
        numbers = np.arange(start, min(start + step, total), dtype=np.int64)
        yield (1.0 - 2.0 * ((numbers[:, np.newaxis] >> digits) & 1)) @ columns


def random_sums(columns: Vector, flips: int, rng: np.random.Generator) -> Iterator[Vector]:
    """Signed sums over random sign patterns, in chunks, shape (b, k) each.

    A random byte is the signs of eight clusters, and the sums of all its 256 patterns are looked up: an
    eighth of the work, and no matrix of signs.

    Args:
        columns: What the signs are multiplied with, shape (T, k).
        flips: Number of random patterns.
        rng: Source of the signs.

    Yields:
        Sums, shape (b, k), where the b add up to `flips`.
    """
    n, width = columns.shape
    padded = np.zeros((-(-n // _OCTET) * _OCTET, width))
    padded[:n] = columns
    signs = 1.0 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1)
    tables = signs @ padded.reshape(-1, _OCTET, width)
    step = max(1, _CHUNK // n)
    for start in range(0, flips, step):
        rows = min(step, flips - start)
        octets = np.frombuffer(rng.bytes(rows * len(tables)), dtype=np.uint8).reshape(len(tables), rows)
        found = np.zeros((rows, width))
        for table, drawn in zip(tables, octets, strict=True):
            found += table[drawn]
        yield found
