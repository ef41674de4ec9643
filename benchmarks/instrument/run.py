"""Does the instrument find what is planted, and nothing else? Hundreds of audits whose truth is known.

    python -m benchmarks.instrument.run [--runs 200] [--out docs/explanation/instrument.md]

Run it from the project's root: about a quarter of an hour of two cores, no network. It prints the page and
writes it. With `--keep FILE` finished runs are kept there, and a second call goes on where the first one
stopped.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.instrument.design import FULL, Design
from benchmarks.instrument.page import render
from benchmarks.instrument.told import Told, load, save, tell_all
from benchmarks.processes import in_processes


def main() -> None:
    """Run every audit that is not kept yet, print the page and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="file of finished runs, made if missing")
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "docs" / "explanation" / "instrument.md")
    chosen = parser.parse_args()
    if chosen.runs < 2:
        parser.error(f"--runs must be at least 2; got {chosen.runs}")
    kept = load(chosen.keep) if chosen.keep else []
    found = [one for one in kept if one.run < chosen.runs]
    known = {one.run for one in found}
    missing = [run for run in range(chosen.runs) if run not in known]
    for told in measured(FULL, missing):
        if chosen.keep:
            save(told, chosen.keep)
        found.extend(told)
    text = render(found, FULL)
    print(text)
    chosen.out.write_text(text, encoding="utf-8")


def measured(design: Design, runs: Sequence[int]) -> Iterator[list[Told]]:
    """The runs of each number, in order, worked on by two processes."""
    start = time.monotonic()
    for done, told in enumerate(in_processes(partial(tell_all, design), runs), start=1):
        yield told
        if done % 10 == 0:
            print(f"{done} of {len(runs)}, {time.monotonic() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
