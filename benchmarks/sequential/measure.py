"""What is measured of one design and gap, and of one family."""

from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

from audit.looks import SequentialRule
from audit.statistics.group_sequential import group_sequential
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

__all__ = ["FAMILIES", "NULLS", "ROOT", "SHAPES", "Row", "Spent", "family_row", "row", "spent_row"]

ROOT = 20263
FAMILIES = MappingProxyType(
    {
        "12 comparisons, none true": (0.0,) * 12,
        "12 comparisons, 3 gaps of 20 points": (0.2,) * 3 + (0.0,) * 9,
        "12 comparisons, 6 gaps of 10 points": (0.1,) * 6 + (0.0,) * 6,
    }
)
"""True gaps, by what the family is called."""
SHAPES = (-4.0, -2.0, 0.0, 1.0)
"""Ways of spending the error rate of equivalence: kept for the end, then spent ever earlier."""
NULLS = tuple(
    (Cell(templates=templates, repeats=repeats, gap=0.0, margin=0.10), shape)
    for (templates, repeats), shape in product(((60, 10), (120, 4), (120, 10)), SHAPES)
)
"""Designs in which nothing differs, with each way of spending."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A null looked at while the error rate of equivalence is spent in some way."""

    cell: Cell
    shape: float
    once: Outcome
    early: Outcome
    smallest: float | None
    """As in `Row`."""


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


def spent_row(audits: int, asked: tuple[Cell, float]) -> Spent:
    """One row of the table of ways of spending; rows of one design share their audits.

    Args:
        audits: Simulated audits.
        asked: The design, and the shape by which the error rate of equivalence is spent.
    """
    cell, shape = asked
    differences = cell.differences(rng(ROOT, "spending", cell.templates, cell.repeats), audits)
    by = group_sequential(SequentialRule().looks, shape=shape)
    early = looks(differences, cell, equivalence=by)
    return Spent(
        cell=cell,
        shape=shape,
        once=fixed(differences, cell),
        early=early,
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
