"""What a report says, as data: everything is chosen, ordered and counted here, and nothing is drawn."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audit.analyzers.base import AnalyzerInfo
from audit.estimates.measures import MEASURES
from audit.findings.document import RunDocument
from audit.ledger import Ledger
from audit.plan import Plan
from audit.records import Change, Estimate, Finding, Verdict
from audit.reports.coverage import Incompleteness, incompleteness, not_tested
from audit.reports.diff import Passage, compared, whole
from audit.reports.outcomes import OutcomeContent, outcome_content
from audit.reports.sections import (
    MOST_ROWS,
    AttributeSection,
    Comparison,
    ControlRow,
    Panel,
    attribute_sections,
    comparisons,
    control_rows,
    panel,
    panels,
)
from audit.spec import Spec
from audit.statistics.quantiles import QuantileEstimate
from probes.records import ProbeInfo

__all__ = ["Background", "Column", "Explored", "Pair", "ReportContent", "Shown", "ShownPair", "build_content"]

MOST_FINDINGS = 100
"""Findings told in full."""
MOST_EXPLORED = 30
"""Findings whose exchanges are shown."""

_PARENTHESES = re.compile(r"\s*\([^)]*\)")
_HARMFUL = ("harmful_compliance_rate", "toxicity_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Facts about a run that its findings do not repeat."""

    spec: Spec
    plan: Plan
    analyzers: tuple[AnalyzerInfo, ...] = ()
    probes: tuple[ProbeInfo, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    """What collecting took; empty if nothing is known of it."""
    latencies: Mapping[str, tuple[QuantileEstimate, ...]] = field(default_factory=dict)
    """Quantiles of the seconds that outputs took, by role; a role without any is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One exchange as people read it."""

    prompt_id: str
    output: int
    """Row of the output in the store."""
    prompt: str
    reply: str
    reasoning: str | None = None
    """What the model thought aloud; None unless it was asked for."""
    group: str | None = None
    value: float | None = None
    """What the measure of the finding reads in the reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two exchanges that differ in the group and in nothing else; or one, for a rate."""

    first: Shown
    second: Shown | None = None
    set_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One side of a pair, with what differs marked."""

    shown: Shown
    prompt: Passage
    reply: Passage
    reasoning: Passage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPair:
    """A pair ready to be read side by side."""

    set_id: str | None
    columns: tuple[Column, ...]
    """Two, or one for a rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """The exchanges behind one finding."""

    finding: Finding
    pairs: tuple[ShownPair, ...]
    harmful: bool
    """True if the text is hidden until asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """All that a report shows."""

    document: RunDocument
    background: Background
    tally: tuple[tuple[Verdict, int], ...]
    """How many estimates have each verdict, those that have one."""
    not_tested: tuple[str, ...]
    incomplete: tuple[Incompleteness, ...]
    controls: tuple[ControlRow, ...]
    """Those that a table shows."""
    controls_total: int
    controls_failed: int
    clusters: tuple[int, int] | None
    """Fewest and most templates that a stated estimate rests on."""
    methods: tuple[str, ...]
    """Kinds of interval that occur."""
    attributes: tuple[AttributeSection, ...]
    outcomes: OutcomeContent
    rates: tuple[Panel, ...]
    unmeasured_rates: tuple[str, ...]
    """Behaviours with a declared limit of which this run gives no rate, in words."""
    scores: Panel | None
    findings: tuple[Finding, ...]
    findings_left_out: int
    depending: int
    """Findings that the analyzer's unequal error could make alone."""
    explored: tuple[Explored, ...]
    explored_left_out: int
    comparisons: tuple[Comparison, ...]


def build_content(
    document: RunDocument,
    background: Background,
    *,
    pairs: Mapping[str, Sequence[Pair]],
    changes: Sequence[Change] = (),
) -> ReportContent:
    """Choose and order what a report of a run shows.

    Args:
        document: What the run found.
        background: The run's spec and plan, and what its analyzers and probes say of themselves.
        pairs: Exchanges that show a finding, by the finding's id.
        changes: Changes since an earlier run of the same plan, if there was one.

    Returns:
        The content, in a fixed order: equal input gives an equal report.
    """
    rates = [estimate for estimate in document.estimates if estimate.kind == "rate"]
    scores = [
        estimate for estimate in document.estimates if estimate.kind == "score" and estimate.group is None
    ]
    explored = [finding for finding in document.findings if pairs.get(finding.id)]
    attacks = {probe.name for probe in background.probes if probe.attack}
    verdicts = [estimate.verdict for estimate in document.estimates]
    clusters = [estimate.n_clusters for estimate in document.estimates if estimate.point is not None]
    controls = control_rows(document)
    return ReportContent(
        document=document,
        background=background,
        tally=tuple((verdict, verdicts.count(verdict)) for verdict in Verdict if verdict in verdicts),
        not_tested=not_tested(document, background.spec, background.plan),
        incomplete=incompleteness(document, background.spec, background.ledger),
        controls=controls[:MOST_ROWS],
        controls_total=len(controls),
        controls_failed=sum(not row.control.holds for row in controls),
        clusters=(min(clusters), max(clusters)) if clusters else None,
        methods=_methods(document.estimates),
        attributes=attribute_sections(document),
        outcomes=outcome_content(document),
        rates=panels(rates, "rates"),
        unmeasured_rates=_unmeasured(rates),
        scores=panel(scores, "scores", "scores of published benchmarks") if scores else None,
        findings=document.findings[:MOST_FINDINGS],
        findings_left_out=max(0, len(document.findings) - MOST_FINDINGS),
        depending=sum(
            one.estimate.error_band is not None and one.estimate.error_band.depends
            for one in document.findings
        ),
        explored=tuple(
            _explored(finding, pairs[finding.id], attacks) for finding in explored[:MOST_EXPLORED]
        ),
        explored_left_out=max(0, len(explored) - MOST_EXPLORED),
        comparisons=comparisons(document, changes),
    )


def _methods(estimates: Sequence[Estimate]) -> tuple[str, ...]:
    """Kinds of interval without their degrees of freedom, which differ from row to row."""
    kinds = {_PARENTHESES.sub("", estimate.method) for estimate in estimates if estimate.point is not None}
    return tuple(sorted(kinds))


def _unmeasured(rates: Sequence[Estimate]) -> tuple[str, ...]:
    measured = {estimate.measure for estimate in rates}
    return tuple(
        known.words
        for known in MEASURES
        if known.limit and known.part_of is None and known.name not in measured
    )


def _explored(finding: Finding, pairs: Sequence[Pair], attacks: set[str]) -> Explored:
    estimate = finding.estimate
    return Explored(
        finding=finding,
        pairs=tuple(_shown(pair) for pair in pairs),
        harmful=estimate.measure in _HARMFUL or estimate.probe in attacks,
    )


def _column(shown: Shown, prompt: Passage, reply: Passage) -> Column:
    thought = None if shown.reasoning is None else whole(shown.reasoning)
    return Column(shown=shown, prompt=prompt, reply=reply, reasoning=thought)


def _shown(pair: Pair) -> ShownPair:
    if pair.second is None:
        one = pair.first
        return ShownPair(
            set_id=pair.set_id,
            columns=(_column(one, whole(one.prompt), whole(one.reply)),),
        )
    prompts = compared(pair.first.prompt, pair.second.prompt)
    replies = compared(pair.first.reply, pair.second.reply)
    return ShownPair(
        set_id=pair.set_id,
        columns=tuple(
            _column(shown, prompt, reply)
            for shown, prompt, reply in zip((pair.first, pair.second), prompts, replies, strict=True)
        ),
    )
