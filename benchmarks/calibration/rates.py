"""Calibration of single rates: intervals, limits, and clusters that all or nearly all agree."""

import numpy as np
from scipy.special import expit, stdtrit

from audit.statistics import (
    clopper_pearson_interval,
    cluster_t_interval,
    clustered_rate_interval,
    equal_clusters_interval,
    equal_clusters_p_value,
    equivalence_of,
    exceedance_p_value,
    tost,
    wilson_interval,
)
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import ALPHA, DESIGNS, ROOT, TEMPLATE_SD, UNIT, true_rate
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["clustered_rates", "equal_clusters", "exact_rates", "few_differ", "limits"]

MARGIN = 0.05


def clustered_rates(simulations: int) -> list[Cell]:
    """How often the nominal 95 % interval of one rate contains it, by how rare it is."""
    cells = []
    for intercept in (-6.0, -3.0, 0.0):
        for templates, repeats in DESIGNS:
            stream = rng(ROOT, "rate", templates, repeats, int(-intercept))
            logits = intercept + TEMPLATE_SD * stream.standard_normal((simulations, templates))
            hits = stream.binomial(repeats, expit(logits))
            truth, asked = true_rate(intercept), np.full(templates, repeats)
            cell = Cell(templates=templates, repeats=repeats, note=f"rate {truth:.3f}")
            naive = [wilson_interval(int(row.sum()), repeats * templates) for row in hits]
            clustered = [clustered_rate_interval(row, asked).interval for row in hits]
            cell.add("Wilson over outputs", float(np.mean([holds(one, truth) for one in naive])))
            cell.add("clustered rate", float(np.mean([holds(one, truth) for one in clustered])))
            cells.append(cell)
    return cells


def exact_rates(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals contain a rate of independent trials; "templates" is their number.

    Clopper-Pearson promises at least 95 % at every rate, Wilson 95 % on average over rates.
    """
    cells = []
    for trials in (12, 30, 100):
        for rate in (0.01, 0.1, 0.5):
            stream = rng(ROOT, "exact", trials, int(100 * rate))
            hits = stream.binomial(trials, rate, simulations)
            found = {
                int(k): [
                    holds(one, rate)
                    for one in (wilson_interval(int(k), trials), clopper_pearson_interval(int(k), trials))
                ]
                for k in np.unique(hits)
            }
            wilson, exact = np.mean([found[int(k)] for k in hits], axis=0)
            cell = Cell(templates=trials, repeats=1, note=f"rate {rate:g}")
            cell.add("Wilson", float(wilson))
            cell.add("Clopper-Pearson", float(exact))
            cells.append(cell)
    return cells


def limits(simulations: int) -> list[Cell]:
    """How often a rate is said to exceed a limit that it equals exactly, at 5 % one-sided.

    Templates differ as elsewhere. The first column takes the lower end of the 95 % interval alone.
    """
    cells = []
    for intercept in (-6.0, -3.0):
        limit = true_rate(intercept)
        for templates, repeats in DESIGNS:
            stream = rng(ROOT, "limit", templates, repeats, int(-intercept))
            logits = intercept + TEMPLATE_SD * stream.standard_normal((simulations, templates))
            asked = np.full(templates, repeats)
            found = [
                (
                    clustered_rate_interval(row, asked).interval.low > limit,
                    exceedance_p_value(row, asked, limit) <= ALPHA,
                )
                for row in stream.binomial(repeats, expit(logits))
            ]
            cell = Cell(templates=templates, repeats=repeats, note=f"limit {limit:.3f}")
            cell.average(("interval above", "exceedance test"), found)
            cells.append(cell)
    return cells


def equal_clusters(simulations: int) -> list[Cell]:
    """How often all clusters agree and the bound for that case is wrong, by the share that truly differs.

    A cluster is 0, or 1 with the probability given. The last column is the test of that very mean; both
    promise at most 5 % of all runs, those with differing clusters included.
    """
    cells = []
    for templates in (12, 30, 100):
        for chance in (0.9, 0.5, 0.06, 0.04):
            differing = 1 - chance ** (1 / templates)
            stream = rng(ROOT, "equal", templates, int(100 * chance))
            equal = stream.binomial(templates, differing, simulations) == 0
            bound = equal_clusters_interval(0.0, templates, bounds=UNIT)
            missed = not holds(bound, differing)
            rejected = equal_clusters_p_value(0.0, templates, bounds=UNIT, null=differing) <= ALPHA
            cell = Cell(templates=templates, repeats=1, note=f"{100 * differing:.1f} % differ")
            cell.add("all equal", float(equal.mean()))
            cell.add("bound misses", float((equal & missed).mean()))
            cell.add("test rejects", float((equal & rejected).mean()))
            cells.append(cell)
    return cells


def few_differ(simulations: int) -> list[Cell]:
    """How often a mean of 5 points is called equivalent at that margin and covered, if few clusters differ.

    A cluster is 0, or the size given with the chance that makes the mean 5 points; nothing else varies.
    Nominal are 5 % in the first two columns and 95 % in the others; t alone is the interval of the spread
    seen, and where none was seen the bound of equal clusters.
    """
    cells = []
    for templates in (12, 30, 60, 100, 200):
        for size in (1.0, 0.5, 0.25):
            stream = rng(ROOT, "few", templates, int(100 * size))
            differ = stream.binomial(templates, MARGIN / size, simulations)
            found = {int(m): _few_differ(templates, int(m), size) for m in np.unique(differ)}
            cell = Cell(templates=templates, repeats=1, note=f"{MARGIN / size:.0%} by {100 * size:.0f}")
            names = ("t alone, equivalent", "equivalent", "t alone covers", "covers")
            cell.average(names, [found[int(m)] for m in differ])
            cells.append(cell)
    return cells


def _few_differ(templates: int, m: int, size: float) -> tuple[bool, bool, bool, bool]:
    values = np.zeros(templates)
    values[:m] = size
    full = cluster_t_interval(values, bounds=UNIT)
    same = equivalence_of(full, margin=MARGIN).equivalent
    covers = holds(full.interval, MARGIN)
    if full.degenerate:
        return same, same, covers, covers
    alone = tost(full.point, full.standard_error, full.df, margin=MARGIN).equivalent
    reach = float(stdtrit(full.df, 0.975)) * full.standard_error
    return alone, same, abs(full.point - MARGIN) <= reach, covers
