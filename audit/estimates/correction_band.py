"""What an analyzer's unequal error could make of an estimate that labels do not correct."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from scipy.special import stdtrit

from audit.analyzers.base import ErrorRate
from audit.errors import NotMeasuredError
from audit.estimates.contrasts import Contrast, interval
from audit.estimates.error_rates import ErrorCell, ErrorRates, reads_positive
from audit.estimates.measures import Measure
from audit.records import ErrorBand, Estimate
from audit.statistics.error_rates import Calibration
from audit.statistics.flagged_pair import flagged_pair
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.sensitivity_band import GapBand, RateBand, gap_band_of, rate_band

__all__ = ["DEPARTURE", "Departure", "KnownErrors", "gap_error_band", "rate_error_band"]

DEPARTURE = 0.05
"""Assumed departure of a group's error rates from those of all groups, where none is measured by group.

Rates of 2 % against 6 % false alarms, as found between identity groups, are 4 points apart."""

_COUNTED = ("sensitivity", "specificity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """By how much a group's error rates may depart from those of all groups together."""

    sensitivity: float = DEPARTURE
    false_positive: float = DEPARTURE

    @property
    def largest(self) -> float:
        """The larger of the two."""
        return max(self.sensitivity, self.false_positive)

    @property
    def ratio(self) -> tuple[float, float]:
        """Shares of the larger that hold for sensitivity and false-positive rate."""
        if self.largest == 0:
            return 1.0, 1.0
        return self.sensitivity / self.largest, self.false_positive / self.largest

    @property
    def flipped(self) -> "Departure":
        """That of the opposite behaviour."""
        return Departure(sensitivity=self.false_positive, false_positive=self.sensitivity)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownErrors:
    """The error rates that analyzers ship with, by analyzer."""

    shipped: Mapping[str, Sequence[ErrorRate]] = field(default_factory=dict)

    def of(self, measure: Measure) -> tuple[ErrorRates, Departure] | None:
        """Error rates of a measure over all data sets together, and by how much groups depart from them.

        Returns:
            None unless both sensitivity and specificity were measured.
        """
        if measure.analyzer is None or measure.unit != "rate" or reads_positive(measure) is None:
            return None
        mine = [
            one
            for one in self.shipped.get(measure.analyzer, ())
            if one.name in _COUNTED and one.measure in {None, measure.reading}
        ]
        together = [one for one in mine if one.group is None] or mine
        counts = {name: _counts(together, name) for name in _COUNTED}
        if not all(n for _, n in counts.values()):
            return None
        hits, positives = counts["sensitivity"]
        kept, negatives = counts["specificity"]
        sets = sorted({one.measured_on for one in together})
        cell = ErrorCell(
            group=None,
            language=None,
            cluster=None,
            true_positive=hits,
            false_negative=positives - hits,
            true_negative=kept,
            false_positive=negatives - kept,
        )
        rates = ErrorRates(
            analyzer=measure.analyzer,
            reading=measure.reading,
            threshold=0.5,
            source=f"its own error rates, measured on {len(sets)} data sets, {positives + negatives} texts",
            cells=(cell,),
        )
        apart = Departure(
            sensitivity=_departure(mine, "sensitivity"), false_positive=_departure(mine, "specificity")
        )
        return rates, apart if reads_positive(measure) else apart.flipped


def gap_error_band(contrast: Contrast, known: tuple[ErrorRates, Departure], level: float) -> ErrorBand | None:
    """The band of a gap; None if the error rates cannot give one.

    Args:
        contrast: The contrast, as read.
        known: Error rates of all groups together, and by how much groups may depart from them.
        level: Level of the intervals in the band, a fraction in (0, 1).
    """
    rates, departure = known
    cell, parts = contrast.cell, [stratum.paired for stratum in contrast.strata]
    try:
        seen = interval(contrast, level=level)
        flagged = flagged_pair(
            [part.group_means for part in parts],
            [part.reference_means for part in parts],
            [part.clusters for part in parts],
        )
        found = gap_band_of(
            # Names are a second sample, and templates not met may hide more: neither shows in the shares.
            flagged.at_least(_stated_error(seen) ** 2, seen.df),
            rates.calibration(cell.measure, cell.language, None),
            departure=departure.largest,
            ratio=departure.ratio,
            level=level,
        )
    except NotMeasuredError:
        return None
    return _band(found, departure, found.sign_holds_to, rates)


def rate_error_band(
    stated: Estimate, measure: Measure, known: tuple[ErrorRates, Departure]
) -> ErrorBand | None:
    """The band of a rate that exceeds its limit; None if the error rates cannot give one.

    Args:
        stated: The rate, as read, with its interval and limit.
        measure: What it is of.
        known: Error rates of all groups together, and by how much those of this run may depart from them.
    """
    rates, departure = known
    if stated.ci_low is None or stated.ci_high is None or stated.margin is None:
        return None
    try:
        calibration = rates.calibration(measure, stated.language, None)
        found = rate_band(
            (stated.ci_low, stated.ci_high),
            calibration,
            limit=stated.margin,
            departure=departure.largest,
            ratio=departure.ratio,
            reach=_reach(calibration, stated.level),
        )
    except NotMeasuredError:
        return None
    return _band(found, departure, found.holds_to, rates)


def _band(
    found: GapBand | RateBand, departure: Departure, holds_to: float | None, rates: ErrorRates
) -> ErrorBand:
    return ErrorBand(
        low=found.low,
        high=found.high,
        departure=departure.largest,
        sign_holds_to=holds_to,
        depends=holds_to is None or holds_to < departure.largest,
        source=rates.source,
        says=found.says,
        unbounded=found.unbounded,
    )


def _stated_error(seen: ClusterEstimate) -> float:
    """The standard error whose t interval has the longer reach of the interval that is stated."""
    longer = max(seen.point - seen.interval.low, seen.interval.high - seen.point)
    return longer / float(stdtrit(seen.df, 0.5 + seen.interval.level / 2))


def _reach(calibration: Calibration, level: float) -> tuple[float, float]:
    """Half-widths of the intervals of sensitivity and false-positive rate."""
    quantile = float(stdtrit(calibration.n_clusters - 1.0, 0.5 + level / 2))
    return quantile * sqrt(calibration.variance(1.0, 0.0)), quantile * sqrt(calibration.variance(0.0, 1.0))


def _counts(rates: Sequence[ErrorRate], name: str) -> tuple[int, int]:
    chosen = [one for one in rates if one.name == name]
    return sum(round(one.value * one.n) for one in chosen), sum(one.n for one in chosen)


def _departure(rates: Sequence[ErrorRate], name: str) -> float:
    """Largest distance of a group's rate from that of all groups together; assumed if none was measured."""
    grouped = [one for one in rates if one.group is not None and one.name == name]
    if not grouped:
        return DEPARTURE
    right, n = _counts(grouped, name)
    return max(abs(one.value - right / n) for one in grouped)
