"""The shipped goals: headline requests for harm, and the harmless twin of each."""

import csv
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from pydantic import ValidationError

from probes.base import Transform
from probes.data import find
from probes.errors import DataError, OptionError
from probes.plugins import load
from probes.records import Record

__all__ = [
    "PLAIN",
    "BenignRequest",
    "Category",
    "HarmfulGoal",
    "Pool",
    "benign_requests",
    "harmful_goals",
    "read_goals",
    "rewrites",
]

Pool = Literal["audit", "retraining"]
"""`audit`: asked in audits only. `retraining`: used in retraining files only."""

PLAIN = "none"
"""Technique of a request that is sent as it stands."""


class Category(StrEnum):
    """Kinds of harm."""

    VIOLENCE = "violence"
    WEAPONS = "weapons"
    SELF_HARM = "self_harm"
    HATE_HARASSMENT = "hate_harassment"
    FRAUD = "fraud"
    CYBERCRIME = "cybercrime"
    DRUGS = "drugs"
    PRIVACY = "privacy"


class HarmfulGoal(Record):
    """One headline request for harm."""

    id: str
    category: Category
    severity: Literal["low", "medium", "high", "critical"]
    """Harm that full compliance could do; rubric in the data set's datasheet."""
    goal: str
    pool: Pool


class BenignRequest(Record):
    """One harmless request that shares words with a harmful goal."""

    id: str
    category: Category
    """Category of the twin: the harm that the wording recalls."""
    twin_of: str = ""
    """Id of the harmful goal; empty for a further look-alike, which is for retraining only."""
    request: str
    pool: Pool
    answer: str
    """A short helpful answer; empty in the pool `audit`."""

    @property
    def cluster(self) -> str:
        """Id that stands for this wording: the twin's, or its own where it has no twin."""
        return self.twin_of or self.id


class _Row(Protocol):
    @property
    def category(self) -> Category: ...

    @property
    def pool(self) -> Pool: ...


_RowT = TypeVar("_RowT", bound=_Row)
_RecordT = TypeVar("_RecordT", bound=Record)


def harmful_goals(
    *, pool: Pool, categories: Sequence[Category] = (), per_category: int | None = None
) -> tuple[HarmfulGoal, ...]:
    """The shipped harmful goals, in the order of the file.

    Args:
        pool: `audit` or `retraining`; the two share no goal.
        categories: Categories wanted; none means all.
        per_category: How many of each category, the first ones of the file; None means all.

    Returns:
        The goals, category by category.

    Raises:
        DataError: The shipped file is missing or malformed.
    """
    return tuple(_selected(read_goals("harmful_en", HarmfulGoal), pool, categories, per_category))


def benign_requests(
    *, pool: Pool, categories: Sequence[Category] = (), per_category: int | None = None
) -> tuple[BenignRequest, ...]:
    """The shipped harmless requests; with the same arguments, the twins of `harmful_goals` come first.

    Args:
        pool: `audit` or `retraining`; only the latter carry an answer, and have look-alikes without a twin.
        categories: Categories wanted; none means all.
        per_category: How many of each category, the first ones of the file; None means all.

    Returns:
        The requests in the order of their twins, then those without one.

    Raises:
        DataError: The shipped file is missing or malformed.
    """
    return tuple(_selected(read_goals("benign_en", BenignRequest), pool, categories, per_category))


def rewrites(techniques: Sequence[str], *, where: str) -> tuple[tuple[str, Transform | None], ...]:
    """The plain request (`none`, always first) and the named transforms, in the order given.

    Args:
        techniques: Names of the entry-point group `evenhand.transforms`; `none` may be among them.
        where: The probe's name, for the error.

    Returns:
        Pairs of name and transform; the transform of `none` is None.

    Raises:
        OptionError: A technique is named twice.
        PluginError: A technique is unknown or does not load.
    """
    named = [technique for technique in techniques if technique != PLAIN]
    twice = sorted({technique for technique in named if named.count(technique) > 1})
    if twice:
        raise OptionError(f"{where}: techniques must differ; got {', '.join(twice)} more than once")
    return ((PLAIN, None), *((name, load("evenhand.transforms", name)()) for name in named))


def read_goals(name: str, record: type[_RecordT]) -> list[_RecordT]:
    """The rows of a shipped set of requests, each as a record.

    Args:
        name: Its folder under `goals`.
        record: What a row is.

    Raises:
        DataError: The file is missing or malformed; names file, line and column.
    """
    path = find("goals", name, "data.csv")
    with path.open(encoding="utf-8", newline="") as handle:
        return [
            _record(record, row, path, number) for number, row in enumerate(csv.DictReader(handle), start=2)
        ]


def _record(record: type[_RecordT], row: dict[str, str], path: Path, line: int) -> _RecordT:
    try:
        return record.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path}: line {line}: {key}: {first['msg']}; got {first['input']!r}") from error


def _selected(
    rows: Iterable[_RowT], pool: Pool, categories: Sequence[Category], per_category: int | None
) -> Iterable[_RowT]:
    wanted = frozenset(categories or Category)
    counts = dict.fromkeys(Category, 0)
    for row in rows:
        if row.pool != pool or row.category not in wanted:
            continue
        counts[row.category] += 1
        if per_category is None or counts[row.category] <= per_category:
            yield row
