"""From a file to recorded replies by key: a table with a column for the key, or the log of a tool."""

import math
from dataclasses import replace
from pathlib import Path

from audit.errors import InputError
from audit.table_files import WRITTEN_FOR_NOTHING, Row, read_rows
from audit.targets.recorded.index import Place, ReplyIndex
from audit.targets.recorded.options import RecordedOptions
from probes.public.logs.entries import (
    ABSENT,
    LogEntry,
    Problem,
    Reply,
    Tally,
    UnreadableError,
    cut,
    digest_of,
    fact_of,
    named,
    whole,
)
from probes.public.logs.formats import Log
from probes.records import Message

__all__ = ["key_at", "read_log", "read_table"]


def read_table(path: Path, options: RecordedOptions, index: ReplyIndex, tally: Tally) -> int:
    """Read rows that say which prompt they answer; a row that does not is a mistake.

    Returns:
        Replies that read as what programs write for a missing cell, such as `nan`; they are replies here.

    Raises:
        InputError: The file is malformed, lacks a column, or holds two texts for one key.
    """
    columns = {*options.key_columns, options.text, options.repeat, options.turn, options.error} - {None}
    several = options.repeat or options.same_key == "repeats"
    hint = "" if several else "; name a repeat column if the file holds several outputs a prompt"
    doubtful = 0
    for line, row in read_rows(path, frozenset(str(column) for column in columns)):
        tally.entries += 1
        repeat = _count(row, options.repeat, path, line)
        key = key_at(_key(row, options, path, line), _count(row, options.turn, path, line))
        place = Place(row=line, key=key, own=str(line), repeat=repeat)
        reply = _recorded(row, options, path, line)
        doubtful += reply.text is not None and reply.text.strip().casefold() in WRITTEN_FOR_NOTHING
        index.add(place, reply, hint)
    return doubtful


def read_log(log: Log, options: RecordedOptions, index: ReplyIndex, tally: Tally) -> None:
    """Read the entries of a log; those that cannot be read are counted.

    Raises:
        InputError: No entry can be read, or two replies fit one key.
        DataError: The file is not what it was taken for.
    """
    hint = (
        "; choose with where (such as one model), match by something else, or set same_key: repeats if they "
        "are several replies to one prompt"
    )
    for entry in log.entries():
        if isinstance(entry, Problem):
            tally.add(entry)
            continue
        try:
            key, reply = _key_of(entry, options), _reply_of(entry, options)
        except UnreadableError as error:
            tally.add(Problem(row=entry.row, what=str(error)))
            continue
        tally.entries += 1
        own = f"{entry.id}\x1f{entry.repeat}\x1f{entry.reply.model}"
        index.add(Place(row=entry.row, key=key, own=own, repeat=entry.repeat), reply, hint)
    if not tally.entries:
        lines = tally.lines(log.path.name)
        first = f": {lines[1]}" if lines else ""
        raise InputError(f"{log.path}: {log.named}: holds no reply that can be used{first}")


def _key_of(entry: LogEntry, options: RecordedOptions) -> str:
    if options.by == "conversation":
        return digest_of(_messages(entry))
    if options.by == "prompt_text" and "key" not in options.model_fields_set:
        said = [message.content for message in _messages(entry) if message.role == "user"]
        if not said:
            raise UnreadableError("its conversation has no message of a user")
        return options.key_prefix + said[-1]
    if "key" not in options.model_fields_set:
        return options.key_prefix + entry.id
    parts = [_fact(entry, name, "key") for name in options.key_columns]
    return options.key_prefix + "/".join(parts)


def _messages(entry: LogEntry) -> tuple[Message, ...]:
    if not entry.messages:
        raise UnreadableError("holds a reply and no prompt; match by its id")
    return entry.messages


def _reply_of(entry: LogEntry, options: RecordedOptions) -> Reply:
    if "text" not in options.model_fields_set or entry.reply.error is not None:
        return entry.reply
    return replace(entry.reply, text=_fact(entry, options.text, "text"))


def _fact(entry: LogEntry, name: str, role: str) -> str:
    value = fact_of(entry, name)
    found = named(value)
    if found is None:
        said = f"got {cut(value)}" if value is not ABSENT else f"facts: {', '.join(sorted(entry.facts))}"
        raise UnreadableError(f"{name} ({role}) must be a text or whole number; {said}")
    return found


def _key(row: Row, options: RecordedOptions, path: Path, line: int) -> str:
    parts = []
    for column in options.key_columns:
        part = named(row[column])
        if part is None:
            raise InputError(
                f"{path}: line {line}: {column} must be a text or whole number; got {row[column]!r}"
            )
        parts.append(part)
    return options.key_prefix + "/".join(parts)


def key_at(key: str, turn: int) -> str:
    """The key of a turn of what a key names."""
    return key if turn == 0 else f"{key}\x1f{turn}"


def _count(row: Row, column: str | None, path: Path, line: int) -> int:
    if column is None:
        return 0
    value = whole(row[column])
    if value is None:
        raise InputError(
            f"{path}: line {line}: {column} must be a whole number from 0; got {cut(row[column])}"
        )
    return value


def _recorded(row: Row, options: RecordedOptions, path: Path, line: int) -> Reply:
    error = _given(row[options.error]) if options.error else None
    if error is not None and error != "":
        return Reply(error=" ".join(str(error).split()))
    text = _given(row[options.text])
    if text is not None and not isinstance(text, str):
        raise InputError(f"{path}: line {line}: {options.text} must be a text; got {cut(text)}")
    return Reply(text=text)


def _given(value: object) -> object:
    """A cell, or None where it holds no number, which programs that know no null write for a missing one."""
    return None if isinstance(value, float) and math.isnan(value) else value
