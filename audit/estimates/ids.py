"""Stable names of questions: an estimate, a finding about it and its change between runs share one."""

import hashlib

from audit.records import Estimate

__all__ = ["finding_id", "question"]


def question(estimate: Estimate) -> tuple[str | None, ...]:
    """What an estimate answers: two estimates of one question, in one run or in two, have the same."""
    return (
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


def finding_id(estimate: Estimate) -> str:
    """A stable id: the same question has the same id in every run.

    >>> from audit.records import Verdict
    >>> estimate = Estimate(kind="rate", measure="toxicity_rate", unit="rate", probe="p", domain="all",
    ...                     method="none", n_outputs=0, n_clusters=0, verdict=Verdict.NOT_MEASURED)
    >>> finding_id(estimate)
    'F-1bf4985d'
    """
    text = "\x1f".join("" if part is None else str(part) for part in question(estimate))
    return "F-" + hashlib.sha256(text.encode()).hexdigest()[:8]
