"""A service's own log: one row a reply, with a mapping that says which column holds what."""

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from probes.base import Options
from probes.errors import DataError
from probes.public.files import read_rows
from probes.public.logs.conversations import conversation, said, spoken
from probes.public.logs.entries import (
    ABSENT,
    LogEntry,
    Problem,
    Reply,
    UnreadableError,
    cut,
    fact,
    named,
    number,
    whole,
)
from probes.public.logs.lines import objects
from probes.records import Message, storable

__all__ = ["Columns", "read_columns"]

Column = Annotated[str, Field(min_length=1)]


class Columns(Options):
    """Which column of a log holds what; dots lead into nested values of JSONL, as in `request.messages`."""

    prompt: Column | None = Field(default=None, description="Text that was asked.")
    messages: Column | None = Field(
        default=None,
        description="Conversation that was asked, as a list of role and content or its JSON; it may end "
        "with the reply.",
    )
    system: Column | None = Field(default=None, description="System prompt, put before the text.")
    response: Column | None = Field(default=None, description="Text that came back.")
    error: Column | None = Field(default=None, description="Error; rows that have one hold no reply.")
    id: Column | None = Field(default=None, description="Id of the conversation, else the row's number.")
    repeat: Column | None = Field(default=None, description="Number of the reply to one id, from 0.")
    model: Column | None = Field(default=None, description="Model that answered.")
    finish_reason: Column | None = Field(default=None, description="Such as stop, length, content_filter.")
    prompt_tokens: Column | None = Field(default=None, description="Tokens asked.")
    completion_tokens: Column | None = Field(default=None, description="Tokens answered.")
    latency_s: Column | None = Field(default=None, description="Seconds until the reply.")

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if self.prompt is not None and self.messages is not None:
            raise ValueError("columns.prompt and columns.messages exclude each other: give one")
        if self.response is None and self.messages is None:
            raise ValueError("columns needs response, or messages that end with the reply")
        return self


def read_columns(path: Path, columns: Columns) -> Iterator[LogEntry | Problem]:
    """Every row as an entry; a row that cannot be read is a problem.

    Raises:
        DataError: The file is missing, of another kind, or no row of it has a column that is named.
    """
    kind = path.suffix.lower()
    if kind == ".csv":
        rows = _csv(path)
    elif kind == ".parquet":
        rows = ((row.number, dict(row.cells)) for row in read_rows(path, columns=()))
    else:
        rows = objects(path)
    for place, row in rows:
        yield row if isinstance(row, Problem) else _entry(row, place, columns)


def _csv(path: Path) -> Iterator[tuple[int, dict[str, object] | Problem]]:
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            reader = csv.reader(handle)
            header = next(reader, [])
            if not header or len(set(header)) != len(header):
                raise DataError(f"{path}: row 1: the header must name every column once; got {cut(header)}")
            while True:
                try:
                    values = next(reader, None)
                except csv.Error as error:
                    yield reader.line_num, Problem(row=reader.line_num, what=f"is not CSV: {error}")
                    continue
                if values is None:
                    return
                if values:
                    yield reader.line_num, _row(header, values, reader.line_num)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _row(header: list[str], values: list[str], number_of_row: int) -> dict[str, object] | Problem:
    if len(values) != len(header):
        return Problem(row=number_of_row, what=f"has {len(values)} cells; the header has {len(header)}")
    try:
        "".join(values).encode("utf-8")
    except UnicodeEncodeError:
        return Problem(row=number_of_row, what="is not UTF-8")
    return dict(zip(header, values, strict=True))


def _entry(row: Mapping[str, object], place: int, columns: Columns) -> LogEntry | Problem:
    try:
        asked, reply = _conversation(row, columns)
        return LogEntry(
            row=place,
            id=str(place) if columns.id is None else _name(_cell(row, columns.id, "id"), columns.id),
            repeat=_repeat(row, columns.repeat),
            messages=asked,
            reply=_reply(row, columns, reply),
            facts=row,
        )
    except UnreadableError as error:
        return Problem(row=place, what=str(error))


def _repeat(row: Mapping[str, object], column: str | None) -> int:
    if column is None:
        return 0
    given = _cell(row, column, "repeat")
    found = whole(given)
    if found is None:
        raise UnreadableError(f"{column} must be a whole number from 0; got {cut(given)}")
    return found


def _conversation(row: Mapping[str, object], columns: Columns) -> tuple[tuple[Message, ...], str | None]:
    """What was asked, and the reply if the conversation ends with it."""
    if columns.messages is not None:
        value = _cell(row, columns.messages, "messages")
        asked, reply = spoken(value) if columns.response is None else (conversation(value), None)
    elif columns.prompt is not None:
        text = _cell(row, columns.prompt, "prompt")
        if not isinstance(text, str) or not text.strip():
            raise UnreadableError(f"{columns.prompt} must be a text that is not empty; got {cut(text)}")
        asked, reply = (Message(role="user", content=storable(text)),), None
    else:
        return (), None
    if columns.system is not None and (system := _optional(row, columns.system)) not in (None, ""):
        asked = (Message(role="system", content=storable(str(system))), *asked)
    return asked, reply


def _reply(row: Mapping[str, object], columns: Columns, text: str | None) -> Reply:
    error = _optional(row, columns.error)
    if error not in (None, "", False):
        return Reply(error=" ".join(str(error).split()), model=_said(row, columns.model))
    if columns.response is not None:
        value = _cell(row, columns.response, "response")
        text = said(value) if isinstance(value, list) else value  # type: ignore[assignment]  # checked below
        if text is not None and not isinstance(text, str):
            raise UnreadableError(f"{columns.response} must be a text; got {cut(value)}")
    return Reply(
        text=text,
        finish_reason=_said(row, columns.finish_reason),
        model=_said(row, columns.model),
        prompt_tokens=whole(_optional(row, columns.prompt_tokens)),
        completion_tokens=whole(_optional(row, columns.completion_tokens)),
        latency_s=number(_optional(row, columns.latency_s)),
    )


def _cell(row: Mapping[str, object], column: str, role: str) -> object:
    value = fact(row, column)
    if value is ABSENT:
        present = ", ".join(sorted(row)[:20]) or "none"
        raise UnreadableError(f"has no {column} (columns.{role}); columns present: {cut(present)}")
    return value


def _optional(row: Mapping[str, object], column: str | None) -> object:
    value = None if column is None else fact(row, column)
    return None if value is ABSENT else value


def _said(row: Mapping[str, object], column: str | None) -> str | None:
    value = _optional(row, column)
    return None if value in (None, "") else str(value)


def _name(value: object, column: str) -> str:
    found = named(value)
    if not found:
        raise UnreadableError(f"{column} must be a text or a whole number; got {cut(value)}")
    return found
