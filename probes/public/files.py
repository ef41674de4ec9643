"""Rows of a user's CSV, JSONL or Parquet file, read one after the other."""

import csv
import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from probes.data import absence, file_sha256
from probes.errors import DataError

__all__ = ["FORMATS", "Row", "provenance", "read_rows", "require_columns", "text_of", "validated"]

FORMATS = (".csv", ".jsonl", ".parquet")
_BATCH = 1024
_RowT = TypeVar("_RowT", bound=BaseModel)


class Row(NamedTuple):
    """One row, with where it stands."""

    number: int
    """CSV and JSONL: line of the file where the row ends. Parquet: row, from 1."""
    cells: Mapping[str, object]
    """Values by column; CSV values are texts."""


def provenance(path: Path, *, source: str, licence: str) -> dict[str, str]:
    """Where a probe's rows come from: file name, SHA-256, source and licence.

    The folder is left out, so that a record names no machine.

    Args:
        path: The file.
        source: Paper or page of the data, or `user file`.
        licence: Licence of the data.

    Returns:
        The facts by name: `file`, `sha256`, `source`, `licence`.

    Raises:
        DataError: There is no such file, or its format is not accepted.
    """
    if not path.is_file():
        raise DataError(f"{path}: {absence(path)}; accepted: a {_formats()} file")
    if path.suffix.lower() not in FORMATS:
        raise DataError(
            f"{path}: format {path.suffix or 'without ending'!r} is not accepted; accepted: {_formats()}"
        )
    return {"file": path.name, "sha256": file_sha256(path), "source": source, "licence": licence}


def read_rows(path: Path, *, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a file in order, without holding the file in memory.

    CSV needs a header line; JSONL has one object a line (blank lines are skipped), and every object
    must have the required columns.

    Args:
        path: A `.csv`, `.jsonl` or `.parquet` file, text in UTF-8.
        columns: Columns that must be there.

    Yields:
        The rows.

    Raises:
        DataError: The file is missing, malformed, or lacks a column; or it is Parquet and pyarrow is
            not installed.
    """
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".parquet": _parquet_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: format {path.suffix!r} is not accepted; accepted: {_formats()}")
    try:
        yield from reader(path, columns)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from error


def require_columns(path: Path, present: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse a file that lacks a column.

    Raises:
        DataError: The message names the file, the missing columns and the columns present.
    """
    missing = [column for column in wanted if column not in present]
    if missing:
        raise DataError(
            f"{path}: missing {_plural('column', missing)} {', '.join(map(repr, missing))}; "
            f"columns present: {', '.join(map(repr, present)) or 'none'}"
        )


def text_of(path: Path, row: Row, column: str) -> str:
    """One cell as text without outer white space.

    Args:
        path: The file, for the error.
        row: The row.
        column: The column.

    Returns:
        The text, which is not empty.

    Raises:
        DataError: The column is missing in this row, or the cell is empty or no text or number.
    """
    if column not in row.cells:
        require_columns(path, list(row.cells), [column])
    value = row.cells[column]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DataError(f"{path}: row {row.number}: {column} must be text or a number; got {value!r}")
    text = str(value).strip()
    if not text:
        raise DataError(f"{path}: row {row.number}: {column} is empty")
    return text


def validated(path: Path, row: Row, model: type[_RowT]) -> _RowT:
    """A row as a record.

    Args:
        path: The file, for the error.
        row: The row.
        model: What the row must be.

    Returns:
        The record.

    Raises:
        DataError: The message names the file, the row, the key, the problem and the value received.
    """
    try:
        return model.model_validate(dict(row.cells))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "row"
        raise DataError(f"{path}: row {row.number}: {key}: {first['msg']}; got {first['input']!r}") from error


def _csv_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, strict=True)
        try:
            header = next(reader, [])
            require_columns(path, header, columns)
            if len(set(header)) != len(header):
                raise DataError(
                    f"{path}: the header names a column twice; columns present: {', '.join(header)}"
                )
            for values in reader:
                if not values:
                    continue
                if len(values) != len(header):
                    raise DataError(
                        f"{path}: row {reader.line_num}: {len(values)} cells; the header has {len(header)}"
                    )
                yield Row(reader.line_num, dict(zip(header, values, strict=True)))
        except csv.Error as error:
            raise DataError(f"{path}: row {reader.line_num}: {error}") from error


def _jsonl_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip():
                continue
            try:
                cells = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(
                    f"{path}: row {number}: not JSON: {error.msg} at column {error.colno}"
                ) from error
            except RecursionError as error:
                raise DataError(f"{path}: row {number}: not JSON: nested too deeply") from error
            except ValueError as error:  # a whole number of more digits than Python reads
                raise DataError(f"{path}: row {number}: not JSON: a number has too many digits") from error
            if not isinstance(cells, dict):
                raise DataError(f"{path}: row {number}: must be an object; got {type(cells).__name__}")
            require_columns(path, list(cells), columns)
            yield Row(number, cells)


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
        arrow = importlib.import_module("pyarrow")
    except ImportError as error:
        raise DataError(f'{path}: Parquet needs pyarrow; pip install "evenhand[parquet]"') from error
    try:
        with parquet.ParquetFile(path) as file:
            require_columns(path, list(file.schema_arrow.names), columns)
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for cells in batch.to_pylist():
                    number += 1
                    yield Row(number, cells)
    except arrow.ArrowInvalid as error:
        raise DataError(f"{path}: not a Parquet file: {error}") from error


def _formats() -> str:
    return ", ".join(FORMATS)


def _plural(noun: str, items: Sequence[str]) -> str:
    return noun if len(items) == 1 else f"{noun}s"
