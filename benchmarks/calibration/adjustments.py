"""Calibration of whole families: what each adjustment claims, and the intervals of what was picked."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from audit.statistics import (
    benjamini_hochberg,
    benjamini_yekutieli,
    betting_sequence,
    cluster_t_interval,
    combine_e_values,
    e_benjamini_hochberg,
    fcr_level,
    holm,
    weighted_benjamini_hochberg,
)
from benchmarks.calibration.designs import SLOPE_SD, TEMPLATE_SD, mean_slope, paired_arms, true_rate
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["adjusted_families", "e_families", "several_runs"]

ROOT = 20264
FAMILY, TRUE_GAPS, PRIMARY = 20, 6, 8
"""Contrasts; those that are true, every other one; primary ones, the first, of which half are true."""
GAP = 0.20
RATE = 0.05
SHARE = 0.8
UNIT = (-1.0, 1.0)

Vector = npt.NDArray[np.float64]


def adjusted_families(simulations: int) -> list[Cell]:
    """Share of false claims among the claims of one family, by adjustment, at 5 %.

    20 contrasts, 6 of them true by 20 points; 8 are primary and share 80 % of the rate, 4 of those are
    true. For Holm the number is the chance of any false claim.
    The last two are shares of the intervals of the weighted family's claims that miss the truth.
    """
    cells = []
    for shared in (False, True):
        for templates, repeats in ((12, 4), (30, 1), (30, 4), (30, 16), (100, 1), (100, 4)):
            stream = rng(ROOT, "adjusted", templates, repeats, int(shared))
            runs = [_family(stream, templates, repeats, shared=shared) for _ in range(simulations)]
            note = "one reference arm for all" if shared else "independent contrasts"
            cell = Cell(templates=templates, repeats=repeats, note=note)
            names = ("BH", "weighted BH", "BY", "Holm, any", "own interval", "FCR interval")
            for name, share in zip(names, np.mean(runs, axis=0), strict=True):
                cell.add(name, float(share))
            cells.append(cell)
    return cells


def _family(stream: np.random.Generator, templates: int, repeats: int, *, shared: bool) -> list[float]:
    true = (np.arange(FAMILY) % 2 == 0) & (np.arange(FAMILY) < 2 * TRUE_GAPS)
    rows, truth = _differences(stream, templates, repeats, true, shared=shared)
    found = [cluster_t_interval(row, bounds=UNIT) for row in rows]
    p_values = np.array([one.p_value for one in found])
    primary = np.arange(FAMILY) < PRIMARY
    weight = np.where(primary, SHARE / primary.sum(), (1 - SHARE) / (~primary).sum()) * FAMILY
    weighted = weighted_benjamini_hochberg(p_values, weight) <= RATE
    claims = [
        benjamini_hochberg(p_values) <= RATE,
        weighted,
        benjamini_yekutieli(p_values) <= RATE,
    ]
    shares = [float((claim & ~true).sum() / max(1, claim.sum())) for claim in claims]
    any_false = float((holm(p_values) <= RATE)[~true].any())
    chosen = np.flatnonzero(weighted)
    if not chosen.size:
        return [*shares, any_false, 0.0, 0.0]
    own, adjusted = [], []
    for k in chosen:
        level = fcr_level(chosen.size, FAMILY, RATE, weight=float(weight[k]))
        wide = cluster_t_interval(rows[k], level=level, bounds=UNIT).interval
        own.append(not found[k].interval.low <= truth[k] <= found[k].interval.high)
        adjusted.append(not wide.low <= truth[k] <= wide.high)
    return [*shares, any_false, float(np.mean(own)), float(np.mean(adjusted))]


def _differences(
    stream: np.random.Generator, templates: int, repeats: int, true: npt.NDArray[np.bool_], *, shared: bool
) -> tuple[Vector, Vector]:
    """Paired differences of every contrast, shape (20, T), and their true values."""
    if not shared:
        rows = np.empty((FAMILY, templates))
        for chosen, gap in ((true, GAP), (~true, 0.0)):
            rows[chosen] = paired_arms(stream, (int(chosen.sum()), templates), repeats, gap=gap).differences
        return rows, np.where(true, GAP, 0.0)
    base = TEMPLATE_SD * stream.standard_normal(templates)
    slope = mean_slope(GAP)
    logits = base + SLOPE_SD * stream.standard_normal((FAMILY, templates)) + slope * true[:, np.newaxis]
    # Without a gap a group's own slopes would pull its rate towards a half: the reference has the same.
    own = base + SLOPE_SD * stream.standard_normal(templates)
    reference = stream.binomial(repeats, expit(own)) / repeats
    reached = true_rate(slope, float(np.hypot(TEMPLATE_SD, SLOPE_SD))) - 0.5
    return stream.binomial(repeats, expit(logits)) / repeats - reference, np.where(true, reached, 0.0)


def e_families(simulations: int) -> list[Cell]:
    """Share of false claims by e-values of `betting_sequence`, at 5 %, and the share of true gaps found.

    The families of the table above, of independent contrasts; beside them weighted BH on p-values.
    """
    cells = []
    true = (np.arange(FAMILY) % 2 == 0) & (np.arange(FAMILY) < 2 * TRUE_GAPS)
    weight = np.where(np.arange(FAMILY) < PRIMARY, SHARE / PRIMARY, (1 - SHARE) / (FAMILY - PRIMARY))
    for templates, repeats in ((30, 4), (100, 4)):
        stream = rng(ROOT, "e-values", templates, repeats)
        runs = []
        for _ in range(simulations):
            rows, _ = _differences(stream, templates, repeats, true, shared=False)
            e_values = [float(betting_sequence(row).e_values[-1]) for row in rows]
            p_values = [cluster_t_interval(row, bounds=UNIT).p_value for row in rows]
            by_e = e_benjamini_hochberg(e_values) <= RATE
            by_p = weighted_benjamini_hochberg(p_values, weight) <= RATE
            shares = [float((claim & ~true).sum() / max(1, claim.sum())) for claim in (by_e, by_p)]
            runs.append([*shares, by_e[true].mean(), by_p[true].mean()])
        cell = Cell(templates=templates, repeats=repeats)
        names = ("e-BH", "weighted BH", "e-BH finds", "weighted BH finds")
        for name, share in zip(names, np.mean(runs, axis=0), strict=True):
            cell.add(name, float(share))
        cells.append(cell)
    return cells


def several_runs(simulations: int) -> list[Cell]:
    """How often five nightly runs without a true difference together reach an e-value of 20.

    The product is for runs of new templates, the mean for runs of the same ones; the first column takes
    5 % of every night by cluster-t.
    """
    cells = []
    for templates, repeats in ((12, 4), (30, 4), (100, 4)):
        stream = rng(ROOT, "runs", templates, repeats)
        wrong = []
        for _ in range(simulations):
            nights = paired_arms(stream, (5, templates), repeats).differences
            e_values = [float(betting_sequence(night).e_values[-1]) for night in nights]
            any_night = any(cluster_t_interval(night, bounds=UNIT).p_value <= RATE for night in nights)
            product = combine_e_values(e_values, dependence="sequential")
            mean = combine_e_values(e_values, dependence="any")
            wrong.append([any_night, product >= 1 / RATE, mean >= 1 / RATE])
        cell = Cell(templates=templates, repeats=repeats)
        for name, share in zip(("any night at 5 %", "product", "mean"), np.mean(wrong, axis=0), strict=True):
            cell.add(name, float(share))
        cells.append(cell)
    return cells
