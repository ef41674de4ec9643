"""Which reader reads a log: named in the spec, or recognised by what stands in the file."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from probes.data import absence
from probes.errors import DataError
from probes.public.logs.columns import Columns, read_columns
from probes.public.logs.documents import first_keys
from probes.public.logs.entries import ABSENT, LogEntry, Problem, fact_of
from probes.public.logs.garak import read_hits, read_report
from probes.public.logs.inspect_logs import read_inspect
from probes.public.logs.lines import objects
from probes.public.logs.lm_eval import read_samples
from probes.public.logs.openai_objects import read_objects
from probes.public.logs.promptfoo import read_promptfoo

__all__ = ["ATTACK_FORMATS", "FORMATS", "Format", "Log", "open_log", "recognised"]

Format = Literal["inspect", "garak", "garak_hits", "promptfoo", "lm_eval", "openai", "columns"]

ATTACK_FORMATS = frozenset({"garak", "garak_hits"})
"""Formats of tools whose prompts are attacks, whatever is expected of the reply."""

_READERS: Mapping[str, Callable[[Path], Iterator[LogEntry | Problem]]] = MappingProxyType(
    {
        "inspect": read_inspect,
        "garak": read_report,
        "garak_hits": read_hits,
        "promptfoo": read_promptfoo,
        "lm_eval": read_samples,
        "openai": read_objects,
    }
)
FORMATS: tuple[str, ...] = (*_READERS, "columns")
"""Every name that `format` may have."""

_LOOKED_AT = 50
"""Lines in which a format is looked for."""
_LINES = (".jsonl", ".ndjson")
_TABLES = (*_LINES, ".json", ".csv", ".parquet")
_OBJECTS = frozenset({"chat.completion", "response"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log that can be read, again and again."""

    path: Path
    format: str
    recognised: bool
    """True if nobody named the format."""
    columns: Columns | None = None
    where: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Facts that an entry must have to be wanted."""

    def entries(self) -> Iterator[LogEntry | Problem]:
        """Every reply that is wanted, streaming; and every row that could not be read.

        Raises:
            DataError: The file is not what it was taken for.
        """
        if self.columns is not None:
            found = read_columns(self.path, self.columns)
        else:
            found = _READERS[self.format](self.path)
        for entry in found:
            if isinstance(entry, Problem) or self._wanted(entry):
                yield entry

    def _wanted(self, entry: LogEntry) -> bool:
        return all(_same(fact_of(entry, name), value) for name, value in self.where.items())

    @property
    def named(self) -> str:
        """The format, and whether it was recognised."""
        return f"{self.format} (recognised)" if self.recognised else self.format


def open_log(
    path: Path,
    *,
    format: Format | None = None,  # noqa: A002 - the key of the spec
    columns: Columns | None = None,
    where: Mapping[str, str | int | bool] | None = None,
) -> Log:
    """A log, ready to be read; nothing but its beginning is read now.

    Args:
        path: The file.
        format: Its format; None to recognise it.
        columns: Which column holds what, for a log of a service's own.
        where: Facts that an entry must have to be wanted, such as `{"provider": "openai:chat:x"}`.

    Raises:
        DataError: There is no such file, its format is not recognised, or fits several.
    """
    if not path.is_file():
        raise DataError(f"{path}: {absence(path)} (path)")
    where = where or {}
    if columns is not None and format not in (None, "columns"):
        raise DataError(f"{path}: columns is for format columns; got format {format}")
    if format == "columns" and columns is None:
        raise DataError(f"{path}: format columns needs columns, which name prompt and response")
    if columns is not None:
        return Log(path=path, format="columns", recognised=False, columns=columns, where=where)
    if format is not None:
        return Log(path=path, format=format, recognised=False, where=where)
    found = recognised(path)
    if found is None:
        raise DataError(
            f"{path}: its format is not recognised; give format ({', '.join(_READERS)}), or columns, which "
            "says which column holds the prompt and the response"
        )
    return Log(path=path, format=found, recognised=True, where=where)


def recognised(path: Path) -> str | None:
    """The format of a file by what stands in it; None if it is that of no tool.

    Raises:
        DataError: The file cannot be read, or fits several formats.
    """
    suffix = path.suffix.lower()
    if suffix == ".eval" or (suffix not in _TABLES and zipfile.is_zipfile(path)):
        return "inspect"
    if suffix == ".json":
        keys = set(first_keys(path))
        found = [name for name, needed in _KEYS.items() if needed <= keys]
    elif suffix in _LINES:
        rows = [row for _, row in islice(objects(path), _LOOKED_AT) if isinstance(row, dict)]
        found = [name for name, fits in _LINE_OF.items() if any(fits(row) for row in rows)]
    else:
        found = []
    if len(found) > 1:
        raise DataError(f"{path}: fits several formats, {', '.join(found)}; say which with format")
    return found[0] if found else None


def _has(*names: str) -> Callable[[Mapping[str, object]], bool]:
    return lambda row: all(name in row for name in names)


def _is_openai(row: Mapping[str, object]) -> bool:
    listed = row.get("data") if row.get("object") == "list" else None
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else row
    return str(first.get("object")) in _OBJECTS or ("custom_id" in row and "response" in row)


_KEYS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"inspect": frozenset({"version", "status", "eval"}), "promptfoo": frozenset({"evalId", "results"})}
)
_LINE_OF: Mapping[str, Callable[[Mapping[str, object]], bool]] = MappingProxyType(
    {
        "garak": _has("entry_type"),
        "garak_hits": _has("attempt_id", "detector", "goal"),
        "promptfoo": _has("promptIdx", "testIdx", "vars"),
        "lm_eval": _has("doc_id", "resps", "arguments"),
        "openai": _is_openai,
    }
)


def _same(found: object, wanted: str | int | bool) -> bool:  # noqa: FBT001 - a value of the spec, not a switch
    if found is ABSENT or found is None:
        return False
    return found == wanted if type(found) is type(wanted) else str(found) == str(wanted)
