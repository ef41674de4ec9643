"""Findings: the estimates that the data support, with severity, evidence and limits."""

from collections.abc import Callable, Collection, Sequence

import pandas as pd

from audit.estimates.ids import finding_id
from audit.estimates.measures import Measure, measure_of
from audit.estimates.prices import PRICE_OF
from audit.findings.claims import claim, price_words
from audit.findings.evidence import evidence
from audit.findings.severity import foremost, severity
from audit.records import Estimate, Finding, Severity, Verdict

__all__ = ["findings"]

_DOES_NOT_SHOW = {
    "disparity": (
        "It does not show why the model differs, nor what it would do on real cases that read otherwise than "
        "these templates; a signalled group is what words or names convey, not what a person is."
    ),
    "rate": (
        "It does not show how often this happens in ordinary use: the requests were made for the purpose, "
        "and the analyzer that read the replies has an error rate of its own."
    ),
    "price": "It does not show what merit is worth outside these texts, where all facts move together.",
    "distance": (
        "It does not show which group is treated worse, only that replies differ by more than chance makes "
        "them differ."
    ),
    "association": "It does not show how anybody is treated, only which words stand near which in replies.",
    "score": ("It does not show behaviour outside this benchmark, which the model may have met in training."),
}


def findings(estimates: Sequence[Estimate], frame_of: Callable[[Measure], pd.DataFrame]) -> list[Finding]:
    """The findings among a run's estimates.

    A disparity is a finding when its verdict is `disparity` and the norm says groups must not
    differ; a rate when it exceeds its declared limit; a benchmark's score when its interval excludes 0.

    Args:
        estimates: Every estimate of the run.
        frame_of: Gives the rows of a measure, for evidence.

    Returns:
        Findings, the most severe first, then by the size that each surely has (`severity.surely`).
    """
    told = {_contrast_of(one) for one in estimates if one.kind == "disparity" and _is_finding(one)}
    prices = {_contrast_of(one): one for one in estimates if one.kind == "price" and one.point is not None}
    found = [
        _finding(estimate, frame_of, prices.get(_contrast_of(estimate)))
        for estimate in estimates
        if _is_finding(estimate) and not _said_by_the_whole(estimate, told)
    ]
    order = list(Severity)
    return sorted(
        found,
        key=lambda one: (-order.index(one.severity), foremost(one.estimate), one.id),
    )


def _is_finding(estimate: Estimate) -> bool:
    if estimate.kind in {"disparity", "distance"}:
        return estimate.verdict is Verdict.DISPARITY and not estimate.observation
    # Which words stand together in all replies depends on what was asked: it is stated and never a finding.
    return estimate.kind != "association" and estimate.verdict in {Verdict.EXCEEDS, Verdict.DISPARITY}


def _said_by_the_whole(estimate: Estimate, told: Collection[tuple[str | None, ...]]) -> bool:
    """Whether the measure that this one takes apart differs between the same groups, and is a finding."""
    measure = measure_of(estimate) if estimate.kind == "disparity" else None
    whole = None if measure is None else measure.part_of
    return whole is not None and _contrast_of(estimate.model_copy(update={"measure": whole})) in told


def _contrast_of(estimate: Estimate) -> tuple[str | None, ...]:
    """What an estimate and its price have in common."""
    measure = PRICE_OF.get(estimate.measure, estimate.measure)
    asked = (estimate.probe, estimate.domain, estimate.language)
    return (measure, *asked, estimate.attribute, estimate.group, estimate.reference_group, estimate.signal)


def _finding(
    estimate: Estimate, frame_of: Callable[[Measure], pd.DataFrame], price: Estimate | None
) -> Finding:
    grade, reason = severity(estimate)
    worth = "" if price is None or estimate.kind != "disparity" else f" In merit, {price_words(price)}."
    return Finding(
        id=finding_id(estimate),
        claim=f"{claim(estimate)}{worth}",
        severity=grade,
        severity_reason=reason,
        estimate=estimate,
        evidence=evidence(estimate, frame_of),
        does_not_show=" ".join([_DOES_NOT_SHOW[estimate.kind], *(_sentence(one) for one in estimate.notes)]),
        next_step=_next_step(estimate),
    )


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def _next_step(estimate: Estimate) -> str:
    measure = measure_of(estimate)
    if measure is not None and measure.between:
        return (
            "Read the pairs in the report, each in both orders; no retraining material is shipped for them."
        )
    if estimate.kind == "disparity":
        return "Read the pairs in the report; then evenhand retrain RUN writes examples that close the gap."
    if estimate.measure in {"harmful_compliance_rate", "over_refusal_rate"}:
        return "Read the replies; then evenhand retrain RUN writes examples of the answer wanted."
    return "Read the replies in the report and confirm the analyzer's reading by hand before acting on it."
