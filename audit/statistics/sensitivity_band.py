"""What a gap or a rate may be when a classifier's error rates are known for all groups together only."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import sqrt

import numpy.typing as npt
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import check_fraction
from audit.statistics.error_rates import Calibration
from audit.statistics.flagged_pair import FlaggedPair, flagged_pair

__all__ = ["GapBand", "RateBand", "gap_band", "gap_band_of", "rate_band"]

_UNBOUNDED = "within that any figure is possible"
_STEPS = 30
"""Halvings in the search for the departure at which the sign is lost: to 1e-9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapBand:
    """The gaps that are possible while each group's error rates are near the pooled ones; not an estimate."""

    low: float
    high: float
    departure: float
    """How far, in rate, each group's sensitivity and false-positive rate may be from the pooled ones."""
    level: float
    at_pooled: float
    """The gap if both groups had exactly the pooled error rates."""
    sign_holds_to: float | None
    """Largest departure at which the band still excludes 0; None if it contains 0 even without any."""
    says: str
    """The band in words."""

    @property
    def unbounded(self) -> bool:
        """Whether every gap is possible, so that the band says nothing."""
        return self.low <= -1.0 and self.high >= 1.0


def gap_band(
    group_rates: npt.ArrayLike,
    reference_rates: npt.ArrayLike,
    calibration: Calibration,
    *,
    departure: float,
    ratio: tuple[float, float] = (1.0, 1.0),
    level: float = 0.95,
) -> GapBand:
    """The range of a corrected gap when the classifier's error rates are known only for the groups together.

    Each group's sensitivity and false-positive rate may differ from the pooled ones by up to `departure`,
    independently. At each of the 16 corners of that box the gap is corrected as in `corrected_gap`, with
    the sampling error of the flags and of the pooled rates; the band is the union of those intervals.
    A gap whose sign holds only up to a departure smaller than what classifiers of the kind show between
    groups is not shown.

    Not an interval: it has no coverage beyond "if the departures are no larger than that".

    Args:
        group_rates: Flagged share of each cluster in the group's arm, in [0, 1], shape (T,).
        reference_rates: The same for the reference's arm, shape (T,).
        calibration: Pooled error rates.
        departure: Largest difference of a group's error rates from the pooled ones, at least 0.
        ratio: Shares of `departure` that hold for the sensitivity and for the false-positive rate; the
            larger is 1.
        level: Level of the intervals at the corners, a fraction in (0, 1).

    Returns:
        The band, group minus reference, within [-1, 1].

    Raises:
        NotMeasuredError: Fewer than 2 clusters, or a pooled sensitivity not above the false-positive rate.
        ValueError: The shapes differ, a rate is outside [0, 1], or `departure` is below 0.

    Source:
        Deterministic bias analysis over a box of error rates: Lash, Fox & Fink (2009), Applying
        Quantitative Bias Analysis to Epidemiologic Data, chapter 6.
    """
    flagged = flagged_pair([group_rates], [reference_rates])
    return gap_band_of(flagged, calibration, departure=departure, ratio=ratio, level=level)


def gap_band_of(
    flagged: FlaggedPair,
    calibration: Calibration,
    *,
    departure: float,
    ratio: tuple[float, float] = (1.0, 1.0),
    level: float = 0.95,
) -> GapBand:
    """The band of a gap over strata, or with errors that clusters alone do not show (see `gap_band`).

    Args:
        flagged: Flagged shares of both arms, with their errors.
        calibration: Pooled error rates.
        departure: As for `gap_band`.
        ratio: As for `gap_band`.
        level: As for `gap_band`.

    Raises:
        NotMeasuredError: A pooled sensitivity not above the false-positive rate.
        ValueError: `departure` is below 0.
    """
    check_fraction("level", level)
    if departure < 0:
        raise ValueError(f"departure must be at least 0; got {departure!r}")
    if calibration.youden <= 0:
        raise NotMeasuredError(
            "a sensitivity band needs a classifier better than a coin; sensitivity - false-positive rate "
            f"is {calibration.youden:.3f}"
        )
    box = _Box(flagged=flagged, calibration=calibration, level=level, ratio=ratio)
    low, high = box.union(departure)
    point = (flagged.group - flagged.reference) / calibration.youden
    holds = box.sign_holds_to()
    return GapBand(
        low=low,
        high=high,
        departure=departure,
        level=level,
        at_pooled=point,
        sign_holds_to=holds,
        says=_words(low, high, departure, ratio, holds),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateBand:
    """The rates that are possible while the error rates are near those measured; not an estimate."""

    low: float
    high: float
    departure: float
    holds_to: float | None
    """Largest departure at which the low end is still above the limit; None if it never is."""
    says: str
    """The band in words."""

    @property
    def unbounded(self) -> bool:
        """Whether every rate is possible, so that the band says nothing."""
        return self.low <= 0.0 and self.high >= 1.0


def rate_band(
    interval: tuple[float, float],
    calibration: Calibration,
    *,
    limit: float,
    departure: float,
    ratio: tuple[float, float] = (1.0, 1.0),
    reach: tuple[float, float] = (0.0, 0.0),
) -> RateBand:
    """The range of a corrected rate when the classifier's error rates in it are known only nearly.

    At each corner of the box of error rates within `departure` (and their own half-widths, `reach`) both
    ends of the interval as read are corrected; the band is their union. A rate whose low end stays above
    the limit only up to a departure smaller than is plausible is not shown to exceed it.

    Args:
        interval: Ends of the interval of the flagged share, in [0, 1].
        calibration: Error rates on labelled texts.
        limit: Largest accepted rate, in [0, 1].
        departure: Largest difference of the error rates from those measured, at least 0.
        ratio: As for `gap_band`.
        reach: Half-widths of the intervals of the sensitivity and of the false-positive rate.

    Returns:
        The band, within [0, 1].

    Raises:
        NotMeasuredError: A sensitivity not above the false-positive rate.
        ValueError: `departure` is below 0.

    Source:
        Lash, Fox & Fink (2009), as for `gap_band`.
    """
    if departure < 0:
        raise ValueError(f"departure must be at least 0; got {departure!r}")
    if calibration.youden <= 0:
        raise NotMeasuredError(
            "a sensitivity band needs a classifier better than a coin; sensitivity - false-positive rate "
            f"is {calibration.youden:.3f}"
        )

    def ends(by: float) -> tuple[float, float]:
        found: list[float] = []
        for up, down in product((-1, 1), repeat=2):
            sensitivity = min(max(calibration.sensitivity + up * (by * ratio[0] + reach[0]), 0.0), 1.0)
            false_positive = min(
                max(calibration.false_positive_rate + down * (by * ratio[1] + reach[1]), 0.0), 1.0
            )
            if sensitivity <= false_positive:
                return 0.0, 1.0
            youden = sensitivity - false_positive
            found += [min(max((end - false_positive) / youden, 0.0), 1.0) for end in interval]
        return min(found), max(found)

    low, high = ends(departure)
    holds = _holds_to(lambda by: ends(by)[0] > limit)
    if low <= 0.0 and high >= 1.0:
        said = f"its error rates here may be {_within(departure, ratio)} of those, and {_UNBOUNDED}"
    else:
        said = (
            f"if its error rates here are {_within(departure, ratio)} of those, the rate is between "
            f"{100 * low:.1f} and {100 * high:.1f} %, against a limit of {100 * limit:g} %"
        )
    return RateBand(low=low, high=high, departure=departure, holds_to=holds, says=said)


@dataclass(frozen=True, kw_only=True)
class _Box:
    flagged: FlaggedPair
    calibration: Calibration
    level: float
    ratio: tuple[float, float]

    def union(self, departure: float) -> tuple[float, float]:
        """The lowest and highest end over the corners."""
        steps = [departure * self.ratio[0]] * 2 + [departure * self.ratio[1]] * 2
        ends = [self._interval(corner) for corner in product(*((-step, step) for step in steps))]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def sign_holds_to(self) -> float | None:
        """Largest departure whose band excludes 0."""
        return _holds_to(lambda by: not self._contains_zero(by))

    def _contains_zero(self, departure: float) -> bool:
        low, high = self.union(departure)
        return low <= 0 <= high

    # The search visits about 500 corners, so that each must cost a few sums and no pass over the clusters.

    @cached_property
    def _quantile(self) -> float:
        df = min(self.flagged.df, self.calibration.n_clusters - 1.0)
        return float(stdtrit(df, 0.5 + self.level / 2))

    @cached_property
    def _moments(self) -> tuple[float, float, float]:
        """Variances of the sensitivity and of the false-positive rate, and their covariance."""
        pooled = self.calibration
        hits, alarms, both = pooled.variance(1.0, 0.0), pooled.variance(0.0, 1.0), pooled.variance(1.0, 1.0)
        return hits, alarms, (both - hits - alarms) / 2

    def _interval(self, corner: tuple[float, ...]) -> tuple[float, float]:
        pooled = self.calibration
        ours = _corrected(self.flagged.group, _moved(pooled, corner[0], corner[2]))
        theirs = _corrected(self.flagged.reference, _moved(pooled, corner[1], corner[3]))
        if ours is None or theirs is None:
            return -1.0, 1.0
        # Both arms move with the same pooled rates, so their parts nearly cancel.
        of_hits = theirs[0] / theirs[1] - ours[0] / ours[1]
        of_alarms = (1 - theirs[0]) / theirs[1] - (1 - ours[0]) / ours[1]
        hits, alarms, together = self._moments
        moved = of_hits**2 * hits + of_alarms**2 * alarms + 2 * of_hits * of_alarms * together
        variance = self.flagged.gap_variance(ours[1], theirs[1]) + max(moved, 0.0)
        reach, gap = self._quantile * sqrt(variance), ours[0] - theirs[0]
        return max(-1.0, gap - reach), min(1.0, gap + reach)


def _moved(pooled: Calibration, of_hits: float, of_alarms: float) -> tuple[float, float]:
    """Sensitivity and false-positive rate at a corner of the box."""
    return (
        min(max(pooled.sensitivity + of_hits, 0.0), 1.0),
        min(max(pooled.false_positive_rate + of_alarms, 0.0), 1.0),
    )


def _corrected(flagged: float, errors: tuple[float, float]) -> tuple[float, float] | None:
    """The corrected rate and sensitivity - false-positive rate; None where that is no better than a coin."""
    sensitivity, false_positive = errors
    youden = sensitivity - false_positive
    if youden <= 0:
        return None
    return min(max((flagged - false_positive) / youden, 0.0), 1.0), youden


def _holds_to(shown: Callable[[float], bool]) -> float | None:
    """Largest departure at which something is still shown, to 1e-9; None if it never is."""
    if not shown(0.0):
        return None
    inside, outside = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if shown(middle) else (inside, middle)
    return inside


def _within(departure: float, ratio: tuple[float, float]) -> str:
    if ratio[0] == ratio[1]:
        return f"within {100 * departure:.1f} points"
    return (
        f"within {100 * departure * ratio[0]:.1f} points (sensitivity) and "
        f"{100 * departure * ratio[1]:.1f} points (false alarms)"
    )


def _words(low: float, high: float, departure: float, ratio: tuple[float, float], holds: float | None) -> str:
    if low <= -1.0 and high >= 1.0:
        within = _within(departure, ratio)
        band = f"each group's error rates may be {within} of the pooled ones, and {_UNBOUNDED}"
    else:
        band = (
            f"if each group's error rates are {_within(departure, ratio)} of the pooled ones, the gap is "
            f"between {100 * low:+.1f} and {100 * high:+.1f} points"
        )
    if holds is None:
        return f"{band}; its sign is open even if both groups have exactly the pooled rates"
    scaled = _within(holds, ratio).removeprefix("within ")
    return f"{band}; its sign is open once they may differ by more than {scaled}"
