"""Measures how often the statistics are wrong where the truth is known, and writes the calibration pages.

    python -m benchmarks.calibration.run [--simulations 2000] [--only TITLE ...] [--workers 2]

Run it from the project's root: no network. It writes the pages, after each table with all that are made,
and prints them at the end. With `--only` those tables are made anew and the others are taken from the
pages there are: each draws from a stream of its own.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks.calibration.pages import PAGES, SECTIONS
from benchmarks.calibration.tables import section_text
from benchmarks.processes import WORKERS, in_processes


def main() -> None:
    """Run the simulations that the command line asks for, write the pages into the docs and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=2000, help="simulated audits a cell")
    parser.add_argument(
        "--only", choices=list(SECTIONS), nargs="+", metavar="TITLE", help="make these tables anew only"
    )
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes")
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "docs" / "explanation", help="folder of the pages")
    chosen = parser.parse_args()
    if chosen.simulations < 1 or chosen.workers < 1:
        parser.error("--simulations and --workers must be at least 1")
    titles = chosen.only or list(SECTIONS)
    chosen.out.mkdir(parents=True, exist_ok=True)
    tables, started = _written(chosen.out) if chosen.only else {}, time.monotonic()
    made = in_processes(partial(_text, chosen.simulations), titles, workers=chosen.workers)
    for title, table in zip(titles, made, strict=True):
        tables[title] = table
        _write(tables, chosen.out)
        print(f"{title}: done after {time.monotonic() - started:.0f} s", file=sys.stderr)
    for page in PAGES:
        print((chosen.out / page.file).read_text(encoding="utf-8"))


def _write(tables: Mapping[str, str], folder: Path) -> None:
    for page in PAGES:
        made = [tables[section.title] for section in page.sections if section.title in tables]
        (folder / page.file).write_text(page.text(made), encoding="utf-8")


def _text(simulations: int, title: str) -> str:
    return section_text(SECTIONS[title], simulations)


def _written(folder: Path) -> dict[str, str]:
    """Text of each table that the pages of a folder hold, by title."""
    found = {}
    for path in (folder / page.file for page in PAGES):
        if path.exists():
            for part in path.read_text(encoding="utf-8").split("\n## ")[1:]:
                title = part.partition("\n")[0]
                if title in SECTIONS:
                    found[title] = f"## {part.rstrip()}\n"
    return found


if __name__ == "__main__":
    main()
