"""Rows of a user's JSONL, CSV or Parquet file, one at a time, with errors that name file and line."""

import csv
import importlib
import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol, cast

from audit.errors import ExtraMissingError, InputError
from probes.data import absence

__all__ = ["WRITTEN_FOR_NOTHING", "check_columns", "read_rows", "separator_hint"]

WRITTEN_FOR_NOTHING = frozenset({"na", "n/a", "#n/a", "<na>", "nan", "nat", "null"})
"""What R, pandas and spreadsheets write in a cell without a value, case-folded.

`none` and `unknown` are not among them: they may be answers."""

Row = Mapping[str, object]
_Reader = Callable[[Path, frozenset[str]], Iterator[tuple[int, Row]]]


class _Batch(Protocol):
    def to_pylist(self) -> list[dict[str, object]]: ...


class _ParquetFile(Protocol):
    def iter_batches(self, *, columns: list[str] | None) -> Iterator[_Batch]: ...


class _Schema(Protocol):
    @property
    def names(self) -> list[str]: ...


def read_rows(
    path: Path, columns: frozenset[str], *, optional: frozenset[str] = frozenset()
) -> Iterator[tuple[int, Row]]:
    """Rows with their numbers, streaming: the file is never whole in memory.

    Args:
        path: A file ending in .jsonl, .ndjson, .csv or .parquet.
        columns: Columns that must be there; of a Parquet file no others are read.
        optional: Columns that may be absent, but not there twice.

    Yields:
        The line (Parquet: row) number, from 1, and the row.

    Raises:
        InputError: The file is missing, of another kind, malformed, or lacks a column.
        ExtraMissingError: The file is Parquet and pyarrow is not installed.
    """
    if not path.is_file():
        raise InputError(f"{path}: {absence(path)}")
    readers: dict[str, _Reader] = {
        ".jsonl": partial(_jsonl, once=columns | optional),
        ".ndjson": partial(_jsonl, once=columns | optional),
        ".csv": partial(_csv, once=columns | optional),
        ".parquet": _parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: unknown kind of file {path.suffix!r}; accepted: {', '.join(sorted(readers))}"
        )
    try:
        yield from reader(path, columns)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from error


def check_columns(path: Path, present: frozenset[str], needed: frozenset[str], line: int) -> None:
    """Check that a row or header has the columns needed.

    Raises:
        InputError: One is missing; the message names it and those present.
    """
    missing = sorted(needed - present)
    if missing:
        shown = ", ".join(sorted(present)) or "none"
        raise InputError(
            f"{path}: line {line}: missing column {', '.join(missing)}; columns present: {shown}"
            f"{separator_hint(present)}"
        )


def separator_hint(header: Collection[str]) -> str:
    """What to say of a header that is one column because its cells are not separated by commas, else ''.

    Spreadsheet programs write semicolons where the comma is the decimal mark, and may begin with `sep=;`.
    """
    only = next(iter(header), "") if len(header) == 1 else ""
    used = next((mark for mark in (";", "\t") if mark in only), None)
    return "" if used is None else f"; cells seem to be separated by {used!r}, and a comma is needed"


def _jsonl(path: Path, columns: frozenset[str], once: frozenset[str]) -> Iterator[tuple[int, Row]]:
    quoted = tuple(json.dumps(name, ensure_ascii=False) for name in sorted(once))
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}: line {number}: not valid JSON: {error}") from error
            except RecursionError as error:
                raise InputError(f"{path}: line {number}: not valid JSON: nested too deeply") from error
            if not isinstance(row, dict):
                raise InputError(f"{path}: line {number}: must be a JSON object; got {type(row).__name__}")
            check_columns(path, frozenset(row), columns, number)
            # Looking for the names first spares nearly every row from being read a second time.
            if any(line.count(name) > 1 for name in quoted) and (twice := _twice(line, once)):
                raise InputError(f"{path}: line {number}: key {', '.join(twice)} is there more than once")
            yield number, row


def _twice(line: str, once: frozenset[str]) -> list[str]:
    """Those names that the object of a line has as a key more than once."""
    keys: list[str] = []

    def last(pairs: list[tuple[str, object]]) -> None:
        # Called for every object, the outermost one last.
        keys[:] = [key for key, _ in pairs]

    json.loads(line, object_pairs_hook=last)
    return sorted(name for name in once if keys.count(name) > 1)


def _csv(path: Path, columns: frozenset[str], once: frozenset[str]) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            header = reader.fieldnames or ()
            check_columns(path, frozenset(header), columns, 1)
            twice = sorted(name for name in once if header.count(name) > 1)
            if twice:
                raise InputError(f"{path}: line 1: column {', '.join(twice)} is there more than once")
            for row in reader:
                if None in row or None in row.values():
                    wanted = len(reader.fieldnames or ())
                    raise InputError(
                        f"{path}: line {reader.line_num}: has not the {wanted} cells of the header"
                    )
                yield reader.line_num, row
        except csv.Error as error:
            raise InputError(f"{path}: line {reader.line_num}: not valid CSV: {error}") from error


def _parquet(path: Path, columns: frozenset[str]) -> Iterator[tuple[int, Row]]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
        arrow = importlib.import_module("pyarrow")
    except ImportError as error:
        raise ExtraMissingError(
            f'{path}: reading Parquet needs pyarrow: pip install "evenhand[parquet]"',
            next_step='pip install "evenhand[parquet]"',
        ) from error
    try:
        opened = parquet.ParquetFile(path)
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from error
    with opened:
        names = cast("_Schema", opened.schema_arrow).names
        check_columns(path, frozenset(names), columns, 1)
        number = 0
        batches = cast("_ParquetFile", opened).iter_batches(columns=sorted(columns))
        while True:
            try:
                batch = next(batches, None)
            except (arrow.ArrowException, OSError) as error:
                problem = str(error).splitlines()[0]
                raise InputError(f"{path}: is damaged after row {number}: {problem}") from error
            if batch is None:
                return
            for row in batch.to_pylist():
                number += 1
                yield number, row
