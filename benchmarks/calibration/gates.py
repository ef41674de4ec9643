"""Calibration of a gate: how often it blocks a release that is exactly as good as its rules ask."""

from functools import partial

import numpy as np

from audit.estimates.threshold_tests import threshold_tests
from audit.gate_conditions import Threshold
from audit.statistics import cluster_t_interval, holm
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.unseen import interval_at
from benchmarks.calibration.adjustments import FAMILY, independent_arms, sharing_arms
from benchmarks.calibration.designs import ALPHA, ROOT, UNIT, Arms
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["false_failures"]


def false_failures(simulations: int) -> list[Cell]:
    """How often any of 20 rules of a gate fails where every true value lies exactly at its threshold.

    The families of the table above; each rule fails on proof, as `ci_low > x` or `ci_high < x` with x the
    true difference. First by the interval of each estimate alone, then as the gate does: by the p-values of
    `threshold_tests`, adjusted by Holm.
    """
    cells = []
    for note, drawn in (("independent", independent_arms), ("one reference arm for all", sharing_arms)):
        for templates, repeats in ((12, 4), (30, 16), (100, 4)):
            stream = rng(ROOT, "gate", templates, repeats, note)
            runs = [_fails(*drawn(stream, templates, repeats)) for _ in range(simulations)]
            cell = Cell(templates=templates, repeats=repeats, note=note)
            cell.average(("each alone, any", "the gate, any"), runs)
            cells.append(cell)
    return cells


def _fails(arms: Arms, truth: np.ndarray) -> tuple[bool, bool]:
    p_values = np.ones(FAMILY)
    for place, (row, value) in enumerate(zip(arms.differences, truth.tolist(), strict=True)):
        found = cluster_t_interval(row, bounds=UNIT)
        # Of a rule and its mirror one is beyond, so this is the worse of the two.
        above = found.point > value
        threshold = Threshold(value=value, side="above" if above else "below")
        tests = threshold_tests([threshold], found.point, partial(_ends, found))
        p_values[place] = tests[0].p_value
    return bool((p_values <= ALPHA).any()), bool((holm(p_values) <= ALPHA).any())


def _ends(found: ClusterEstimate, level: float) -> tuple[float, float]:
    interval = interval_at(found, level)
    return interval.low, interval.high
