"""Contrasts corrected for the analyzer's own errors, by its error rates in each group.

The correction is linear in the values: (value - f) / (s - f), with the sensitivity s and false-positive
rate f of the row's own group. So it is made row by row, and pairing, strata and clusters by name stay as they
are; what the labels do not tell for certain is added to the variance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import (
    POOLED,
    Contrast,
    Corrected,
    contrasts,
    interval,
    placebo_contrasts,
)
from audit.estimates.correction_band import Departure, KnownErrors, gap_error_band, rate_error_band
from audit.estimates.correction_fit import ReadAnswers, misfit
from audit.estimates.correction_reviews import contrasts_by_reviews
from audit.estimates.error_rates import ErrorRates, was_read
from audit.estimates.measures import Measure
from audit.estimates.review_labels import ReviewLabels
from audit.records import Correction, Estimate, Verdict
from audit.statistics.arguments import Flags, Vector
from audit.statistics.error_rates import Calibration, check_informative, shared_covariance
from audit.statistics.measurement_error import paired_variance

__all__ = ["Corrections", "correction_record", "error_slopes"]

METHOD = "Rogan-Gladen, error rates by group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What the labels of a run can correct; without any, nothing is changed."""

    rates: Sequence[ErrorRates] = field(default=())
    reviews: Sequence[ReviewLabels] = field(default=())
    """Labels of the run's own answers: they go before the error rates."""
    known: KnownErrors = field(default=KnownErrors())
    """Error rates that the analyzers ship with: they correct nothing, but tell what their error can do."""

    def rates_of(self, measure: Measure) -> ErrorRates | None:
        """The error rates attached for a measure, if any."""
        return next((one for one in self.rates if one.fit(measure)), None)

    def reviews_of(self, measure: Measure) -> ReviewLabels | None:
        """The reviews of a measure's reading, if any."""
        return next((one for one in self.reviews if one.fit(measure)), None)

    def attached(self, measure: Measure) -> bool:
        """Whether labels are attached that may correct a measure."""
        return self.rates_of(measure) is not None or self.reviews_of(measure) is not None

    def errors_of(self, measure: Measure) -> tuple[ErrorRates, Departure] | None:
        """Error rates of all groups together, and by how much those of one may depart from them.

        Those of attached labels if there are any, else those that the analyzer ships with.
        """
        attached = self.rates_of(measure)
        return self.known.of(measure) if attached is None else (attached, Departure())

    def with_gap_band(self, estimate: Estimate, contrast: Contrast) -> Estimate:
        """A disparity that is not corrected, with what the analyzer's unequal error could make of it."""
        known = self.errors_of(contrast.cell.measure)
        if estimate.verdict is not Verdict.DISPARITY or known is None or contrast.correction is not None:
            return estimate
        band = gap_error_band(contrast, known, estimate.level)
        return estimate.model_copy(update={"error_band": band})

    def with_rate_band(self, estimate: Estimate, measure: Measure) -> Estimate:
        """A rate beyond its limit that is not corrected, with what the analyzer's error could make of it."""
        known = self.errors_of(measure)
        if estimate.verdict is not Verdict.EXCEEDS or known is None or estimate.correction is not None:
            return estimate
        return estimate.model_copy(update={"error_band": rate_error_band(estimate, measure, known)})

    def contrasts(self, frame: pd.DataFrame, measure: Measure, *, level: float) -> list[Contrast]:
        """The contrasts of a measure, corrected where labels of both groups allow it.

        Args:
            frame: Rows of the measure (see `audit.estimates.frame.Readings`).
            measure: What the values are.
            level: Nominal coverage of the intervals, a fraction in (0, 1).
        """
        raw = list(contrasts(frame, measure))
        rates, reviews = self.rates_of(measure), self.reviews_of(measure)
        found = raw
        if rates is not None and raw:
            found = list(_by_rates(raw, frame, measure, rates, level))
        if reviews is None or not raw:
            return found
        reviewed = contrasts_by_reviews(raw, frame, measure, reviews)
        return [_preferred(*pair) for pair in zip(reviewed, found, strict=True)]

    def placebos(self, frame: pd.DataFrame, measure: Measure, *, level: float) -> list[Contrast]:
        """The placebo contrasts of a measure on the scale of its corrected contrasts.

        Labels of a run's own answers correct them as they do those of groups. Where there are too few, both
        members are of one group, so that its error rates cancel but for the scale.
        """
        raw = list(placebo_contrasts(frame, measure))
        found, reviews = self._scaled_placebos(raw, measure, level), self.reviews_of(measure)
        if reviews is None or not raw:
            return found
        reviewed = contrasts_by_reviews(raw, frame, measure, reviews, made=placebo_contrasts)
        return [other if isinstance(one, str) else one for one, other in zip(reviewed, found, strict=True)]

    def _scaled_placebos(self, raw: list[Contrast], measure: Measure, level: float) -> list[Contrast]:
        rates = self.rates_of(measure)
        if rates is None or not raw:
            return raw
        found = []
        for one in raw:
            try:
                calibration = rates.calibration(measure, one.cell.language, None)
                check_informative(calibration, level=level)
            except NotMeasuredError:
                found.append(one)
                continue
            found.append(_scaled(one, calibration, rates))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """Both groups' error rates and corrected means, as far as the analyzer read the answers."""

    group: Calibration
    reference: Calibration
    group_mean: float
    reference_mean: float
    group_read: float
    """Share of the group's weight that the analyzer read; the rest was refused by the provider."""
    reference_read: float

    def added(self, *, shared: bool) -> tuple[tuple[float, float], ...]:
        """Variance that the two calibrations add to the gap, and its degrees of freedom."""
        ours = error_slopes(self.group, self.group_mean, self.group_read)
        theirs = error_slopes(self.reference, self.reference_mean, self.reference_read)
        parts = [
            (calibration.variance(*slopes), float(calibration.n_clusters - 1))
            for calibration, slopes in ((self.group, ours), (self.reference, theirs))
        ]
        if not shared:
            return tuple(parts)
        both = sum(part for part, _ in parts) - 2 * shared_covariance(
            self.group, ours, self.reference, theirs
        )
        return ((max(both, 0.0), min(freedom for _, freedom in parts)),)


def correction_record(contrast: Contrast, level: float) -> Correction | None:
    """What an estimate says of how it was corrected; None if it was not.

    Args:
        contrast: The contrast.
        level: Level of the raw interval, a fraction in (0, 1).
    """
    done = contrast.correction
    if done is None or done.unfit is not None:
        return None
    raw = done.raw
    seen = interval(raw, level=level)
    return Correction(
        source=done.source,
        method=done.method,
        labels=done.labels,
        n_labels=done.n_labels,
        raw_point=seen.point,
        raw_ci_low=seen.interval.low,
        raw_ci_high=seen.interval.high,
        raw_group_rate=raw.group_mean,
        raw_reference_rate=raw.reference_mean,
        **dict(done.facts),
    )


def error_slopes(calibration: Calibration, mean: float, read: float) -> tuple[float, float]:
    """Derivatives of -mean((v - f) / (s - f)) by sensitivity s and false-positive rate f.

    Args:
        calibration: s and f.
        mean: The corrected mean over what was read, times the share that was read.
        read: That share, in [0, 1].
    """
    # Beyond [0, 1] the mean is noise, and would weigh one error rate negatively.
    cut = min(max(mean, 0.0), read)
    return cut / calibration.youden, (read - cut) / calibration.youden


def _preferred(reviewed: Contrast | str, other: Contrast) -> Contrast:
    """The contrast by reviews; where there are too few, the other one, which says so if it is as read."""
    if not isinstance(reviewed, str):
        return reviewed
    if other.correction is not None or not other.strata:
        return other
    return replace(other, uncorrected=other.uncorrected or f"not corrected: {reviewed}")


def _by_rates(
    raw: Sequence[Contrast], frame: pd.DataFrame, measure: Measure, rates: ErrorRates, level: float
) -> Iterator[Contrast]:
    known, missing = _known(raw, measure, rates, level)
    read = was_read(frame, measure)
    values = _corrected_values(frame, known, read)
    corrected = list(contrasts(frame.assign(value=values), measure))
    answers = ReadAnswers(frame, measure, read, values)
    for place, (before, after) in enumerate(zip(raw, corrected, strict=True)):
        cell = before.cell
        keys = (cell.language, cell.group), (cell.language, cell.reference)
        unfit = next((missing[key] for key in keys if key in missing), None)
        if not before.strata:
            yield before
        elif unfit is not None:
            why = f"not corrected: {unfit.why}"
            if unfit.useless:
                yield replace(before, correction=_unusable(before, rates, why))
            else:
                # What nobody or everybody shows has no gap that error rates could have made.
                yield replace(before, uncorrected=why) if _varies(before) else before
        elif wrong := misfit(before, (known[keys[0]], known[keys[1]]), answers.parts(place), level):
            yield replace(before, correction=_unusable(before, rates, wrong))
        elif not _varies(before):
            yield before
        else:
            sides = _sides(known[keys[0]], known[keys[1]], answers.means(place, after))
            yield replace(after, correction=_correction(before, sides, rates))


def _sides(
    group: Calibration, reference: Calibration, means: tuple[tuple[float, float], tuple[float, float]]
) -> _Sides:
    ours, theirs = means
    return _Sides(
        group=group,
        reference=reference,
        group_mean=ours[0],
        reference_mean=theirs[0],
        group_read=ours[1],
        reference_read=theirs[1],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    why: str
    useless: bool
    """True if there are labels, and they show an analyzer that may be no better than a coin."""


_Key = tuple[str, str]
"""Language and group."""


def _known(
    raw: Sequence[Contrast], measure: Measure, rates: ErrorRates, level: float
) -> tuple[dict[_Key, Calibration], dict[_Key, _Missing]]:
    known: dict[_Key, Calibration] = {}
    missing: dict[_Key, _Missing] = {}
    for one in raw:
        for group in (one.cell.group, one.cell.reference):
            key = (one.cell.language, group)
            if key in known or key in missing:
                continue
            try:
                found = rates.calibration(measure, *key)
            except NotMeasuredError as error:
                # Contrasts over languages come last: what one of them shows to be useless is so in all.
                spoiled = [other for other, why in missing.items() if other[1] == group and why.useless]
                missing[key] = (
                    missing[spoiled[0]]
                    if spoiled and one.cell.language == POOLED
                    else _Missing(why=str(error), useless=False)
                )
                continue
            try:
                check_informative(found, level=level)
                known[key] = found
            except NotMeasuredError as error:
                missing[key] = _Missing(why=f"labels of the group {group}: {error}", useless=True)
    return known, missing


def _corrected_values(frame: pd.DataFrame, known: Mapping[_Key, Calibration], read: Flags) -> Vector:
    """Each row's value by its own group's error rates, raw where there are none; shape (n,)."""
    values = frame["value"].to_numpy(dtype=np.float64).copy()
    language, group = frame["language"].astype(str).to_numpy(), frame["grp"].astype(str).to_numpy()
    for (spoken, name), calibration in known.items():
        mine = read & (language == spoken) & (group == name)
        values[mine] = (values[mine] - calibration.false_positive_rate) / calibration.youden
    return values


def _varies(contrast: Contrast) -> bool:
    """Whether the readings differ at all: what nobody or everybody shows leaves nothing to correct."""
    means = [
        mean
        for stratum in contrast.strata
        for mean in (stratum.paired.group_means, stratum.paired.reference_means)
    ]
    return len(set(np.concatenate(means).tolist())) > 1


def _correction(raw: Contrast, sides: _Sides, rates: ErrorRates) -> Corrected:
    cell = raw.cell
    spread = [
        paired_variance(
            stratum.paired.group_means,
            stratum.paired.reference_means,
            sides.group.youden,
            sides.reference.youden,
        )
        for stratum in raw.strata
    ]
    return Corrected(
        raw=raw,
        source="calibration",
        method=METHOD,
        labels=rates.source,
        n_labels=rates.count(cell.language, cell.group, cell.reference),
        added=sides.added(shared=rates.clustered),
        spread=sum(spread) / len(spread) ** 2,
        facts=(
            ("group_sensitivity", sides.group.sensitivity),
            ("group_specificity", 1 - sides.group.false_positive_rate),
            ("reference_sensitivity", sides.reference.sensitivity),
            ("reference_specificity", 1 - sides.reference.false_positive_rate),
        ),
    )


def _unusable(raw: Contrast, rates: ErrorRates, why: str) -> Corrected:
    return Corrected(raw=raw, source="calibration", method=METHOD, labels=rates.source, n_labels=0, unfit=why)


def _scaled(raw: Contrast, calibration: Calibration, rates: ErrorRates) -> Contrast:
    """The contrast with every value corrected by one calibration: a shift that cancels, and a scale."""

    def moved(values: Vector) -> Vector:
        return np.asarray((values - calibration.false_positive_rate) / calibration.youden)

    strata = [
        replace(
            stratum,
            paired=replace(
                stratum.paired,
                differences=stratum.paired.differences / calibration.youden,
                set_differences=stratum.paired.set_differences / calibration.youden,
                set_influence=stratum.paired.set_influence / calibration.youden,
                group_means=moved(stratum.paired.group_means),
                reference_means=moved(stratum.paired.reference_means),
            ),
        )
        for stratum in raw.strata
    ]
    spread = [
        paired_variance(s.paired.group_means, s.paired.reference_means, 1, 1) / calibration.youden**2
        for s in raw.strata
    ]
    return replace(
        raw,
        strata=tuple(strata),
        correction=Corrected(
            raw=raw,
            source="calibration",
            method=METHOD,
            labels=rates.source,
            n_labels=rates.count(raw.cell.language),
            spread=sum(spread) / max(len(spread), 1) ** 2,
        ),
    )
