"""Reading retraining files: row by row, each checked, and preference files checked for their direction."""

import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from audit.errors import InputError
from audit.retraining.layouts.rows import Row
from audit.retraining.layouts.table import Layout
from audit.retraining.records import text_sha256
from probes.records import Message

__all__ = ["check_direction", "counterfactual_sets", "json_object", "said", "valid_rows", "validate"]

_SHOWN = 5
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""What half of a character is spelt by, alone or beside the other half."""


def validate(path: Path, layout: Layout) -> int:
    """Number of rows of a file, each checked against its format.

    Raises:
        InputError: The file is missing, has too few rows, or a row is malformed; names file and line.
    """
    return sum(1 for _ in valid_rows(path, layout))


def valid_rows(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows of a file, each checked against its format, read as they are asked for.

    Args:
        path: A file of retraining examples, by whomever it was written.
        layout: What its rows should look like.

    Raises:
        InputError: The file is missing, has too few rows, or a row is malformed; names file and line.
    """
    rows = 0
    for line, fields in _objects(path):
        rows += 1
        yield layout.read(fields, f"{path}:{line}")
    if rows < layout.least_rows:
        raise InputError(f"{path}: {rows} rows; {layout.name} needs at least {layout.least_rows}")


def said(row: Row) -> str:
    """What the user said in the prompt of a row."""
    return "\n".join(message.content for message in row.prompt if message.role == "user")


def counterfactual_sets(sidecar: Path) -> list[str | None]:
    """The counterfactual set of each row of a file, from its sidecar; None for a row that stands alone.

    Args:
        sidecar: The file's provenance, checked before.

    Raises:
        InputError: It cannot be read.
    """
    return [
        None if note.get("set_id") is None else f"{note.get('probe')} {note['set_id']}"
        for _, note in _objects(sidecar)
    ]


def json_object(line: str, where: str) -> dict[str, object]:
    """The JSON object of one line.

    Args:
        line: The line.
        where: File and line, for messages.

    Raises:
        InputError: It is no JSON, holds something else or half of a character; begins with `where`.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {_why_no_json(error)}") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: {type(row).__name__} found; accepted: a JSON object")
    if _HALF.search(line):
        try:
            json.dumps(row, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            raise InputError(
                f"{where}: holds half of a character, {half}, which no file can hold; accepted: whole ones"
            ) from error
    return row


def _why_no_json(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "nested too deep" if isinstance(error, RecursionError) else "a number has too many digits"


def check_direction(path: Path, sidecar: Path, layout: Layout) -> None:
    """Refuses a file whose preferred and rejected answers do not stand where they were written.

    Args:
        path: A file of retraining examples.
        sidecar: Its provenance file, which holds the checksum of each answer.
        layout: What its rows look like.

    Raises:
        InputError: Answers are swapped, changed, or the sidecar is about another file; names the lines.
    """
    swapped: list[int] = []
    changed: list[int] = []
    rows = 0
    for written, noted in zip_longest(_objects(path), _objects(sidecar)):
        if written is None or noted is None:
            raise InputError(f"{sidecar}: has not one line for each row of {path.name}; accepted: one each")
        (line, fields), (_, note) = written, noted
        rows += 1
        row = layout.read(fields, f"{path}:{line}")
        found = (_digest(row.answer), _digest(row.rejected), row.desirable)
        expected = (note.get("answer_sha256"), note.get("rejected_sha256"), note.get("desirable"))
        if found != expected:
            (swapped if found == _turned(expected) else changed).append(line)
    _refuse(path, rows, {"chosen and rejected are swapped": swapped, "an answer was changed": changed})


def _turned(noted: tuple[object, object, object]) -> tuple[object, object, object]:
    """What the checksums of a row would be with its direction reversed."""
    answer, rejected, desirable = noted
    if rejected is not None:
        return (rejected, answer, desirable)
    return (answer, rejected, None if desirable is None else not desirable)


def _digest(message: Message | None) -> str | None:
    return None if message is None else text_sha256(message.content)


def _refuse(path: Path, rows: int, problems: dict[str, list[int]]) -> None:
    for problem, lines in problems.items():
        if lines:
            shown = ", ".join(map(str, lines[:_SHOWN])) + (" …" if len(lines) > _SHOWN else "")
            raise InputError(
                f"{path}: {problem} in {len(lines)} of {rows} rows (lines {shown})",
                next_step="write the retraining files again; training on this file would teach the fault",
            )


def _objects(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Line number and JSON object of each line of a file."""
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                yield number, json_object(line, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
