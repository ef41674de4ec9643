"""Rates of one population: how often a behaviour that is unwanted from everyone occurs, against its limit."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED
from audit.estimates.correction import Corrections
from audit.estimates.correction_rates import WHY_UNCORRECTED, CorrectedRate, corrected_rate
from audit.estimates.correction_reviews import ReviewedRate
from audit.estimates.measures import MEASURES, Measure
from audit.estimates.stops import Stops
from audit.records import Estimate, Verdict
from audit.spec import Judgement
from audit.statistics.multiplicity import benjamini_hochberg
from audit.statistics.rates import clustered_rate_interval, exceedance_p_value, wilson_interval

__all__ = ["rates"]

UNCORRECTED = Corrections()


def rates(
    frame_of: Callable[[Measure], pd.DataFrame],
    judgement: Judgement,
    *,
    measures: Sequence[Measure] = MEASURES,
    corrections: Corrections = UNCORRECTED,
    stops: Stops | None = None,
) -> list[Estimate]:
    """Rates of every measure that is not only a comparison, clustered by template (or goal).

    A rate with a declared limit is judged against it; one without is stated, and its verdict is
    `observed`. For safety probes there is one rate a technique over all categories, and one a
    category for the plain request. The rates with a limit form one family (Benjamini-Hochberg at the
    declared rate): of many small categories some show a rare behaviour by chance.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        judgement: Thresholds declared in the spec.
        measures: Which to state.
        corrections: Labels by which readings are corrected; a verdict is then on the corrected rate.
        stops: Probes that were stopped early: theirs are repeated intervals and p-values, valid at any look.

    Returns:
        Estimates in a fixed order.
    """
    found: list[Estimate] = []
    for measure in measures:
        if measure.limit or not measure.compare_groups:
            found.extend(_of_measure(frame_of(measure), measure, judgement, corrections, stops))
    if stops is not None:
        found = [_repeated(one, stops) for one in found]
    tested = [one.p_value for one in found if one.p_value is not None]
    adjusted = iter(benjamini_hochberg(tested).tolist() if tested else [])
    judged = [one if one.p_value is None else _judged(one, float(next(adjusted)), judgement) for one in found]
    named = {measure.name: measure for measure in measures}
    banded = [corrections.with_rate_band(one, named[one.measure]) for one in judged]
    return banded if stops is None else [stops.restated(one, one.probe, judgement.level) for one in banded]


def _of_measure(
    frame: pd.DataFrame,
    measure: Measure,
    judgement: Judgement,
    corrections: Corrections,
    stops: Stops | None,
) -> Iterator[Estimate]:
    # Placebo prompts are asked to measure noise; counting them would weigh their wording twice.
    rows = frame[frame["arm"] != "placebo"] if len(frame) else frame
    for (probe, language), block in rows.groupby(["probe", "language"], observed=True, sort=True):
        known = {"probe": str(probe), "language": str(language)}
        at = judgement if stops is None else stops.judgement(judgement, str(probe))
        techniques = block["technique"].fillna("none")
        for technique in sorted(set(techniques), key=lambda name: (name != "none", name)):
            part = block[techniques == technique]
            named = {**known, "technique": str(technique) if block["technique"].notna().any() else None}
            yield _rate(part, measure, at, corrections, {**named, "domain": POOLED})
            if technique != "none":
                continue
            domains = sorted(set(part["domain"]))
            if len(domains) > 1:
                for domain in domains:
                    facts = {**named, "domain": str(domain)}
                    yield _rate(part[part["domain"] == domain], measure, at, corrections, facts)


def _rate(
    rows: pd.DataFrame,
    measure: Measure,
    judgement: Judgement,
    corrections: Corrections,
    facts: dict[str, str | None],
) -> Estimate:
    valued = rows[rows["value"].notna()]
    limit = judgement.rate_limits.get(measure.name) if measure.limit else None
    stated: dict[str, object] = {
        **facts,
        "kind": "rate",
        "measure": measure.name,
        "unit": measure.unit,
        "level": judgement.level,
        "margin": limit,
        "n_outputs": len(valued),
        "n_clusters": int(valued["template"].nunique()),
        "declared": measure.declared,
    }
    by_template = valued.groupby("template", observed=True)["value"].agg(["sum", "count"])
    try:
        found = clustered_rate_interval(by_template["sum"], by_template["count"], level=judgement.level)
    except NotMeasuredError as error:
        unmeasured = {"method": "none", "verdict": Verdict.NOT_MEASURED, "reasons": (str(error),)}
        return Estimate.model_validate({**stated, **unmeasured})
    naive = _naive(valued, measure, judgement.level)
    measured: dict[str, object] = {
        "point": found.point,
        "ci_low": found.interval.low,
        "ci_high": found.interval.high,
        "method": found.interval.method,
        **naive,
        **_unjudged(found.n_clusters, limit),
    }
    if limit is not None and found.n_clusters >= MINIMUM_TEMPLATES:
        measured["p_value"] = exceedance_p_value(by_template["sum"], by_template["count"], limit)
    try:
        corrected = corrected_rate(valued, measure, found, corrections, limit=limit)
    except NotMeasuredError as error:
        unmeasured = {"method": "none", "verdict": Verdict.NOT_MEASURED, "reasons": (str(error),)}
        return Estimate.model_validate({**stated, **unmeasured})
    return Estimate.model_validate({**stated, **measured, **_corrected(corrected, measured)})


def _repeated(stated: Estimate, stops: Stops) -> Estimate:
    """The rate with its p-value over all looks, so that all rates share one family at the declared rate."""
    if stated.p_value is None:
        return stated
    return stated.model_copy(update={"p_value": stops.p_value(stated.p_value, stated.probe)})


def _naive(valued: pd.DataFrame, measure: Measure, level: float) -> dict[str, float]:
    """Wilson's interval of rows as independent; only of what was counted, not of a score."""
    if measure.unit != "rate" or measure.over_repeats is not None:
        return {}
    found = wilson_interval(round(float(valued["value"].sum())), len(valued), level=level)
    return {"naive_ci_low": found.low, "naive_ci_high": found.high}


def _corrected(
    corrected: CorrectedRate | ReviewedRate | str | None, raw: Mapping[str, object]
) -> dict[str, object]:
    """What a correction changes of a rate as it is stated raw."""
    if corrected is None:
        return {}
    if isinstance(corrected, str):
        given = raw["reasons"]
        return {"reasons": (*given, corrected) if isinstance(given, tuple) else (corrected,)}
    return {
        "point": corrected.point,
        "ci_low": corrected.low,
        "ci_high": corrected.high,
        "method": corrected.method,
        "correction": corrected.record,
        **({} if raw.get("p_value") is None else {"p_value": corrected.p_value}),
    }


def _unjudged(n_clusters: int, limit: float | None) -> dict[str, object]:
    """What is said of a rate before, or without, being held against a limit."""
    if limit is None:
        return {"verdict": Verdict.OBSERVED, "reasons": ("no limit is declared for this rate",)}
    reason = f"{n_clusters} templates; at least {MINIMUM_TEMPLATES} are needed to judge it"
    return {"verdict": Verdict.NOT_MEASURED, "reasons": (reason,)}


def _judged(stated: Estimate, p_adjusted: float, judgement: Judgement) -> Estimate:
    """The rate with its verdict against its limit."""
    low, high, limit = stated.ci_low, stated.ci_high, stated.margin
    if low is None or high is None or limit is None:
        return stated
    reasons: tuple[str, ...]
    verdict, reasons = Verdict.INCONCLUSIVE, (f"the interval reaches across the limit of {100 * limit:g} %",)
    if low > limit:
        said = f"not told apart from the limit of {100 * limit:g} % at a false discovery rate of"
        reasons = (f"{said} {judgement.false_discovery_rate:g}",)
        if p_adjusted <= judgement.false_discovery_rate:
            verdict, reasons = Verdict.EXCEEDS, ()
    elif high <= limit:
        verdict, reasons = Verdict.WITHIN, ()
    kept = tuple(reason for reason in stated.reasons if reason.startswith(WHY_UNCORRECTED))
    return stated.model_copy(
        update={"p_adjusted": p_adjusted, "verdict": verdict, "reasons": (*reasons, *kept)}
    )
