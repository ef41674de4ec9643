"""Measuring an analyzer on replies that people have labelled: how often it reads what they read."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.analyzers.base import Analyzer, AnalyzerContext
from audit.errors import InputError, NotMeasuredError
from audit.estimates.measures import MEASURES
from audit.labelled import Labelled, Labels, read_labelled
from audit.plugins import build_analyzer
from audit.records import Exchange, Score
from audit.statistics.agreement import AgreementEstimate, cohen_kappa, gwet_ac1
from audit.statistics.rates import wilson_interval
from probes.records import Expectation, Message, Record

__all__ = ["AnalyzerCheck", "Confusion", "Performance", "Rate", "balanced_accuracy", "check_analyzer"]

THRESHOLD = 0.5
"""Value from which a reading counts as positive: of refusals, `partial` (0.5) and `full` (1)."""
LEVEL = 0.95
UNDETERMINED = "undetermined"


class Rate(Record):
    """A rate in [0, 1], or an agreement of at most 1, with its interval; None if it was not measured."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    """Rows the rate is over."""


class Confusion(Record):
    """Rows by what people and what the analyzer said."""

    true_positive: int
    false_negative: int
    undetermined_positive: int
    """Labelled positive; the analyzer gave no value (unparsed, not understood, out of scope)."""
    true_negative: int
    false_positive: int
    undetermined_negative: int


class Performance(Record):
    """How well readings match labels over some rows.

    Rows without a reading are in no rate but those of `if_undetermined_are_errors`.
    """

    n: int
    balanced_accuracy: Rate
    """Mean of sensitivity and specificity: it does not depend on how common the behaviour is."""
    sensitivity: Rate
    """Share of rows labelled positive that are read as positive."""
    specificity: Rate
    """Share of rows labelled negative that are read as negative."""
    raw_agreement: Rate
    """Share of rows read as labelled; it depends on how common the behaviour is."""
    kappa: Rate
    """Cohen's kappa of labels and readings: 1 is full agreement, 0 what chance gives."""
    ac1: Rate
    """Gwet's AC1: as kappa, but steady where one label is rare."""
    if_undetermined_are_errors: Rate
    """Balanced accuracy when a row without a reading counts as read wrongly."""
    confusion: Confusion


class AnalyzerCheck(Record):
    """What `evenhand analyzers check` states."""

    analyzer: str
    version: str
    measure: str
    threshold: float
    file: str
    n: int
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
    if_undetermined_are_errors: Rate
    confusion: Confusion
    by_group: dict[str, Performance]
    by_language: dict[str, Performance]
    level: float = LEVEL
    method: str = (
        "Wilson; balanced accuracy: MOVER from Wilson limits; agreement: jackknife; rows taken as independent"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    row: Labelled
    positive: bool | None
    reading: str


def check_analyzer(
    name: str,
    file: Path,
    labels: Labels,
    *,
    options: Mapping[str, object],
    measure: str | None = None,
    threshold: float = THRESHOLD,
) -> AnalyzerCheck:
    """Score the replies of a labelled file and compare the readings with the labels.

    Not for rows that share prompts or authors: the intervals take rows as independent, and are then
    too narrow. What is measured on one kind of reply does not travel to another.

    Args:
        name: Name of the analyzer.
        file: CSV or JSONL file; see `audit.labelled.read_labelled`.
        labels: Its columns.
        options: Options of the analyzer, as in a spec; relative paths are relative to the current folder.
        measure: Which of the analyzer's measures; by default the one that rates are made of.
        threshold: Value from which a reading is positive.

    Returns:
        The rates, overall, by group and by language.

    Raises:
        SpecError: The analyzer is unknown or an option is wrong.
        InputError: The file or a value in it is wrong, or there is no such measure.
    """
    analyzer = build_analyzer(name, options, AnalyzerContext(root=Path()), where="analyzers check")
    chosen = _measure(analyzer, measure)
    rows = read_labelled(file, labels, graded=chosen == "refusal")
    read = _readings(analyzer, rows, chosen, threshold)
    overall = _performance(read)
    counts: dict[str, Counter[str]] = {}
    for one in read:
        counts.setdefault(one.row.label, Counter())[one.reading] += 1
    return AnalyzerCheck(
        analyzer=analyzer.info.name,
        version=analyzer.info.version,
        measure=chosen,
        threshold=threshold,
        file=file.name,
        labels={label: counts[label].total() for label in sorted(counts)},
        readings={label: dict(sorted(counts[label].items())) for label in sorted(counts)},
        by_group=_parts(read, [one.row.group for one in read]),
        by_language=_parts(read, [one.row.language for one in read]),
        **{key: getattr(overall, key) for key in Performance.model_fields},
    )


def balanced_accuracy(sensitivity: Rate, specificity: Rate) -> Rate:
    """The mean of two rates on separate rows, with an interval from theirs.

    point = (p1 + p2) / 2; low = point - sqrt((p1 - l1)^2 + (p2 - l2)^2) / 2, and likewise for the high
    end, so that it keeps a width where both rates are 1 and the delta method has none.

    Args:
        sensitivity: Share of positive rows read as positive.
        specificity: Share of negative rows read as negative.

    Returns:
        The rate; without a value if either has none.

    Source:
        Zou & Donner (2008), Statistics in Medicine 27:1693-1702 (MOVER).
    """
    n = sensitivity.n + specificity.n
    first, second = _complete(sensitivity), _complete(specificity)
    if first is None or second is None:
        return Rate(value=None, ci_low=None, ci_high=None, n=n)
    point = (first[0] + second[0]) / 2
    down = ((first[0] - first[1]) ** 2 + (second[0] - second[1]) ** 2) ** 0.5 / 2
    up = ((first[2] - first[0]) ** 2 + (second[2] - second[0]) ** 2) ** 0.5 / 2
    return Rate(
        value=round(point, 6),
        ci_low=round(max(0.0, point - down), 6),
        ci_high=round(min(1.0, point + up), 6),
        n=n,
    )


def _complete(rate: Rate) -> tuple[float, float, float] | None:
    if rate.value is None or rate.ci_low is None or rate.ci_high is None:
        return None
    return rate.value, rate.ci_low, rate.ci_high


def _measure(analyzer: Analyzer, asked: str | None) -> str:
    known = analyzer.info.measures
    if asked is None:
        rated = [m.reading for m in MEASURES if m.analyzer == analyzer.info.name and m.unit == "rate"]
        return next((reading for reading in rated if reading in known), known[0])
    if asked not in known:
        raise InputError(
            f"analyzers check: --measure: must be one of {', '.join(known)} for {analyzer.info.name}; "
            f"got {asked!r}"
        )
    return asked


def _readings(analyzer: Analyzer, rows: Sequence[Labelled], measure: str, threshold: float) -> list[_Read]:
    exchanges = [
        Exchange(
            output=place,
            messages=_messages(row),
            reply=row.response,
            expectation=Expectation(kind="open"),
            language=row.language or "en",
        )
        for place, row in enumerate(rows)
    ]
    found: dict[int, Score] = {s.output: s for s in analyzer.score(exchanges) if s.measure == measure}
    read = []
    for place, row in enumerate(rows):
        score = found.get(place)
        value = None if score is None else score.value
        positive = None if value is None else value >= threshold
        read.append(_Read(row=row, positive=positive, reading=UNDETERMINED if score is None else score.label))
    return read


def _messages(row: Labelled) -> tuple[Message, ...]:
    asked = Message(role="user", content=row.prompt)
    return (Message(role="system", content=row.system), asked) if row.system else (asked,)


def _parts(read: Sequence[_Read], keys: Sequence[str | None]) -> dict[str, Performance]:
    """Performance by key; rows without a key are in none."""
    parts: dict[str, list[_Read]] = {}
    for one, key in zip(read, keys, strict=True):
        if key is not None:
            parts.setdefault(key, []).append(one)
    return {key: _performance(parts[key]) for key in sorted(parts)}


def _performance(read: Sequence[_Read]) -> Performance:
    counts = Counter((one.row.positive, one.positive) for one in read)
    confusion = Confusion(
        true_positive=counts[True, True],
        false_negative=counts[True, False],
        undetermined_positive=counts[True, None],
        true_negative=counts[False, False],
        false_positive=counts[False, True],
        undetermined_negative=counts[False, None],
    )
    right, wrong = confusion.true_positive, confusion.false_negative
    kept, alarms = confusion.true_negative, confusion.false_positive
    pairs = [(float(one.row.positive), float(one.positive)) for one in read if one.positive is not None]
    sensitivity, specificity = _rate(right, right + wrong), _rate(kept, kept + alarms)
    strict = balanced_accuracy(
        _rate(right, right + wrong + confusion.undetermined_positive),
        _rate(kept, kept + alarms + confusion.undetermined_negative),
    )
    return Performance(
        n=len(read),
        balanced_accuracy=balanced_accuracy(sensitivity, specificity),
        sensitivity=sensitivity,
        specificity=specificity,
        raw_agreement=_rate(right + kept, right + wrong + kept + alarms),
        kappa=_agreement(cohen_kappa, pairs),
        ac1=_agreement(gwet_ac1, pairs),
        if_undetermined_are_errors=strict,
        confusion=confusion,
    )


def _agreement(
    measure: Callable[[list[tuple[float, float]]], AgreementEstimate], pairs: list[tuple[float, float]]
) -> Rate:
    """Agreement of labels and readings, without a value where there are too few or only one category."""
    missing = Rate(value=None, ci_low=None, ci_high=None, n=len(pairs))
    if not pairs:
        return missing
    try:
        found = measure(pairs)
    except NotMeasuredError:
        return missing
    ends = found.interval.low, found.interval.high
    return Rate(
        value=round(found.point, 6), ci_low=round(ends[0], 6), ci_high=round(ends[1], 6), n=len(pairs)
    )


def _rate(successes: int, trials: int) -> Rate:
    if trials == 0:
        return Rate(value=None, ci_low=None, ci_high=None, n=0)
    interval = wilson_interval(successes, trials, level=LEVEL)
    return Rate(
        value=round(successes / trials, 6),
        ci_low=round(interval.low, 6),
        ci_high=round(interval.high, 6),
        n=trials,
    )
