"""Calibration of decisions about a contrast: margins, planned looks, plans, the noise floor."""

import numpy as np
import numpy.typing as npt

from audit.statistics import (
    cluster_t_interval,
    clusters_for_equivalence,
    clusters_needed,
    detectable_from_standard_error,
    difference_variance,
    equivalence_of,
    group_sequential,
    noise_floor,
    non_inferiority,
    smallest_detectable,
    tost,
)
from benchmarks.calibration.designs import ALPHA, DESIGNS, ROOT, UNIT, paired_arms
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["floors", "margins", "planned_looks", "plans"]

Vector = npt.NDArray[np.float64]
MARGIN = 0.05
SLOPE_SD, NOISE_SD = 0.1, 0.6
"""Standard deviations of a template's true difference and of one pair's noise, for plans."""


def margins(simulations: int) -> list[Cell]:
    """How often a contrast is called within a margin of 5 points that it lies exactly at.

    The first two columns say equivalent at a gap of 5 points, the last "not worse by more than the margin".
    """
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "margins", templates, repeats)
        wrong = []
        for row in paired_arms(stream, (simulations, templates), repeats, gap=-MARGIN).differences:
            found = cluster_t_interval(row, bounds=UNIT)
            both = equivalence_of(found, margin=MARGIN).equivalent
            if found.degenerate:
                wrong.append([both, both, False])
                continue
            numbers = (found.point, found.standard_error, found.df)
            wrong.append(
                [
                    both,
                    tost(*numbers, margin=MARGIN).equivalent,
                    non_inferiority(*numbers, margin=MARGIN).non_inferior,
                ]
            )
        cell = Cell(templates=templates, repeats=repeats)
        cell.average(("equivalent", "TOST", "not inferior"), wrong)
        cells.append(cell)
    return cells


def planned_looks(simulations: int) -> list[Cell]:
    """How often a run without a true difference alarms at any of five planned looks, stopped at the first.

    Cluster-t at a fifth, two fifths, ... of the templates. The last column spends 5 % over all looks.
    """
    fractions = np.arange(1, 6) / 5
    design = group_sequential(fractions)
    cells = []
    for templates, repeats in ((60, 1), (60, 4), (100, 4), (100, 16)):
        stream = rng(ROOT, "planned looks", templates, repeats)
        wrong = []
        for row in paired_arms(stream, (simulations, templates), repeats).differences:
            p_values = [
                cluster_t_interval(row[: round(part * templates)], bounds=UNIT).p_value for part in fractions
            ]
            repeated = [2 * design.p_value(p / 2, look) for look, p in enumerate(p_values, start=1)]
            wrong.append([min(p_values) <= ALPHA, min(repeated) <= ALPHA])
        cell = Cell(templates=templates, repeats=repeats)
        cell.average(("every look at 5 %", "planned looks"), wrong)
        cells.append(cell)
    return cells


def plans(simulations: int) -> list[Cell]:
    """How often a design does what it was planned for in 80 % of runs, with differences that are normal.

    Columns: it finds the size that `smallest_detectable` gives; the same for the size that
    `detectable_from_standard_error` gives from a pilot of that design; the templates of `clusters_needed`
    find 10 points; those of `clusters_for_equivalence` call 0 equivalent at 5 points; and the variance
    of the differences over that of `difference_variance`.
    """
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "plans", templates, repeats)
        size = smallest_detectable(templates, slope_sd=SLOPE_SD, noise_sd=NOISE_SD, repeats=repeats)
        pilot = cluster_t_interval(_normal(stream, 1, templates, repeats)[0])
        stated = detectable_from_standard_error(pilot.standard_error, pilot.df)
        # The pilot's own error is chance; what is promised is the size at the error that is true.
        stated *= _spread(repeats) / np.sqrt(templates) / pilot.standard_error
        needed = clusters_needed(0.1, slope_sd=SLOPE_SD, noise_sd=NOISE_SD, repeats=repeats)
        same = clusters_for_equivalence(MARGIN, slope_sd=SLOPE_SD, noise_sd=NOISE_SD, repeats=repeats)
        variance = difference_variance(slope_sd=SLOPE_SD, noise_sd=NOISE_SD, repeats=repeats)
        drawn = _normal(stream, simulations, templates, repeats)
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("smallest detectable", _found(drawn + size))
        cell.add("from a standard error", _found(drawn + stated))
        cell.add("templates needed", _found(_normal(stream, simulations, needed, repeats) + 0.1))
        cell.add("equivalence", _equal(_normal(stream, simulations, same, repeats)))
        cell.add("variance", float(drawn.var()) / variance)
        cells.append(cell)
    return cells


def _spread(repeats: int) -> float:
    return float(np.sqrt(SLOPE_SD**2 + NOISE_SD**2 / repeats))


def _normal(stream: np.random.Generator, simulations: int, templates: int, repeats: int) -> Vector:
    """Template differences, shape (simulations, templates), each the mean of its pairs."""
    shape = (simulations, templates)
    noise = NOISE_SD / np.sqrt(repeats) * stream.standard_normal(shape)
    return np.asarray(SLOPE_SD * stream.standard_normal(shape) + noise)


def _found(rows: Vector) -> float:
    return float(np.mean([cluster_t_interval(row).p_value <= ALPHA for row in rows]))


def _equal(rows: Vector) -> float:
    return float(np.mean([equivalence_of(cluster_t_interval(row), margin=MARGIN).equivalent for row in rows]))


def floors(simulations: int) -> list[Cell]:
    """How often a difference without a true value exceeds the noise floor of a placebo of the same design.

    The floor is a screen beside the test and not a test: it is held to no target. The last column is the
    floor of three placebos, the largest of which counts.
    """
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "floors", templates, repeats)
        above = []
        for _ in range(simulations):
            rows = paired_arms(stream, (4, templates), repeats).differences
            each = [noise_floor(row, rng=stream, exchanges=200) for row in rows[1:]]
            size = abs(float(rows[0].mean()))
            above.append([size > each[0], size > max(each)])
        cell = Cell(templates=templates, repeats=repeats)
        cell.average(("one placebo", "three placebos"), above)
        cells.append(cell)
    return cells
