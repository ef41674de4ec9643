"""What a page about two runs says, as data: what was repaired, what was not, what got worse, what is new."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.estimates.contrasts import POOLED
from audit.estimates.ids import finding_id
from audit.findings.document import RunDocument
from audit.records import Change, Estimate
from audit.repaired.comparison import Comparison
from audit.repaired.cost import RepairCost
from audit.repaired.losses import bounded, not_shown
from audit.repaired.outcomes import Beside, FindingOutcome
from audit.repaired.reach import ReachCell
from audit.reports.labels import more_is_better
from audit.reports.sections import MOST_ROWS, changes_between
from audit.reports.sections import Comparison as Changes
from audit.reports.words import said, words_of
from audit.spec import Judgement

__all__ = [
    "ComparedContent",
    "End",
    "EndPanel",
    "Files",
    "OutcomeRow",
    "Repair",
    "Worse",
    "build_compared",
    "documents_by_role",
]

FINDINGS_A_FIGURE = 8
MOST_FIGURES = 6
"""Of one measure; the table has all findings."""

_SIDES = (("before", "before"), ("after", "after"), ("base", "repeat"), ("prompt_only", "instruction"))
_ROUNDING = 1e-9
_MOVED = {"smaller", "larger", "reversed"}
_WATCHED = (
    ("correct_rate", "utility"),
    ("harmful_compliance_rate", "harmful compliance and attack success"),
    ("over_refusal_rate", "over-refusal"),
)
_DECISIONS = ("favourable_rate", "decision_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the retraining files between the runs say of themselves."""

    findings: tuple[str, ...]
    """Findings that examples were made for."""
    kinds: Mapping[str, int]
    """Examples of each kind."""
    left_out: tuple[str, ...]
    """Findings that no example was made for, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What is known of the repair beside the runs."""

    judgement: Judgement
    """Of the later run: its thresholds hold."""
    command: str
    """The command that makes this comparison again."""
    files: Files | None = None
    cost: RepairCost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What one run says of a finding's question."""

    label: str
    estimate: Estimate | None
    """With the point that the change is of, and an interval where the run states one of that point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """A finding of one of the runs: its ends, and its change."""

    outcome: FindingOutcome
    words: str
    unit: str
    difference: bool
    change: Change | None
    """None where no paired change is stated, as for distances between replies."""
    ends: tuple[End, ...]
    subject: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPanel:
    """Findings of one measure, for figures and one table."""

    words: str
    rows: tuple[OutcomeRow, ...]
    figures: tuple[tuple[str, tuple[OutcomeRow, ...]], ...]
    """Which findings each figure shows, with its key."""

    @property
    def drawn(self) -> int:
        """Findings that some figure shows."""
        return sum(len(rows) for _, rows in self.figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worse:
    """A change for the worse that is shown, with what is worse about it."""

    change: Change
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedContent:
    """Everything that the page shows."""

    comparison: Comparison
    repair: Repair
    rows: tuple[OutcomeRow, ...]
    panels: tuple[EndPanel, ...]
    worse: tuple[Worse, ...]
    watched: tuple[Change, ...]
    """Rates that must not get worse."""
    watched_left_out: int
    probes: Mapping[str, str]
    """The probe that asked, by the id that a finding about it has."""
    unwatched: tuple[str, ...]
    """Those of which neither run says anything, in words."""
    not_shown: tuple[str, ...]
    """Measures that are not shown not to have got worse, in words."""
    groups: tuple[Change, ...]
    groups_left_out: int
    beside: tuple[tuple[Change, Beside], ...]
    beside_left_out: int
    winner: tuple[int, int, int] | None
    """Disparities found before; of them those in which the repair leaves less than the instruction, and the
    other way round."""
    cells: tuple[ReachCell, ...]
    memorised: tuple[Change, ...]
    comparisons: tuple[Changes, ...]

    def of(self, *outcomes: str) -> tuple[OutcomeRow, ...]:
        """The findings with one of these outcomes."""
        return tuple(row for row in self.rows if row.outcome.outcome in outcomes)


def build_compared(comparison: Comparison, repair: Repair) -> ComparedContent:
    """Choose, order and count what a page about two runs shows.

    Args:
        comparison: The two runs.
        repair: What is known of the repair beside them.
    """
    changes = comparison.changes
    rows = tuple(_rows(comparison))
    watched = bounded(changes)
    in_all = sum(one.non_inferiority is not None for one in changes)
    groups = [one for one in changes if one.group_change is not None and _of_interest(one, rows)]
    paired = [
        (change, other)
        for change, other in zip(changes, comparison.beside, strict=False)
        if any(_moved(one) for one in (change, other.base, other.prompt_only))
    ]
    repaired = {one.measure for one in changes if repair.files and one.finding in repair.files.findings}
    known = {one.measure for one in changes}
    return ComparedContent(
        comparison=comparison,
        repair=repair,
        rows=rows,
        panels=tuple(_panels(rows)),
        worse=tuple(_worse(changes)),
        watched=tuple(sorted(watched, key=_harm_first)[:MOST_ROWS]),
        watched_left_out=in_all - min(len(watched), MOST_ROWS),
        probes={
            finding_id(one): one.probe for found in comparison.documents.values() for one in found.estimates
        },
        unwatched=tuple(words for name, words in _WATCHED if name not in known),
        not_shown=tuple(dict.fromkeys(map(_named, sorted(not_shown(changes), key=_harm_first)))),
        groups=tuple(groups[:MOST_ROWS]),
        groups_left_out=max(0, len(groups) - MOST_ROWS),
        beside=tuple(paired[:MOST_ROWS]),
        beside_left_out=max(0, len(paired) - MOST_ROWS),
        winner=_winner(changes, comparison.beside) if "prompt_only" in comparison.documents else None,
        cells=tuple(one for one in comparison.cells if one.measure in repaired),
        memorised=tuple(one for one in changes if one.measure == "memorized_rate"),
        comparisons=(changes_between("all-changes", "After against before", ("before", "after"), changes),)
        if changes
        else (),
    )


def _rows(comparison: Comparison) -> Iterator[OutcomeRow]:
    moved = {change.finding: change for change in comparison.changes}
    beside = {one.finding: one for one in comparison.beside}
    stated = {
        name: {one.id: one.estimate for one in document.findings}
        | {finding_id(one): one for one in document.estimates}
        for name, document in comparison.documents.items()
    }
    for outcome in comparison.outcomes:
        change, other = moved.get(outcome.id), beside.get(outcome.id)
        subject = stated["after" if outcome.outcome == "new" else "before"][outcome.id]
        yield OutcomeRow(
            outcome=outcome,
            words=_heading(subject),
            unit=subject.unit,
            difference=subject.kind in {"disparity", "distance"},
            change=change,
            ends=tuple(
                End(label=label, estimate=_restated(stated[name].get(outcome.id), name, change, other))
                for name, label in _SIDES
                if name in stated
            ),
            subject=subject,
        )


def _restated(
    estimate: Estimate | None, name: str, change: Change | None, other: Beside | None
) -> Estimate | None:
    """The estimate with the point that the change is of; its interval stays only where it is of that point.

    A change of corrected runs is of the readings, and one of a run that stopped early is of shared prompts.
    """
    if estimate is None or change is None:
        return estimate
    of: Change | None = change
    if name not in {"before", "after"}:
        of = None if other is None else other.base if name == "base" else other.prompt_only
    if of is None:
        return estimate
    point = of.before if name == "before" else of.after
    raw = estimate.correction
    known = [(estimate.point, *estimate.stated_interval)]
    if raw is not None:
        known.append((raw.raw_point, raw.raw_ci_low, raw.raw_ci_high))
    for at, low, high in known:
        if (point is None and at is None) or (
            point is not None and at is not None and abs(point - at) <= _ROUNDING
        ):
            return _with_interval(estimate, at, low, high)
    return _with_interval(estimate, point, None, None)


def _with_interval(
    estimate: Estimate, point: float | None, low: float | None, high: float | None
) -> Estimate:
    """The estimate with this interval as the only one it has."""
    stated = {"point": point, "ci_low": low, "ci_high": high}
    return estimate.model_copy(update={**stated, "selected_ci_low": None, "selected_ci_high": None})


def _heading(estimate: Estimate) -> str:
    words = words_of(estimate.measure, estimate.declared)
    return words[:1].upper() + words[1:]


def _panels(rows: Sequence[OutcomeRow]) -> Iterator[EndPanel]:
    kinds = dict.fromkeys((row.words, row.unit, row.subject.kind) for row in rows)
    for place, kind in enumerate(kinds, start=1):
        mine = tuple(row for row in rows if (row.words, row.unit, row.subject.kind) == kind)
        parts = [mine[at : at + FINDINGS_A_FIGURE] for at in range(0, len(mine), FINDINGS_A_FIGURE)]
        figures = tuple((f"ends-{place}-{n}", part) for n, part in enumerate(parts[:MOST_FIGURES], start=1))
        yield EndPanel(words=kind[0], rows=mine, figures=figures)


def _worse(changes: Sequence[Change]) -> Iterator[Worse]:
    for change in changes:
        bound = change.non_inferiority
        if change.kind == "disparity":
            if change.verdict == "larger":
                yield Worse(change=change, why="the disparity is larger than before")
            elif change.verdict == "reversed":
                yield Worse(change=change, why="reversed: each run shows it, on opposite sides of 0")
            for reason in change.reasons:
                if reason.startswith("levelling down"):
                    yield Worse(change=change, why=reason)
        elif bound is not None and bound.verdict == "inferior":
            yield Worse(change=change, why="the loss surely exceeds the margin")
        elif bound is not None and change.verdict == ("smaller" if more_is_better(change) else "larger"):
            inside = "within the margin" if bound.verdict == "non_inferior" else "the margin is not ruled out"
            yield Worse(change=change, why=f"the loss is shown; {inside}")


def _harm_first(change: Change) -> tuple[object, ...]:
    names = [name for name, _ in _WATCHED]
    place = names.index(change.measure) if change.measure in names else len(names)
    return place, change.measure, change.domain != POOLED, change.technique not in {None, "none"}


def _named(change: Change) -> str:
    by = "" if change.technique in {None, "none"} else f" ({said(change.technique)})"
    return words_of(change.measure, change.declared) + by


def _of_interest(change: Change, rows: Sequence[OutcomeRow]) -> bool:
    found = {row.outcome.id for row in rows}
    return change.measure in _DECISIONS or change.finding in found or _moved(change)


def _winner(changes: Sequence[Change], others: Sequence[Beside]) -> tuple[int, int, int]:
    told = [
        other.against_prompt_only.verdict
        for change, other in zip(changes, others, strict=True)
        if change.kind == "disparity"
        and change.before_verdict == "disparity"
        and other.against_prompt_only is not None
    ]
    return len(told), told.count("smaller"), told.count("larger")


def _moved(change: Change | None) -> bool:
    return change is not None and change.verdict in _MOVED


def documents_by_role(documents: Mapping[str, RunDocument]) -> tuple[tuple[str, RunDocument], ...]:
    """The runs in the order of the page, with what each is called."""
    return tuple((label, documents[name]) for name, label in _SIDES if name in documents)
