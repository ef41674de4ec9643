"""The page about asking until decided: the fixed text of page.md with the tables of these audits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np

from benchmarks.sequential.measure import FAMILIES, ROOT, Row, Spent
from benchmarks.sequential.simulate import DISPARITY, EQUIVALENT, OPEN, Family

__all__ = ["Measured", "render"]

LARGE = 0.2
CLOSE, WIDE = 0.05, 0.10
"""Margins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Every row of both tables, and of how many audits each is."""

    rows: Sequence[Row]
    families: Mapping[str, Family]
    family_audits: int
    spent: Sequence[Spent]


def render(found: Measured) -> str:
    """The page in Markdown."""
    rows, first = found.rows, found.rows[0]
    nulls, wide = (
        [one for one in rows if one.cell.gap == 0 and one.cell.margin == margin] for margin in (CLOSE, WIDE)
    )
    equal = [one for one in rows if one.cell.gap == one.cell.margin]
    audits = len(first.early.decided)
    return (
        Path(__file__)
        .with_name("page.md")
        .read_text(encoding="utf-8")
        .format(
            seed=ROOT,
            audits=audits,
            bets=len(first.betted.decided),
            error=100 * sqrt(0.05 * 0.95 / audits),
            families=found.family_audits,
            alone=_alone(rows),
            family=_families(found.families),
            spent=_spent(found.spent),
            least_calls=_range(
                min(float(one.early.share.mean()) for one in found.spent if one.cell == cell)
                for cell in dict.fromkeys(one.cell for one in found.spent)
            ),
            nulls=audits * len(nulls),
            alarms_early=_percent(float(np.mean([one.early.rate(DISPARITY) for one in nulls]))),
            alarms_early_range=_range(one.early.rate(DISPARITY) for one in nulls),
            alarms_once=_percent(float(np.mean([one.once.rate(DISPARITY) for one in nulls]))),
            same_early_range=_range(one.early.rate(EQUIVALENT) for one in equal),
            same_once_range=_range(one.once.rate(EQUIVALENT) for one in equal),
            large_range=_range(one.calls for one in rows if one.cell.gap == LARGE),
            family_large=_percent(found.families["12 comparisons, 3 gaps of 20 points"].calls),
            clear_null_range=_range(one.calls for one in wide),
            close_null_range=_range(one.calls for one in nulls),
            lost=100 * max(one.once.rate(EQUIVALENT) - one.early.rate(EQUIVALENT) for one in nulls),
        )
    )


def _alone(rows: Iterable[Row]) -> str:
    head = ["templates x repeats", "margin", "true gap", "one analysis: disparity, equivalent"]
    head += ["until decided: disparity, equivalent", "calls"]
    head += ["calls against the smallest plan that decides as often", "bets: decided, calls"]
    return _table(
        head,
        [
            [
                f"{one.cell.templates} x {one.cell.repeats}",
                f"{100 * one.cell.margin:.0f}",
                f"{100 * one.cell.gap:.0f}",
                f"{_percent(one.once.rate(DISPARITY))}, {_percent(one.once.rate(EQUIVALENT))}",
                f"{_percent(one.early.rate(DISPARITY))}, {_percent(one.early.rate(EQUIVALENT))}",
                _percent(one.calls),
                "-" if one.smallest is None else f"{one.calls / one.smallest:.2f}",
                f"{_percent(1 - one.betted.rate(OPEN))}, {_percent(float(one.betted.share.mean()))}",
            ]
            for one in rows
        ],
    )


def _families(found: Mapping[str, Family]) -> str:
    return _table(
        ["family", "false among the disparities", "true gaps found", "calls"],
        [
            [
                words,
                _percent(one.false_share),
                _percent(one.found) if any(FAMILIES[words]) else "-",
                _percent(one.calls),
            ]
            for words, one in found.items()
        ],
    )


def _spent(found: Iterable[Spent]) -> str:
    head = ["templates x repeats", "gamma", "one analysis: equivalent", "until decided: equivalent", "calls"]
    return _table(
        [*head, "calls against the smallest plan that decides as often"],
        [
            [
                f"{one.cell.templates} x {one.cell.repeats}",
                f"{one.shape:.0f}",
                _percent(one.once.rate(EQUIVALENT)),
                _percent(one.early.rate(EQUIVALENT)),
                _percent(float(one.early.share.mean())),
                "-" if one.smallest is None else f"{float(one.early.share.mean()) / one.smallest:.2f}",
            ]
            for one in found
        ],
    )


def _range(values: Iterable[float]) -> str:
    each = list(values)
    return f"{100 * min(each):.1f} to {_percent(max(each))}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *lines])
