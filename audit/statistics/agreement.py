"""Agreement between raters (people, judges, classifiers), with intervals and with ratings missing.

Every chance-corrected coefficient here is 1 - D with D = disagreement observed / disagreement expected.
D is a ratio of sums over items, so one jackknife over clusters of items serves all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_clusters, check_fraction
from audit.statistics.intervals import Interval
from audit.statistics.rates import clustered_rate_interval
from audit.statistics.ratings import Matrix, Ratings, disagreeing, read_ratings

__all__ = ["AgreementEstimate", "cohen_kappa", "gwet_ac1", "krippendorff_alpha", "raw_agreement"]

_ROUNDING = 1e-9
_CHUNK = 2_000_000
"""Numbers held at once by the jackknife."""

_RATERS_OF_KAPPA = 2
_ITEMS_BY_RATERS = 2
"""Dimensions of a table of ratings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementEstimate:
    """How far raters agree, with the count of what could not be compared."""

    point: float
    """1 is full agreement; for all but raw agreement 0 is what chance gives, and below is worse."""
    interval: Interval
    n_items: int
    """Items with at least 2 ratings."""
    n_unpaired: int
    """Items with fewer than 2 ratings: they are in no agreement."""
    n_missing: int
    """Ratings missing among all items."""
    n_clusters: int
    degenerate: bool = False
    """True if all clusters are alike, as where no rater ever disagreed: the interval is then a bound."""


_Parts = tuple[Vector, Vector, Vector]
"""Observed and expected disagreement, and the largest that one pair can have; each of shape (B,)."""


def raw_agreement(
    ratings: npt.ArrayLike, *, cluster: npt.ArrayLike | None = None, level: float = 0.95
) -> AgreementEstimate:
    """The share of pairs of raters that agree, averaged over items.

    Not by itself where one category is common: two raters who say "no" to all but 2 % of replies agree
    on 96 % by chance. State it beside `gwet_ac1` or `krippendorff_alpha`.

    Args:
        ratings: Category numbers, nan if missing, shape (items, raters).
        cluster: Code of what makes items dependent (such as the template), shape (items,); by
            default each item is its own.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        A fraction in [0, 1] with its clustered Wilson interval.

    Raises:
        NotMeasuredError: Fewer than 2 clusters have an item with 2 ratings.
        ValueError: The shapes do not fit, or a rating is infinite.

    >>> round(raw_agreement([[1, 1], [0, 0], [1, 0], [0, 0]]).point, 3)
    0.75
    """
    read = read_ratings(ratings, cluster, None)
    paired = read.paired
    _, at = np.unique(read.cluster[paired], return_inverse=True)
    found = clustered_rate_interval(
        np.bincount(at, weights=1 - disagreeing(read)[paired]), np.bincount(at), level=level
    )
    return _estimate(read, found.point, found.interval, found.n_clusters, degenerate=found.degenerate)


def cohen_kappa(
    ratings: npt.ArrayLike,
    *,
    weights: Literal["nominal", "linear", "quadratic"] = "nominal",
    categories: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> AgreementEstimate:
    """Cohen's kappa of two raters; weighted where categories have an order.

    kappa = 1 - sum(v o) / sum(v e): o the shares of items by both ratings, e the product of the
    raters' own shares, v the disagreement between two categories: 1 unless equal, or the distance of
    their ranks, or its square. An item that one rater skipped is left out and counted.

    Not where one category is rare: kappa can be near 0 at 98 % raw agreement. State `gwet_ac1` beside it.
    With 30 items of which a tenth was positive the nominal 95 % interval covered 88 %, with 100 items 95 %
    (docs/explanation/calibration-rates.md).

    Args:
        ratings: Category numbers, nan if missing, shape (items, 2).
        weights: How much two different categories disagree.
        categories: Every category the raters could give, if some may be unused; ranks of the
            weights count them. By default those seen.
        cluster: Code of what makes items dependent, shape (items,); by default each item is its own.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        kappa, at most 1, with a jackknife interval on the scale of log(1 - kappa).

    Raises:
        NotMeasuredError: Fewer than 2 clusters have both ratings, or both raters used one and the
            same category only.
        ValueError: The shapes do not fit, or a rating is infinite or not among `categories`.

    Source:
        Cohen (1960), Educ. Psychol. Measurement 20:37-46; weighted: Cohen (1968), Psychol. Bulletin
        70:213-220; jackknife: Davison & Hinkley (1997), Bootstrap Methods, section 2.7.3.

    >>> round(cohen_kappa([[1, 1], [0, 0], [1, 0], [0, 0], [1, 1]]).point, 3)
    0.615
    """
    given = np.asarray(ratings, dtype=np.float64)
    if given.ndim != _ITEMS_BY_RATERS or given.shape[1] != _RATERS_OF_KAPPA:
        raise ValueError(f"Cohen's kappa is of 2 raters: ratings must be of shape (n, 2); got {given.shape}")
    read = read_ratings(given, cluster, categories)
    n = read.values.size
    ranks = np.arange(n)
    distance = np.abs(ranks[:, np.newaxis] - ranks).astype(np.float64)
    costs = {"nominal": (distance > 0).astype(np.float64), "linear": distance, "quadratic": distance**2}
    cost = costs[weights]
    first, second = np.searchsorted(read.values, np.nan_to_num(given, nan=read.values[0])).T
    joint = np.zeros((given.shape[0], n * n))
    joint[np.arange(given.shape[0]), first * n + second] = 1.0

    def parts(totals: Matrix) -> _Parts:
        table = (totals / totals.sum(axis=1, keepdims=True)).reshape(-1, n, n)
        chance = table.sum(axis=2)[:, :, np.newaxis] * table.sum(axis=1)[:, np.newaxis, :]
        largest = np.full(len(totals), cost.max())
        return (table * cost).sum(axis=(1, 2)), (chance * cost).sum(axis=(1, 2)), largest

    return _corrected(read, joint * read.paired[:, np.newaxis], parts, level)


def gwet_ac1(
    ratings: npt.ArrayLike,
    *,
    categories: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> AgreementEstimate:
    """Gwet's AC1 of two or more raters: agreement beyond chance that survives a rare category.

    AC1 = 1 - (1 - p_a) / (1 - p_e): p_a is raw agreement, p_e = sum(q_k (1 - q_k)) / (K - 1) with q_k the
    mean share of category k over items with any rating. It depends on K, the number of
    categories that could be given, not only on those that were.

    Not for ordered categories, where a near miss is better than a far one: use a weighted kappa or alpha.

    Args:
        ratings: Category numbers, nan if missing, shape (items, raters).
        categories: Every category the raters could give; by default those seen.
        cluster: Code of what makes items dependent, shape (items,); by default each item is its own.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        AC1, at most 1, with a jackknife interval on the scale of log(1 - AC1).

    Raises:
        NotMeasuredError: Fewer than 2 clusters have an item with 2 ratings, or there are fewer than 2
            categories.
        ValueError: The shapes do not fit, or a rating is infinite or not among `categories`.

    Source:
        Gwet (2008), British J. Math. Stat. Psychol. 61:29-48; jackknife as in `cohen_kappa`.

    >>> round(gwet_ac1([[1, 1], [0, 0], [1, 0], [0, 0], [0, 0]]).point, 3)
    0.655
    """
    read = read_ratings(ratings, cluster, categories)
    n = read.values.size
    shares = read.counts / np.maximum(read.sizes, 1)[:, np.newaxis]
    features = np.column_stack([disagreeing(read), read.paired, read.sizes > 0, shares])

    def parts(totals: Matrix) -> _Parts:
        share = totals[:, 3:] / totals[:, 2:3]
        chance = (share * (1 - share)).sum(axis=1) / max(n - 1, 1)
        # With a single category neither chance nor disagreement has a meaning.
        expected = (1 - chance) * float(n > 1)
        return totals[:, 0] / totals[:, 1], expected, np.ones(len(totals))

    return _corrected(read, features, parts, level)


def krippendorff_alpha(
    ratings: npt.ArrayLike,
    *,
    metric: Literal["nominal", "ordinal", "interval"] = "nominal",
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> AgreementEstimate:
    """Krippendorff's alpha of any number of raters, each of whom may have skipped items.

    alpha = 1 - D_o / D_e over pairs of ratings. The disagreement of two values is 1 unless equal
    (nominal), the squared number of ratings that rank between them (ordinal), or
    their squared difference (interval). Items with one rating are left out and counted.

    Not where nearly all ratings are of one category: chance then expects almost no disagreement, and
    alpha is near 0 and its interval covers as badly as kappa's. State `raw_agreement` beside it. For
    `nominal` and `ordinal`, memory is clusters times squared categories.

    Args:
        ratings: Numbers, nan if missing, shape (items, raters).
        metric: What two values disagree by.
        cluster: Code of what makes items dependent, shape (items,); by default each item is its own.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        alpha, at most 1, with a jackknife interval on the scale of log(1 - alpha).

    Raises:
        NotMeasuredError: Fewer than 2 clusters have an item with 2 ratings, or those ratings are all equal.
        ValueError: The shapes do not fit, or a rating is infinite.

    Source:
        Krippendorff (2019), Content Analysis, 4th ed., chapter 12; jackknife as in `cohen_kappa`.

    >>> round(krippendorff_alpha([[1, 1], [0, 0], [1, 0], [0, 0], [1, 1]]).point, 3)
    0.64
    """
    read = read_ratings(ratings, cluster, None)
    if metric == "interval":
        largest = float(np.ptp(read.values)) ** 2
        return _corrected(read, _moments(read), lambda totals: _squared_distances(totals, largest), level)
    n = read.values.size
    weight = read.paired / np.maximum(read.sizes - 1, 1)
    pairs = read.counts[:, :, np.newaxis] * read.counts[:, np.newaxis, :]
    pairs[:, np.arange(n), np.arange(n)] -= read.counts

    def parts(totals: Matrix) -> _Parts:
        coincidence = totals.reshape(-1, n, n)
        values = coincidence.sum(axis=2)
        total = values.sum(axis=1)
        cost = _ordinal_cost(values) if metric == "ordinal" else np.ones((1, n, n)) - np.eye(n)
        expected = (values[:, :, np.newaxis] * values[:, np.newaxis, :] * cost).sum(axis=(1, 2))
        observed = (coincidence * cost).sum(axis=(1, 2)) / total
        return observed, expected / (total * (total - 1)), np.broadcast_to(cost.max(axis=(1, 2)), total.shape)

    return _corrected(read, (pairs * weight[:, np.newaxis, np.newaxis]).reshape(-1, n * n), parts, level)


def _ordinal_cost(values: Matrix) -> Matrix:
    """Squared number of ratings between categories, half of both ends counted, (B, K) to (B, K, K)."""
    middle = np.cumsum(values, axis=1) - values / 2
    return np.asarray((middle[:, :, np.newaxis] - middle[:, np.newaxis, :]) ** 2)


def _moments(read: Ratings) -> Matrix:
    """Ratings, their sum and squares, and disagreement within each paired item, shape (n, 4)."""
    # Centred, so that squares of large numbers do not swallow small differences.
    values = read.values - read.values.mean()
    sizes, first, second = read.sizes, read.counts @ values, read.counts @ values**2
    within = 2 * np.maximum(sizes * second - first**2, 0.0) / np.maximum(sizes - 1, 1)
    # Equal ratings disagree by exactly nothing, whatever rounding says.
    within[(read.counts > 0).sum(axis=1) <= 1] = 0.0
    return np.column_stack([sizes, first, second, within]) * read.paired[:, np.newaxis]


def _squared_distances(totals: Matrix, largest: float) -> _Parts:
    sizes, first, second, within = totals.T
    expected = 2 * (sizes * second - first**2) / (sizes * (sizes - 1))
    return within / sizes, expected, np.full(len(totals), largest)


def _corrected(
    read: Ratings, features: Matrix, parts: Callable[[Matrix], _Parts], level: float
) -> AgreementEstimate:
    """1 - observed / expected, from features that add up over items, jackknifed over clusters."""
    check_fraction("level", level)
    # Clusters without a pair bring no agreement; of AC1's categories they do tell.
    n = np.unique(read.cluster[read.paired]).size
    check_clusters("agreement", n)
    sums = np.zeros((int(read.cluster.max()) + 1, features.shape[1]))
    np.add.at(sums, read.cluster, features)
    total = sums.sum(axis=0, keepdims=True)
    observed, expected, largest = (float(part[0]) for part in parts(total))
    if not expected > 0:
        raise NotMeasuredError("agreement beyond chance needs ratings of at least 2 categories; got 1")
    ratio = observed / expected
    if ratio == 0:
        share = 1 - (1 - level) ** (1 / n)
        low = max(-1.0, 1 - share * largest / expected)
        interval = Interval(low=low, high=1.0, level=level, method="bound for no disagreement")
        return _estimate(read, 1.0, interval, n, degenerate=True)
    error = _jackknife(sums, total, parts)
    if error <= _ROUNDING * ratio:
        # No spread is seen. A share of clusters that is unseen with this chance may agree, or disagree most.
        share = 1 - ((1 - level) / 2) ** (1 / n)
        worst = (observed + share * max(largest - observed, 0.0)) / expected
        interval = Interval(
            low=max(-1.0, 1 - worst),
            high=1 - ratio * (1 - share),
            level=level,
            method="bound for clusters that are all alike",
        )
        return _estimate(read, 1 - ratio, interval, n, degenerate=True)
    reach = float(stdtrit(n - 1, 0.5 + level / 2)) * error / ratio
    # Beyond -1 nothing is to be told, and exp would overflow.
    low = max(-1.0, 1 - ratio * exp(min(reach, 100.0)))
    interval = Interval(
        low=min(low, 1 - ratio),
        high=1 - ratio * exp(-reach),
        level=level,
        method=f"jackknife over clusters, log scale (t, df {n - 1})",
    )
    return _estimate(read, 1 - ratio, interval, n, degenerate=False)


def _jackknife(sums: Matrix, total: Matrix, parts: Callable[[Matrix], _Parts]) -> float:
    """Standard error of observed / expected from leaving out each cluster that counts."""
    used = sums[sums.any(axis=1)]
    step = max(1, _CHUNK // used.shape[1])
    found = []
    for start in range(0, len(used), step):
        observed, expected, _ = parts(total - used[start : start + step])
        if not (expected > 0).all():
            raise NotMeasuredError(
                "agreement beyond chance has no interval: without one of the clusters, all ratings are equal"
            )
        found.append(observed / expected)
    ratios = np.concatenate(found)
    spread = ratios - ratios.mean()
    return sqrt(float(spread @ spread) * (ratios.size - 1) / ratios.size)


def _estimate(
    read: Ratings, point: float, interval: Interval, n_clusters: int, *, degenerate: bool
) -> AgreementEstimate:
    return AgreementEstimate(
        point=point,
        interval=interval,
        n_items=int(read.paired.sum()),
        n_unpaired=int((~read.paired).sum()),
        n_missing=read.n_missing,
        n_clusters=n_clusters,
        degenerate=degenerate,
    )
