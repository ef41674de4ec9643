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
from benchmarks.calibration.counting import holds, naive_p
from benchmarks.calibration.designs import (
    ALPHA,
    DESIGNS,
    ROOT,
    SLOPE_SD,
    TEMPLATE_SD,
    UNIT,
    Arms,
    mean_slope,
    paired_arms,
    true_rate,
)
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["FAMILY", "adjusted_families", "e_families", "independent_arms", "several_runs", "sharing_arms"]

FAMILY, TRUE_GAPS, PRIMARY = 20, 6, 8
GAP = 0.20
SHARE = 0.8
_CONTRASTS = np.arange(FAMILY)
_TRUE = (_CONTRASTS % 2 == 0) & (_CONTRASTS < 2 * TRUE_GAPS)
"""Every other contrast is true, until there are six; the primary ones come first, half of them true."""
_WEIGHT = np.where(_CONTRASTS < PRIMARY, SHARE / PRIMARY, (1 - SHARE) / (FAMILY - PRIMARY)) * FAMILY

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def adjusted_families(simulations: int) -> list[Cell]:
    """Share of false claims among the claims of one family, by adjustment, at 5 %.

    20 contrasts, 6 of them true by 20 points; 8 are primary and share 80 % of the rate, 4 of those are
    true. The first column is Benjamini-Hochberg on the naive z-test, the others are on cluster-t. For Holm
    the number is the chance of any false claim.
    The last two are shares of the intervals of the weighted family's claims that miss the truth.
    """
    names = ("naive z-test + BH", "BH", "weighted BH", "BY", "Holm, any", "own interval", "FCR interval")
    cells = []
    for shared in (False, True):
        for templates, repeats in DESIGNS:
            stream = rng(ROOT, "adjusted", templates, repeats, int(shared))
            note = "one reference arm for all" if shared else "independent contrasts"
            cell = Cell(templates=templates, repeats=repeats, note=note)
            cell.average(
                names, [_family(stream, templates, repeats, shared=shared) for _ in range(simulations)]
            )
            cells.append(cell)
    return cells


def _family(stream: np.random.Generator, templates: int, repeats: int, *, shared: bool) -> list[float]:
    arms, truth = (sharing_arms if shared else independent_arms)(stream, templates, repeats)
    found = [cluster_t_interval(row, bounds=UNIT) for row in arms.differences]
    p_values = np.array([one.p_value for one in found])
    weighted = weighted_benjamini_hochberg(p_values, _WEIGHT) <= ALPHA
    claims = [
        benjamini_hochberg(naive_p(arms, repeats)) <= ALPHA,
        benjamini_hochberg(p_values) <= ALPHA,
        weighted,
        benjamini_yekutieli(p_values) <= ALPHA,
    ]
    any_false = float((holm(p_values) <= ALPHA)[~_TRUE].any())
    chosen = np.flatnonzero(weighted)
    own, adjusted = [], []
    for k in chosen:
        level = fcr_level(chosen.size, FAMILY, ALPHA, weight=float(_WEIGHT[k]))
        wide = cluster_t_interval(arms.differences[k], level=level, bounds=UNIT).interval
        own.append(not holds(found[k].interval, truth[k]))
        adjusted.append(not holds(wide, truth[k]))
    missed = [float(np.mean(each)) if each else 0.0 for each in (own, adjusted)]
    return [*(_false_share(claim) for claim in claims), any_false, *missed]


def _false_share(claimed: Flags) -> float:
    return float((claimed & ~_TRUE).sum() / max(1, claimed.sum()))


def independent_arms(stream: np.random.Generator, templates: int, repeats: int) -> tuple[Arms, Vector]:
    """Every contrast's own templates, arms of shape (20, T), and the true differences."""
    parts = np.empty((3, FAMILY, templates))
    for chosen, gap in ((_TRUE, GAP), (~_TRUE, 0.0)):
        arms = paired_arms(stream, (int(chosen.sum()), templates), repeats, gap=gap)
        parts[:, chosen] = arms.group, arms.reference, arms.levels
    return Arms(group=parts[0], reference=parts[1], levels=parts[2]), np.where(_TRUE, GAP, 0.0)


def sharing_arms(stream: np.random.Generator, templates: int, repeats: int) -> tuple[Arms, Vector]:
    """20 groups over the same templates against one reference arm, and the true differences."""
    base = TEMPLATE_SD * stream.standard_normal(templates)
    slope = mean_slope(GAP)
    shape = (FAMILY, templates)
    logits = base + SLOPE_SD * stream.standard_normal(shape) + slope * _TRUE[:, np.newaxis]
    # Without a gap a group's own slopes would pull its rate towards a half: the reference has the same.
    own = base + SLOPE_SD * stream.standard_normal(templates)
    reference = np.broadcast_to(stream.binomial(repeats, expit(own)) / repeats, shape)
    reached = true_rate(slope, float(np.hypot(TEMPLATE_SD, SLOPE_SD))) - 0.5
    arms = Arms(
        group=stream.binomial(repeats, expit(logits)) / repeats,
        reference=reference,
        levels=np.broadcast_to(base, shape),
    )
    return arms, np.where(_TRUE, reached, 0.0)


def e_families(simulations: int) -> list[Cell]:
    """Share of false claims by e-values of `betting_sequence`, at 5 %, and the share of true gaps found.

    The families of the table above, of independent contrasts; beside them weighted BH on p-values.
    """
    cells = []
    for templates, repeats in ((30, 1), (30, 4), (30, 16), (100, 4)):
        stream = rng(ROOT, "e-values", templates, repeats)
        runs = []
        for _ in range(simulations):
            rows = independent_arms(stream, templates, repeats)[0].differences
            e_values = [float(betting_sequence(row).e_values[-1]) for row in rows]
            p_values = [cluster_t_interval(row, bounds=UNIT).p_value for row in rows]
            by_e = e_benjamini_hochberg(e_values) <= ALPHA
            by_p = weighted_benjamini_hochberg(p_values, _WEIGHT) <= ALPHA
            runs.append([_false_share(by_e), _false_share(by_p), by_e[_TRUE].mean(), by_p[_TRUE].mean()])
        cell = Cell(templates=templates, repeats=repeats)
        cell.average(("e-BH", "weighted BH", "e-BH finds", "weighted BH finds"), runs)
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
            any_night = any(cluster_t_interval(night, bounds=UNIT).p_value <= ALPHA for night in nights)
            product = combine_e_values(e_values, dependence="sequential")
            mean = combine_e_values(e_values, dependence="any")
            wrong.append([any_night, product >= 1 / ALPHA, mean >= 1 / ALPHA])
        cell = Cell(templates=templates, repeats=repeats)
        cell.average(("any night at 5 %", "product", "mean"), wrong)
        cells.append(cell)
    return cells
