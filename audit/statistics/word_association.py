"""Published measures of how unevenly words go with the words of two groups, beside swapped groups."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_at_least, check_clusters
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.jackknife import cluster_jackknife

__all__ = ["SwappedExcess", "co_occurrence_bias_score", "stereotypical_associations", "swapped_excess"]

Sides = npt.NDArray[np.float64]
"""Counts of both groups, shape (B, 2, K): one row a sample, the first group before the second."""

_MOST_UNDEFINED = 0.05
"""Share of swaps without a value above which no excess is stated."""
_ROUNDING = 1e-9
"""Differences this small, as a fraction of what is counted, are traces of rounding."""
_CHUNK = 4_000_000
"""Counts held at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwappedExcess:
    """A statistic of two groups beside what it is when the groups are swapped by chance."""

    observed: ClusterEstimate
    """The statistic itself; its p-value says nothing, since the statistic is never below 0."""
    excess: ClusterEstimate
    """Observed minus swapped, with the jackknife's interval and p-value."""
    swapped: float
    """Mean over swaps."""
    p_value: float
    """Share of swaps, the data among them, that are at least as large as observed."""


def co_occurrence_bias_score(near: npt.ArrayLike, total: npt.ArrayLike, named: npt.ArrayLike) -> Vector:
    """Mean over words of |log10(P(w | first group) / P(w | second group))|.

    P(w | g) = (c(w, g) / sum_v c(v, g)) / (c(g) / sum_v c(v)), where c(w, g) counts w near words of g and
    c(g) the words of g; the last sum is the same for both groups. 0 is the neutral value.

    A word that goes with one group only has no score and is left out, as in LangFair, so full segregation
    is not seen. c(g) is divided by twice, since sum_v c(v, g) grows with it: where one group is named more
    often the score is above 0 even if every word goes with both alike.

    Args:
        near: c(w, g), shape (B, 2, K), at least 0; weighted by distance or not.
        total: sum over all words of c(v, g), shape (B, 2).
        named: c(g), shape (B, 2).

    Returns:
        A score a sample, at least 0, shape (B,); nan where no word goes with both groups.

    Source:
        Bordia & Bowman (2019), NAACL Student Research Workshop, 7-15; the base 10, the absolute value and
        the words left out: LangFair (Bouchard 2024, arXiv:2407.10853).

    >>> co_occurrence_bias_score([[[10, 1, 3], [1, 1, 0]]], [[20, 20]], [[5, 5]]).tolist()
    [0.5]
    """
    counts = np.asarray(near, dtype=np.float64)
    sizes = np.asarray(total, dtype=np.float64) * np.asarray(named, dtype=np.float64)
    both = np.asarray((counts > 0).all(axis=1))
    logs = np.log10(np.where(both[:, np.newaxis], counts, 1.0))
    shares = np.log10(np.where(sizes > 0, sizes, 1.0))
    gaps = np.abs(logs[:, 0] - logs[:, 1] - (shares[:, 0] - shares[:, 1])[:, np.newaxis])
    return _mean(gaps, both)


def stereotypical_associations(counts: npt.ArrayLike) -> Vector:
    """Mean over words of the total variation distance between the groups' shares and equal shares.

    Of each word the counts with every group's words are taken as a distribution over the groups. 0 is the
    neutral value and 1 - 1/G the largest, of words that go with one group only.

    Not as it stands: a word met once lies at the largest distance, so the fewer the words the larger the
    value. Compare with `swapped_excess`.

    Args:
        counts: How often each word and a word of each group share a text, divided by the length of the
            group's list if lists differ, shape (B, G, K), at least 0.

    Returns:
        A fraction in [0, 1 - 1/G] a sample, shape (B,); nan where no word goes with any group.

    Source:
        Liang et al. (2022), Holistic Evaluation of Language Models, arXiv:2211.09110, section 4.7.

    >>> stereotypical_associations([[[3, 1, 0], [1, 1, 0]]]).tolist()
    [0.125]
    """
    found = np.asarray(counts, dtype=np.float64)
    sums = found.sum(axis=1)
    seen = np.asarray(sums > 0)
    shares = found / np.where(seen, sums, 1.0)[:, np.newaxis]
    return _mean(np.abs(shares - 1 / found.shape[1]).sum(axis=1) / 2, seen)


def swapped_excess(
    statistic: Callable[[Sides], Vector],
    sides: npt.ArrayLike,
    *,
    swaps: int = 499,
    rng: np.random.Generator,
    level: float = 0.95,
) -> SwappedExcess:
    """A statistic of two groups' counts, less its mean when the groups change places in random clusters.

    Distances never fall below 0, so few data alone make them large. If either group is as likely to be
    the one said of, within each cluster, swapping it there changes nothing but chance: the excess has mean
    0 then, and the share of swaps as large as the data is an exact p-value. Both intervals are those of
    the cluster jackknife, with the same swaps throughout. That of the statistic itself is about what data
    of this size give, which lies above its value on endless data.

    Args:
        statistic: From summed counts, shape (B, 2, K), to values, shape (B,), nan where there is none.
        sides: Counts summed within each cluster, shape (T, 2, K), T at least 2.
        swaps: Random swaps, at least 99.
        rng: Source of the swaps.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The statistic and its excess, in the statistic's unit.

    Raises:
        NotMeasuredError: Fewer than 2 clusters; the statistic has no value, on the data, without one of the
            clusters or on more than 5 % of swaps; or it does not change with the cluster left out.
        ValueError: An argument is outside the range above.

    Source:
        Randomisation test: Fisher (1935), The Design of Experiments, section 21, with the p-value of
        Phipson & Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9:39.

    >>> sides = [[[t % 3 + 4.0], [1.0 + t % 2]] for t in range(12)]
    >>> found = swapped_excess(stereotypical_associations, sides, rng=np.random.default_rng(0))
    >>> round(found.observed.point, 3), found.p_value < 0.01, found.excess.interval.low > 0
    (0.269, True, True)
    """
    check_at_least("swaps", swaps, 99)
    counts = np.asarray(sides, dtype=np.float64)
    if counts.ndim != 3 or counts.shape[1] != 2:  # noqa: PLR2004 - clusters by two groups by counts
        raise ValueError(f"sides must have shape (T, 2, K); got {counts.shape}")
    n = counts.shape[0]
    check_clusters("a swap of groups", n)
    middle, half = counts.mean(axis=1), (counts[:, 0] - counts[:, 1]) / 2
    # Differences of sums leave traces of rounding, which would pass for counts above 0.
    edge = _ROUNDING * np.abs(half).sum(axis=0)
    signs = rng.integers(0, 2, size=(swaps, n)) * 2.0 - 1.0

    step = max(1, _CHUNK // (swaps * max(n, 2 * middle.shape[1])))

    def values(weights: Vector) -> Vector:
        return _value(statistic, weights @ middle, weights @ half, edge)

    def swapped(weights: Vector) -> Vector:
        """Means over swaps, shape (B,)."""
        return np.concatenate(
            [_defined_means(each(weights[at : at + step])) for at in range(0, len(weights), step)]
        )

    def each(weights: Vector) -> Vector:
        signed = (weights[:, np.newaxis] * signs).reshape(-1, n)
        centre = np.repeat(weights @ middle, swaps, axis=0)
        return _value(statistic, centre, signed @ half, edge).reshape(-1, swaps)

    whole = each(np.ones((1, n)))[0]
    if (undefined := int(np.isnan(whole).sum())) > _MOST_UNDEFINED * swaps:
        raise NotMeasuredError(f"the statistic has no value on {undefined} of {swaps} swaps of the groups")
    observed = cluster_jackknife(values, np.eye(n), level=level)
    above = cluster_jackknife(lambda weights: values(weights) - swapped(weights), np.eye(n), level=level)
    # A swap without a value says nothing against chance, so it counts as one that is as large.
    as_large = int((~(whole < observed.point - _ROUNDING)).sum())
    return SwappedExcess(
        observed=observed,
        excess=above,
        swapped=float(_defined_means(whole[np.newaxis])[0]),
        p_value=(1 + as_large) / (1 + swaps),
    )


def _value(statistic: Callable[[Sides], Vector], centre: Vector, apart: Vector, edge: Vector) -> Vector:
    """The statistic of both groups' sums, given their means and half their differences, shape (B, K)."""
    sides = np.stack([centre + apart, centre - apart], axis=1)
    return statistic(np.where(sides > edge, sides, 0.0))


def _defined_means(values: Vector) -> Vector:
    """Mean of each row's values, without those that are missing; nan if all are."""
    return _mean(values, np.isfinite(values))


def _mean(values: Vector, counted: npt.NDArray[np.bool_]) -> Vector:
    n = counted.sum(axis=1)
    out = np.full(n.shape, np.nan)
    sums = np.where(counted, values, 0.0).sum(axis=1)
    return np.asarray(np.divide(sums, n, out=out, where=n > 0), dtype=np.float64)
