"""Reading replies that people have labelled, from a CSV or JSONL file."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from audit.errors import InputError
from audit.table_files import check_columns, read_rows

__all__ = ["Labelled", "Labels", "accepted_labels", "is_positive", "read_labelled"]

_TEMPLATE = "template"
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = (".csv", ".jsonl", ".ndjson")
_POSITIVE = frozenset({"1", "1.0"})
_NEGATIVE = frozenset({"0", "0.0"})
_OPTIONS, _FAVOURABLE = "options", "favourable"
"""Columns of what a decision could be, and which of it is good for the person."""
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
    """What the reply could decide; empty if the file has no such column."""
    favourable: str | None = None
    """The option that is good for the person concerned."""


def read_labelled(file: Path, labels: Labels, *, graded: bool) -> list[Labelled]:
    """The labelled replies of a file, in order.

    Args:
        file: A `.csv` file with a header, or a `.jsonl` file with an object a line.
        labels: Names of its columns.
        graded: True for refusals, which may also be labelled `full`, `partial` or `none`.

    Returns:
        At least one row.

    Raises:
        InputError: The file is missing, of another kind, malformed or empty, lacks a column, or has a
            value that is not accepted; the message names the file, the line and the column.
    """
    if file.is_file() and file.suffix.lower() not in _KINDS:
        raise InputError(f"{file}: unknown kind of file {file.suffix!r}; accepted: {', '.join(_KINDS)}")
    needed = frozenset({labels.prompt, labels.response, labels.label} | _named(labels))
    rows = list(_rows(file, labels, needed, graded=graded))
    if not rows:
        raise InputError(f"{file}: holds no rows; at least one labelled reply is needed")
    return rows


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


def _rows(file: Path, labels: Labels, needed: frozenset[str], *, graded: bool) -> Iterator[Labelled]:
    named = (labels.group, labels.language, labels.system, labels.cluster)
    optional = frozenset({*named, _TEMPLATE, _OPTIONS, _FAVOURABLE})
    for line, row in read_rows(file, needed, optional=optional):
        check_columns(file, frozenset(row), needed, line)
        said = row[labels.label]
        # JSON's true and false are 1 and 0; their words are not.
        plain = int(said) if isinstance(said, bool) else said
        label = str(plain).strip().casefold()
        positive = is_positive(label, graded=graded)
        if positive is None or isinstance(said, list | dict):
            accepted = accepted_labels(graded=graded)
            raise InputError(
                f"{file}: line {line}: column {labels.label!r}: must be one of {accepted}; got {said!r}"
            )
        yield Labelled(
            prompt=_text(file, line, row, labels.prompt),
            response=_text(file, line, row, labels.response),
            label=label,
            positive=positive,
            group=_optional(file, line, row, labels.group),
            language=_optional(file, line, row, labels.language),
            system=_optional(file, line, row, labels.system),
            cluster=_optional(file, line, row, _cluster_column(labels, row)),
            **_decided(file, line, row),
        )


class _Decided(TypedDict):
    options: tuple[str, ...]
    favourable: str | None


def _decided(file: Path, line: int, row: Mapping[str, object]) -> _Decided:
    """Options and the favourable one among them: texts apart by `|`, or a list in JSON Lines."""
    given = row.get(_OPTIONS)
    parts = given.split("|") if isinstance(given, str) else given
    if parts is None or parts == [""]:
        return {"options": (), "favourable": None}
    if not isinstance(parts, list) or not all(isinstance(part, str) and part.strip() for part in parts):
        raise InputError(
            f"{file}: line {line}: column '{_OPTIONS}': must be texts apart by |, or a list of texts; "
            f"got {given!r}"
        )
    options = tuple(part.strip() for part in parts)
    favourable = _optional(file, line, row, _FAVOURABLE)
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
