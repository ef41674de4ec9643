"""The page that the calibration writes: tables with the cells that miss their target marked."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import getdoc
from pathlib import Path

__all__ = ["Cell", "Section", "cells_table", "page", "section_text", "write_page"]

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


def write_page(
    sections: Sequence[Section], whole: Callable[[Sequence[str], int], str], *, description: str, name: str
) -> None:
    """Run the simulations that the command line asks for, write the page into the docs and print it.

    With `--only TITLE` one section of the page that is there is made anew and the others are kept: each
    draws from a stream of its own.

    Args:
        sections: Tables of the page.
        whole: From the tables and the number of simulations to the page.
        description: Help of the command.
        name: File of the page, under docs/explanation.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=2000)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "docs" / "explanation" / name)
    parser.add_argument(
        "--only", choices=[section.title for section in sections], help="make this table anew only"
    )
    chosen = parser.parse_args()
    tables = []
    for section in sections:
        if chosen.only in {None, section.title}:
            started = time.perf_counter()
            tables.append(section_text(section, chosen.simulations))
            print(f"{section.title}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if chosen.only is None:
        text = whole(tables, chosen.simulations)
    else:
        text = _replaced(chosen.out.read_text(encoding="utf-8"), chosen.only, tables[0])
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(text, encoding="utf-8")
    print(text)


def section_text(section: Section, simulations: int) -> str:
    """The section in Markdown, from fresh simulations."""
    return cells_table(section.title, getdoc(section.make) or "", section.make(simulations), section.target)


def _replaced(text: str, title: str, table: str) -> str:
    start = text.index(f"## {title}\n")
    end = text.index("\n## ", start) + 1
    return text[:start] + table.rstrip("\n") + "\n\n" + text[end:]


def cells_table(title: str, explanation: str, cells: Sequence[Cell], target: Target) -> str:
    """A section: what was measured, the table in percent, and the cells outside the target."""
    names = list(cells[0].found)
    noted = any(cell.note for cell in cells)
    head = ["templates", "repeats", *(["case"] if noted else []), *names]
    lines = [f"## {title}", "", explanation.strip(), "", _row(head), _row(["---"] * len(head))]
    off: dict[str, int] = {}
    for cell in cells:
        shown = [str(cell.templates), str(cell.repeats), *([cell.note] if noted else [])]
        for name in names:
            outside = _outside(cell.found[name], target)
            off[name] = off.get(name, 0) + outside
            shown.append(f"{100 * cell.found[name]:.1f}{' *' if outside else ''}")
        lines.append(_row(shown))
    return "\n".join([*lines, "", _summary(off, len(cells), target), ""])


def page(parts: Sequence[str], simulations: int) -> str:
    """The whole page."""
    error = 100 * (0.05 * 0.95 / simulations) ** 0.5
    intro = [
        "# Calibration: how often the statistics are wrong",
        "",
        (
            "Every number here is measured on simulated audits whose truth is known, with the functions of "
            "`audit.statistics` themselves."
        ),
        (
            f"Each cell has {simulations:,} simulations, so a true 5 % is measured with a standard error of "
            f"{error:.1f} points."
        ),
        (
            "Outputs are yes or no; templates differ by a standard deviation of 1.5 on the logit, and their "
            "reaction to the group by 0.5."
        ),
        "Columns are in percent, and a star marks a cell outside the target written below its table.",
        "A starred cell within one point of its target may be off by chance.",
        "Run `python -m benchmarks.calibration.run` to make this page again.",
        "",
    ]
    limits = [
        "## What this cannot show",
        "",
        (
            "The simulated templates are independent draws of one distribution; templates written by one "
            "author may share more than that, and then every interval here is too short."
        ),
        "The simulated analyzer makes no errors.",
        "Means of numbers with heavy tails, such as salaries, were not simulated.",
        "",
    ]
    return "\n".join([*intro, *parts, *limits])


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
