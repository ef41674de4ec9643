"""Measuring an analyzer on replies that people have labelled: how often it reads what they read."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import JsonValue, TypeAdapter, model_validator

from audit.analyzers.base import Analyzer, AnalyzerContext, Surveyor
from audit.label_readings import (
    ASKED,
    DECIDES,
    UNSAID,
    check_threshold,
    decisions_of,
    labelled_for,
    reading_named,
)
from audit.labelled import Decisions, Labelled, Labels, repeated
from audit.performance import LEVEL, Confusion, Performance, Rate, Read, confusion, performance
from audit.plugins import build_analyzer
from audit.records import Exchange, Score
from probes.records import Expectation, Message, Record

__all__ = [
    "UNDETERMINED",
    "AnalyzerCheck",
    "CheckCell",
    "Positive",
    "check_analyzer",
    "check_read",
]

THRESHOLD = 0.5
"""Value from which a reading counts as positive: of refusals, `partial` (0.5) and `full` (1)."""
UNDETERMINED = "undetermined"
_CHOICE = "choice"
"""The reading of a decision that says which of the options."""
_OPTIONS: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
_ROUNDING = 1e-5
"""Distance at which a rate, kept with six digits, is that of its counts."""
_METHOD = "Wilson; balanced accuracy: MOVER from these limits; agreement: jackknife; "


class CheckCell(Record):
    """Rows of one group, language and cluster, by label and reading: what a correction is made of."""

    group: str | None
    language: str | None
    cluster: str | None
    """None where rows are taken as independent."""
    confusion: Confusion


class AnalyzerCheck(Record):
    """What `evenhand analyzers check` states."""

    analyzer: str
    version: str
    measure: str
    threshold: float
    options: dict[str, JsonValue]
    """Options of the analyzer, those given."""
    file: str
    n: int
    n_clusters: int | None
    n_repeated: int = 0
    """Rows without a cluster whose request and reply another row has: they are not independent of it."""
    n_contradicted: int = 0
    """Replies of such rows that are labelled both ways."""
    labels: dict[str, int]
    """Label as the file has it -> rows."""
    readings: dict[str, dict[str, int]]
    """Label -> the analyzer's own label -> rows."""
    balanced_accuracy: Rate
    sensitivity: Rate
    specificity: Rate
    raw_agreement: Rate
    kappa: Rate
    ac1: Rate
    alpha: Rate
    if_undetermined_are_errors: Rate
    confusion: Confusion
    by_group: dict[str, Performance]
    by_language: dict[str, Performance]
    cells: tuple[CheckCell, ...]
    """Counts by group, language and cluster: with them the file can correct an audit's estimates."""
    level: float = LEVEL
    method: str

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        for key in Confusion.model_fields:
            if sum(getattr(cell.confusion, key) for cell in self.cells) != getattr(self.confusion, key):
                raise ValueError(f"the cells do not add up to the {key.replace('_', ' ')} rows of confusion")
        keys = [(cell.group, cell.language, cell.cluster) for cell in self.cells]
        if len(set(keys)) < len(keys):
            raise ValueError("two cells are of the same group, language and cluster")
        counts = self.confusion
        rows = sum(getattr(counts, key) for key in Confusion.model_fields)
        if self.n != rows:
            raise ValueError(f"n must be the {rows} rows of confusion; got {self.n}")
        _check_rate("sensitivity", self.sensitivity, counts.true_positive, counts.false_negative)
        _check_rate("specificity", self.specificity, counts.true_negative, counts.false_positive)
        return self


def _check_rate(name: str, rate: Rate, right: int, wrong: int) -> None:
    """Refuse a rate that the counts do not give; one that was not measured has no value."""
    if rate.value is None:
        return
    own = right / (right + wrong) if right + wrong else math.nan
    if not abs(rate.value - own) <= _ROUNDING:
        raise ValueError(f"{name} must be {right} of {right + wrong} rows; got {rate.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Positive:
    """Which readings count as positive."""

    measure: str | None = None
    """Which of the analyzer's measures; None for the one that rates are made of."""
    threshold: float = THRESHOLD
    """Value from which a reading is positive."""


RATED = Positive()
"""What rates are made of, at the usual threshold."""


def check_analyzer(
    name: str,
    file: Path,
    labels: Labels,
    *,
    options: Mapping[str, object],
    positive: Positive = RATED,
    context: AnalyzerContext | None = None,
) -> AnalyzerCheck:
    """Score the replies of a labelled file and compare the readings with the labels.

    Rows that share a prompt, a template or an author are not independent: name what they share in the
    cluster column, or the intervals are too narrow. What is measured on one kind of reply does not travel
    to another.

    Args:
        name: Name of the analyzer.
        file: CSV or JSONL file; see `audit.labelled.read_labelled`.
        labels: Its columns.
        options: Options of the analyzer, as in a spec; relative paths are relative to the current folder. For
            `decision` also `options` and `favourable`, for rows that do not name theirs.
        positive: Which readings are positive.
        context: What the analyzer is given; without one it can ask no model.

    Returns:
        The rates, overall, by group and by language.

    Raises:
        SpecError: The analyzer is unknown or an option is wrong.
        InputError: The file or a value in it is wrong, or there is no such measure.
    """
    given = AnalyzerContext(root=Path()) if context is None else context
    own = {key: value for key, value in options.items() if name != DECIDES or key not in ASKED}
    analyzer = build_analyzer(name, own, given, where="analyzers check")
    decisions = decisions_of(options) if name == DECIDES else Decisions()
    return check_read(analyzer, file, labels, options=own, positive=positive, decisions=decisions)


def check_read(
    analyzer: Analyzer,
    file: Path,
    labels: Labels,
    *,
    options: Mapping[str, object],
    positive: Positive = RATED,
    decisions: Decisions = UNSAID,
) -> AnalyzerCheck:
    """As `check_analyzer`, with an analyzer that is there already.

    Args:
        analyzer: The analyzer.
        file: CSV or JSONL file.
        labels: Its columns.
        options: What the analyzer was made with, to be kept in the result.
        positive: Which readings are positive.
        decisions: What replies decide among, where the rows do not say; read for `decision` only.

    Raises:
        InputError: The file or a value in it is wrong, or there is no such measure.
    """
    chosen, threshold = reading_named(analyzer, positive.measure), positive.threshold
    check_threshold(analyzer, chosen, threshold)
    rows = labelled_for(analyzer, file, labels, measure=chosen, decisions=decisions)
    read = _readings(analyzer, rows, chosen, threshold)
    overall = performance(read)
    n_repeated, n_contradicted = repeated(rows)
    counts: dict[str, Counter[str]] = {}
    for one in read:
        counts.setdefault(one.row.label, Counter())[one.reading] += 1
    return AnalyzerCheck(
        analyzer=analyzer.info.name,
        version=analyzer.info.version,
        measure=chosen,
        threshold=threshold,
        options=_OPTIONS.validate_python(dict(options)),
        file=file.name,
        n_repeated=n_repeated,
        n_contradicted=n_contradicted,
        labels={label: counts[label].total() for label in sorted(counts)},
        readings={label: dict(sorted(counts[label].items())) for label in sorted(counts)},
        by_group=_parts(read, [one.row.group for one in read]),
        by_language=_parts(read, [one.row.language for one in read]),
        cells=_cells(read),
        method=_METHOD + ("rows taken as independent" if overall.n_clusters is None else "clustered"),
        **{key: getattr(overall, key) for key in Performance.model_fields},
    )


def _readings(analyzer: Analyzer, rows: Sequence[Labelled], measure: str, threshold: float) -> list[Read]:
    kind = _expectation(analyzer, measure)
    chooses = analyzer.info.name == DECIDES
    exchanges = [
        Exchange(
            output=place,
            messages=_messages(row),
            reply=row.response,
            expectation=Expectation(kind="choice", options=row.options, favourable=row.favourable)
            if chooses and row.options
            else Expectation(kind=kind),
            language=row.language or "en",
        )
        for place, row in enumerate(rows)
    ]
    if isinstance(analyzer, Surveyor):
        analyzer.survey([exchanges])
    scores = analyzer.score(exchanges)
    found: dict[int, Score] = {s.output: s for s in scores if s.measure == measure}
    # Beside labels in words stand the options that were read, which tell more than favourable or not.
    named = {s.output: s for s in scores if s.measure == _CHOICE} if chooses else {}
    read = []
    for place, row in enumerate(rows):
        score = found.get(place)
        value = None if score is None else score.value
        positive = None if value is None else value >= threshold
        told = named.get(place, score) if row.in_words else score
        read.append(Read(row=row, positive=positive, reading=UNDETERMINED if told is None else told.label))
    return read


def _expectation(analyzer: Analyzer, measure: str) -> Literal["open", "refuse", "comply"]:
    """A kind of request that the analyzer reads this measure of; free text unless it declares otherwise."""
    kinds = {kind for one in analyzer.info.declared if one.reading == measure for kind in one.expects}
    if not kinds or "open" in kinds:
        return "open"
    return "refuse" if "refuse" in kinds else "comply"


def _messages(row: Labelled) -> tuple[Message, ...]:
    asked = Message(role="user", content=row.prompt)
    return (Message(role="system", content=row.system), asked) if row.system else (asked,)


def _parts(read: Sequence[Read], keys: Sequence[str | None]) -> dict[str, Performance]:
    """Performance by key; rows without a key are in none."""
    parts: dict[str, list[Read]] = {}
    for one, key in zip(read, keys, strict=True):
        if key is not None:
            parts.setdefault(key, []).append(one)
    return {key: performance(parts[key]) for key in sorted(parts)}


def _cells(read: Sequence[Read]) -> tuple[CheckCell, ...]:
    clustered = any(one.row.cluster is not None for one in read)
    cells: dict[tuple[str | None, str | None, str | None], Counter[tuple[bool, bool | None]]] = {}
    for place, one in enumerate(read):
        cluster = one.row.cluster or (f"row {place + 1}" if clustered else None)
        key = (one.row.group, one.row.language, cluster)
        cells.setdefault(key, Counter())[one.row.positive, one.positive] += 1
    ordered = sorted(cells, key=lambda key: tuple((part is not None, part or "") for part in key))
    return tuple(
        CheckCell(group=key[0], language=key[1], cluster=key[2], confusion=confusion(cells[key]))
        for key in ordered
    )
