"""Personal names and the groups they signal to readers; never what a person of that name is."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from probes.data import find
from probes.errors import DataError
from probes.seeds import derive, rng

__all__ = ["FirstName", "LastName", "NameList", "NameLists", "NameRotation", "load_names"]

_FIRST = ("first", "gender", "race_ethnicity", "cohort", "pool")
_LAST = ("last", "race_ethnicity", "pool")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstName:
    """A first name and what it signals: a gender, and either a race/ethnicity or an age cohort."""

    text: str
    gender: str
    race_ethnicity: str
    """Empty for a name of an age cohort."""
    cohort: str
    """Group of the attribute age; empty for a name of a race/ethnicity."""
    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastName:
    """A last name and the race/ethnicity it signals; empty for the neutral ones."""

    text: str
    race_ethnicity: str
    pool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameList:
    """First and last names of one cell, to be crossed."""

    first: tuple[str, ...]
    last: tuple[str, ...]

    def full(self, turn: int, *, last_turn: int | None = None) -> str:
        """The full name of a turn; turns go through all crossings of first and last names evenly.

        Args:
            turn: Any whole number from 0.
            last_turn: Turn of the last name if it shall be another, to keep it constant in a set.
        """
        used = turn if last_turn is None else last_turn
        # One more step of the last names at every round of the first ones goes through every crossing.
        last = self.last[(used + used // len(self.first)) % len(self.last)]
        return f"{self.first[turn % len(self.first)]} {last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameLists:
    """Every name of a data set."""

    first: tuple[FirstName, ...]
    last: tuple[LastName, ...]

    def cell(self, gender: str, *, race_ethnicity: str = "", cohort: str = "") -> NameList:
        """Names that signal a gender and either a race/ethnicity or an age cohort.

        Raises:
            DataError: There are no such names.
        """
        first = tuple(
            name.text
            for name in self.first
            if (name.gender, name.race_ethnicity, name.cohort) == (gender, race_ethnicity, cohort)
        )
        last = tuple(name.text for name in self.last if name.race_ethnicity == race_ethnicity)
        if not first or not last:
            raise DataError(
                f"no names for gender {gender!r}, {race_ethnicity or cohort or 'no other group'!r}"
            )
        return NameList(first=first, last=last)

    def genders(self) -> tuple[str, ...]:
        """Genders that names signal, in the order of the data."""
        return tuple(dict.fromkeys(name.gender for name in self.first))

    def races(self) -> tuple[str, ...]:
        """Race/ethnicity groups that names signal, in the order of the data."""
        return tuple(dict.fromkeys(name.race_ethnicity for name in self.first if name.race_ethnicity))

    def cohorts(self) -> tuple[str, ...]:
        """Age groups that names signal, in the order of the data."""
        return tuple(dict.fromkeys(name.cohort for name in self.first if name.cohort))

    def signals(self, first: str) -> FirstName | None:
        """What a first name signals; None if the lists do not hold it."""
        return next((name for name in self.first if name.text == first), None)


class NameRotation:
    """Hands out names of the cells in turn, so that over many sets all are used about equally.

    Each kind of set (`purpose`) goes round the lists by itself: asking for fewer kinds changes no
    name of the others.
    """

    def __init__(self, lists: NameLists, root: int) -> None:
        """Shuffle each cell once.

        Args:
            lists: The names.
            root: Seed of the order of each cell.
        """
        self._lists = lists
        self._root = root
        self._turns: dict[tuple[str, str, str, str], int] = {}
        self._cells: dict[tuple[str, str, str, str], NameList] = {}

    @property
    def lists(self) -> NameLists:
        """The names that are handed out."""
        return self._lists

    def next(self, purpose: str, gender: str, *, race_ethnicity: str = "", cohort: str = "") -> str:
        """The next full name of a cell for a kind of set."""
        names = self._shuffled(purpose, gender, race_ethnicity, cohort)
        return names.full(self._advance(purpose, gender, race_ethnicity, cohort))

    def next_sharing_last(self, purpose: str, cells: Sequence[tuple[str, str, str]]) -> list[str]:
        """The next full name of each cell, all with the last name of the first cell's turn.

        Args:
            purpose: Kind of set.
            cells: Gender, race/ethnicity and cohort of each; all draw on the same last names.
        """
        turns = [self._advance(purpose, *cell) for cell in cells]
        lasts = self._shuffled(purpose, *cells[0]).last
        names = [self._shuffled(purpose, *cell) for cell in cells]
        return [
            NameList(first=name.first, last=lasts).full(turn, last_turn=turns[0])
            for name, turn in zip(names, turns, strict=True)
        ]

    def _advance(self, purpose: str, gender: str, race_ethnicity: str, cohort: str) -> int:
        key = (purpose, gender, race_ethnicity, cohort)
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        return turn

    def _shuffled(self, purpose: str, gender: str, race_ethnicity: str, cohort: str) -> NameList:
        key = (purpose, gender, race_ethnicity, cohort)
        if key not in self._cells:
            cell = self._lists.cell(gender, race_ethnicity=race_ethnicity, cohort=cohort)
            order = rng(derive(self._root, "names"), *key)
            self._cells[key] = NameList(first=_permuted(cell.first, order), last=_permuted(cell.last, order))
        return self._cells[key]


def _permuted(names: tuple[str, ...], order: np.random.Generator) -> tuple[str, ...]:
    return tuple(names[int(i)] for i in order.permutation(len(names)))


def load_names(name: str = "en_us", *, pool: str | None = None) -> NameLists:
    """The shipped names.

    Args:
        name: Folder under `datasets/names`.
        pool: `audit` or `retraining`, which share no name; None for both. A name that trains a repair
            must not be one that audits it, or memory of names passes for repair.

    Raises:
        DataError: The data set is missing or malformed, or a name stands in two cells.
    """
    first = tuple(
        FirstName(
            text=row["first"],
            gender=row["gender"],
            race_ethnicity=row["race_ethnicity"],
            cohort=row["cohort"],
            pool=row["pool"],
        )
        for row in _rows(find("names", name, "first.csv"), _FIRST)
    )
    last = tuple(
        LastName(text=row["last"], race_ethnicity=row["race_ethnicity"], pool=row["pool"])
        for row in _rows(find("names", name, "last.csv"), _LAST)
    )
    if any(bool(item.race_ethnicity) == bool(item.cohort) for item in first):
        raise DataError(f"{name}/first.csv: every name must have either a race_ethnicity or a cohort")
    return NameLists(
        first=tuple(item for item in first if pool in (None, item.pool)),
        last=tuple(item for item in last if pool in (None, item.pool)),
    )


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    where = f"{path.parent.name}/{path.name}"
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != columns:
            raise DataError(
                f"{where}: columns must be {','.join(columns)}; got {','.join(reader.fieldnames or ())}"
            )
        rows = list(reader)
    seen: set[str] = set()
    for row in rows:
        if row[columns[0]] in seen:
            raise DataError(f"{where}: {row[columns[0]]} stands twice; a name signals one cell only")
        if row["pool"] not in ("audit", "retraining"):
            raise DataError(
                f"{where}: {row[columns[0]]}: pool must be audit or retraining; got {row['pool']!r}"
            )
        seen.add(row[columns[0]])
    return rows
