"""One population's rate corrected for the analyzer's own errors."""

from dataclasses import dataclass
from math import sqrt

import pandas as pd
from scipy.special import ndtri, stdtr, stdtrit

from audit.errors import NotMeasuredError
from audit.estimates.correction import Corrections, error_slopes
from audit.estimates.correction_reviews import ReviewedRate, rate_by_reviews
from audit.estimates.error_rates import ErrorRates, was_read
from audit.estimates.measures import Measure
from audit.records import Correction
from audit.statistics.arguments import Flags
from audit.statistics.error_rates import Calibration, check_informative, corrected_ends, label_reaches
from audit.statistics.label_fit import check_fit, read_rate
from audit.statistics.rates import RateEstimate, exceedance_p_value

__all__ = ["WHY_UNCORRECTED", "CorrectedRate", "corrected_rate"]

METHOD = "Rogan-Gladen"
WHY_UNCORRECTED = "not corrected"
"""How a reason begins that says why attached labels do not correct a rate."""
_LEAST_P = 1e-12
"""Below this a p-value is not turned into a normal quantile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedRate:
    """A corrected rate with its interval and, if it has a limit, its p against "at most the limit"."""

    point: float
    low: float
    high: float
    method: str
    p_value: float | None
    record: Correction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Means over all rows of what the analyzer read, and of what the provider refused."""

    flagged: float
    share: float
    """Share of the rows that the analyzer read."""
    refused: float

    def corrected(self, calibration: Calibration) -> float:
        """The rate, unbounded."""
        return self._of_read(calibration) + self.refused

    def slopes(self, calibration: Calibration) -> tuple[float, float]:
        """Derivatives of the rate by sensitivity and false-positive rate, but for their sign."""
        return error_slopes(calibration, self._of_read(calibration), self.share)

    def apparent(self, calibration: Calibration, rate: float) -> float:
        """The flagged share at which the corrected rate would be `rate`, in [0, 1]."""
        read = self.share * calibration.false_positive_rate + calibration.youden * (rate - self.refused)
        return min(max(read + self.refused, 0.0), 1.0)

    def _of_read(self, calibration: Calibration) -> float:
        return (self.flagged - self.share * calibration.false_positive_rate) / calibration.youden


def corrected_rate(
    rows: pd.DataFrame,
    measure: Measure,
    found: RateEstimate,
    corrections: Corrections,
    *,
    limit: float | None,
) -> CorrectedRate | ReviewedRate | str | None:
    """A rate corrected by reviews of the run's answers; else by the analyzer's error rates of all groups.

    By error rates: p = (q - f) / (s - f). The interval joins those of the flags and of both error rates by
    MOVER, p held within [0, 1]: low = p - sqrt(((q - l) / J)^2 + (p (u_s - s) / J)^2 + ((1 - p) (u_f - f) /
    J)^2), with l the lower end of q and u the upper ones of s and f (Wilson), which keeps it lopsided where
    the behaviour or the analyzer's errors are rare.
    It holds for answers whose mix of groups is that of the labels.

    Args:
        rows: Rows with a value.
        measure: What the values are.
        found: The raw rate of the same rows.
        corrections: Labels of the run.
        limit: Largest accepted rate, if one is declared.

    Returns:
        The corrected rate; why it cannot be had; or None if no labels are attached for the measure.

    Raises:
        NotMeasuredError: The labels show an analyzer that may be no better than a coin, or surely are not
            of answers like these.

    Source:
        Rogan & Gladen (1978), Am. J. Epidemiology 107:71-76; Zou & Donner (2008), Statistics in Medicine
        27:1693-1702 (MOVER).
    """
    reviews, too_few = corrections.reviews_of(measure), None
    if reviews is not None:
        try:
            return rate_by_reviews(rows, measure, found, reviews, limit=limit)
        except NotMeasuredError as error:
            too_few = f"{WHY_UNCORRECTED}: {error}"
    rates = corrections.rates_of(measure)
    if rates is None:
        return too_few
    language = str(rows["language"].iloc[0])
    try:
        calibration = rates.calibration(measure, language, None)
    except NotMeasuredError as error:
        return f"{WHY_UNCORRECTED}: {error}"
    level = found.interval.level
    check_informative(calibration, level=level)
    by_analyzer = was_read(rows, measure)
    values = rows["value"].to_numpy(dtype=float)
    read = _Read(
        flagged=float(values[by_analyzer].sum()) / values.size,
        share=float(by_analyzer.mean()),
        refused=float(values[~by_analyzer].sum()) / values.size,
    )
    _check_fit(rows, by_analyzer, calibration, level)
    # A rate implied to be below 0 or above 1 is noise: an interval around it would end too soon.
    point = _cut(read.corrected(calibration))
    flags = (found.point - found.interval.low, found.interval.high - found.point)
    low, high = corrected_ends(point, flags, calibration, read.slopes(calibration), level=level)
    p_value = None if limit is None else _exceedance(rows, read, calibration, limit, level)
    return CorrectedRate(
        point=point,
        low=low,
        high=high,
        method=f"{METHOD}; {found.interval.method} with the error of the labels (MOVER)",
        p_value=p_value,
        record=_record(rates, calibration, found, rates.count(language)),
    )


def _check_fit(rows: pd.DataFrame, by_analyzer: Flags, calibration: Calibration, level: float) -> None:
    if by_analyzer.any():
        by_template = rows[by_analyzer].groupby("template", observed=True)["value"].agg(["sum", "count"])
        check_fit(
            read_rate(by_template["sum"], by_template["count"]), calibration, level=level, of="all groups"
        )


def _record(rates: ErrorRates, calibration: Calibration, found: RateEstimate, n_labels: int) -> Correction:
    return Correction(
        source="calibration",
        method=METHOD,
        labels=rates.source,
        n_labels=n_labels,
        raw_point=found.point,
        raw_ci_low=found.interval.low,
        raw_ci_high=found.interval.high,
        sensitivity=calibration.sensitivity,
        specificity=1 - calibration.false_positive_rate,
    )


def _exceedance(
    rows: pd.DataFrame, read: _Read, calibration: Calibration, limit: float, level: float
) -> float:
    """One-sided p against "the corrected rate is at most the limit", with the error of the labels.

    The flags' own p, exact in its tail, gives the standard error that their distance is worth; the
    labels' is added to it, as wide as their reach is towards the limit.
    """
    by_template = rows.groupby("template", observed=True)["value"].agg(["sum", "count"])
    apparent = read.apparent(calibration, limit)
    alone = exceedance_p_value(by_template["sum"], by_template["count"], apparent)
    distance = read.corrected(calibration) - limit
    if distance <= 0 or alone >= 0.5:  # noqa: PLR2004 - the median
        return max(alone, 0.5)
    z = -float(ndtri(max(alone, _LEAST_P)))
    down, _ = label_reaches(calibration, read.slopes(calibration), level=level)
    labels = down / float(stdtrit(calibration.n_clusters - 1.0, 0.5 + level / 2))
    error = sqrt((distance / z) ** 2 + labels**2)
    freedom = float(min(len(by_template), calibration.n_clusters) - 1)
    return max(alone, float(stdtr(freedom, -distance / error)))


def _cut(value: float) -> float:
    return min(max(value, 0.0), 1.0)
