"""A decision table counted into cells: how often each combination of group, decision and label occurs.

Everything that is stated of a table comes from these counts, so ten million rows cost no more memory than
their different combinations (times clusters, if there are any).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.errors import InputError
from audit.tables.chunks import Chunk, TextColumn, read_chunks
from audit.tables.options import TableOptions, decides_nothing

__all__ = ["ABSENT", "NO", "YES", "Cells", "ScoreFacts", "is_one_of", "read_cells"]

NO, YES, ABSENT = 0, 1, 2
"""An unfavourable, a favourable and a missing reading of a row."""

_MOST_VALUES = 1_000
"""Different values of a group, outcome or label column above which it is taken for another kind of column."""

_GROUP_BITS, _READING_BITS = 10, 2
_SHOWN_VALUES = 8
_LEAST_MERGE = 1_000_000
_ROW_SALT = 0x9E3779B97F4A7C15

Codes = npt.NDArray[np.integer]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFacts:
    """The score column as a whole."""

    median: float
    """Median over all rows with a score, whatever their category."""
    rows: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Counts of a decision table; every array has one entry a cell."""

    rows: int
    """Rows of the file."""
    columns: tuple[str, ...]
    """Group columns."""
    names: tuple[tuple[str, ...], ...]
    """Their values, as the codes number them."""
    codes: Codes
    """Index of the group's value, shape (cells, columns)."""
    outcome: Codes
    """`NO`, `YES` or `ABSENT`."""
    label: Codes
    above: Codes
    """Whether the score is strictly above the median of all scores."""
    counts: Codes
    clusters: Codes | None
    """Number of the cluster, from 0 and ascending; None if rows are taken as independent."""
    rows_without_cluster: int
    """Rows with an empty cluster cell; each counts as a cluster of its own."""
    outcome_values: tuple[tuple[str, int], ...]
    """Values of the outcome with their counts, sorted; the empty text is a missing decision."""
    label_values: tuple[tuple[str, int], ...]
    score: ScoreFacts | None


def read_cells(path: Path, options: TableOptions) -> Cells:
    """Read a file and count its cells.

    The file is read once, or twice with a score, since the median comes first. Clusters are told apart
    by a 64-bit hash of their names: in ten million, two share one with a probability below 3 in a million.

    Args:
        path: A CSV or Parquet file.
        options: Which columns say what.

    Returns:
        The counts; groups keep every value, also empty ones.

    Raises:
        InputError: The file cannot be read, a column is missing or has too many values, or no row has a
            favourable value.
    """
    score = None if options.score is None else _median(path, options.score)
    counting = _Counting(path=path, options=options, median=None if score is None else score.median)
    texts = [options.outcome, *options.groups]
    texts += [name for name in (options.label, options.cluster) if name is not None]
    numbers = () if options.score is None else (options.score,)
    for chunk in read_chunks(path, texts=texts, numbers=numbers):
        counting.add(chunk)
    return counting.result(score)


def _median(path: Path, column: str) -> ScoreFacts:
    kept: list[npt.NDArray[np.float64]] = []
    rows = 0
    for chunk in read_chunks(path, texts=(), numbers=(column,)):
        found = chunk.numbers[column]
        kept.append(found[~np.isnan(found)])
        rows += chunk.rows
    scores = np.concatenate(kept) if kept else np.empty(0)
    if not scores.size:
        raise InputError(f"{path}: column {column!r} has no number in any of {rows} rows")
    # Kept as it is stored: rounding could put a score on the other side of the median.
    middle = float(np.median(scores, overwrite_input=True))
    return ScoreFacts(median=middle, rows=int(scores.size), missing=rows - int(scores.size))


@dataclass(slots=True)
class _Vocabulary:
    """Numbers for the values of one column, in the order they are met."""

    path: Path
    column: str
    numbers: dict[str, int] = field(default_factory=dict)

    def codes(self, column: TextColumn) -> Codes:
        numbered = [self.numbers.setdefault(value, len(self.numbers)) for value in column.texts]
        if len(self.numbers) > _MOST_VALUES:
            raise InputError(
                f"{self.path}: column {self.column!r} has more than {_MOST_VALUES:,} different values; "
                "groups must be categories: bin ages and other numbers first"
            )
        return np.asarray(numbered, dtype=np.int64)[column.codes]


@dataclass(slots=True)
class _Readings:
    """Yes, no or absent for every row of a column, by the values that mean yes."""

    path: Path
    column: str
    favourable: tuple[str, ...]
    named: bool = True
    """Whether these values were named for this column, and not for another one."""
    seen: Counter[str] = field(default_factory=Counter)

    def read(self, column: TextColumn) -> Codes:
        readings = [self._reading(value) for value in column.texts]
        for value, count in zip(
            column.texts, np.bincount(column.codes, minlength=len(column.texts)).tolist(), strict=True
        ):
            self.seen[value] += count
        if len(self.seen) > _MOST_VALUES:
            raise InputError(
                f"{self.path}: column {self.column!r} has more than {_MOST_VALUES:,} different values; "
                "it must hold decisions, such as yes and no (--score takes a column of numbers)"
            )
        return np.asarray(readings, dtype=np.int64)[column.codes]

    def _reading(self, value: str) -> int:
        if is_one_of(value, self.favourable):
            return YES
        return ABSENT if decides_nothing(value) else NO

    def counted(self) -> tuple[tuple[str, int], ...]:
        """Values with counts; refused if one that is named as favourable is none of them."""
        found = tuple(sorted((value, count) for value, count in self.seen.items() if count))
        never = [one for one in self.favourable if not any(is_one_of(value, (one,)) for value, _ in found)]
        if never and (self.named or len(never) == len(self.favourable)):
            present = [repr(value) for value, _ in found if value]
            shown = ", ".join(present[:_SHOWN_VALUES]) + (", …" if len(present) > _SHOWN_VALUES else "")
            wanted = ", ".join(map(repr, never))
            raise InputError(
                f"{self.path}: column {self.column!r} never has the favourable value {wanted}; "
                f"values present: {shown or 'none'}"
            )
        return found


def is_one_of(value: str, accepted: Iterable[str]) -> bool:
    """Whether a text is one of several: to the letter, or as the same number or truth value."""
    return any(
        value == one or _number(value) == _number(one) is not None or _truth(value) == _truth(one) is not None
        for one in (text.strip() for text in accepted)
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _truth(text: str) -> str | None:
    lowered = text.lower()
    return lowered if lowered in {"true", "false"} else None


class _Counting:
    """Adds chunks up."""

    def __init__(self, *, path: Path, options: TableOptions, median: float | None) -> None:
        self._options, self._median = options, median
        self._groups = [_Vocabulary(path, name) for name in options.groups]
        self._outcome = _Readings(path, options.outcome, options.favourable)
        self._label = (
            None
            if options.label is None
            else _Readings(
                path,
                options.label,
                options.label_favourable or options.favourable,
                named=bool(options.label_favourable),
            )
        )
        self._tally = _Tally()
        self._rows = self._rows_without_cluster = 0

    def add(self, chunk: Chunk) -> None:
        """Count one chunk."""
        options = self._options
        readings = [
            self._outcome.read(chunk.texts[options.outcome]),
            _absent(chunk) if self._label is None else self._label.read(chunk.texts[self._label.column]),
            self._above(chunk),
        ]
        keys = np.zeros(chunk.rows, dtype=np.int64)
        for vocabulary in self._groups:
            keys = (keys << _GROUP_BITS) | vocabulary.codes(chunk.texts[vocabulary.column])
        for reading in readings:
            keys = (keys << _READING_BITS) | reading
        self._tally.add(keys, None if options.cluster is None else self._hashes(chunk, options.cluster))
        self._rows += chunk.rows

    def _above(self, chunk: Chunk) -> Codes:
        if self._options.score is None or self._median is None:
            return _absent(chunk)
        scores = chunk.numbers[self._options.score]
        return np.where(np.isnan(scores), ABSENT, np.where(scores > self._median, YES, NO)).astype(np.int64)

    def _hashes(self, chunk: Chunk, column: str) -> Hashes:
        names = chunk.texts[column]
        hashed = pd.util.hash_array(np.array(names.texts, dtype=object))
        found = hashed[names.codes].astype(np.uint64)
        nameless = np.array([decides_nothing(value) for value in names.texts])[names.codes]
        if nameless.any():
            rows = np.flatnonzero(nameless).astype(np.uint64) + np.uint64(chunk.first_row)
            found[nameless] = pd.util.hash_array(rows ^ np.uint64(_ROW_SALT))
            self._rows_without_cluster += rows.size
        return found

    def result(self, score: ScoreFacts | None) -> Cells:
        """All that was counted."""
        keys, hashes, counts = self._tally.merged()
        # Small numbers: with clusters there may be as many cells as rows.
        readings: list[Codes] = []
        for _ in range(3):
            readings.insert(0, (keys & ((1 << _READING_BITS) - 1)).astype(np.int8))
            keys = keys >> _READING_BITS
        codes = np.empty((keys.size, len(self._groups)), dtype=np.int16)
        for position in reversed(range(len(self._groups))):
            codes[:, position] = keys & ((1 << _GROUP_BITS) - 1)
            keys = keys >> _GROUP_BITS
        clusters = None
        if hashes is not None:
            # The cells are sorted by hash already.
            changes = np.concatenate(([False], hashes[1:] != hashes[:-1]))
            clusters = np.cumsum(changes, dtype=np.int32)
        return Cells(
            rows=self._rows,
            columns=self._options.groups,
            names=tuple(tuple(vocabulary.numbers) for vocabulary in self._groups),
            codes=codes,
            outcome=readings[0],
            label=readings[1],
            above=readings[2],
            counts=counts,
            clusters=clusters,
            rows_without_cluster=self._rows_without_cluster,
            outcome_values=self._outcome.counted(),
            label_values=() if self._label is None else self._label.counted(),
            score=score,
        )


def _absent(chunk: Chunk) -> Codes:
    return np.full(chunk.rows, ABSENT, dtype=np.int64)


class _Tally:
    """Counts of (cell, cluster); parts are merged when they outgrow what is merged already."""

    def __init__(self) -> None:
        self._parts: list[tuple[Codes, Hashes | None, Codes]] = []
        self._pending = 0
        self._kept = 0

    def add(self, keys: Codes, hashes: Hashes | None) -> None:
        """Count rows."""
        self._parts.append(_summed([(keys, hashes, np.ones(keys.size, dtype=np.int32))]))
        self._pending += self._parts[-1][0].size
        if self._pending > max(_LEAST_MERGE, self._kept):
            self._parts = [_summed(self._parts)]
            self._kept, self._pending = self._parts[0][0].size, 0

    def merged(self) -> tuple[Codes, Hashes | None, Codes]:
        """Every (cell, cluster) once."""
        if not self._parts:
            empty = np.empty(0, dtype=np.int64)
            return empty, None, empty
        return _summed(self._parts)


def _summed(parts: Sequence[tuple[Codes, Hashes | None, Codes]]) -> tuple[Codes, Hashes | None, Codes]:
    keys = np.concatenate([part[0] for part in parts])
    counts = np.concatenate([part[2] for part in parts])
    named = list(_present(part[1] for part in parts))
    hashes = np.concatenate(named) if named else None
    order = np.argsort(keys, kind="stable") if hashes is None else np.lexsort((keys, hashes))
    keys = keys[order]
    changes = np.ones(keys.size, dtype=np.bool_)
    changes[1:] = keys[1:] != keys[:-1]
    if hashes is not None:
        hashes = hashes[order]
        changes[1:] |= hashes[1:] != hashes[:-1]
    starts = np.flatnonzero(changes)
    summed = np.add.reduceat(counts[order], starts) if starts.size else counts
    return keys[starts], None if hashes is None else hashes[starts], summed


def _present(arrays: Iterable[Hashes | None]) -> Iterator[Hashes]:
    for array in arrays:
        if array is not None:
            yield array
