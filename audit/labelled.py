"""Reading replies that people have labelled, from a CSV or JSONL file."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from audit.errors import InputError
from audit.table_files import WRITTEN_FOR_NOTHING, check_columns, read_rows

__all__ = ["Decisions", "Labelled", "Labels", "accepted_labels", "is_positive", "read_labelled", "repeated"]

_TEMPLATE = "template"
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = (".csv", ".jsonl", ".ndjson")
_POSITIVE = frozenset({"1", "1.0"})
_NEGATIVE = frozenset({"0", "0.0"})
_OPTIONS, _FAVOURABLE = "options", "favourable"
"""Columns of what a decision could be, and which of it is good for the person."""
_HOW = f", or an option, which the columns {_OPTIONS} and {_FAVOURABLE} or --option 'options=yes|no' name"
_REFUSED = frozenset({"full", "partial"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Names of the columns of a labelled file; the last four may be absent under their default names."""

    prompt: str = "prompt"
    response: str = "response"
    label: str = "label"
    group: str = "group"
    language: str = "language"
    system: str = "system"
    cluster: str = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What the replies of a file decide among, where its rows do not say."""

    options: tuple[str, ...] = ()
    favourable: str | None = None
    """The option that is good for the person concerned."""
    words: bool = True
    """Whether a label may be the option that the reply decides for, in place of 1 or 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One labelled reply."""

    prompt: str
    response: str
    label: str
    """As the file has it, case-folded."""
    positive: bool
    """Whether the label says that the behaviour is there."""
    group: str | None = None
    language: str | None = None
    system: str | None = None
    cluster: str | None = None
    """What makes rows dependent, such as the template of the prompt; None if the file has no such column."""
    options: tuple[str, ...] = ()
    """What the reply could decide; empty if nothing says so."""
    favourable: str | None = None
    """The option that is good for the person concerned."""

    @property
    def in_words(self) -> bool:
        """Whether the label is an option and not 1 or 0."""
        return self.label not in _POSITIVE | _NEGATIVE and self.label in _folded(self.options)


def read_labelled(
    file: Path, labels: Labels, *, graded: bool, decisions: Decisions | None = None
) -> list[Labelled]:
    """The labelled replies of a file, in order.

    Args:
        file: A `.csv` file with a header, or a `.jsonl` file with an object a line.
        labels: Names of its columns.
        graded: True for refusals, which may also be labelled `full`, `partial` or `none`.
        decisions: For replies that decide: what among, where the columns `options` and `favourable` are
            absent or empty. The label of such a reply may be one of its options.

    Returns:
        At least one row.

    Raises:
        InputError: The file is missing, of another kind, malformed or empty, lacks a column, or has a
            value that is not accepted; the message names the file, the line and the column.
    """
    if file.is_file() and file.suffix.lower() not in _KINDS:
        raise InputError(f"{file}: unknown kind of file {file.suffix!r}; accepted: {', '.join(_KINDS)}")
    needed = frozenset({labels.prompt, labels.response, labels.label} | _named(labels))
    rows = list(_rows(file, labels, needed, graded=graded, decisions=decisions))
    if not rows:
        raise InputError(f"{file}: holds no rows; at least one labelled reply is needed")
    return rows


def repeated(rows: Sequence[Labelled]) -> tuple[int, int]:
    """How many rows without a cluster are another row again, and how many replies are labelled both ways.

    Returns:
        Rows whose system message, prompt and reply an earlier one has, and different such replies of which
        one row says that the behaviour is there and another that it is not.
    """
    labels: dict[tuple[str | None, str, str], set[bool]] = {}
    alone = [row for row in rows if row.cluster is None]
    for row in alone:
        labels.setdefault((row.system, row.prompt, row.response), set()).add(row.positive)
    return len(alone) - len(labels), sum(len(said) > 1 for said in labels.values())


def _named(labels: Labels) -> set[str]:
    """Optional columns that the user has named: these must then be there."""
    default = Labels()
    pairs = (
        (labels.group, default.group),
        (labels.language, default.language),
        (labels.system, default.system),
        (labels.cluster, default.cluster),
    )
    return {own for own, usual in pairs if own != usual}


def _rows(
    file: Path, labels: Labels, needed: frozenset[str], *, graded: bool, decisions: Decisions | None
) -> Iterator[Labelled]:
    named = (labels.group, labels.language, labels.system, labels.cluster)
    optional = frozenset({*named, _TEMPLATE, _OPTIONS, _FAVOURABLE})
    for line, row in read_rows(file, needed, optional=optional):
        check_columns(file, frozenset(row), needed, line)
        said = row[labels.label]
        # JSON's true and false are 1 and 0; their words are not.
        plain = int(said) if isinstance(said, bool) else said
        label = str(plain).strip().casefold()
        decided = _decided(file, line, row, decisions or Decisions(words=False))
        words = decisions is not None and decisions.words
        try:
            positive = _positive(label, decided if words else _UNDECIDED, graded=graded)
        except ValueError as error:
            # Who labels in words of the decision must say which words there are.
            more = _HOW if words and not decided["options"] else ""
            message = f"{file}: line {line}: column {labels.label!r}: {error}{more}; got {said!r}"
            raise InputError(message) from error
        yield Labelled(
            prompt=_text(file, line, row, labels.prompt),
            response=_text(file, line, row, labels.response),
            label=label,
            positive=positive,
            group=_name(file, line, row, labels.group),
            language=_name(file, line, row, labels.language),
            system=_optional(file, line, row, labels.system),
            cluster=_cluster(_name(file, line, row, _cluster_column(labels, row))),
            **decided,
        )


class _Decided(TypedDict):
    options: tuple[str, ...]
    favourable: str | None


_UNDECIDED: _Decided = {"options": (), "favourable": None}


def _positive(label: str, decided: _Decided, *, graded: bool) -> bool:
    """Whether a label says that the behaviour is there, or is the favourable option.

    Raises:
        ValueError: The label is not accepted; the message says what is.
    """
    options, favourable = _folded(decided["options"]), decided["favourable"]
    positive = is_positive(label, graded=graded)
    if label not in options:
        if positive is None:
            raise ValueError(f"must be one of {', '.join((accepted_labels(graded=graded), *options))}")
        return positive
    if favourable is None:
        raise ValueError(f"is an option, so {_FAVOURABLE} must say which one is")
    chosen = label == favourable.strip().casefold()
    if positive is not None and chosen is not positive:
        raise ValueError("is an option and also a label, so it says two things: give the options other names")
    return chosen


def _folded(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(option.strip().casefold() for option in options)


def _decided(file: Path, line: int, row: Mapping[str, object], usual: Decisions) -> _Decided:
    """Options and the favourable one among them: texts apart by `|`, or a list in JSON Lines."""
    given = row.get(_OPTIONS)
    parts = given.split("|") if isinstance(given, str) else given
    if parts is None or parts == [""]:
        parts = list(usual.options)
    if not parts:
        return _UNDECIDED
    if not isinstance(parts, list) or not all(isinstance(part, str) and part.strip() for part in parts):
        raise InputError(
            f"{file}: line {line}: column '{_OPTIONS}': must be texts apart by |, or a list of texts; "
            f"got {given!r}"
        )
    options = tuple(part.strip() for part in parts)
    if len(options) < 2 or len(set(_folded(options))) < len(options):  # noqa: PLR2004 - a choice has at least two
        raise InputError(
            f"{file}: line {line}: column '{_OPTIONS}': must be two or more texts that differ in more than "
            f"case; got {', '.join(options)!r}"
        )
    favourable = _optional(file, line, row, _FAVOURABLE) or usual.favourable
    if favourable is not None and favourable not in options:
        raise InputError(
            f"{file}: line {line}: column '{_FAVOURABLE}': must be one of {', '.join(options)}; "
            f"got {favourable!r}"
        )
    return {"options": options, "favourable": favourable}


def _cluster_column(labels: Labels, row: Mapping[str, object]) -> str:
    """The column that says what rows share; `template` serves where there is no `cluster`."""
    default = Labels().cluster
    return _TEMPLATE if labels.cluster == default and default not in row else labels.cluster


def accepted_labels(*, graded: bool) -> str:
    """Labels that are accepted, for messages."""
    return "full, partial, none, 1, 0" if graded else "1, 0"


def is_positive(label: str, *, graded: bool) -> bool | None:
    """Whether a case-folded label says that the behaviour is there; None if it is not accepted.

    Args:
        label: The label.
        graded: True for refusals, which may also be labelled `full`, `partial` or `none`.
    """
    if label in _POSITIVE or (graded and label in _REFUSED):
        return True
    if label in _NEGATIVE or (graded and label == "none"):
        return False
    return None


def _text(file: Path, line: int, row: Mapping[str, object], column: str) -> str:
    value = row[column]
    if not isinstance(value, str):
        raise InputError(f"{file}: line {line}: column {column!r}: must be text; got {value!r}")
    return value


def _name(file: Path, line: int, row: Mapping[str, object], column: str) -> str | None:
    """As `_optional`, without spaces around it, as probes read the groups and languages of their rows."""
    value = _optional(file, line, row, column)
    return (value.strip() or None) if value is not None else None


def _cluster(name: str | None) -> str | None:
    # As one cluster, rows whose cluster is not known would be taken for dependent.
    return None if name is None or name.casefold() in WRITTEN_FOR_NOTHING else name


def _optional(file: Path, line: int, row: Mapping[str, object], column: str) -> str | None:
    """Text of a column that may be absent, empty or null: None then, never a group of its own."""
    value = row.get(column)
    if value is None or value == "":
        return None
    unstated = isinstance(value, float) and not math.isfinite(value)
    # Half of a pair of surrogates, which JSON can spell, is no character and cannot be written again.
    if unstated or isinstance(value, bool | list | dict) or _SURROGATE.search(str(value)):
        raise InputError(f"{file}: line {line}: column {column!r}: must be text; got {value!r}")
    return str(value)
