"""`findings.json`: everything a run found, for programs."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from audit.estimates.ids import finding_id
from audit.estimates.outcome_records import Outcomes
from audit.findings.claims import claim
from audit.looks import SequentialReport
from audit.records import Change, Counts, Estimate, Finding, GroupRate, Omnibus, RaterUse
from audit.records.canaries import Drift
from probes.records import Record

__all__ = ["AttachedLabels", "RunDocument", "Unread", "flattened"]

_LEADING = (
    "id",
    "kind",
    "measure",
    "attribute",
    "group",
    "reference_group",
    "domain",
    "estimate",
    "ci_low",
    "ci_high",
    "level",
    "p_adjusted",
    "noise_floor",
    "verdict",
    "severity",
    "n_outputs",
    "n_clusters",
    "claim",
    "evidence",
)


class Unread(Record):
    """Answers in which a measure could not be read, or only in part, and those that it says nothing of.

    Those without a value are missing from its rates, never 0; of those read in part the rest is unread.
    """

    measure: str
    probe: str
    answers: int
    """Outputs in the measure's scope, without those outside."""
    unread: int
    """Those of them without a value."""
    partly: int = 0
    """Those of them with a value for a part only: the reply is longer than the analyzer reads."""
    outside: int = 0
    """Answers that the measure says nothing of, such as one that speaks of no person where regard is read:
    in no rate, and not missing."""


class AttachedLabels(Record):
    """Labels by which estimates were corrected, as far as they fit."""

    source: Literal["review", "calibration"]
    analyzer: str
    reading: str
    """Name of the reading that the labels are of."""
    labels: str
    """Which labels, in words."""
    n_labels: int
    n_given: int
    """Those that were given, of which `n_labels` can be used."""
    n_fitting: int
    """Those of `n_labels` that fit the answers of the run."""
    unfit: tuple[str, ...]
    """Why the others do not, with how many."""
    groups: tuple[str, ...]
    """Groups that the labels name; a disparity between others is not corrected."""


class RunDocument(Record):
    """What a run found, without times, so that the same outputs give the same bytes."""

    schema_version: int = 1
    run: str
    """Name of the run, as the spec gives it."""
    seed: int
    spec_sha256: str
    prompts_sha256: str
    analyzers: dict[str, str]
    """Analyzer versions."""
    targets: dict[str, dict[str, str]]
    """Facts that identify what was audited, by role (`target`, `baseline`)."""
    counts: dict[str, Counts]
    """The count funnel, by role."""
    versions: dict[str, str]
    estimates: tuple[Estimate, ...]
    group_rates: tuple[GroupRate, ...]
    omnibus: tuple[Omnibus, ...] = ()
    """Attributes of three or more groups as a whole; beside the estimates, no gate to them."""
    outcomes: Outcomes = Outcomes()
    """Tables beside the estimates: impact ratios, rates given a label, and others."""
    findings: tuple[Finding, ...]
    raters: dict[str, RaterUse] = Field(default_factory=dict)
    """What models that analyzers ask were asked so far, by book (a folder under `raters/`)."""
    unread: tuple[Unread, ...] = ()
    """By measure and probe; only where something is missing or outside."""
    labels: tuple[AttachedLabels, ...] = ()
    """Those attached to the run, in the order in which they are taken."""
    against_baseline: tuple[Change, ...] = Field(default=())
    sequential: SequentialReport | None = None
    """How a run until decided went; None for a run that asks everything planned."""
    drift: dict[str, Drift] = Field(default_factory=dict)
    """Whether an endpoint changed while it was asked, by role; empty for a run without canaries."""


def flattened(document: RunDocument, *, every: bool) -> dict[str, object]:
    """What `evenhand findings --json` prints.

    Args:
        document: What the run found.
        every: List every estimate, not only the findings.

    Returns:
        A mapping with `run`, `counts` and `findings`; each entry of the last is flat.
    """
    counts = document.counts["target"].model_dump(exclude={"decided_early", "broken_off"})
    by_id = {finding.id: finding for finding in document.findings}
    shown: Sequence[Estimate] = (
        document.estimates if every else [finding.estimate for finding in document.findings]
    )
    told: dict[str, object] = {
        "run": document.run,
        "counts": counts,
        "findings": [_entry(estimate, by_id.get(finding_id(estimate))) for estimate in shown],
    }
    if document.sequential is not None:
        told["sequential"] = document.sequential.model_dump(mode="json")
    return told


def _entry(estimate: Estimate, finding: Finding | None) -> dict[str, object]:
    content = estimate.model_dump(mode="json")
    stated = estimate.point is not None
    content["id"] = finding_id(estimate)
    content["estimate"] = content.pop("point")
    content["severity"] = None if finding is None else finding.severity.value
    content["claim"] = finding.claim if finding else (claim(estimate) if stated else None)
    content["evidence"] = (
        [] if finding is None else [item.model_dump(mode="json") for item in finding.evidence]
    )
    return {
        **{key: content[key] for key in _LEADING},
        **{k: v for k, v in content.items() if k not in _LEADING},
    }
