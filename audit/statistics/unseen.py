"""What clusters that hardly differ may hide, added to the t interval of a mean.

A t interval takes its width from the spread that was seen. Where all clusters but a few have the same value,
those few are all that speaks of the spread, and clusters of another kind may simply not have been met.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import fsum, log, pi

import numpy as np
from scipy.special import gammaln, stdtr, stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector
from audit.statistics.intervals import (
    ClusterEstimate,
    Interval,
    Unseen,
    all_equal,
    equal_clusters_interval,
    rounding,
)

__all__ = [
    "interval_at",
    "p_value_of",
    "reaches",
    "share_unseen",
    "unseen_between",
    "unseen_of",
    "with_unseen",
    "within_unseen",
    "witnesses",
]

_FEW = 5
"""Up to so many clusters that differ from the rest, what is unseen counts in full."""

_ENOUGH = 15
"""From so many clusters that differ, their spread speaks for itself."""

_NOTHING = 1e-9
"""Room and standard error: the one that is smaller than this fraction of the other does not count."""

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(12)
_STEPS = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 2000.0])
"""Where panels of the integral end, in standard errors from the middle of t."""
_FALLS = np.array([1.0, 3.0, 8.0, 20.0])
"""Where panels end, in units of 1 / n, over which the beta density falls."""


def unseen_of(strata: Sequence[Vector], weight: Vector, bounds: tuple[float, float] | None) -> Unseen | None:
    """What clusters of other kinds could do to a weighted mean of strata in which few clusters differ.

    Let m of the T clusters of a stratum differ from its most frequent value. A cluster not met could lie
    anywhere within the bounds, so the room above is w_k (high - mean_k), and below w_k (mean_k - low); both
    count in full while m is at most 5, and less and less until m = 15, where t needs no help any more
    (with fewer than 30 clusters: T / 6 and T / 2).

    Args:
        strata: Cluster values of each stratum, shape (T_k,) each.
        weight: Weight of each, adding up to 1, shape (K,).
        bounds: Smallest and largest value one cluster can have; where there are none, the largest distance
            from the most frequent value that was seen stands in.

    Returns:
        The room and its witnesses; None if no stratum hides anything.

    Raises:
        NotMeasuredError: A stratum has no spread and `bounds` is not given.

    Source:
        The rule of 5, and of 15, that differ: Cochran (1954), Biometrics 10:417-451; Moore & McCabe,
        Introduction to the Practice of Statistics, 6th ed., section 8.1. See docs/explanation/intervals.md.
    """
    shares = np.array([share_unseen(stratum, bounds) for stratum in strata])
    if not shares.any():
        return None
    few = np.flatnonzero(shares).tolist()
    limits = [_limits(strata[k], k, bounds) for k in few]
    means = np.array([fsum(strata[k].tolist()) / strata[k].size for k in few])
    own = weight[few] * shares[few]
    low, high = np.array(limits).T
    means = np.clip(means, low, high)
    sizes = np.array([strata[k].size for k in few], dtype=np.float64)
    fall, rise = own * (means - low), own * (high - means)
    return Unseen(fall=float(fall.sum()), rise=float(rise.sum()), n=witnesses(fall, rise, sizes))


def unseen_between(group: Vector, reference: Vector) -> Unseen | None:
    """What clusters of other kinds could do to the difference of two rates.

    Where every cluster holds both sides, its two rates move together, and clusters are of one kind where they
    differ alike. Else the sides are taken apart, each with clusters of its own.

    Args:
        group: The group's rate in each cluster, nan where it has none there, shape (T,).
        reference: The reference's, over the same clusters.

    Returns:
        The room and its witnesses; None if neither side hides anything.
    """
    difference = group - reference
    if not np.isnan(difference).any():
        return unseen_of([difference], np.ones(1), (-1.0, 1.0))
    sides = [group[~np.isnan(group)], 1 - reference[~np.isnan(reference)]]
    return unseen_of(sides, np.ones(2), (0.0, 1.0))


def witnesses(fall: Vector, rise: Vector, sizes: Vector) -> float:
    """Clusters that a bound over strata may count on, where these differ in size or value.

    If a share q_k of stratum k differs from what was seen, the mean can rise by sum(v_k q_k), v_k the
    stratum's room. All clusters of all strata agree with probability prod((1 - q_k)^T_k).
    With q_k = 1 - exp(-x_k), concave in x_k, the rise is at most sum(v) (1 - alpha^(1/T*)) with
    T* = sum(v) / max(v_k / T_k); the same holds for a fall. The smaller T* serves both.

    Args:
        fall: Room below of each stratum, at least 0, shape (K,).
        rise: Room above, likewise; above 0 somewhere if `fall` is not.
        sizes: Clusters of each, shape (K,).
    """
    found = [room.sum() / (room / sizes).max() for room in (fall, rise) if room.max() > 0]
    return float(min(found))


def with_unseen(found: ClusterEstimate, unseen: Unseen) -> ClusterEstimate:
    """The t estimate of a mean with what clusters of other kinds may hide.

    The low end is the alpha / 2 quantile of point + se t - fall B, the high end the 1 - alpha / 2 quantile
    of point + se t + rise B, with t of the estimate's degrees of freedom and B ~ Beta(1, n) the share of all
    clusters that may be of a kind not met. Without spread it is the bound of equal clusters, which B
    inverts; without room it is the t interval; for 0/1 clusters it is close to Clopper-Pearson's.
    The p-value is the alpha at which the interval reaches 0.

    Args:
        found: The t estimate.
        unseen: What may be hidden.

    Returns:
        The estimate; its standard error and degrees of freedom stay those of the spread that was seen.

    Source:
        One cluster at the end of the range added to those seen: Gaffke (2005), Three test statistics for a
        nonparametric one-sided hypothesis on the mean of a nonnegative variable, Mathematical Methods of
        Statistics 14:451-467; Learned-Miller & Thomas (2019), arXiv 1905.06208. Here with t for the
        resampled mean of those seen.

    >>> from audit.statistics.intervals import t_estimate
    >>> found = t_estimate(0.2, 0.05, 20, n_clusters=50, level=0.95, method="t")
    >>> round(with_unseen(found, Unseen(fall=0.5, rise=0.5, n=30)).p_value, 4)
    0.0023
    """
    below, above = reaches(found, unseen, (1 - found.interval.level) / 2)
    method = f"{found.interval.method}, with a bound for clusters not met"
    interval = Interval(
        low=found.point - below, high=found.point + above, level=found.interval.level, method=method
    )
    return replace(found, unseen=unseen, p_value=p_value_of(found, unseen), interval=interval)


def interval_at(found: ClusterEstimate, level: float) -> Interval:
    """The interval of an estimate at another level.

    Args:
        found: The estimate; with its bounds if all its clusters are equal.
        level: Nominal coverage, a fraction in (0, 1).
    """
    method = found.interval.method
    if found.degenerate and found.bounds is not None:
        return equal_clusters_interval(found.point, found.df + 1, bounds=found.bounds, level=level)
    below, above = reaches(found, found.unseen, (1 - level) / 2)
    return Interval(low=found.point - below, high=found.point + above, level=level, method=method)


def within_unseen(
    found: ClusterEstimate, unseen: Unseen, *, margin: float, level: float
) -> tuple[Interval, float]:
    """The interval and the p-value of two one-sided tests, as `with_unseen` has those of a two-sided one.

    Args:
        found: The estimate.
        unseen: What may be hidden.
        margin: Smallest value of concern, above 0.
        level: 1 - alpha, a fraction in (0.5, 1).

    Returns:
        The interval, within the margin exactly if p is at most alpha, and p.
    """
    below, above = reaches(found, unseen, 1 - level)
    p_values = [
        _p_value(found, unseen, null) if abs(found.point) < margin else 1.0 for null in (-margin, margin)
    ]
    method = "t interval of two one-sided tests, with a bound for clusters not met"
    interval = Interval(low=found.point - below, high=found.point + above, level=2 * level - 1, method=method)
    return interval, max(p_values)


def p_value_of(found: ClusterEstimate, unseen: Unseen) -> float:
    """The two-sided p-value against 0 with what clusters not met may hide, as `with_unseen` states it."""
    return min(1.0, 2 * _p_value(found, unseen, 0.0))


def reaches(found: ClusterEstimate, unseen: Unseen | None, tail: float) -> tuple[float, float]:
    """How far the one-sided bounds with this chance of error lie below and above the point.

    Args:
        found: The estimate, not degenerate.
        unseen: What may be hidden; None for the plain t bounds.
        tail: Chance of error on each side, in (0, 0.5).
    """
    t_reach = float(stdtrit(found.df, 1 - tail)) * found.standard_error
    if unseen is None:
        return t_reach, t_reach
    below, above = (_reach(found, room, unseen.n, tail) for room in (unseen.fall, unseen.rise))
    return below, above


def share_unseen(values: Vector, bounds: tuple[float, float] | None) -> float:
    """How much the clusters not met count, in [0, 1]: in full where at most 5 differ, not at all from 15 on.

    Args:
        values: One value a cluster, shape (T,).
        bounds: Smallest and largest value one cluster can have, if known.

    Returns:
        (15 - m) / 10 within [0, 1] for m clusters that differ from the most frequent value; with T below
        30 clusters T / 2 and T / 6 stand for 15 and 5.
    """
    n = values.size
    if all_equal(values, bounds):
        return 1.0
    ordered = np.sort(values)
    breaks = np.flatnonzero(np.diff(ordered) > rounding(values, bounds))
    runs = np.diff(np.concatenate([[-1], breaks, [n - 1]]))
    differ = n - int(runs.max())
    few, enough = min(_FEW, n / 6), min(_ENOUGH, n / 2)
    return min(1.0, max(0.0, (enough - differ) / (enough - few)))


def _limits(stratum: Vector, place: int, bounds: tuple[float, float] | None) -> tuple[float, float]:
    if bounds is not None:
        return bounds
    values, counts = np.unique(stratum, return_counts=True)
    if all_equal(stratum, bounds):
        raise NotMeasuredError(
            f"all {stratum.size} clusters of stratum {place} have the value {values[0]:.6g}, so "
            "their spread cannot be estimated; give the bounds of the measure to have a bound"
        )
    usual = float(values[counts.argmax()])
    largest = float(np.abs(values - usual).max())
    return usual - largest, usual + largest


def _p_value(found: ClusterEstimate, unseen: Unseen, null: float) -> float:
    """The one-sided chance of error at which the end that faces `null` is `null`."""
    room = unseen.fall if found.point > null else unseen.rise
    return _chance(-abs(found.point - null), found, room, unseen.n)


def _reach(found: ClusterEstimate, room: float, n: float, tail: float) -> float:
    """X with P(se t - room B <= -x) = tail."""
    from scipy.optimize import brentq  # noqa: PLC0415 - a third of a second, for what is rarely asked

    error, df = found.standard_error, found.df
    least = float(stdtrit(df, 1 - tail)) * error
    if room <= 0:
        return least
    # By Bonferroni's inequality the sum is not beyond both parts, each at half of the error.
    most = float(stdtrit(df, 1 - tail / 2)) * error + (1 - (tail / 2) ** (1 / n)) * room
    # Solved in the logarithm, in which tails are nearly straight.
    return float(
        brentq(
            lambda x: log(max(_chance(-x, found, room, n), 1e-300)) - log(tail), least * 0.999, most * 1.001
        )
    )


def _chance(limit: float, found: ClusterEstimate, room: float, n: float) -> float:
    """P(se t - room B <= limit) for t and B ~ Beta(1, n) that are independent, `limit` at most 0.

    By parts it is F(limit / se) + the integral over y in [0, 1] of f((limit + room y) / se) (1 - y)^n room /
    se, with F and f of the t distribution.
    """
    df = found.df
    below = float(stdtr(df, limit / found.standard_error))
    if room <= _NOTHING * found.standard_error:
        return below
    width, middle = found.standard_error / room, -limit / room
    if width < _NOTHING:
        return float((1 - min(1.0, middle)) ** n)
    ends = np.concatenate([[0.0, 1.0], middle + width * _STEPS, middle - width * _STEPS, _FALLS / n])
    ends = np.unique(np.clip(ends, 0.0, 1.0))
    half = np.diff(ends)[:, np.newaxis] / 2
    y = ends[:-1, np.newaxis] + half * (1 + _NODES)
    t = (y - middle) / width
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * log(df * pi)
    density = np.exp(constant - (df + 1) / 2 * np.log1p(t * t / df)) * (1 - y) ** n
    return below + float((half * _NODE_WEIGHTS * density).sum()) / width
