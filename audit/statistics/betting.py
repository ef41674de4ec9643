"""Looking at a run while it accrues: confidence sequences that hold at every look, by betting."""

from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Vector, check_fraction, finite_vector
from audit.statistics.intervals import Interval, check_bounds

__all__ = ["BettingSequence", "betting_sequence"]

_GRID = 4096
"""Steps of the grid of means, a power of 2; a bound is rounded outward by at most one."""

_CHUNK = 4_000_000
"""Logarithms of capital held at once."""

_MOST_STAKED = 0.5
"""Largest share of the capital that one template can lose."""

_LARGEST_LOG = 690.0
"""Logarithm at which e-values stop growing, so that they stay finite."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BettingSequence:
    """What is known after every template, valid at whichever one looks."""

    means: Vector
    """Running mean of the cluster values, shape (T,)."""
    low: Vector
    """Lower bound after each cluster, shape (T,); it never falls."""
    high: Vector
    """Upper bound after each cluster, shape (T,); it never rises."""
    e_values: Vector
    """Evidence against the null mean after each cluster, shape (T,); above 1 speaks against it."""
    interval: Interval
    """The bounds after the last cluster."""
    p_value: float
    """1 over the largest e-value so far, at most 1: valid whenever it is read."""


def betting_sequence(
    cluster_values: npt.ArrayLike,
    *,
    bounds: tuple[float, float] = (-1.0, 1.0),
    null: float = 0.0,
    level: float = 0.95,
) -> BettingSequence:
    """Interval of a bounded mean that may be looked at after every template, to stop or go on at will.

    For every mean m in `bounds` (scaled to 0 to 1) one gambler bets that the truth is above m, another
    that it is below; each has capital prod(1 +- l_t (x_t - m)), a martingale if m is true. m is left out
    for good once half the capital of either reaches 1 / (1 - level). Stakes are predictable plug-ins:
    l_t = sqrt(2 log(2 / alpha) / (s^2_(t-1) t log(t + 1))), with variance and mean of the clusters before
    (shrunk by one of variance 1/4 at 1/2), and at most what would cost half the capital. The e-value is
    the mean of both capitals at `null`.

    One template is one bet: bets on pairs or repeats of a template are not independent, and would false-alarm
    far above the level. Feed templates in an order that does not depend on their values, repeats averaged.
    With a fixed number of templates and one look, `cluster_t_interval` is about half as wide.

    Args:
        cluster_values: One value a cluster in the order they came, shape (T,).
        bounds: Smallest and largest value one cluster can have, known beforehand.
        null: The mean that the e-values speak against, strictly inside `bounds`.
        level: Chance that the truth is inside at every look together, a fraction in (0, 1).

    Returns:
        Bounds (rounded outward to 1/4096 of the range) and e-values, after every cluster.

    Raises:
        NotMeasuredError: There is no cluster, or the values drifted so far that no constant mean fits.
        ValueError: A value is not finite or outside `bounds`, or an argument is out of range.

    Source:
        Waudby-Smith & Ramdas (2024), J. Royal Stat. Soc. B 86:1-27, theorem 3 (hedged capital) with the
        predictable plug-in of eq. 26 and c = 1/2; p-value: Ville's inequality.

    >>> found = betting_sequence([0.2, 0.3, 0.1, 0.2, 0.3] * 40)
    >>> found.interval.low > 0, found.interval.high < 0.5, found.p_value < 0.05
    (True, True, True)
    """
    check_fraction("level", level)
    values = finite_vector("cluster_values", cluster_values)
    if values.size == 0:
        raise NotMeasuredError("a confidence sequence needs at least 1 cluster; got 0")
    check_bounds(values, bounds)
    low, high = bounds
    width = high - low
    check_fraction("null, as a share of bounds,", (null - low) / width)
    scaled = np.clip((values - low) / width, 0.0, 1.0)
    stakes = _stakes(scaled, 1 - level)
    needed = log(2 / (1 - level))
    lower = _excluded(scaled, stakes, needed) / _GRID
    # The gambler on the other side plays the mirrored game.
    upper = 1 - _excluded(1 - scaled, stakes, needed) / _GRID
    if lower[-1] > upper[-1]:
        raise NotMeasuredError("the cluster values drifted: no constant mean fits all of them")
    share = np.array([(null - low) / width])
    above = _log_capital(scaled, stakes, share)[:, 0]
    below = _log_capital(1 - scaled, stakes, 1 - share)[:, 0]
    e_values = np.exp(np.minimum(np.logaddexp(above, below) - log(2), _LARGEST_LOG))
    lows, highs = low + width * lower, low + width * upper
    return BettingSequence(
        means=np.cumsum(values) / np.arange(1, values.size + 1),
        low=lows,
        high=highs,
        e_values=e_values,
        interval=Interval(
            low=float(lows[-1]),
            high=float(highs[-1]),
            level=level,
            method=f"betting confidence sequence ({values.size} clusters, at every look)",
        ),
        p_value=float(min(1.0, 1 / e_values.max())),
    )


def _stakes(scaled: Vector, alpha: float) -> Vector:
    """Stake on each cluster, from the clusters before it alone, shape (T,)."""
    times = np.arange(1, scaled.size + 1)
    means = (0.5 + np.cumsum(scaled)) / (times + 1)
    variances = (0.25 + np.cumsum((scaled - means) ** 2)) / (times + 1)
    before = np.concatenate([[0.25], variances[:-1]])
    return np.asarray(np.sqrt(2 * log(2 / alpha) / (before * times * np.log(times + 1))))


def _log_capital(scaled: Vector, stakes: Vector, means: Vector) -> Matrix:
    """Logarithm of the capital of betting above each mean, after each cluster, shape (T, G)."""
    with np.errstate(divide="ignore"):
        most = _MOST_STAKED / means
    staked = np.minimum(stakes[:, np.newaxis], most)
    return np.asarray(np.cumsum(np.log1p(staked * (scaled[:, np.newaxis] - means)), axis=0))


def _excluded(scaled: Vector, stakes: Vector, needed: float) -> Codes:
    """Largest grid mean that is shown to be too small after each cluster, as its number, shape (T,).

    The capital falls as the mean grows, so the time at which a mean is excluded never falls: between
    two means excluded at one time nothing needs to be computed. A mean never excluded has time T.
    """
    n = scaled.size
    times = np.full(_GRID + 1, n, dtype=np.int64)
    times[0] = _first_crossing(scaled, stakes, np.zeros(1), needed)[0]
    stride = _GRID
    while stride > 1:
        left, right = times[:-stride:stride], times[stride::stride]
        middle = np.array(left)
        open_ = np.flatnonzero(left != right)
        means = (open_ * stride + stride // 2) / _GRID
        middle[open_] = _first_crossing(scaled, stakes, means, needed)
        times[stride // 2 :: stride] = middle
        stride //= 2
    return np.asarray(np.maximum(np.searchsorted(times, np.arange(n), side="right") - 1, 0), dtype=np.int64)


def _first_crossing(scaled: Vector, stakes: Vector, means: Vector, needed: float) -> Codes:
    """Position of the first cluster at which each mean is excluded, T if none, shape (G,)."""
    step = max(1, _CHUNK // scaled.size)
    found = np.full(means.size, scaled.size, dtype=np.int64)
    for start in range(0, means.size, step):
        reached = _log_capital(scaled, stakes, means[start : start + step]) >= needed
        first = np.where(reached.any(axis=0), reached.argmax(axis=0), scaled.size)
        found[start : start + step] = first
    return found
