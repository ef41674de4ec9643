"""Calibration of outcomes other than yes or no: ordered options, and distances between replies."""

import numpy as np
import pandas as pd

from audit.estimates.scales import scaled
from audit.statistics import cluster_t_interval, sentiment_bias_strong
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import DESIGNS, ROOT, UNIT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["dominances", "excesses"]


def dominances(simulations: int) -> list[Cell]:
    """How often the 95 % interval of Cliff's delta contains 0, where groups differ by chance only.

    Answers are one of five ordered options; templates differ in their level.
    """
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "dominance", templates, repeats)
        inside = [_dominance_holds(stream, templates, repeats) for _ in range(simulations)]
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("Cliff's delta", float(np.mean(inside)))
        cells.append(cell)
    return cells


def _dominance_holds(stream: np.random.Generator, templates: int, repeats: int) -> bool:
    level = stream.normal(2, 0.8, templates)[:, np.newaxis, np.newaxis]
    options = np.clip(np.round(level + stream.standard_normal((templates, 2, repeats))), 0, 4)
    rows = pd.DataFrame(
        {
            "set_id": np.repeat(np.arange(templates), 2 * repeats),
            "grp": np.tile(np.repeat(["group", "reference"], repeats), templates),
            "reference": "reference",
            "value": options.ravel(),
        }
    )
    made = scaled(rows, "dominance")
    means = made[made["grp"] == "group"].groupby("set_id")["value"].mean().to_numpy()
    return holds(cluster_t_interval(means, bounds=UNIT).interval, 0.0)


def excesses(simulations: int) -> list[Cell]:
    """How often the 95 % interval of an excess of sentiment bias contains 0, where there is none.

    The strong measure (a distance of two samples of scores) between counterfactual replies less that
    between placebo replies, by template; scores differ by chance only, in some templates by more.
    """
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "excess", templates, repeats)
        inside = []
        for _ in range(simulations):
            spread = stream.uniform(0.05, 0.3, templates)[:, np.newaxis, np.newaxis]
            scores = np.clip(0.5 + spread * stream.standard_normal((templates, 4, repeats)), 0, 1)
            pairs, placebos = (
                sentiment_bias_strong(list(scores[:, k]), list(scores[:, k + 1])) for k in (0, 2)
            )
            inside.append(holds(cluster_t_interval(pairs - placebos, bounds=UNIT).interval, 0.0))
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("excess of sentiment bias", float(np.mean(inside)))
        cells.append(cell)
    return cells
