"""What a report says, as data: everything is chosen, ordered and counted here, and nothing is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audit.analyzers.base import AnalyzerInfo
from audit.findings.document import RunDocument
from audit.plan import Plan
from audit.records import Change, Estimate, Finding, GroupRate, Verdict
from audit.reports.coverage import Incompleteness, incompleteness, not_tested
from audit.reports.diff import Passage, compared, whole
from audit.reports.words import words_of
from audit.spec import Spec
from probes.records import ProbeInfo

__all__ = [
    "AttributeSection",
    "Background",
    "Comparison",
    "Explored",
    "Pair",
    "Panel",
    "ReportContent",
    "Shown",
    "ShownPair",
    "build_content",
]

MOST_ROWS = 60
"""Rows of one table; the rest is counted and lies in findings.json."""
MOST_FINDINGS = 100
"""Findings told in full."""
MOST_EXPLORED = 30
"""Findings whose exchanges are shown."""

_DECISIONS = ("favourable_rate", "decision_number")
_HARMFUL = ("harmful_compliance_rate", "toxicity_rate")
_LOUDEST = (
    Verdict.DISPARITY,
    Verdict.EXCEEDS,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_MEASURED,
    Verdict.OBSERVED,
    Verdict.WITHIN,
    Verdict.EQUIVALENT,
)
"""Which rows stay when a table is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Facts about a run that its findings do not repeat."""

    spec: Spec
    plan: Plan
    analyzers: tuple[AnalyzerInfo, ...] = ()
    probes: tuple[ProbeInfo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One exchange as people read it."""

    prompt_id: str
    output: int
    """Row of the output in the store."""
    prompt: str
    reply: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPair:
    """A pair ready to be read side by side."""

    set_id: str | None
    columns: tuple[Column, ...]
    """Two, or one for a rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Estimates of one measure, for one figure and one table."""

    key: str
    """Unique in the report; fit for an id."""
    measure: str
    words: str
    unit: str
    rows: tuple[Estimate, ...]
    left_out: int = 0
    """Rows that lie in findings.json only."""
    foremost: bool = True
    """False for measures that stand behind the decisions, and are folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSection:
    """Everything about one protected attribute (or a crossing of several)."""

    attribute: str
    key: str
    panels: tuple[Panel, ...]
    group_rates: tuple[GroupRate, ...]
    group_rates_left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """The exchanges behind one finding."""

    finding: Finding
    pairs: tuple[ShownPair, ...]
    harmful: bool
    """True if the text is hidden until asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models side by side, paired by prompt."""

    key: str
    title: str
    before: str
    """How the first side is called."""
    after: str
    rows: tuple[Change, ...]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """All that a report shows."""

    document: RunDocument
    background: Background
    tally: tuple[tuple[Verdict, int], ...]
    """How many estimates have each verdict, those that have one."""
    not_tested: tuple[str, ...]
    incomplete: tuple[Incompleteness, ...]
    attributes: tuple[AttributeSection, ...]
    rates: tuple[Panel, ...]
    scores: Panel | None
    findings: tuple[Finding, ...]
    findings_left_out: int
    explored: tuple[Explored, ...]
    explored_left_out: int
    comparisons: tuple[Comparison, ...] = field(default=())


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
    disparities = [estimate for estimate in document.estimates if estimate.kind == "disparity"]
    rates = [estimate for estimate in document.estimates if estimate.kind == "rate"]
    scores = [estimate for estimate in document.estimates if estimate.kind == "score"]
    explored = [finding for finding in document.findings if pairs.get(finding.id)]
    attacks = {probe.name for probe in background.probes if probe.attack}
    verdicts = [estimate.verdict for estimate in document.estimates]
    return ReportContent(
        document=document,
        background=background,
        tally=tuple((verdict, verdicts.count(verdict)) for verdict in Verdict if verdict in verdicts),
        not_tested=not_tested(document, background.spec, background.plan),
        incomplete=incompleteness(document, background.spec),
        attributes=tuple(
            _attribute(name, disparities, document.group_rates)
            for name in sorted({estimate.attribute or "" for estimate in disparities})
        ),
        rates=_panels(rates, "rates"),
        scores=_panel(scores, "scores", "score") if scores else None,
        findings=document.findings[:MOST_FINDINGS],
        findings_left_out=max(0, len(document.findings) - MOST_FINDINGS),
        explored=tuple(
            _explored(finding, pairs[finding.id], attacks) for finding in explored[:MOST_EXPLORED]
        ),
        explored_left_out=max(0, len(explored) - MOST_EXPLORED),
        comparisons=_comparisons(document, changes),
    )


def _attribute(
    name: str, disparities: Sequence[Estimate], group_rates: Sequence[GroupRate]
) -> AttributeSection:
    mine = [estimate for estimate in disparities if (estimate.attribute or "") == name]
    rates = [rate for rate in group_rates if rate.attribute == name and rate.measure in _DECISIONS]
    key = f"attribute-{sorted({one.attribute or '' for one in disparities}).index(name) + 1}"
    return AttributeSection(
        attribute=name,
        key=key,
        panels=_panels(mine, key),
        group_rates=tuple(rates[:MOST_ROWS]),
        group_rates_left_out=max(0, len(rates) - MOST_ROWS),
    )


def _panels(estimates: Sequence[Estimate], key: str) -> tuple[Panel, ...]:
    """One panel a measure, in the order in which the measures first come."""
    measures = list(dict.fromkeys(estimate.measure for estimate in estimates))
    return tuple(
        _panel([one for one in estimates if one.measure == measure], f"{key}-{place}", measure)
        for place, measure in enumerate(measures, start=1)
    )


def _panel(estimates: Sequence[Estimate], key: str, measure: str) -> Panel:
    ordered = sorted(estimates, key=_place)
    kept = sorted(range(len(ordered)), key=lambda index: (_LOUDEST.index(ordered[index].verdict), index))
    chosen = sorted(kept[:MOST_ROWS])
    return Panel(
        key=key,
        measure=measure,
        words=words_of(measure),
        unit=estimates[0].unit,
        rows=tuple(ordered[index] for index in chosen),
        left_out=len(ordered) - len(chosen),
        foremost=measure in _DECISIONS or estimates[0].kind != "disparity",
    )


def _place(estimate: Estimate) -> tuple[object, ...]:
    """Groups together, pooled before single domains, plain requests before disguised ones."""
    return (
        estimate.probe,
        estimate.language,
        estimate.group or "",
        estimate.domain != "all",
        estimate.technique not in {None, "none"},
        estimate.technique or "",
        estimate.domain,
        estimate.signal or "",
        estimate.measure,
    )


def _explored(finding: Finding, pairs: Sequence[Pair], attacks: set[str]) -> Explored:
    estimate = finding.estimate
    return Explored(
        finding=finding,
        pairs=tuple(_shown(pair) for pair in pairs),
        harmful=estimate.measure in _HARMFUL or estimate.probe in attacks,
    )


def _shown(pair: Pair) -> ShownPair:
    if pair.second is None:
        one = pair.first
        return ShownPair(
            set_id=pair.set_id,
            columns=(Column(shown=one, prompt=whole(one.prompt), reply=whole(one.reply)),),
        )
    prompts = compared(pair.first.prompt, pair.second.prompt)
    replies = compared(pair.first.reply, pair.second.reply)
    return ShownPair(
        set_id=pair.set_id,
        columns=tuple(
            Column(shown=shown, prompt=prompt, reply=reply)
            for shown, prompt, reply in zip((pair.first, pair.second), prompts, replies, strict=True)
        ),
    )


def _comparisons(document: RunDocument, changes: Sequence[Change]) -> tuple[Comparison, ...]:
    found = []
    if changes:
        found.append(_comparison("before-after", "Before and after", ("before", "after"), changes))
    if document.against_baseline:
        sides = ("baseline", "target")
        found.append(_comparison("baseline", "Against the baseline model", sides, document.against_baseline))
    return tuple(found)


def _comparison(key: str, title: str, sides: tuple[str, str], changes: Sequence[Change]) -> Comparison:
    order = ("larger", "smaller", "inconclusive", "no_material_change", "not_measured", "not_comparable")
    places = sorted(range(len(changes)), key=lambda index: (order.index(changes[index].verdict), index))
    return Comparison(
        key=key,
        title=title,
        before=sides[0],
        after=sides[1],
        rows=tuple(changes[index] for index in places[:MOST_ROWS]),
        left_out=max(0, len(changes) - MOST_ROWS),
    )
