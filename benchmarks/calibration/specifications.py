"""Calibration of specification curves."""

import numpy as np

from audit.statistics import specification_curve
from benchmarks.calibration.designs import ALPHA, ROOT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["curves"]

FLIPS = 199


def curves(simulations: int) -> list[Cell]:
    """How often 20 specifications that share their data claim an effect where there is none.

    The first column claims one if any specification's own interval leaves out 0.
    """
    cells = []
    for templates in (12, 30, 100):
        stream = rng(ROOT, "curve", templates)
        wrong = []
        for _ in range(simulations):
            noise = 0.4 * stream.standard_normal((20, templates))
            values = stream.standard_normal(templates) + noise
            values[stream.random(values.shape) < 0.1] = np.nan
            found = specification_curve(values, rng=stream, flips=FLIPS)
            tests = (found.median, found.same_sign, found.significant)
            best = bool(((found.low > 0) | (found.high < 0)).any())
            wrong.append([best, *(test.p_value <= ALPHA for test in tests)])
        cell = Cell(templates=templates, repeats=1)
        names = ("any specification", "median", "share of one sign", "share significant")
        cell.average(names, wrong)
        cells.append(cell)
    return cells
