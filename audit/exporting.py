"""A run as tables for other tools: prompts, outputs and scores, as Parquet or CSV, of any size.

Rows go from the store to the files page by page, so memory does not grow with the run. Texts are written
as they are: whoever opens a CSV file in a spreadsheet must know that a reply may begin like a formula.
"""

import csv
import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol, cast

from audit.errors import ExtraMissingError, StoreError
from audit.planned_run import Run
from audit.store.file import connected, values_of
from audit.store.migrations import SCHEMA_VERSION, columns_of
from audit.store.schema import LATEST, Row

__all__ = ["EXPORTED", "TableFormat", "export_run"]

TableFormat = Literal["parquet", "csv"]
EXPORTED = ("prompts", "outputs", "scores")
"""Tables that are exported, with the columns they have in the store."""
_PAGE = 20_000
"""Rows of one page, and of one row group."""
_FURTHER = MappingProxyType({"outputs": {"latest": f"({LATEST})"}})
"""Columns that the store does not have: 1 if no later attempt supersedes the output, else 0."""
_ORDER = MappingProxyType(
    {"prompts": "o.seq", "outputs": "o.id", "scores": "o.output, o.analyzer, o.measure"}
)


class _Writer(Protocol):
    def write_batch(self, batch: object) -> None: ...
    def close(self) -> None: ...


def export_run(run: Run, to: Path, *, kind: TableFormat = "parquet") -> dict[str, int]:
    """Write a run's prompts, outputs and scores into a folder, a file each.

    Args:
        run: The run.
        to: The folder; made if it is missing. A file takes its name only once it is whole.
        kind: Parquet with row groups, or CSV with a header.

    Returns:
        Rows of each table.

    Raises:
        ExtraMissingError: Parquet is wanted and pyarrow is not installed.
        StoreError: A disk refuses.
    """
    path = run.folder.database
    writing = _parquet if kind == "parquet" else _csv
    counts = {}
    try:
        to.mkdir(parents=True, exist_ok=True)
        with values_of(path), closing(connected(path, "ro")) as connection:
            for table in EXPORTED:
                columns = {
                    **columns_of(SCHEMA_VERSION)[table],
                    **dict.fromkeys(_FURTHER.get(table, {}), "INTEGER"),
                }
                selected = [_FURTHER.get(table, {}).get(name, f"o.{name}") for name in columns]
                cursor = connection.execute(
                    f"SELECT {', '.join(selected)} FROM {table} o ORDER BY {_ORDER[table]}"  # noqa: S608 - names of our own tables
                )
                with _whole(to / f"{table}.{kind}") as part, writing(part, columns) as write:
                    counts[table] = 0
                    while rows := list(islice(cursor, _PAGE)):
                        write(rows)
                        counts[table] += len(rows)
    except OSError as error:
        raise StoreError(f"{error.filename or to}: cannot be written: {error.strerror}") from error
    return counts


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of the file only once it is whole and on the disk."""
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _csv(path: Path, columns: Mapping[str, str]) -> Iterator[Callable[[Sequence[Row]], None]]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        yield writer.writerows


@contextmanager
def _parquet(path: Path, columns: Mapping[str, str]) -> Iterator[Callable[[Sequence[Row]], None]]:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ExtraMissingError(
            f'{path.name}: writing Parquet needs pyarrow: pip install "evenhand[parquet]"',
            next_step="or export with --format csv",
        ) from error
    kinds = {"TEXT": arrow.string(), "INTEGER": arrow.int64(), "REAL": arrow.float64()}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in columns.items()])

    def write(rows: Sequence[Row]) -> None:
        cells = [
            arrow.array(cell, field.type) for cell, field in zip(zip(*rows, strict=True), schema, strict=True)
        ]
        writer.write_batch(arrow.RecordBatch.from_arrays(cells, schema=schema))

    with closing(cast("_Writer", parquet.ParquetWriter(path, schema))) as writer:
        yield write
