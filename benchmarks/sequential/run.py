"""Error rates and calls of runs until decided, beside one analysis at the end.

    python -m benchmarks.sequential.run [--audits 4000] [--out docs/explanation/sequential-tables.md]

Run it from the project's root: about a minute of two cores, no network. It prints the page and writes it.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.processes import in_processes
from benchmarks.sequential.measure import FAMILIES, NULLS, family_row, row, spent_row
from benchmarks.sequential.page import Measured, render
from benchmarks.sequential.simulate import Cell

__all__ = ["CELLS", "main"]

DESIGNS = ((60, 10), (120, 4), (120, 10))
MARGINS = (0.05, 0.10)
GAPS = (0.0, 0.02, 0.05, 0.10, 0.20)
CELLS = tuple(
    Cell(templates=templates, repeats=repeats, margin=margin, gap=gap)
    for (templates, repeats), margin, gap in product(DESIGNS, MARGINS, GAPS)
)


def main() -> None:
    """Simulate every row, print the page and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--audits", type=int, default=4_000)
    parser.add_argument("--bets", type=int, default=400)
    parser.add_argument("--families", type=int, default=2_000)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "docs" / "explanation" / "sequential-tables.md")
    chosen = parser.parse_args()
    families = in_processes(partial(family_row, chosen.families), FAMILIES)
    found = Measured(
        families=dict(zip(FAMILIES, families, strict=True)),
        rows=list(in_processes(partial(row, chosen.audits, chosen.bets), CELLS)),
        family_audits=chosen.families,
        spent=list(in_processes(partial(spent_row, chosen.audits), NULLS)),
    )
    text = render(found)
    chosen.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
