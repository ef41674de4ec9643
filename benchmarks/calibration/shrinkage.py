"""Calibration of estimates of many small cells, each drawn towards the others."""

import numpy as np

from audit.statistics import shrink, shrink_rates
from benchmarks.calibration.designs import ROOT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["many_cells", "many_rates"]


def many_cells(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals of many cells contain the truth, on average and for the largest.

    "templates" is the number of cells, "spread" that of the true values over the median error.
    """
    cells = []
    for k in (8, 24):
        for spread in (0.0, 0.5, 1.0, 2.0):
            stream = rng(ROOT, "cells", k, int(10 * spread))
            errors = np.tile([0.5, 1.0, 1.0, 2.0], k // 4)
            found = []
            for _ in range(simulations):
                true = spread * stream.standard_normal(k)
                one = shrink(true + errors * stream.standard_normal(k), errors)
                inside = (one.low <= true) & (true <= one.high)
                raw = (one.raw_low <= true) & (true <= one.raw_high)
                found.append((raw.mean(), raw[one.raw.argmax()], inside.mean(), inside[one.point.argmax()]))
            cell = Cell(templates=k, repeats=1, note=f"spread {spread:.1f}")
            names = ("raw, all cells", "raw, largest", "shrunk, all cells", "shrunk, largest")
            cell.average(names, found)
            cells.append(cell)
    return cells


def many_rates(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals of many small cells' rates contain them; "templates" is their number.

    Rates are spread around a fifth; "repeats" is trials of the smaller half of the cells, the others have
    four times as many. Columns: the raw rates, on average and for the largest, then the shrunk ones.
    """
    cells = []
    for k in (8, 24):
        for trials in (10, 40):
            for spread in (0.03, 0.10):
                stream = rng(ROOT, "many", k, trials, int(100 * spread))
                counts = np.tile([trials, 4 * trials], k // 2)
                a = 0.2 * (0.16 / spread**2 - 1)
                inside = []
                for _ in range(simulations):
                    true = stream.beta(a, 4 * a, k)
                    found = shrink_rates(stream.binomial(counts, true), counts)
                    raw = (found.raw_low <= true) & (true <= found.raw_high)
                    shrunk = (found.low <= true) & (true <= found.high)
                    inside.append(
                        [raw.mean(), raw[found.raw.argmax()], shrunk.mean(), shrunk[found.point.argmax()]]
                    )
                cell = Cell(templates=k, repeats=trials, note=f"spread {spread:g}")
                names = ("raw, all cells", "raw, largest", "shrunk, all cells", "shrunk, largest")
                cell.average(names, inside)
                cells.append(cell)
    return cells
