"""Which readings of an analyzer people can label, and what the rows of their labels must hold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import yaml

from audit.analyzers.base import Analyzer
from audit.errors import InputError
from audit.estimates.measures import known_measures
from audit.labelled import Decisions, Labelled, Labels, read_labelled

__all__ = [
    "ASKED",
    "DECIDES",
    "UNSAID",
    "check_threshold",
    "decisions_of",
    "is_graded_reading",
    "labelled_for",
    "rated_reading",
    "reading_named",
]

DECIDES = "decision"
"""The analyzer that reads one of the options that come with a prompt."""
ASKED = ("options", "favourable")
"""What replies decide among: columns of the file, or options of a check."""
UNSAID = Decisions()
"""The rows say what their replies decide among."""
_GRADED = "refusal"
"""The reading that people label as full, partial or none."""
_PARSED = "parsed"
_CHECKABLE = ("favourable", _PARSED)
"""Readings of a decision that labels of 1 or 0 can be of."""
_ENDS: Mapping[object, tuple[float, float]] = MappingProxyType(
    {(-1.0, 1.0): (0.0, 1.0), (-2.0, 2.0): (-1.0, 1.0)}
)
"""Differences that two values of a reading can have -> the values that it can have."""


def labelled_for(
    analyzer: Analyzer,
    file: Path,
    labels: Labels,
    *,
    measure: str | None = None,
    decisions: Decisions = UNSAID,
) -> list[Labelled]:
    """The rows of a labelled file that a reading of an analyzer can be compared with.

    Args:
        analyzer: The analyzer.
        file: CSV or JSONL file.
        labels: Its columns.
        measure: Which reading; None for the one that rates are made of.
        decisions: What replies decide among, where the rows do not say; read for `decision` only.

    Raises:
        InputError: The file or a value in it is wrong, or the reading cannot be checked.
    """
    reading = rated_reading(analyzer) if measure is None else measure
    decides = analyzer.info.name == DECIDES
    among = replace(decisions, words=reading != _PARSED) if decides else None
    rows = read_labelled(file, labels, graded=is_graded_reading(reading), decisions=among)
    if decides:
        _check_decidable(rows, file, reading)
    return rows


def is_graded_reading(reading: str) -> bool:
    """Whether labels of a reading may be full, partial and none."""
    return reading == _GRADED


def rated_reading(analyzer: Analyzer) -> str:
    """The reading of an analyzer that rates are made of, which people label."""
    return reading_named(analyzer, None)


def reading_named(analyzer: Analyzer, asked: str | None) -> str:
    """The reading asked for, or without one that which rates are made of.

    Raises:
        InputError: The analyzer has no such reading.
    """
    known = analyzer.info.measures
    if asked is None:
        measures = known_measures(analyzer.info.declared)
        rated = [m.reading for m in measures if m.analyzer == analyzer.info.name and m.unit == "rate"]
        return next((reading for reading in rated if reading in known), known[0])
    if asked not in known:
        raise InputError(
            f"analyzers check: --measure: must be one of {', '.join(known)} for {analyzer.info.name}; "
            f"got {asked!r}"
        )
    return asked


def check_threshold(analyzer: Analyzer, reading: str, threshold: float) -> None:
    """Refuse a threshold that every value of a reading reaches, or none can.

    Raises:
        InputError: It is one.
    """
    if not math.isfinite(threshold):
        raise InputError(f"analyzers check: --threshold: must be a finite number; got {threshold}")
    key = (analyzer.info.name, reading)
    of_it = [one for one in known_measures(analyzer.info.declared) if (one.analyzer, one.reading) == key]
    for low, high in {_ENDS[one.bounds] for one in of_it if one.bounds in _ENDS}:
        if not low < threshold <= high:
            raise InputError(
                f"analyzers check: --threshold: values of {reading} lie between {low:g} and {high:g}, so it "
                f"must be above {low:g} and at most {high:g}; got {threshold:g}"
            )
    if threshold <= 0 and any(one.unit == "words" for one in of_it):
        raise InputError(f"analyzers check: --threshold: must be above 0 for {reading}; got {threshold:g}")


def _check_decidable(rows: Sequence[Labelled], file: Path, measure: str) -> None:
    """A decision is read among options: without them every reply would be unreadable."""
    if measure not in _CHECKABLE:
        raise InputError(
            f"analyzers check: --measure: must be one of {', '.join(_CHECKABLE)} for {DECIDES}; "
            f"got {measure!r}"
        )
    if missing := next((name for name in ASKED if any(not getattr(row, name) for row in rows)), None):
        raise InputError(
            f"{file}: column {missing!r}: {DECIDES} reads which of the options a reply states, so every row "
            "needs options (apart by |) and favourable (the one that label 1 stands for); or, for all rows, "
            "--option 'options=yes|no' --option favourable=yes"
        )


def decisions_of(given: Mapping[str, object]) -> Decisions:
    """What replies decide among, from the options of a check: a list, or texts apart by `|`.

    Raises:
        InputError: They are no texts, or the favourable one is none of them.
    """
    options, favourable = given.get("options", []), given.get("favourable")
    parts = options.split("|") if isinstance(options, str) else options
    if not isinstance(parts, list) or not all(isinstance(part, str) and part.strip() for part in parts):
        raise InputError(
            "analyzers check: --option options: must be texts, as approve|decline or a list of them; "
            f"got {options!r}"
        )
    names = tuple(part.strip() for part in parts)
    if isinstance(favourable, bool):  # YAML's reading of a bare yes or no
        meant = [name for name in names if yaml.safe_load(name) is favourable]
        favourable = meant[0] if len(meant) == 1 else favourable
    if favourable is not None and (not isinstance(favourable, str) or (names and favourable not in names)):
        accepted = f"one of {', '.join(names)}" if names else "text"
        raise InputError(f"analyzers check: --option favourable: must be {accepted}; got {favourable!r}")
    return Decisions(options=names, favourable=favourable)
