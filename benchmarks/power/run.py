"""How often a planted gap is found: alone, in a run, and against what knowing the variances would allow.

    python -m benchmarks.power.run [--simulations 2000] [--out docs/explanation/power-tables.md]

About five minutes of two free cores. It prints the page and writes it.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Protocol, TypeVar

from benchmarks.power.alone import Found, alone, equivalent
from benchmarks.power.family import Planted, family
from benchmarks.power.page import Measured, render
from benchmarks.processes import in_processes

TEMPLATES = (12, 30, 60, 100, 120)
REPEATS = (1, 4, 8, 10, 16)
GAPS = (0.02, 0.05, 0.10, 0.20)
TOLD_EVERY = 25

Design = tuple[int, int]
Asked = TypeVar("Asked")


class Each(Protocol):
    """`map`, or the like of it."""

    def __call__(self, make: Callable[[Asked], Found], asked: Iterable[Asked], /) -> Iterable[Found]:
        """What is made of each, in order."""
        ...


def measured(designs: Sequence[Design], simulations: int, *, each: Each) -> Measured:
    """Every table of the page; families have half as many simulations.

    Args:
        designs: Templates and repeats.
        simulations: Simulated audits a cell.
        each: Applies a function to each cell in order: `map`, or that of a pool of processes.
    """
    cells = [(*design, gap) for design, gap in product(designs, (0.0, *GAPS))]
    large = [Planted(templates=t, repeats=r, gap=gap) for (t, r), gap in product(designs, GAPS)]
    small = [Planted(templates=t, repeats=r, gap=gap, primary=2) for (t, r), gap in product(designs, GAPS)]
    twice = [Planted(templates=t, repeats=r, gap=0.10, planted=2) for t, r in designs]
    same = [(*design, gap) for design, gap in product(designs, (0.0, 0.02, 0.05))]
    of_family = partial(family, simulations=max(2, simulations // 2))
    return Measured(
        simulations=simulations,
        alone=dict(zip(cells, _told(each(partial(_alone, simulations), cells)), strict=True)),
        large=dict(zip(large, _told(each(of_family, large)), strict=True)),
        small=dict(zip(small, _told(each(of_family, small)), strict=True)),
        twice=dict(zip(twice, _told(each(of_family, twice)), strict=True)),
        same=dict(zip(same, _told(each(partial(_same, simulations), same)), strict=True)),
    )


def _alone(simulations: int, cell: tuple[int, int, float]) -> Found:
    return alone(*cell, simulations=simulations)


def _same(simulations: int, cell: tuple[int, int, float]) -> Found:
    return {"equivalent": equivalent(*cell, simulations=simulations)}


def _told(found: Iterable[Found]) -> Iterator[Found]:
    started = time.monotonic()
    for done, one in enumerate(found, start=1):
        if done % TOLD_EVERY == 0:
            print(f"{done} cells of a table, {time.monotonic() - started:.0f} s", file=sys.stderr)
        yield one


def main() -> None:
    """Measure every cell, print the page and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=2000)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "docs" / "explanation" / "power-tables.md")
    chosen = parser.parse_args()
    if chosen.simulations < 2:
        parser.error(f"--simulations must be at least 2; got {chosen.simulations}")
    designs = list(product(TEMPLATES, REPEATS))
    text = render(measured(designs, chosen.simulations, each=in_processes))
    chosen.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
