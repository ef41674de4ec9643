"""The tables of an audit: one for every group column, and one for their crossing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.errors import InputError
from audit.tables.options import TableOptions, says_nothing
from audit.tables.rates import Counts, Trials, tally
from audit.tables.reading import ABSENT, YES, Cells

__all__ = ["UNKNOWN", "Basis", "make_bases"]

UNKNOWN = "(unknown)"
"""Name of the rows whose category is not known."""

_MOST_GROUPS = 2_000
_SHOWN_GROUPS = 8

Codes = npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """One way to divide people into groups, and what was decided about each."""

    name: str
    """The column, or columns joined by ` & `."""
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    """Names of the groups as the document says them, in a fixed order."""
    groups: Codes
    """Number of each cell's group, -1 where the category is not known, shape (cells,)."""
    decided: tuple[Counts, ...]
    """Rows with a decision and favourable ones, by group."""
    undecided: tuple[Counts, ...]
    """Rows, and those without a decision, by group."""
    unknown: Counts
    """Rows with a decision whose category is not known."""
    unknown_rows: int
    unknown_values: tuple[tuple[str, int], ...]
    """What those rows have as category, with counts; empty cells as the empty text."""
    included: tuple[bool, ...]
    """False where a category's share lies below the one declared."""
    reference: int | None
    """Number of the group that others are compared with; None if no group has a decision."""
    declared: bool
    """True if the reference was named beforehand; else it is the highest rate seen."""

    qualified: bool
    """Groups are said as `column=value`."""

    @property
    def unknown_label(self) -> str:
        """Name of the rows without a known category."""
        return f"{self.name}={UNKNOWN}" if self.qualified else UNKNOWN

    def count(self, cells: Cells, *, trials: Flags, hits: Flags) -> Iterator[Trials]:
        """Trials and hits of every group, and last of the rows whose category is not known.

        Args:
            cells: The counted file.
            trials: Cells in the denominator.
            hits: Cells in the numerator.
        """
        return _count(cells, self.groups, len(self.labels), trials=trials, hits=hits)

    def share(self, group: int) -> float | None:
        """Share of a group in the rows with a known category and decision; None if there are none."""
        total = sum(one.trials for one in self.decided)
        return self.decided[group].trials / total if total else None


def make_bases(cells: Cells, options: TableOptions) -> tuple[Basis, ...]:
    """Every table the options ask for.

    Args:
        cells: The counted file.
        options: Group columns, references, exclusion, and whether to cross.

    Returns:
        One for every column in the order given, then the crossing.

    Raises:
        InputError: A reference is no group, is ambiguous or is excluded, or a crossing has too many groups.
    """
    positions: list[tuple[int, ...]] = [(position,) for position in range(len(cells.columns))]
    if options.intersections:
        positions.append(tuple(range(len(cells.columns))))
    divided = [_divide(cells, options, chosen) for chosen in positions]
    references = _declared(divided, options)
    return tuple(_basis(cells, options, one, references.get(number)) for number, one in enumerate(divided))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Division:
    columns: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    """Values of each group, one a column, sorted."""
    groups: Codes
    unknown_values: tuple[tuple[str, int], ...]
    qualified: bool
    """Say groups as `column=value`, since the audit has several columns."""

    def labels(self) -> tuple[str, ...]:
        if not self.qualified:
            return tuple(member[0] for member in self.members)
        return tuple(_full(self.columns, member) for member in self.members)

    def names_of(self, group: int) -> set[str]:
        """What a user may call a group."""
        member = self.members[group]
        names = {_full(self.columns, member)}
        return names | {member[0]} if len(member) == 1 else names


def _full(columns: Sequence[str], values: Sequence[str]) -> str:
    return " & ".join(f"{column}={value}" for column, value in zip(columns, values, strict=True))


def _divide(cells: Cells, options: TableOptions, chosen: tuple[int, ...]) -> _Division:
    members, position = _members(cells, chosen)
    unknown = [any(_is_unknown(value, options) for value in member) for member in members]
    known = sorted(member for member, absent in zip(members, unknown, strict=True) if not absent)
    columns = tuple(cells.columns[column] for column in chosen)
    numbers = {member: number for number, member in enumerate(known)}
    number_of = np.array([numbers.get(member, -1) for member in members], dtype=np.int16)
    rows = np.bincount(position, weights=cells.counts, minlength=len(members))
    absent_rows = sorted(
        (" & ".join(member), int(count))
        for member, count, absent in zip(members, rows.tolist(), unknown, strict=True)
        if absent
    )
    return _Division(
        columns=columns,
        members=tuple(known),
        groups=number_of[position],
        unknown_values=tuple(absent_rows),
        qualified=len(cells.columns) > 1,
    )


def _members(cells: Cells, chosen: tuple[int, ...]) -> tuple[list[tuple[str, ...]], Codes]:
    """Combinations of values that occur, and which of them each cell has."""
    members: list[tuple[str, ...]] = [()]
    position = np.zeros(cells.counts.size, dtype=np.int32)
    for column in chosen:
        names = cells.names[column]
        # One column after the other, so that the numbers stay small enough to count instead of sort.
        joined = position * len(names) + cells.codes[:, column]
        present = np.flatnonzero(np.bincount(joined, minlength=1))
        members = [(*members[code // len(names)], names[code % len(names)]) for code in present.tolist()]
        if len(members) > _MOST_GROUPS:
            columns = ", ".join(cells.columns[number] for number in chosen)
            raise InputError(
                f"crossing {columns} gives more than {_MOST_GROUPS:,} groups: "
                "leave out --intersections or take fewer columns"
            )
        number_of = np.zeros(int(joined.max(initial=0)) + 1, dtype=np.int32)
        number_of[present] = np.arange(present.size, dtype=np.int32)
        position = number_of[joined]
    return members, position


def _is_unknown(value: str, options: TableOptions) -> bool:
    return says_nothing(value) or value in {text.strip() for text in options.unknown}


def _declared(divided: Sequence[_Division], options: TableOptions) -> dict[int, int]:
    """The reference named for each table, by their numbers."""
    found: dict[int, int] = {}
    for text in options.references:
        matches = [
            (table, group)
            for table, division in enumerate(divided)
            for group in range(len(division.members))
            if text.strip() in division.names_of(group)
        ]
        if not matches:
            labels = [label for division in divided for label in division.labels()]
            shown = ", ".join(map(repr, labels[:_SHOWN_GROUPS])) + (", …" * (len(labels) > _SHOWN_GROUPS))
            raise InputError(f"--reference {text!r} is no group; groups: {shown}")
        if len(matches) > 1:
            raise InputError(
                f"--reference {text!r} is a group of several columns; say which, such as "
                f"{divided[matches[0][0]].labels()[matches[0][1]]!r}"
            )
        table, group = matches[0]
        if table in found:
            raise InputError(f"--reference {text!r}: {' & '.join(divided[table].columns)} has one already")
        found[table] = group
    return found | _implied(divided, found)


def _implied(divided: Sequence[_Division], found: Mapping[int, int]) -> dict[int, int]:
    """The crossing's reference, where every column alone has one and somebody is in all of them."""
    last = len(divided) - 1
    if len(divided[last].columns) == 1 or any(table not in found for table in range(last)) or last in found:
        return {}
    member = tuple(divided[table].members[found[table]][0] for table in range(last))
    return {last: divided[last].members.index(member)} if member in divided[last].members else {}


def _basis(cells: Cells, options: TableOptions, division: _Division, declared: int | None) -> Basis:
    known = len(division.members)
    has_decision = cells.outcome != ABSENT
    made = _count(cells, division.groups, known, trials=has_decision, hits=cells.outcome == YES)
    every = _count(cells, division.groups, known, trials=np.ones_like(has_decision), hits=~has_decision)
    decided, undecided = [one.counts() for one in made], [one.counts() for one in every]
    total = sum(one.trials for one in decided[:known])
    limit = 0.0 if options.exclude_below is None else options.exclude_below
    included = tuple(total > 0 and one.trials / total >= limit for one in decided[:known])
    reference = _highest(decided[:known], included)
    if declared is not None:
        _check_reference(division.labels()[declared], decided[declared], included=included[declared])
        reference = declared
    return Basis(
        name=" & ".join(division.columns),
        columns=division.columns,
        labels=division.labels(),
        groups=division.groups,
        decided=tuple(decided[:known]),
        undecided=tuple(undecided[:known]),
        unknown=decided[known],
        unknown_rows=undecided[known].trials,
        unknown_values=division.unknown_values,
        included=included,
        reference=reference,
        declared=declared is not None,
        qualified=division.qualified,
    )


def _count(cells: Cells, groups: Codes, known: int, *, trials: Flags, hits: Flags) -> Iterator[Trials]:
    return tally(
        np.where(groups < 0, known, groups),
        known + 1,
        trials=trials,
        hits=hits,
        counts=cells.counts,
        clusters=cells.clusters,
    )


def _highest(decided: Sequence[Counts], included: Sequence[bool]) -> int | None:
    """The included group with the highest rate; the larger, then the first, of several."""
    ranked = [
        (one.hits / one.trials, one.trials, -number)
        for number, one in enumerate(decided)
        if included[number] and one.trials
    ]
    return -max(ranked)[2] if ranked else None


def _check_reference(label: str, decided: Counts, *, included: bool) -> None:
    if not decided.trials:
        raise InputError(f"--reference {label!r} has no row with a decision")
    if not included:
        raise InputError(
            f"--reference {label!r} has {decided.trials} rows, a share below --exclude-below; "
            "name another group or leave --exclude-below out"
        )
