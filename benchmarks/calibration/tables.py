"""Tables of measured shares in Markdown, with the cells that miss their target marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import getdoc

import numpy as np
import numpy.typing as npt

__all__ = ["Cell", "Section", "cells_table", "section_text"]

Target = tuple[float | None, float | None]


@dataclass(slots=True, kw_only=True)
class Cell:
    """One design and what was measured in it."""

    templates: int
    repeats: int
    note: str = ""
    found: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Keep one measured fraction."""
        self.found[name] = value

    def average(self, names: Sequence[str], simulated: npt.ArrayLike) -> None:
        """Keep the mean of each column over the simulations, shape (simulations, columns).

        A simulation counts in no column for which it has nan; a column of nothing else is not kept.
        """
        columns = np.asarray(simulated, dtype=float).T
        for name, column in zip(names, columns, strict=True):
            if not np.isnan(column).all():
                self.add(name, float(np.nanmean(column)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of a page: how it is made, and what is promised of which columns."""

    title: str
    make: Callable[[int], list[Cell]]
    """From the number of simulations a cell to the cells; its docstring explains the table."""
    target: Target = (None, None)
    """Least and largest share that a cell may have."""
    promised: tuple[str, ...] = ()
    """Columns that the product promises the target for; the others stand beside them."""
    other: tuple[str, ...] = ()
    """Columns that are no error rate or coverage, so that the target says nothing of them."""
    most: int | None = None
    """Simulations a cell that are enough or all that can be afforded; None for as many as asked for."""


def section_text(section: Section, simulations: int) -> str:
    """The section in Markdown, from fresh simulations."""
    size = simulations if section.most is None else min(simulations, section.most)
    cells = section.make(size)
    return cells_table(section, cells, size)


def cells_table(section: Section, cells: Sequence[Cell], simulations: int) -> str:
    """A section: what was measured, the table in percent, its size, and the cells outside the target."""
    names = list(cells[0].found)
    noted = any(cell.note for cell in cells)
    head = ["templates", "repeats", *(["case"] if noted else []), *names]
    lines = [f"## {section.title}", "", (getdoc(section.make) or "").strip(), ""]
    lines += [_row(head), _row(["---"] * len(head))]
    off: dict[str, int] = {}
    for cell in cells:
        shown = [str(cell.templates), str(cell.repeats), *([cell.note] if noted else [])]
        for name in names:
            value = cell.found.get(name)
            outside = value is not None and name not in section.other and _outside(value, section.target)
            off[name] = off.get(name, 0) + outside
            shown.append("-" if value is None else f"{100 * value:.1f}{' *' if outside else ''}")
        lines.append(_row(shown))
    size = f"{simulations:,} simulations a cell."
    return "\n".join([*lines, "", size, _summary(off, len(cells), section.target), ""])


def _outside(value: float, target: Target) -> bool:
    least, most = target
    return (least is not None and value < least) or (most is not None and value > most)


def _row(entries: Sequence[str]) -> str:
    return f"| {' | '.join(entries)} |"


def _summary(off: dict[str, int], n: int, target: Target) -> str:
    least, most = (None if end is None else f"{100 * end:.1f}" for end in target)
    if least is None and most is None:
        return "No target is set for these."
    between = (
        f"between {least} and {most}"
        if least and most
        else f"at least {least}"
        if least
        else f"at most {most}"
    )
    outside = [f"{name} {count} of {n}" for name, count in off.items() if count]
    found = f"Outside: {', '.join(outside)}." if outside else "No cell is outside."
    return f"Target: {between} %.\n{found}"
