"""How often the intervals of prices, excesses over placebo and Cliff's delta are wrong, by simulation.

python -m benchmarks.outcomes.run [--audits 2000] prints one table: coverage of the planted value and, where
it is 0, the false-alarm rate, each with its Monte-Carlo error.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.scales import scaled
from audit.statistics.arguments import Vector
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.fieller import merit_contrasts, merit_price
from audit.statistics.sentiment_bias import sentiment_bias_strong
from probes.seeds import rng

LADDER = (-0.75, 0.0, 0.75)
"""Merit of the three rungs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One line of the table."""

    estimator: str
    templates: int
    repeats: int
    truth: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=2_000)
    audits = parser.parse_args(arguments).audits
    out = sys.stdout.write
    out("| estimator | templates | repeats | truth | interval holds the truth | refused |\n")
    out("| --- | --- | --- | --- | --- | --- |\n")
    kinds: dict[str, tuple[Callable[[Cell, np.random.Generator], bool | None], tuple[float, ...]]] = {
        "merit price": (price_covers, (0.0, 0.4)),
        "sentiment bias, excess": (excess_covers, (0.0,)),
        "Cliff's delta": (delta_covers, (0.0,)),
    }
    for estimator, (covers, truths) in kinds.items():
        for templates in (12, 30, 100):
            for repeats in (1, 4):
                for truth in truths:
                    cell = Cell(estimator=estimator, templates=templates, repeats=repeats, truth=truth)
                    names = (estimator, str(templates), str(repeats), f"{truth:g}")
                    draw = rng(17, "outcomes", *names)
                    found = [covers(cell, draw) for _ in range(audits)]
                    stated = [one for one in found if one is not None]
                    share = float(np.mean(stated)) if stated else float("nan")
                    error = (share * (1 - share) / max(len(stated), 1)) ** 0.5
                    held = f"{100 * share:.1f} % ± {100 * error:.1f}"
                    refused = f"{100 * (1 - len(stated) / audits):.1f} %"
                    out(f"| {' | '.join(names)} | {held} | {refused} |\n")


def price_covers(cell: Cell, draw: np.random.Generator) -> bool | None:
    """Decisions on a ladder: 30 points a step, templates and their gaps differ; None if it is refused."""
    t = cell.templates
    level = 0.5 + draw.uniform(-0.1, 0.1, t)
    gap = -0.3 * cell.truth + draw.uniform(-0.05, 0.05, t)
    merit = np.array(LADDER)[np.newaxis, :, np.newaxis, np.newaxis]
    group = np.array([0.0, 1.0])[np.newaxis, np.newaxis, :, np.newaxis]
    chance = level[:, np.newaxis, np.newaxis, np.newaxis] + 0.3 * merit
    chance = chance + gap[:, np.newaxis, np.newaxis, np.newaxis] * group
    shape = (t, len(LADDER), 2, cell.repeats)
    values = draw.random(shape) < np.broadcast_to(chance, shape)
    try:
        contrasts = merit_contrasts(
            values.ravel().astype(float),
            np.broadcast_to(merit, shape).ravel(),
            np.broadcast_to(group, shape).ravel() > 0,
            np.repeat(np.arange(t), values[0].size),
        )
        found = merit_price(contrasts.gaps, contrasts.slopes)
    except NotMeasuredError:
        return None
    if found.kind != "interval" or found.slope <= 0:
        return None
    return found.low <= cell.truth <= found.high


def excess_covers(cell: Cell, draw: np.random.Generator) -> bool | None:
    """Sentiment that differs by chance only, counterfactual pairs as much as placebo pairs."""
    t = cell.templates
    spread = draw.uniform(0.05, 0.3, t)[:, np.newaxis, np.newaxis]
    scores = np.clip(0.5 + spread * draw.standard_normal((t, 4, cell.repeats)), 0, 1)
    distance = [sentiment_bias_strong(list(scores[:, k]), list(scores[:, k + 1])) for k in (0, 2)]
    found = cluster_t_interval(distance[0] - distance[1], bounds=(-1.0, 1.0)).interval
    return found.low <= cell.truth <= found.high


def delta_covers(cell: Cell, draw: np.random.Generator) -> bool | None:
    """Five ordered options; templates differ in level and groups by chance only."""
    t, r = cell.templates, cell.repeats
    level = draw.normal(2, 0.8, t)[:, np.newaxis, np.newaxis]
    values: Vector = np.clip(np.round(level + draw.standard_normal((t, 2, r))), 0, 4)
    rows = pd.DataFrame(
        {
            "set_id": np.repeat(np.arange(t), 2 * r),
            "grp": np.tile(np.repeat(["group", "reference"], r), t),
            "reference": "reference",
            "value": values.ravel(),
        }
    )
    made = scaled(rows, "dominance")
    means = made[made["grp"] == "group"].groupby("set_id")["value"].mean().to_numpy()
    found = cluster_t_interval(means, bounds=(-1.0, 1.0)).interval
    return found.low <= cell.truth <= found.high


if __name__ == "__main__":
    main()
