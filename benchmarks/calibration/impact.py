"""Calibration of impact ratios: between two groups of templates, and in tables of recorded decisions."""

from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from audit.errors import NotMeasuredError
from audit.statistics import cluster_jackknife, impact_ratio, impact_table
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import (
    DESIGNS,
    GAP,
    ROOT,
    SLOPE_SD,
    TEMPLATE_SD,
    mean_slope,
    paired_arms,
    true_rate,
)
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["ratios", "tables_of_decisions"]

Z = float(ndtri(0.975))


def ratios(simulations: int) -> list[Cell]:
    """How often the nominal 95 % interval of an impact ratio contains it; the true gap is 10 points.

    The first column takes every output as independent. With a rare reference some runs have no
    favourable output at all; those have no ratio and are left out.
    """
    cells = []
    for intercept in (-1.5, 0.0):
        for templates, repeats in DESIGNS:
            stream = rng(ROOT, "impact", templates, repeats, int(-10 * intercept))
            arms = paired_arms(stream, (simulations, templates), repeats, gap=-GAP, intercept=intercept)
            ours, theirs = (np.rint(repeats * arm).astype(int) for arm in (arms.group, arms.reference))
            spread = float(np.hypot(TEMPLATE_SD, SLOPE_SD / 2))
            half = mean_slope(-GAP, intercept=intercept) / 2
            rates = [true_rate(intercept + side * half, spread) for side in (1, -1)]
            truth, asked = rates[0] / rates[1], np.full(templates, repeats)
            inside = [
                (_katz_holds(int(a.sum()), int(b.sum()), repeats * templates, truth), holds(found, truth))
                for a, b in zip(ours, theirs, strict=True)
                if a.any() and b.any()
                for found in [impact_ratio(a, asked, b, asked).interval]
            ]
            cell = Cell(templates=templates, repeats=repeats, note=f"ratio {truth:.2f}")
            cell.average(("outputs as independent", "impact ratio"), inside)
            cells.append(cell)
    return cells


def _katz_holds(ours: int, theirs: int, n: int, truth: float) -> bool:
    """Whether the textbook log interval of independent outputs contains the truth."""
    reach = exp(Z * sqrt(1 / ours - 1 / n + 1 / theirs - 1 / n))
    return abs(log(ours / theirs / truth)) <= log(reach)


def tables_of_decisions(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals of a table of decisions contain the truth.

    Two categories with rates of 50 and 40 %, each cluster of one category, with a rate of its own;
    "repeats" is rows a cluster. Columns: the impact ratio with rows as independent and by cluster, then the
    same ratio by `cluster_jackknife`.
    """
    cells = []
    for templates, rows in ((30, 4), (30, 16), (100, 4), (100, 16)):
        stream = rng(ROOT, "tables", templates, rows)
        inside = []
        for _ in range(simulations):
            sizes = stream.integers(rows // 2, rows + rows // 2 + 1, templates)
            group = np.arange(templates) % 2
            rate = np.where(group == 0, stream.beta(5, 5, templates), stream.beta(4, 6, templates))
            hits = stream.binomial(sizes, rate)
            inside.append(_table_holds(hits, sizes, group, 0.8))
        cell = Cell(templates=templates, repeats=rows)
        names = ("rows as independent", "impact table", "cluster jackknife")
        cell.average(names, [one for one in inside if one])
        cells.append(cell)
    return cells


def _table_holds(
    hits: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], group: npt.NDArray[np.int64], truth: float
) -> list[bool]:
    outcomes = np.concatenate([np.repeat([1.0, 0.0], [k, n - k]) for k, n in zip(hits, sizes, strict=True)])
    cluster, category = np.repeat(np.arange(sizes.size), sizes), np.repeat(group, sizes)
    sums = np.stack(
        [hits * (group == 0), sizes * (group == 0), hits * (group == 1), sizes * (group == 1)], axis=1
    )
    try:
        tables = [impact_table(outcomes, category, cluster=by, reference=0) for by in (None, cluster)]
        jackknife = cluster_jackknife(lambda s: (s[:, 2] / s[:, 3]) / (s[:, 0] / s[:, 1]), sums)
    except NotMeasuredError:
        return []
    estimates = [table.rows[1].estimate for table in tables]
    intervals = [one.interval for one in estimates if one is not None]
    return [holds(one, truth) for one in (*intervals, jackknife.interval)]
