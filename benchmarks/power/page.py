"""The page that the power benchmark writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.power.alone import ROOT, Found
from benchmarks.power.family import Planted

__all__ = ["Measured", "render"]

Cell = tuple[int, int, float]
"""Templates, repeats, true gap."""

LEAST_RATIO = 0.1
"""Power of the oracle below which a ratio to it is mostly chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Shares of simulated audits by cell."""

    simulations: int
    alone: Mapping[Cell, Found]
    large: Mapping[Planted, Found]
    small: Mapping[Planted, Found]
    twice: Mapping[Planted, Found]
    same: Mapping[Cell, Found]


def render(found: Measured) -> str:
    """The page in Markdown: the fixed text of page.md with the tables."""
    half = max(2, found.simulations // 2)
    return (
        Path(__file__)
        .with_name("page.md")
        .read_text(encoding="utf-8")
        .format(
            simulations=found.simulations,
            seed=ROOT,
            half=half,
            error=_error(found.simulations),
            half_error=_error(half),
            alone=_alone(found),
            family=_family(found),
            twice=_twice(found),
            same=_same(found),
        )
    )


def _error(simulations: int) -> float:
    return float(100 * (0.9 * 0.1 / simulations) ** 0.5)


def _alone(found: Measured) -> str:
    names = ("ours", "oracle", "best weights", "naive")
    return _table(
        ["gap", "templates", "repeats", *names, "ours / oracle"],
        [
            [
                _points(gap),
                str(t),
                str(r),
                *(_percent(cell[name]) for name in names),
                "-" if gap == 0 else _ratio(cell, "ours"),
            ]
            for (t, r, gap), cell in sorted(found.alone.items(), key=lambda item: item[0][2])
        ],
    )


def _family(found: Measured) -> str:
    names = ("equal weights", "default", "declared", "oracle", "false share")
    short = ("equal weights", "default", "declared")
    lines = []
    for asked, cell in sorted(found.large.items(), key=lambda item: item[0].gap):
        beside = found.small[
            Planted(templates=asked.templates, repeats=asked.repeats, gap=asked.gap, primary=2)
        ]
        lines.append(
            [
                _points(asked.gap),
                str(asked.templates),
                str(asked.repeats),
                *(_percent(cell[name]) for name in names),
                _ratio(cell, "default"),
                *(_percent(beside[name]) for name in short),
            ]
        )
    head = ["gap", "templates", "repeats", "equal", "default", "declared", "oracle", "false share"]
    return _table([*head, "default / oracle", "small, equal", "small, default", "small, declared"], lines)


def _twice(found: Measured) -> str:
    names = ("equal weights", "default", "declared", "oracle", "false share")
    return _table(
        ["templates", "repeats", "equal", "default", "declared", "oracle", "false share"],
        [
            [str(asked.templates), str(asked.repeats), *(_percent(cell[name]) for name in names)]
            for asked, cell in found.twice.items()
        ],
    )


def _same(found: Measured) -> str:
    gaps = sorted({gap for _, _, gap in found.same})
    designs = list(dict.fromkeys((t, r) for t, r, _ in found.same))
    return _table(
        ["templates", "repeats", *(f"gap {_points(gap)}" for gap in gaps)],
        [
            [str(t), str(r), *(_percent(found.same[t, r, gap]["equivalent"]) for gap in gaps)]
            for t, r in designs
        ],
    )


def _ratio(cell: Found, name: str) -> str:
    return f"{cell[name] / cell['oracle']:.2f}" if cell["oracle"] >= LEAST_RATIO else "-"


def _points(gap: float) -> str:
    return f"{100 * gap:.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
