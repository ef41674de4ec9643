"""Findings: the estimates that the data support, with severity, evidence and limits."""

import hashlib
from collections.abc import Callable, Sequence

import pandas as pd

from audit.estimates.measures import Measure
from audit.findings.claims import claim
from audit.findings.evidence import evidence
from audit.findings.severity import severity
from audit.records import Estimate, Finding, Severity, Verdict

__all__ = ["finding_id", "findings"]

_DOES_NOT_SHOW = {
    "disparity": (
        "It does not show why the model differs, nor what it would do on real cases that read otherwise than "
        "these templates; a signalled group is what words or names convey, not what a person is."
    ),
    "rate": (
        "It does not show how often this happens in ordinary use: the requests were made for the purpose, "
        "and the analyzer that read the replies has an error rate of its own."
    ),
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
        Findings, the most severe first, then by size.
    """
    found = [_finding(estimate, frame_of) for estimate in estimates if _is_finding(estimate)]
    order = list(Severity)
    return sorted(
        found,
        key=lambda finding: (-order.index(finding.severity), -abs(finding.estimate.point or 0.0), finding.id),
    )


def finding_id(estimate: Estimate) -> str:
    """A stable id: the same question has the same id in every run.

    >>> estimate = Estimate(kind="rate", measure="toxicity_rate", unit="rate", probe="p", domain="all",
    ...                     method="none", n_outputs=0, n_clusters=0, verdict=Verdict.NOT_MEASURED)
    >>> finding_id(estimate)
    'F-1bf4985d'
    """
    parts = (
        estimate.kind,
        estimate.measure,
        estimate.probe,
        estimate.domain,
        estimate.language,
        estimate.attribute,
        estimate.group,
        estimate.reference_group,
        estimate.signal,
        estimate.technique,
    )
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return "F-" + hashlib.sha256(text.encode()).hexdigest()[:8]


def _is_finding(estimate: Estimate) -> bool:
    if estimate.kind == "disparity":
        return estimate.verdict is Verdict.DISPARITY and not estimate.observation
    return estimate.verdict in {Verdict.EXCEEDS, Verdict.DISPARITY}


def _finding(estimate: Estimate, frame_of: Callable[[Measure], pd.DataFrame]) -> Finding:
    grade, reason = severity(estimate)
    return Finding(
        id=finding_id(estimate),
        claim=claim(estimate),
        severity=grade,
        severity_reason=reason,
        estimate=estimate,
        evidence=evidence(estimate, frame_of),
        does_not_show=_DOES_NOT_SHOW[estimate.kind],
        next_step=_next_step(estimate),
    )


def _next_step(estimate: Estimate) -> str:
    if estimate.kind == "disparity":
        return "Read the pairs in the report; then evenhand retrain RUN writes examples that close the gap."
    if estimate.measure in {"harmful_compliance_rate", "over_refusal_rate"}:
        return "Read the replies; then evenhand retrain RUN writes examples of the answer wanted."
    return "Read the replies in the report and confirm the analyzer's reading by hand before acting on it."
