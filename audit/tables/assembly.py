"""One audit of a decision table, from the file to the document."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit.records import Verdict
from audit.statistics.ratios import four_fifths
from audit.tables.bases import Basis, make_bases
from audit.tables.document import (
    FourFifthsRow,
    GroupRow,
    LabelContrast,
    Labels,
    Scores,
    TableDocument,
    Tables,
    Unknown,
)
from audit.tables.labels import (
    CONTRASTED,
    LABEL_MEASURES,
    label_rates,
    measure_labels,
    metric_frame_points,
)
from audit.tables.local_law_144 import law_table
from audit.tables.measuring import Measured, measure
from audit.tables.notes import table_notes
from audit.tables.options import TableOptions
from audit.tables.rates import LEVEL, Counts
from audit.tables.reading import ABSENT, YES, Cells, read_cells
from audit.tables.verdicts import FALSE_DISCOVERY_RATE, Judged, Question, judge_family, too_few

__all__ = ["audit_table"]

_DECISIONS, _UNDECIDED = "favourable_rate", "undecided_rate"
_WORDS = {
    _DECISIONS: "decisions",
    "tpr": "decisions with a favourable label",
    "fpr": "decisions with an unfavourable label",
}


def audit_table(path: Path, options: TableOptions) -> TableDocument:
    """Audit a file of decisions that have been made.

    Args:
        path: A CSV or Parquet file with a row a decision.
        options: Which columns say what, and the rules.

    Returns:
        Rates, impact ratios and verdicts of every group, and the tables that follow.

    Raises:
        InputError: The file or an option is wrong.
        ExtraMissingError: The file is Parquet and pyarrow is not installed.
    """
    cells = read_cells(path, options)
    bases = make_bases(cells, options)
    measured = [_measure(cells, basis, options) for basis in bases]
    asked = list(_questions(bases, measured, options))
    judged = judge_family([one.question for one in asked], margin=options.margin)
    verdicts = {one.key: verdict for one, verdict in zip(asked, judged, strict=True)}
    return TableDocument(
        file=path.name,
        sha256=_digest(path),
        rows=cells.rows,
        outcome=options.outcome,
        favourable=options.favourable,
        outcome_values=dict(cells.outcome_values),
        undecided=int(cells.counts[cells.outcome == ABSENT].sum()),
        cluster=options.cluster,
        level=LEVEL,
        margin=options.margin,
        false_discovery_rate=FALSE_DISCOVERY_RATE,
        tests=sum(one.p_adjusted is not None for one in judged),
        groups=tuple(
            row
            for number, basis in enumerate(bases)
            for row in _rows(number, basis, measured[number], verdicts)
        ),
        reference=_references(bases),
        unknown=tuple(
            Unknown(table=basis.name, rows=basis.unknown_rows, spellings=dict(basis.unknown_values))
            for basis in bases
        ),
        tables=Tables(
            local_law_144=tuple(law_table(cells, basis, options) for basis in bases),
            four_fifths=tuple(row for basis in bases for row in _screens(basis)),
            scores=None
            if cells.score is None
            else Scores(median=cells.score.median, rows=cells.score.rows, missing=cells.score.missing),
        ),
        labels=_labels(cells, bases, measured, verdicts) if options.label is not None else None,
        notes=tuple(table_notes(cells, bases, options)),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_Key = tuple[int, str, int]
"""Number of the table, measure, number of the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    key: _Key
    question: Question


_Measures = dict[str, list[Measured]]
"""By measure, one entry a group of a table; those of unknown category last."""


def _measure(cells: Cells, basis: Basis, options: TableOptions) -> _Measures:
    decided = basis.count(cells, trials=cells.outcome != ABSENT, hits=cells.outcome == YES)
    found = {_DECISIONS: measure(decided, basis, margin=options.margin)}
    if any(one.hits for one in basis.undecided):
        every = np.ones(cells.outcome.size, dtype=np.bool_)
        undecided = basis.count(cells, trials=every, hits=cells.outcome == ABSENT)
        found[_UNDECIDED] = measure(undecided, basis, margin=options.margin)
    if options.label is not None:
        found |= measure_labels(cells, basis, margin=options.margin)
    return found


def _questions(
    bases: Sequence[Basis], measured: Sequence[_Measures], options: TableOptions
) -> Iterator[_Asked]:
    """Every contrast of the audit, in a fixed order: one family."""
    for number, basis in enumerate(bases):
        for name in (_DECISIONS, *(CONTRASTED if options.label is not None else ())):
            yield from _of_one_measure(number, basis, name, measured[number], options.margin)


def _of_one_measure(
    number: int, basis: Basis, name: str, measures: _Measures, margin: float
) -> Iterator[_Asked]:
    groups, words = measures[name], _WORDS[name]
    compared = [group for group, kept in enumerate(basis.included) if kept]
    enough = sum(too_few(basis.labels[group], groups[group].counts, words) is None for group in compared)
    for group in compared:
        if basis.reference is None or group == basis.reference:
            continue
        mine, against = groups[group].counts, groups[basis.reference].counts
        unfit = (
            too_few(basis.labels[group], mine, words)
            or too_few(f"the reference {basis.labels[basis.reference]}", against, words)
            or _differently_missing(basis, measures, group, margin)
        )
        yield _Asked(
            key=(number, name, group),
            question=Question(
                contrast=groups[group].contrast,
                units=_alike(mine.units, against.units),
                clustered=mine.clustered,
                picked_from=None if basis.declared else enough,
                unfit=unfit,
            ),
        )


def _alike(one: int, other: int) -> float:
    """Size of two equal groups that show as much as two of these sizes: their harmonic mean."""
    return 2 * one * other / (one + other) if one and other else 0.0


def _differently_missing(basis: Basis, measures: _Measures, group: int, margin: float) -> str | None:
    """Why missing decisions spoil a contrast: they hit one group more than the other."""
    gap = measures[_UNDECIDED][group].contrast if _UNDECIDED in measures else None
    if gap is None or abs(gap.difference) <= margin or gap.interval.low <= 0 <= gap.interval.high:
        return None
    size = f"{gap.difference:+.3f} [{gap.interval.low:+.3f}, {gap.interval.high:+.3f}]"
    return f"decisions are missing {size} more often for {basis.labels[group]} than for the reference"


def _rows(number: int, basis: Basis, measures: _Measures, verdicts: dict[_Key, Judged]) -> Iterator[GroupRow]:
    for group, label in enumerate(basis.labels):
        judged = verdicts.get((number, _DECISIONS, group))
        yield _row(basis, group, label, measures[_DECISIONS][group], judged)
    if basis.unknown_rows:
        yield _row(basis, None, basis.unknown_label, measures[_DECISIONS][-1], None)


def _row(basis: Basis, group: int | None, label: str, measured: Measured, judged: Judged | None) -> GroupRow:
    """A group's row; `group` None is the rows of unknown category."""
    mine, interval, ratio = measured.counts, measured.interval, measured.ratio
    rows = basis.unknown_rows if group is None else basis.undecided[group].trials
    excluded = group is None or not basis.included[group]
    against = None if basis.reference is None or excluded else basis.decided[basis.reference]
    is_reference = group is not None and group == basis.reference
    found, picked = (None, None) if judged is None else (judged.contrast, judged.selected)
    return GroupRow(
        group=label,
        table=basis.name,
        n=mine.trials,
        favourable=mine.hits,
        undecided=rows - mine.trials,
        share=None if group is None else basis.share(group),
        rate=mine.rate,
        ci_low=None if interval is None else interval.low,
        ci_high=None if interval is None else interval.high,
        method=None if interval is None else interval.method,
        n_clusters=mine.units if mine.clustered else None,
        reference=None if against is None or basis.reference is None else basis.labels[basis.reference],
        impact_ratio=None if against is None else _ratio(mine, against),
        impact_ratio_ci_low=None if ratio is None else ratio.low,
        impact_ratio_ci_high=None if ratio is None else ratio.high,
        impact_ratio_method=measured.untold if ratio is None else ratio.method,
        difference=None if found is None else found.difference,
        difference_ci_low=None if found is None else found.interval.low,
        difference_ci_high=None if found is None else found.interval.high,
        selected_ci_low=None if picked is None else picked.low,
        selected_ci_high=None if picked is None else picked.high,
        p_value=None if found is None else found.p_value,
        p_adjusted=None if judged is None else judged.p_adjusted,
        smallest_detectable=None if found is None else found.smallest_detectable,
        excluded=excluded,
        verdict=_verdict(judged, is_reference=is_reference),
        material=judged is not None and judged.material,
        reasons=_reasons(group, judged, excluded=excluded),
    )


def _ratio(mine: Counts, against: Counts) -> float | None:
    return None if mine.rate is None or not against.rate else mine.rate / against.rate


def _verdict(judged: Judged | None, *, is_reference: bool) -> Verdict | None:
    if judged is not None:
        return judged.verdict
    return None if is_reference else Verdict.NOT_MEASURED


def _reasons(group: int | None, judged: Judged | None, *, excluded: bool) -> tuple[str, ...]:
    if judged is not None:
        return judged.reasons
    if group is None:
        return ("the category is not known",)
    return ("excluded: its share is below the one declared",) if excluded else ()


def _references(bases: Sequence[Basis]) -> str | dict[str, str | None] | None:
    named = {
        basis.name: None if basis.reference is None else basis.labels[basis.reference] for basis in bases
    }
    return named if len(bases) > 1 else named[bases[0].name]


def _screens(basis: Basis) -> Iterator[FourFifthsRow]:
    if basis.reference is None:
        return
    against = basis.decided[basis.reference]
    for group, (label, mine) in enumerate(zip(basis.labels, basis.decided, strict=True)):
        if group == basis.reference or not (basis.included[group] and mine.trials and against.hits):
            continue
        screen = four_fifths(mine.hits, mine.trials, against.hits, against.trials)
        yield FourFifthsRow(
            group=label,
            reference=basis.labels[basis.reference],
            ratio=screen.ratio,
            below=screen.below,
            one_more_clears=screen.one_more_clears,
            one_moved_reverses=screen.one_moved_reverses,
        )


def _labels(
    cells: Cells,
    bases: Sequence[Basis],
    measured: Sequence[_Measures],
    verdicts: dict[_Key, Judged],
) -> Labels:
    rates = [label_rates(basis, one) for basis, one in zip(bases, measured, strict=True)]
    points = {basis.name: metric_frame_points(cells, basis) for basis in bases}
    merged = {name: {k: v for one in rates for k, v in one[name].items()} for name in LABEL_MEASURES}
    return Labels(
        tpr=merged["tpr"],
        fpr=merged["fpr"],
        fnr=merged["fnr"],
        tnr=merged["tnr"],
        precision=merged["precision"],
        accuracy=merged["accuracy"],
        contrasts=tuple(
            _label_contrast(bases[number], measure, group, judged)
            for (number, measure, group), judged in verdicts.items()
            if measure != _DECISIONS
        ),
        equalized_odds={name: one[1] for name, one in points.items() if one is not None},
        metric_frame={name: one[0] for name, one in points.items() if one is not None},
        unlabelled=int(cells.counts[cells.label == ABSENT].sum()),
    )


def _label_contrast(basis: Basis, measure: str, group: int, judged: Judged) -> LabelContrast:
    found = judged.contrast
    return LabelContrast(
        measure=measure,
        group=basis.labels[group],
        reference=basis.labels[basis.reference or 0],
        difference=None if found is None else found.difference,
        ci_low=None if found is None else found.interval.low,
        ci_high=None if found is None else found.interval.high,
        selected_ci_low=None if judged.selected is None else judged.selected.low,
        selected_ci_high=None if judged.selected is None else judged.selected.high,
        p_value=None if found is None else found.p_value,
        p_adjusted=judged.p_adjusted,
        verdict=judged.verdict,
        material=judged.material,
        reasons=judged.reasons,
    )
