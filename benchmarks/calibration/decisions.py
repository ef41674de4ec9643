"""Calibration of decisions about a contrast: margins, looks, plans, the noise floor, corrections, prices."""

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics import (
    cluster_t_interval,
    clusters_for_equivalence,
    clusters_needed,
    corrected_rate,
    detectable_from_standard_error,
    difference_variance,
    equivalence_of,
    gap_band,
    group_sequential,
    leave_one_out,
    merit_contrasts,
    merit_price,
    noise_floor,
    non_inferiority,
    rate_band,
    smallest_detectable,
    tost,
)
from benchmarks.calibration.designs import paired_arms
from benchmarks.calibration.more import labelled
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["bands", "floors", "margins", "planned_looks", "plans", "price_rows", "without_each"]

ROOT = 20267
UNIT = (-1.0, 1.0)
MARGIN = 0.05
SLOPE_SD, NOISE_SD = 0.1, 0.6
"""Standard deviations of a template's true difference and of one pair's noise, for plans."""
DEPARTURE = 0.1

Vector = npt.NDArray[np.float64]


def margins(simulations: int) -> list[Cell]:
    """How often a contrast is called within a margin of 5 points that it lies exactly at.

    The first two columns say equivalent at a gap of 5 points, the last "not worse by more than the margin".
    """
    cells = []
    for templates, repeats in ((12, 16), (30, 4), (30, 16), (100, 4), (100, 16)):
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
        for name, share in zip(("equivalent", "TOST", "not inferior"), np.mean(wrong, axis=0), strict=True):
            cell.add(name, float(share))
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
            wrong.append([min(p_values) <= 0.05, min(repeated) <= 0.05])
        cell = Cell(templates=templates, repeats=repeats)
        for name, share in zip(("every look at 5 %", "planned looks"), np.mean(wrong, axis=0), strict=True):
            cell.add(name, float(share))
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
    for templates in (12, 30, 100):
        for repeats in (1, 4, 16):
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
    return float(np.mean([cluster_t_interval(row).p_value <= 0.05 for row in rows]))


def _equal(rows: Vector) -> float:
    return float(np.mean([equivalence_of(cluster_t_interval(row), margin=MARGIN).equivalent for row in rows]))


def floors(simulations: int) -> list[Cell]:
    """How often a difference without a true value exceeds the noise floor of a placebo of the same design.

    The floor is a screen beside the test and not a test: it is held to no target. The last column is the
    floor of three placebos, the largest of which counts.
    """
    cells = []
    for templates, repeats in ((12, 1), (12, 4), (30, 1), (30, 4), (100, 4)):
        stream = rng(ROOT, "floors", templates, repeats)
        above = []
        for _ in range(simulations):
            rows = paired_arms(stream, (4, templates), repeats).differences
            each = [noise_floor(row, rng=stream, exchanges=200) for row in rows[1:]]
            size = abs(float(rows[0].mean()))
            above.append([size > each[0], size > max(each)])
        cell = Cell(templates=templates, repeats=repeats)
        for name, share in zip(("one placebo", "three placebos"), np.mean(above, axis=0), strict=True):
            cell.add(name, float(share))
        cells.append(cell)
    return cells


def bands(simulations: int) -> list[Cell]:
    """How often the corrected rate's 95 % interval, and the bands, contain the truth.

    The true rate is .2 in both groups. For the rate the classifier's errors are those of the group; for the
    gap only pooled ones are known, from which the groups depart by 5 points each way, within the band's
    10. "repeats" is labelled texts. The middle column corrects the gap by the pooled rates as if they held
    for both. The band of a rate has pooled error rates likewise.
    """
    cells = []
    for templates, texts in ((30, 100), (100, 400)):
        stream = rng(ROOT, "bands", templates, texts)
        inside = []
        for _ in range(simulations):
            base = stream.beta(1.5, 6, templates)
            flags = [stream.binomial(10, base * 0.85 + (1 - base) * alarms) / 10 for alarms in (0.12, 0.02)]
            try:
                rate = corrected_rate(flags[0], labelled(stream, texts, 0.12)).interval
                pooled = labelled(stream, texts, 0.07)
                band = gap_band(flags[0], flags[1], pooled, departure=DEPARTURE)
                narrow = gap_band(flags[0], flags[1], pooled, departure=0.0)
                seen = cluster_t_interval(flags[0], bounds=(0.0, 1.0)).interval
                one = rate_band(
                    (max(0.0, seen.low), min(1.0, seen.high)), pooled, limit=0.2, departure=DEPARTURE
                )
            except NotMeasuredError:
                continue
            inside.append(
                [
                    rate.low <= 0.2 <= rate.high,
                    narrow.low <= 0 <= narrow.high,
                    band.low <= 0 <= band.high,
                    one.low <= 0.2 <= one.high,
                ]
            )
        cell = Cell(templates=templates, repeats=texts)
        names = ("corrected rate", "pooled rates, gap", "band of a gap", "band of a rate")
        for name, share in zip(names, np.mean(inside, axis=0), strict=True):
            cell.add(name, float(share))
        cells.append(cell)
    return cells


def without_each(simulations: int) -> list[Cell]:
    """How often the 95 % interval over all studies but one contains the mean, on average over which one.

    Studies differ by 8 points in their true values; "templates" is the number of studies.
    """
    cells = []
    for studies in (5, 9, 21):
        stream = rng(ROOT, "without", studies)
        inside = []
        for _ in range(simulations):
            errors = stream.uniform(0.02, 0.06, studies)
            points = 0.1 + 0.08 * stream.standard_normal(studies) + errors * stream.standard_normal(studies)
            found = [one.interval for one in leave_one_out(points, errors)]
            inside.append(np.mean([one.low <= 0.1 <= one.high for one in found]))
        cell = Cell(templates=studies, repeats=1)
        cell.add("leave one out", float(np.mean(inside)))
        cells.append(cell)
    return cells


def price_rows(simulations: int) -> list[Cell]:
    """How often the 95 % set of a price contains it, from rows on a ladder of merit; the price is 50.

    Yes-or-no outcomes whose chance rises by 1 point a unit of merit and is lower for the group by 50
    units' worth, more in some templates; "repeats" is answers a rung and arm.
    """
    ladder = np.array([0.0, 10.0, 20.0])
    cells = []
    for templates, repeats in ((12, 4), (30, 4), (30, 16), (100, 4)):
        stream = rng(ROOT, "price rows", templates, repeats)
        merit = np.tile(np.repeat(ladder, 2), templates)
        is_group = np.tile([True, False], 3 * templates)
        cluster = np.repeat(np.arange(templates), 6)
        inside = []
        for _ in range(simulations):
            level = stream.uniform(0.55, 0.6, templates)[cluster]
            gap = 0.5 + 0.04 * (2 * stream.random(templates)[cluster] - 1)
            rate = level + 0.01 * merit - gap * is_group
            values = stream.binomial(repeats, rate) / repeats
            found = merit_contrasts(values, merit, is_group, cluster)
            inside.append(merit_price(found.gaps, found.slopes).contains(50.0))
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("price from rows", float(np.mean(inside)))
        cells.append(cell)
    return cells
