"""Error rates and calls of runs until decided, beside one analysis at the end.

Run `python -m benchmarks.sequential.run` from the project's root: about a minute of one core.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.sequential.simulate import (
    DISPARITY,
    EQUIVALENT,
    OPEN,
    Cell,
    bets,
    default_boundaries,
    family,
    fixed,
    looks,
    smallest_fixed,
)
from probes.seeds import rng

__all__ = ["DESIGNS", "GAPS", "MARGINS", "families", "main", "table"]

DESIGNS = ((60, 10), (120, 4), (120, 10))
GAPS = (0.0, 0.02, 0.05, 0.10, 0.20)
MARGINS = (0.05, 0.10)
ROOT = 20263
AUDITS, BETS = 4_000, 400


def table(audits: int, by_bets: int) -> Iterator[str]:
    """Lines of the table of single comparisons, in Markdown."""
    yield (
        "| templates x repeats | margin | true gap | one analysis: disparity, equivalent | until decided: "
        "disparity, equivalent | calls | calls against the smallest plan that decides as often | "
        "bets: decided, calls |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for templates, repeats in DESIGNS:
        for margin in MARGINS:
            for gap in GAPS:
                yield _row(
                    Cell(templates=templates, repeats=repeats, gap=gap, margin=margin), audits, by_bets
                )


def _row(cell: Cell, audits: int, by_bets: int) -> str:
    draws = rng(ROOT, "sequential", cell.templates, cell.repeats, f"{cell.gap:g}")
    differences = cell.differences(draws, audits)
    once, early = fixed(differences, cell), looks(differences, cell)
    betted = bets(differences[:by_bets], cell)
    calls = float(early.share.mean())
    small = smallest_fixed(differences, cell, 1 - early.rate(OPEN))
    against = "-" if small is None else f"{calls / small:.2f}"
    cells = [
        f"{cell.templates} x {cell.repeats}",
        f"{100 * cell.margin:.0f}",
        f"{100 * cell.gap:.0f}",
        f"{_percent(once.rate(DISPARITY))}, {_percent(once.rate(EQUIVALENT))}",
        f"{_percent(early.rate(DISPARITY))}, {_percent(early.rate(EQUIVALENT))}",
        _percent(calls),
        against,
        f"{_percent(1 - betted.rate(OPEN))}, {_percent(float(betted.share.mean()))}",
    ]
    return f"| {' | '.join(cells)} |"


def families(audits: int) -> Iterator[str]:
    """Lines of the table of whole families, in Markdown."""
    yield "| family | false among the disparities | true gaps found | calls |"
    yield "| --- | --- | --- | --- |"
    boundaries = default_boundaries()
    for words, gaps in (
        ("12 comparisons, none true", (0.0,) * 12),
        ("12 comparisons, 3 gaps of 20 points", (0.2,) * 3 + (0.0,) * 9),
        ("12 comparisons, 6 gaps of 10 points", (0.1,) * 6 + (0.0,) * 6),
    ):
        found = family(
            rng(ROOT, "family", words),
            audits=audits,
            templates=60,
            repeats=10,
            gaps=gaps,
            boundaries=boundaries,
        )
        hits = _percent(found.found) if any(gaps) else "-"
        yield f"| {words} | {_percent(found.false_share)} | {hits} | {_percent(found.calls)} |"


def main() -> None:
    """Print both tables, or write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=AUDITS)
    parser.add_argument("--bets", type=int, default=BETS)
    parser.add_argument("--families", type=int, default=2_000)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    error = 100 * np.sqrt(0.05 * 0.95 / chosen.audits)
    lines = [
        *table(chosen.audits, chosen.bets),
        "",
        f"{chosen.audits} audits a row ({chosen.bets} for bets); a rate of 5 % errs by {error:.2f} points.",
        "",
        *families(chosen.families),
        "",
        f"{chosen.families} audits a row at 60 x 10.",
    ]
    text = "\n".join(lines) + "\n"
    if chosen.out is None:
        print(text)
    else:
        chosen.out.write_text(text, encoding="utf-8")


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


if __name__ == "__main__":
    main()
