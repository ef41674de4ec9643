"""What simulated audits told: asked in batches, and written as a page by a command."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.processes import in_processes

__all__ = ["Told", "command", "in_batches", "page_of", "share"]

Told = npt.NDArray[np.float64]
"""One row an audit, then the methods, then what is counted of each; nan if not measured."""


def in_batches(told: Callable[[range], Told], runs: int, at_once: int, *, workers: int) -> Told:
    """What so many audits told, in order.

    Args:
        told: Gives that of the audits of some numbers; for more than one worker a function that can be
            imported by name, or a partial of one.
        runs: Audits, numbered from 0.
        at_once: How many it is handed at a time.
        workers: Processes; 1 is this one.
    """
    batches = [range(start, min(start + at_once, runs)) for start in range(0, runs, at_once)]
    found = map(told, batches) if workers == 1 else in_processes(told, batches, workers=workers)
    return np.concatenate(list(found))


def page_of(
    title: str, made: str, about: Sequence[str], tables: Mapping[str, Sequence[str]], says: Sequence[str]
) -> str:
    """A page with one table a scene.

    Args:
        title: Of the page.
        made: The line that says of how many audits, and by which command.
        about: What is simulated and counted.
        tables: Lines of the table of each scene, by its name.
        says: What the tables say.
    """
    lines = [f"# {title}", "", made, *about]
    for name, table in tables.items():
        lines += ["", f"## {name[0].upper()}{name[1:]}", "", *table]
    return "\n".join([*lines, "", *says]) + "\n"


def command(about: str | None, file: str, text: Callable[[int], str]) -> None:
    """Read the command line, print the page and write it.

    Args:
        about: What `--help` says.
        file: Name of the page in `docs/explanation`, unless another is given.
        text: Makes the page of so many audits a cell.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "docs" / "explanation" / file)
    chosen = parser.parse_args()
    if chosen.runs < 2:
        parser.error(f"--runs must be at least 2; got {chosen.runs}")
    made = text(chosen.runs)
    print(made)
    chosen.out.write_text(made, encoding="utf-8")


def share(hits: Told) -> str:
    """A share in percent with its Monte-Carlo error; nothing of none."""
    if hits.size == 0:
        return "-"
    found = float(hits.mean())
    return f"{100 * found:.1f} ± {100 * (found * (1 - found) / hits.size) ** 0.5:.1f} %"
