"""Calibration of rates held against something: exact intervals, limits, bounds, impact ratios, agreement."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit, stdtrit

from audit.errors import NotMeasuredError
from audit.statistics import (
    clopper_pearson_interval,
    cluster_jackknife,
    cluster_t_interval,
    clustered_rate_interval,
    equal_clusters_interval,
    equal_clusters_p_value,
    equivalence_of,
    exceedance_p_value,
    impact_table,
    raw_agreement,
    shrink_rates,
    tost,
    wilson_interval,
)
from benchmarks.calibration.designs import TEMPLATE_SD, true_rate
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = [
    "agreement_shares",
    "equal_clusters",
    "exact_rates",
    "few_differ",
    "limits",
    "many_rates",
    "tables_of_decisions",
]

ROOT = 20266
UNIT = (-1.0, 1.0)
MARGIN = 0.05

Vector = npt.NDArray[np.float64]


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
                    one.low <= rate <= one.high
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
        for templates, repeats in ((12, 1), (12, 4), (30, 1), (30, 4), (100, 4)):
            stream = rng(ROOT, "limit", templates, repeats, int(-intercept))
            logits = intercept + TEMPLATE_SD * stream.standard_normal((simulations, templates))
            asked = np.full(templates, repeats)
            found = [
                (
                    clustered_rate_interval(row, asked).interval.low > limit,
                    exceedance_p_value(row, asked, limit) <= 0.05,
                )
                for row in stream.binomial(repeats, expit(logits))
            ]
            cell = Cell(templates=templates, repeats=repeats, note=f"limit {limit:.3f}")
            for name, share in zip(
                ("interval above", "exceedance test"), np.mean(found, axis=0), strict=True
            ):
                cell.add(name, float(share))
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
            missed = not bound.low <= differing <= bound.high
            rejected = equal_clusters_p_value(0.0, templates, bounds=UNIT, null=differing) <= 0.05
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
            shares = np.mean([found[int(m)] for m in differ], axis=0)
            cell = Cell(templates=templates, repeats=1, note=f"{MARGIN / size:.0%} by {100 * size:.0f}")
            names = ("t alone, equivalent", "equivalent", "t alone covers", "covers")
            for name, share in zip(names, shares, strict=True):
                cell.add(name, float(share))
            cells.append(cell)
    return cells


def _few_differ(templates: int, m: int, size: float) -> tuple[bool, bool, bool, bool]:
    values = np.zeros(templates)
    values[:m] = size
    full = cluster_t_interval(values, bounds=UNIT)
    same = equivalence_of(full, margin=MARGIN).equivalent
    covers = full.interval.low <= MARGIN <= full.interval.high
    if full.degenerate:
        return same, same, covers, covers
    alone = tost(full.point, full.standard_error, full.df, margin=MARGIN).equivalent
    reach = float(stdtrit(full.df, 0.975)) * full.standard_error
    return alone, same, abs(full.point - MARGIN) <= reach, covers


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
                for name, share in zip(names, np.mean(inside, axis=0), strict=True):
                    cell.add(name, float(share))
                cells.append(cell)
    return cells


def tables_of_decisions(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals of a table of decisions contain the truth.

    Two categories with rates of 50 and 40 %, each cluster of one category, with a rate of its own;
    "repeats" is rows a cluster. Columns: the impact ratio with rows as independent and by cluster, then the
    same ratio by `cluster_jackknife`.
    """
    cells = []
    for templates, rows in ((30, 4), (100, 4), (100, 16)):
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
        for name, share in zip(names, np.mean([one for one in inside if one], axis=0), strict=True):
            cell.add(name, float(share))
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
    return [one.low <= truth <= one.high for one in (*intervals, jackknife.interval)]


def agreement_shares(simulations: int) -> list[Cell]:
    """How often the nominal 95 % interval of the plain share of agreement contains it.

    Two raters each misread a tenth of the replies, more in some templates; "repeats" is replies a template.
    """
    cells = []
    for templates, replies in ((12, 10), (30, 1), (30, 10), (100, 10)):
        stream = rng(ROOT, "shares", templates, replies)
        cluster = np.repeat(np.arange(templates), replies)
        inside = []
        for _ in range(simulations):
            error = stream.beta(0.5, 4.5, (templates, 2))[cluster]
            ratings = (stream.random((cluster.size, 2)) < error).astype(np.float64)
            found = [raw_agreement(ratings, cluster=by).interval for by in (None, cluster)]
            inside.append([one.low <= 0.82 <= one.high for one in found])
        cell = Cell(templates=templates, repeats=replies)
        for name, share in zip(("replies as clusters", "agreement"), np.mean(inside, axis=0), strict=True):
            cell.add(name, float(share))
        cells.append(cell)
    return cells
