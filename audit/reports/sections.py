"""The parts of a report that hold many rows: which rows there are, in which order, and where a table ends."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from audit.estimates.measures import MEASURES
from audit.findings.document import RunDocument
from audit.records import Change, Control, Estimate, GroupRate, Omnibus, Verdict
from audit.reports.labels import by_measure, unit_of
from audit.reports.words import words_of
from probes.records import Signal

__all__ = [
    "AttributeSection",
    "Comparison",
    "ControlRow",
    "Panel",
    "SlopePanel",
    "attribute_sections",
    "changes_between",
    "comparisons",
    "control_rows",
    "panel",
    "panels",
]

MOST_ROWS = 60
"""Rows of one table; the rest is counted and lies in findings.json."""

_FOREMOST = ("favourable_rate", "decision_number")
"""Measures on which groups are compared in the open; the others are folded."""
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
_FOLDED = 2
"""Weight of a comparison of groups on something other than a decision."""
_LOUDEST_CHANGES = (
    "larger",
    "smaller",
    "reversed",
    "inconclusive",
    "no_material_change",
    "not_measured",
    "not_comparable",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Estimates of one measure, for one figure and one table."""

    key: str
    """Unique in the report; fit for an id."""
    words: str
    unit: str
    rows: tuple[Estimate, ...]
    left_out: int
    """Rows that lie in findings.json only."""
    tally: tuple[tuple[Verdict, int], ...]
    """Verdicts of all rows, those left out too."""
    foremost: bool
    """False for measures that stand behind the decisions, and are folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSection:
    """Everything about one protected attribute (or a crossing of several)."""

    attribute: str
    key: str
    panels: tuple[Panel, ...]
    group_rates: tuple[GroupRate, ...]
    group_rates_left_out: int
    wholes: tuple[Omnibus, ...]
    """The attribute as a whole, on the measures of decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRow:
    """A negative control, with what it controls."""

    measure: str
    domain: str
    signal: Signal | None
    unit: str
    control: Control


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopePanel:
    """Changes of one measure and attribute, for one slope plot."""

    key: str
    words: str
    rows: tuple[Change, ...]
    """Those with both values and an interval, all in percentage points."""


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
    tally: tuple[tuple[str, int], ...]
    """How many changes have each verdict, those left out too."""
    slopes: tuple[SlopePanel, ...]


def attribute_sections(document: RunDocument) -> tuple[AttributeSection, ...]:
    """One section an attribute, by name."""
    disparities = [estimate for estimate in document.estimates if estimate.kind == "disparity"]
    found = []
    for place, name in enumerate(sorted({estimate.attribute or "" for estimate in disparities}), start=1):
        rates = [
            rate for rate in document.group_rates if rate.attribute == name and rate.measure in _FOREMOST
        ]
        mine = [estimate for estimate in disparities if (estimate.attribute or "") == name]
        found.append(
            AttributeSection(
                attribute=name,
                key=f"attribute-{place}",
                panels=panels(mine, f"attribute-{place}"),
                group_rates=tuple(rates[:MOST_ROWS]),
                group_rates_left_out=max(0, len(rates) - MOST_ROWS),
                wholes=tuple(
                    one for one in document.omnibus if one.attribute == name and one.measure in _FOREMOST
                ),
            )
        )
    return tuple(found)


def panels(estimates: Sequence[Estimate], key: str) -> tuple[Panel, ...]:
    """One panel a measure (and unit), those of decisions first, else in the order in which they come.

    Args:
        estimates: Estimates of one kind.
        key: Beginning of the panels' keys.
    """
    kinds = list(dict.fromkeys((estimate.measure, estimate.unit) for estimate in estimates))
    kinds.sort(key=lambda kind: kind[0] not in _FOREMOST)
    return tuple(
        panel(
            [one for one in estimates if (one.measure, one.unit) == kind],
            f"{key}-{place}",
            words_of(kind[0], next(one.declared for one in estimates if one.measure == kind[0])),
        )
        for place, kind in enumerate(kinds, start=1)
    )


def panel(estimates: Sequence[Estimate], key: str, words: str) -> Panel:
    """A panel of estimates, at least one; where there are too many, the quiet verdicts go first.

    Args:
        estimates: Estimates of one unit.
        key: Unique in the report.
        words: What they measure.
    """
    ordered = sorted(estimates, key=_place)
    loudest = sorted(range(len(ordered)), key=lambda index: (_LOUDEST.index(ordered[index].verdict), index))
    chosen = sorted(loudest[:MOST_ROWS])
    verdicts = Counter(estimate.verdict for estimate in estimates)
    return Panel(
        key=key,
        words=words,
        unit=estimates[0].unit,
        rows=tuple(ordered[index] for index in chosen),
        left_out=len(ordered) - len(chosen),
        tally=tuple((verdict, verdicts[verdict]) for verdict in _LOUDEST if verdicts[verdict]),
        foremost=estimates[0].measure in _FOREMOST or estimates[0].kind != "disparity",
    )


def control_rows(document: RunDocument) -> tuple[ControlRow, ...]:
    """Every negative control once: those that fail first, then those of decisions."""
    found: dict[tuple[object, ...], ControlRow] = {}
    for estimate in document.estimates:
        for control in estimate.controls:
            row = ControlRow(
                measure=estimate.measure,
                domain=estimate.domain,
                signal=estimate.signal,
                unit=estimate.unit,
                control=control,
            )
            found.setdefault((*_control_key(row), control.point, control.noise_floor), row)
    return tuple(
        sorted(
            found.values(),
            key=lambda row: (row.control.holds, row.measure not in _FOREMOST, *_control_key(row)),
        )
    )


def comparisons(document: RunDocument, changes: Sequence[Change]) -> tuple[Comparison, ...]:
    """The changes since an earlier run, and the target against its baseline, as far as there are any."""
    found = []
    if changes:
        found.append(changes_between("before-after", "Since the earlier run", ("before", "after"), changes))
    if document.against_baseline:
        sides = ("baseline", "target")
        found.append(changes_between("baseline", "Target against baseline", sides, document.against_baseline))
    return tuple(found)


def changes_between(key: str, title: str, sides: tuple[str, str], changes: Sequence[Change]) -> Comparison:
    """Changes between two models, ordered; where there are too many, the quiet verdicts go first.

    Args:
        key: Unique in the page.
        title: What is compared.
        sides: How the two sides are called.
        changes: At least one.
    """
    ordered = sorted(changes, key=_change_place)
    loudest = sorted(
        range(len(ordered)),
        key=lambda index: (
            _weight(ordered[index]),
            _LOUDEST_CHANGES.index(ordered[index].verdict),
            index,
        ),
    )
    told = [index for index in loudest if not _unmeasured(ordered[index])]
    chosen = sorted(told[:MOST_ROWS])
    drawable = [change for change in ordered if _drawable(change) and _weight(change) < _FOLDED]
    verdicts: Counter[str] = Counter(change.verdict for change in changes)
    return Comparison(
        key=key,
        title=title,
        before=sides[0],
        after=sides[1],
        rows=tuple(ordered[index] for index in chosen),
        left_out=len(ordered) - len(chosen),
        tally=tuple((word, verdicts[word]) for word in _LOUDEST_CHANGES if verdicts[word]),
        slopes=tuple(
            SlopePanel(key=f"{key}-{place}", words=words, rows=tuple(rows))
            for place, (words, rows) in enumerate(by_measure(drawable), start=1)
        ),
    )


def _place(estimate: Estimate) -> tuple[object, ...]:
    """Groups together, pooled before single domains, plain requests before disguised ones."""
    return (
        estimate.probe,
        estimate.language,
        estimate.group or "",
        estimate.reference_group or "",
        estimate.domain != "all",
        estimate.technique not in {None, "none"},
        estimate.technique or "",
        estimate.domain,
        estimate.signal or "",
        estimate.measure,
    )


def _control_key(row: ControlRow) -> tuple[str, ...]:
    return row.measure, row.domain, row.signal or "", row.control.placebo


def _weight(change: Change) -> int:
    """Decisions first, then what has a limit or is no comparison of groups, then the rest."""
    if change.measure in _FOREMOST:
        return 0
    return _FOLDED if change.kind == "disparity" else 1


def _change_place(change: Change) -> tuple[object, ...]:
    names = [measure.name for measure in MEASURES]
    return (
        _weight(change),
        names.index(change.measure) if change.measure in names else len(names),
        change.attribute or "",
        change.group or "",
        change.domain != "all",
        change.domain,
        change.technique not in {None, "none"},
        change.technique or "",
        change.signal or "",
    )


def _unmeasured(change: Change) -> bool:
    return {change.before_verdict, change.after_verdict} == {Verdict.NOT_MEASURED}


def _drawable(change: Change) -> bool:
    known = (change.before, change.after, change.change, change.ci_low, change.ci_high)
    return unit_of(change) == "rate" and None not in known
