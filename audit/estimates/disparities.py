"""Disparities: every contrast of a run judged as one declared family, beside its placebos."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import ndtri

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import (
    MINIMUM_TEMPLATES,
    Contrast,
    flattened,
    interval,
    seed_names,
)
from audit.estimates.controls import PlaceboControl, controls_of, floor_of, placebo_controls
from audit.estimates.correction import Corrections, correction_record
from audit.estimates.design import FIXED, Design
from audit.estimates.families import adjusted, could_show, primary, weights
from audit.estimates.measures import MEASURES, Measure
from audit.estimates.pooled import TemplateValues, pooled_interval
from audit.estimates.threshold_tests import threshold_tests
from audit.estimates.verdicts import POWER, Question, deciding, judge, too_few
from audit.records import Control, Estimate, Verdict
from audit.spec import Judgement
from audit.statistics.intervals import ClusterEstimate, Interval
from audit.statistics.multiplicity import fcr_level
from audit.statistics.power import detectable_by
from audit.statistics.signflip import flips_needed, least_clusters_for_flips, sign_flip_test
from probes.records import Norm
from probes.seeds import rng

__all__ = ["disparities"]

UNCORRECTED = Corrections()

ENOUGH = 400
"""Sign flips at least as extreme after which a p-value is known well enough, to about 5 % of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    contrast: Contrast
    estimate: ClusterEstimate | None
    """None if there is too little to state an error."""
    p_value: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """What one test of the family must be able to pass."""

    size: int
    rate: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What the family of all contrasts makes of one."""

    p_adjusted: float | None
    weight: float | None
    primary: bool
    selected: Interval | None
    """Interval that allows for having been picked; None if it was not."""
    level: float
    """1 - alpha of its test if it were the only disparity of the family."""

    def stated(self) -> dict[str, object]:
        """What an estimate states of it."""
        return {
            "weight": self.weight,
            "primary": self.primary,
            "p_adjusted": self.p_adjusted,
            "selected_ci_low": None if self.selected is None else self.selected.low,
            "selected_ci_high": None if self.selected is None else self.selected.high,
        }


def disparities(
    frame_of: Callable[[Measure], pd.DataFrame],
    judgement: Judgement,
    *,
    seed: int,
    design: Design = FIXED,
    measures: Sequence[Measure] = MEASURES,
    corrections: Corrections = UNCORRECTED,
) -> list[Estimate]:
    """Every group contrast of a run, with verdicts.

    All contrasts that could show anything form one family at the declared rate (weighted
    Benjamini-Hochberg, see `audit.estimates.families`); the placebo controls form another (Holm at
    1 - level), since one false alarm there would void a result.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.measure_frame`).
        judgement: Thresholds declared in the spec.
        seed: Root seed; sign flips and noise floors draw from it by name.
        design: How often the answers are looked at.
        measures: Which to state.
        corrections: Labels by which readings are corrected; a verdict is then on the corrected estimate.

    Returns:
        Estimates in a fixed order, the not measured ones included.
    """
    drafts: list[Contrast] = []
    placebos: list[Contrast] = []
    for measure in measures:
        if not measure.compare_groups:
            continue
        frame = frame_of(measure)
        drafts.extend(corrections.contrasts(frame, measure, level=judgement.level))
        placebos.extend(corrections.placebos(frame, measure, level=judgement.level))
    tested = [
        _tested(contrast, test, judgement.level, design, seed=seed)
        for contrast, test in zip(drafts, _tests(drafts, judgement), strict=True)
    ]
    p_values = _in_family(tested, design)
    weight = weights(drafts, judgement, tested=[p is not None for p in p_values])
    controls = placebo_controls(placebos, level=judgement.level, seed=seed, labelled=corrections.attached)
    known = design.adjusted
    p_adjusted = (
        adjusted(p_values, weight) if known is None else [known.get(seed_names(one)) for one in drafts]
    )
    places = _places(drafts, weight, p_adjusted, judgement, design)
    judged = [
        _estimate(one, place, controls_of(one.contrast, controls), judgement, design)
        for one, place in zip(tested, places, strict=True)
    ]
    return [corrections.with_gap_band(one, draft) for one, draft in zip(judged, drafts, strict=True)]


def _tests(drafts: Sequence[Contrast], judgement: Judgement) -> list[_Test]:
    """What each contrast must be able to pass; leaving some out later only makes that easier."""
    weight = weights(drafts, judgement)
    size = max(sum(one is not None for one in weight), 1)
    return [_Test(size=size, rate=judgement.false_discovery_rate, weight=one or 1.0) for one in weight]


def _in_family(tested: Sequence[_Tested], design: Design) -> list[float | None]:
    """The p-value of each contrast of the family; None outside it."""
    left_out = 1.0 if design.whole_family else None
    return [
        one.p_value if one.p_value is not None and could_show(one.contrast) else left_out for one in tested
    ]


def _places(
    drafts: Sequence[Contrast],
    weight: Sequence[float | None],
    p_adjusted: Sequence[float | None],
    judgement: Judgement,
    design: Design,
) -> list[_Place]:
    """What the family makes of each contrast; those selected get an interval that allows for the picking.

    Source:
        Benjamini & Yekutieli (2005), JASA 100:71-81.
    """
    rate = judgement.false_discovery_rate
    n_tests = sum(one is not None for one in weight)
    chosen = [one is not None and one <= rate for one in p_adjusted]
    first = primary(drafts, judgement, tested=[one is not None for one in weight])
    found = []
    for contrast, share, p, picked, leads in zip(drafts, weight, p_adjusted, chosen, first, strict=True):
        selected = None
        if picked and share is not None:
            level = fcr_level(sum(chosen), n_tests, 1 - judgement.level, weight=share)
            selected = interval(contrast, level=design.level(level)).interval
        alone = 1 - rate * (1.0 if share is None else min(1.0, share / n_tests))
        found.append(_Place(p_adjusted=p, weight=share, primary=leads, selected=selected, level=alone))
    return found


def _tested(contrast: Contrast, test: _Test, level: float, design: Design, *, seed: int) -> _Tested:
    if not contrast.strata:
        return _Tested(
            contrast=contrast,
            estimate=None,
            p_value=None,
            reason="no counterfactual set has a value for both the group and the reference",
        )
    try:
        estimate = interval(contrast, level=design.level(level))
    except NotMeasuredError as error:
        few = contrast.n_clusters < MINIMUM_TEMPLATES
        reason = too_few(contrast.n_clusters, MINIMUM_TEMPLATES) if few else str(error)
        return _Tested(contrast=contrast, estimate=None, p_value=None, reason=reason)
    p_value = estimate.p_value
    # Names are a second sample that sign flips over templates do not see: there the two-way t test rules.
    by_name = all(stratum.names is not None for stratum in contrast.strata)
    # With too few templates no pattern of signs is rare enough for the family: there the t test rules too.
    least = least_clusters_for_flips(test.size, test.rate, weight=test.weight)
    # Nor do flips see the error of the labels that corrected the values, or what equal templates hide.
    bounded = estimate.degenerate or estimate.unseen is not None
    settled = by_name or contrast.correction is not None or bounded
    if design.flips and not settled and contrast.n_clusters >= least:
        differences, weight = flattened(contrast)
        p_value = sign_flip_test(
            differences,
            flips=flips_needed(test.size, test.rate, weight=min(test.weight, 1.0)),
            rng=rng(seed, "sign-flip", *seed_names(contrast)),
            weights=weight,
            enough=ENOUGH,
        ).mid_p_value
    return _Tested(contrast=contrast, estimate=estimate, p_value=design.p_value(contrast, p_value))


def _estimate(
    one: _Tested,
    place: _Place,
    placebos: Sequence[PlaceboControl],
    judgement: Judgement,
    design: Design,
) -> Estimate:
    contrast, found = one.contrast, one.estimate
    known = {**_described(contrast, judgement), **place.stated()}
    if found is None or one.p_value is None:
        reasons = (one.reason or "too little data",)
        return Estimate.model_validate(
            {**known, "method": "none", "verdict": Verdict.NOT_MEASURED, "reasons": reasons}
        )
    floor, controls = floor_of(contrast, placebos), tuple(one.control for one in placebos)
    detectable = detectable_by(found, level=design.level(judgement.level), power=POWER)
    margin = contrast.cell.measure.margin_by(judgement)
    judged = judge(
        Question(
            measure=contrast.cell.measure.name,
            estimate=found,
            p_adjusted=1.0 if place.p_adjusted is None else place.p_adjusted,
            rate=judgement.false_discovery_rate,
            margin=margin,
            controls=controls,
            noise_floor=floor,
            smallest_detectable=detectable,
            deciding=deciding(found, family_level=design.level(place.level)),
            sampled_too=_sampled_too(contrast),
            missing=_differential_missingness(contrast, judgement),
            minimum_clusters=MINIMUM_TEMPLATES,
            unit=contrast.cell.measure.unit,
            selected=place.selected,
        )
    )
    measured = {
        "point": found.point,
        "ci_low": found.interval.low,
        "ci_high": found.interval.high,
        "method": design.method(found.interval.method),
        "p_value": one.p_value,
        "noise_floor": floor,
        "controls": controls,
        "smallest_detectable": detectable,
        "verdict": judged.verdict,
        "material": judged.material,
        "reasons": (*judged.reasons, *_notes(contrast, controls)),
        "correction": correction_record(contrast, design.level(judgement.level)),
        "threshold_tests": threshold_tests(
            contrast.cell.measure.thresholds, found.point, partial(_bounds, contrast, design)
        ),
        "observation": contrast.cell.norm is not Norm.MUST_NOT_DIFFER,
    }
    return Estimate.model_validate({**known, **measured, **_naive(contrast, judgement.level)})


def _sampled_too(contrast: Contrast) -> str | None:
    """What is a sample beside templates: the names that signal the group, and labels that correct it."""
    names = any(stratum.names is not None for stratum in contrast.strata)
    found = [
        word for word, is_one in (("names", names), ("labels", contrast.correction is not None)) if is_one
    ]
    return " and ".join(found) or None


def _notes(contrast: Contrast, controls: Sequence[Control]) -> Iterator[str]:
    """What a reader must know of the correction beside the verdict."""
    if contrast.uncorrected is not None:
        yield contrast.uncorrected
    if contrast.correction is not None and any(control.as_read for control in controls):
        yield "corrected by labels, but its noise floor and controls are of the readings as they are"


def _bounds(contrast: Contrast, design: Design, level: float) -> tuple[float, float]:
    """The interval at any level, as it holds with the looks of the design."""
    found = interval(contrast, level=design.level(level)).interval
    return found.low, found.high


def _described(contrast: Contrast, judgement: Judgement) -> dict[str, object]:
    cell = contrast.cell
    described: dict[str, object] = {
        "kind": "disparity",
        "measure": cell.measure.name,
        "unit": cell.measure.unit,
        "probe": cell.probe,
        "domain": cell.domain,
        "language": cell.language,
        "attribute": cell.attribute,
        "group": cell.group,
        "reference_group": cell.reference,
        "signal": cell.signal,
        "norm": cell.norm,
        "level": judgement.level,
        "margin": cell.measure.margin_by(judgement),
        "n_outputs": contrast.n_outputs,
        "n_clusters": contrast.n_clusters,
        "group_outputs": contrast.n_group,
        "reference_outputs": contrast.n_reference,
        "declared": cell.measure.declared,
    }
    if contrast.strata:
        described |= _own_rates(contrast)
    return described


def _own_rates(contrast: Contrast) -> dict[str, object]:
    """Both groups' own means; neither where correction puts one outside [0, 1], where no rate is.

    Cutting one of them would state two rates that do not differ by the difference beside them.
    """
    means = contrast.group_mean, contrast.reference_mean
    if contrast.correction is not None and not all(0 <= mean <= 1 for mean in means):
        return {}
    return {"group_rate": means[0], "reference_rate": means[1]}


def _differential_missingness(contrast: Contrast, judgement: Judgement) -> str | None:
    """Why unanswered or unreadable replies spoil the contrast: they hit one group more than the other.

    Asked once for the contrast, over the domains that it is about and pooled as it is.
    """
    if all(stratum.missing is None for stratum in contrast.strata):
        return None
    # A domain in which nothing is missing has no gap; it weighs like the others.
    gaps = [
        TemplateValues(
            differences=np.zeros_like(stratum.paired.differences), clusters=stratum.paired.clusters
        )
        if stratum.missing is None
        else stratum.missing
        for stratum in contrast.strata
    ]
    try:
        gap = pooled_interval(gaps, (), level=judgement.level, bounds=(-1.0, 1.0))
    except NotMeasuredError:
        return None
    excludes_zero = gap.interval.low > 0 or gap.interval.high < 0
    if not excludes_zero or abs(gap.point) <= judgement.smallest_disparity_of_concern:
        return None
    low, high = 100 * gap.interval.low, 100 * gap.interval.high
    size = f"{100 * gap.point:+.1f} points [{low:+.1f}, {high:+.1f}]"
    groups = f"{contrast.cell.group} than for {contrast.cell.reference}"
    domains = [stratum.domain for stratum in contrast.strata]
    where = f"in {domains[0]}" if len(domains) == 1 else f"over {len(domains)} domains"
    # A measure of some replies only compares other replies where one group has more of them.
    what = "outside the measure or missing" if contrast.cell.measure.outside else "missing"
    return f"answers are {what} {size} more often for {groups} {where}"


def _naive(contrast: Contrast, level: float) -> dict[str, float]:
    """The interval of two independent proportions, rows as independent: for comparison only."""
    contrast = contrast if contrast.correction is None else contrast.correction.raw
    if contrast.cell.measure.unit != "rate" or not contrast.n_group or not contrast.n_reference:
        return {}
    group, reference = contrast.group_mean, contrast.reference_mean
    variance = group * (1 - group) / contrast.n_group + reference * (1 - reference) / contrast.n_reference
    reach = float(ndtri(0.5 + level / 2)) * variance**0.5
    return {"naive_ci_low": group - reference - reach, "naive_ci_high": group - reference + reach}
