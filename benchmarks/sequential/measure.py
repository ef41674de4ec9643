"""What is measured of one design and gap, and of one family."""

from dataclasses import dataclass
from types import MappingProxyType

from benchmarks.sequential.simulate import (
    OPEN,
    Cell,
    Family,
    Outcome,
    bets,
    default_boundaries,
    family,
    fixed,
    looks,
    smallest_fixed,
)
from probes.seeds import rng

__all__ = ["FAMILIES", "ROOT", "Row", "family_row", "row"]

ROOT = 20263
FAMILIES = MappingProxyType(
    {
        "12 comparisons, none true": (0.0,) * 12,
        "12 comparisons, 3 gaps of 20 points": (0.2,) * 3 + (0.0,) * 9,
        "12 comparisons, 6 gaps of 10 points": (0.1,) * 6 + (0.0,) * 6,
    }
)
"""True gaps, by what the family is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The same audits analysed once, looked at ten times, and by bets."""

    cell: Cell
    once: Outcome
    early: Outcome
    betted: Outcome
    smallest: float | None
    """Share of the templates with which one analysis decides as often as looking early; None if none does."""

    @property
    def calls(self) -> float:
        """Mean share of the plan's calls that looking early makes."""
        return float(self.early.share.mean())


def row(audits: int, by_bets: int, cell: Cell) -> Row:
    """One row of the table of single comparisons.

    Args:
        audits: Simulated audits.
        by_bets: How many of them are also decided by bets.
        cell: The design, its gap and its margin; cells of one design and gap share their audits.
    """
    draws = rng(ROOT, "sequential", cell.templates, cell.repeats, f"{cell.gap:g}")
    differences = cell.differences(draws, audits)
    early = looks(differences, cell)
    return Row(
        cell=cell,
        once=fixed(differences, cell),
        early=early,
        betted=bets(differences[:by_bets], cell),
        smallest=smallest_fixed(differences, cell, 1 - early.rate(OPEN)),
    )


def family_row(audits: int, words: str) -> Family:
    """One row of the table of families."""
    return family(
        rng(ROOT, "family", words),
        audits=audits,
        templates=60,
        repeats=10,
        gaps=FAMILIES[words],
        boundaries=default_boundaries(),
    )
