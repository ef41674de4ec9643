"""Columns of a CSV or Parquet file, a chunk of rows at a time, so that the file is never whole in memory."""

import csv
import importlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.errors import ExtraMissingError, InputError
from audit.table_files import separator_hint
from probes.data import absence

__all__ = ["CHUNK_ROWS", "Chunk", "TextColumn", "read_chunks"]

CHUNK_ROWS = 250_000
_NESTED = ("list", "large_list", "fixed_size_list", "struct", "map", "union")
"""How the types of such columns begin."""

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumn:
    """A column of texts: every different text once, and which of them each row has."""

    codes: Codes
    """Index into `texts`, shape (rows,)."""
    texts: tuple[str, ...]
    """Texts without spaces around them; a missing cell is the empty text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows of a table."""

    first_row: int
    """Number of the first row, from 1; the header is not counted."""
    rows: int
    texts: Mapping[str, TextColumn]
    numbers: Mapping[str, Floats]
    """Finite numbers; nan where the cell is missing."""


class _Array(Protocol):
    type: object

    def to_pylist(self) -> list[object]: ...
    def to_numpy(self, *, zero_copy_only: bool) -> npt.NDArray[np.float64]: ...
    def cast(self, to: object, *, safe: bool) -> "_Array": ...


class _DictionaryArray(Protocol):
    @property
    def indices(self) -> "_Indices": ...
    @property
    def dictionary(self) -> _Array: ...


class _Indices(Protocol):
    def fill_null(self, value: int) -> "_Indices": ...
    def to_numpy(self, *, zero_copy_only: bool) -> npt.NDArray[np.int32]: ...


class _Batch(Protocol):
    num_rows: int

    def column(self, name: str) -> object: ...


class _Schema(Protocol):
    @property
    def names(self) -> list[str]: ...


class _ParquetFile(Protocol):
    @property
    def schema_arrow(self) -> _Schema: ...
    def iter_batches(self, *, columns: list[str], batch_size: int) -> Iterator[_Batch]: ...
    def close(self) -> None: ...


def read_chunks(path: Path, *, texts: Sequence[str], numbers: Sequence[str] = ()) -> Iterator[Chunk]:
    """Chunks of the columns asked for; no other column is kept.

    Args:
        path: A file ending in .csv (UTF-8, commas, one header line) or .parquet.
        texts: Columns to read as texts. Numbers of a Parquet file become the shortest text that says
            them, whole ones without a decimal point; truth values become `true` and `false`.
        numbers: Columns to read as numbers.

    Yields:
        Chunks in the file's order.

    Raises:
        InputError: The file is missing, of another kind, malformed, lacks a column, or a number is none.
        ExtraMissingError: The file is Parquet and pyarrow is not installed.
    """
    if not path.is_file():
        raise InputError(f"{path}: {absence(path)}")
    readers = {".csv": _csv_chunks, ".parquet": _parquet_chunks}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: unknown kind of file {path.suffix!r}; accepted: {', '.join(sorted(readers))}"
        )
    yield from reader(path, tuple(texts), tuple(numbers))


def _csv_chunks(path: Path, texts: tuple[str, ...], numbers: tuple[str, ...]) -> Iterator[Chunk]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines, strict=True), [])
        _check_header(path, header, (*texts, *numbers))
        first = 1
        for frame in _frames(path, header, (*texts, *numbers)):
            yield Chunk(
                first_row=first,
                rows=len(frame),
                texts={name: _factorized(frame[header.index(name)]) for name in texts},
                numbers={name: _parsed(path, name, frame[header.index(name)], first) for name in numbers},
            )
            first += len(frame)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, csv.Error) as error:
        said = _first_fault(path) or f"not a valid CSV file: {str(error).strip().splitlines()[0]}"
        raise InputError(f"{path}: {said}") from error


def _first_fault(path: Path) -> str | None:
    """Where a CSV file is not one, in words, by reading it once more; None if that finds nothing."""
    end = 0
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, strict=True)
        try:
            width = len(next(rows, []))
            end = rows.line_num
            for row in rows:
                if len(row) > width:
                    return f"line {end + 1}: has {len(row)} cells, and the header has {width}"
                end = rows.line_num
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return f"line {end + 1}: a quotation mark is opened and never closed"
            return f"line {rows.line_num}: {error}"
    return None


def _frames(path: Path, header: Sequence[str], needed: tuple[str, ...]) -> Iterator[pd.DataFrame]:
    """Every column by its place; of those not needed one byte a cell is kept.

    Reading only some columns would be as fast, but then pandas accepts rows of any length, whose cells may
    be in wrong columns. Categories would be faster still, but pandas makes numbers of them: 01 becomes 1.
    """
    dtypes = dict.fromkeys(range(len(header)), "S1") | {header.index(name): "str" for name in needed}
    with warnings.catch_warnings():
        # pandas warns, and cuts, where the first row is longer than the header.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        with pd.read_csv(
            path,
            header=0,
            names=list(range(len(header))),
            dtype=dtypes,
            chunksize=CHUNK_ROWS,
            index_col=False,
            na_filter=False,
            encoding="utf-8-sig",
        ) as frames:
            yield from frames


def _check_header(path: Path, header: Sequence[str], needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in header]
    if missing:
        shown = ", ".join(sorted(map(repr, header))) or "none"
        raise InputError(
            f"{path}: missing column {', '.join(map(repr, missing))}; columns present: {shown}"
            f"{separator_hint(header)}"
        )
    twice = sorted({name for name in needed if header.count(name) > 1})
    if twice:
        raise InputError(f"{path}: column {', '.join(map(repr, twice))} is there more than once")


def _factorized(column: "pd.Series[str]") -> TextColumn:
    codes, found = pd.factorize(column)
    return _stripped(codes.astype(np.int64), [str(value) for value in found])


def _stripped(codes: Codes, values: Sequence[str]) -> TextColumn:
    """The column with spaces around texts taken off; a code of -1 is a missing cell."""
    texts = [value.strip() for value in values]
    if (codes < 0).any():
        codes = np.where(codes < 0, len(texts), codes)
        texts.append("")
    return TextColumn(codes=codes, texts=tuple(texts))


def _parsed(path: Path, name: str, column: pd.Series, first_row: int) -> Floats:
    cells = column.str.strip()
    found = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~np.isfinite(found) & (cells != "").to_numpy(dtype=bool)
    _check_numbers(path, name, bad, [str(cell) for cell in cells[bad].head(1)], first_row)
    return found


def _check_numbers(
    path: Path, name: str, bad: npt.NDArray[np.bool_], shown: Sequence[str], first_row: int
) -> None:
    if bad.any():
        row = first_row + int(np.flatnonzero(bad)[0])
        raise InputError(
            f"{path}: row {row}: column {name!r} must be a finite number or empty; got {shown[0]!r}"
        )


def _parquet_chunks(path: Path, texts: tuple[str, ...], numbers: tuple[str, ...]) -> Iterator[Chunk]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
        arrow = importlib.import_module("pyarrow")
    except ImportError as error:
        raise ExtraMissingError(
            f'{path}: reading Parquet needs pyarrow: pip install "evenhand[parquet]"',
            next_step='pip install "evenhand[parquet]"',
        ) from error
    try:
        opened = cast("_ParquetFile", parquet.ParquetFile(path))
        try:
            _check_header(path, opened.schema_arrow.names, (*texts, *numbers))
            yield from _batches(path, opened, texts, numbers)
        finally:
            opened.close()
    except arrow.ArrowException as error:
        raise InputError(f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def _batches(
    path: Path, opened: _ParquetFile, texts: tuple[str, ...], numbers: tuple[str, ...]
) -> Iterator[Chunk]:
    first = 1
    for batch in opened.iter_batches(columns=[*texts, *numbers], batch_size=CHUNK_ROWS):
        columns = {name: cast("_Array", batch.column(name)) for name in (*texts, *numbers)}
        for name, column in columns.items():
            _check_type(path, name, column.type)
        yield Chunk(
            first_row=first,
            rows=batch.num_rows,
            texts={name: _encoded(columns[name]) for name in texts},
            numbers={name: _floats(path, name, columns[name], first) for name in numbers},
        )
        first += batch.num_rows


def _check_type(path: Path, name: str, kind: object) -> None:
    """Refuse a column whose cells are made of others."""
    if str(kind).startswith(_NESTED):
        raise InputError(f"{path}: column {name!r} must hold texts, numbers or truth values; it holds {kind}")


def _encoded(column: object) -> TextColumn:
    if hasattr(column, "dictionary_encode"):
        column = column.dictionary_encode()
    encoded = cast("_DictionaryArray", column)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return _stripped(codes, [_text(value) for value in encoded.dictionary.to_pylist()])


def _text(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 - nan is the value that is not itself
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _floats(path: Path, name: str, column: _Array, first_row: int) -> Floats:
    if not _is_number(column.type):
        texts = _encoded(column)
        series = pd.Series(np.array(texts.texts, dtype=object)[texts.codes], dtype="str")
        return _parsed(path, name, series, first_row)
    # Whole numbers of more than 53 bits are rounded, as those of a CSV file are; arrow would refuse them.
    found = column.cast("float64", safe=False).to_numpy(zero_copy_only=False)
    infinite = np.isinf(found)
    _check_numbers(path, name, infinite, [str(value) for value in found[infinite][:1]], first_row)
    return found


def _is_number(kind: object) -> bool:
    # Decimals and truth values are no numbers here: the first are read as texts, the second refused.
    return str(kind).startswith(("int", "uint", "float", "double", "halffloat"))
