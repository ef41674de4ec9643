"""The page that the calibration writes: tables with the cells that miss their target marked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Cell", "cells_table", "page"]

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
