"""Calibration of what is looked at together: several groups, every look at a run, several studies."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri

from audit.statistics import (
    StudyCounts,
    betting_sequence,
    cluster_t_interval,
    group_contrasts,
    leave_one_out,
    mantel_haenszel_difference,
    mantel_haenszel_ratio,
    max_t_intervals,
    random_effects,
    stratified_t,
)
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import ALPHA, DESIGNS, GAP, ROOT, SLOPE_SD, TEMPLATE_SD, UNIT, paired_arms
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["group_families", "looks", "pooled_counts", "pooled_studies", "without_each"]

RESAMPLES = 399


def group_families(simulations: int) -> list[Cell]:
    """How often any of several equal groups is said to differ.

    The first column takes each group against the reference by itself; "templates" is those of each domain.
    """
    designs = [(*design, 1, 5) for design in DESIGNS]
    several = [(domains, groups) for domains in (1, 4) for groups in (3, 8)]
    designs += [(templates, 16, *case) for templates in (3, 6, 12, 40) for case in several]
    cells = []
    for templates, repeats, domains, groups in designs:
        stream = rng(ROOT, "groups", templates, repeats, domains, groups)
        shape = (domains, templates, groups)
        cell = Cell(templates=templates, repeats=repeats, note=f"{domains} domains, {groups} groups")
        names = ("cluster-t, each by itself", "max-T, reference", "max-T, grand mean")
        cell.average(names, [_groups(stream, shape, repeats) for _ in range(simulations)])
        cells.append(cell)
    return cells


def _groups(stream: np.random.Generator, shape: tuple[int, int, int], repeats: int) -> list[bool]:
    domains, templates, groups = shape
    base = TEMPLATE_SD * stream.standard_normal((domains * templates, 1))
    slopes = SLOPE_SD * stream.standard_normal((domains * templates, groups))
    means = stream.binomial(repeats, expit(base + slopes)) / repeats
    strata = np.repeat(np.arange(domains), templates)
    each = [np.split(means[:, g] - means[:, 0], domains) for g in range(1, groups)]
    single = [stratified_t(parts, bounds=UNIT) for parts in each]
    found = [any(one.p_value <= ALPHA for one in single)]
    for reference in (0, None):
        contrasts = group_contrasts(means, reference=reference, strata=strata, bounds=UNIT)
        together = max_t_intervals(contrasts, rng=stream, resamples=RESAMPLES)
        found.append(any(one.p_value <= ALPHA for one in together.estimates))
    return found


def looks(simulations: int) -> list[Cell]:
    """How often a run without a true difference alarms at any look, stopped at the first alarm.

    Cluster-t is looked at after every tenth template from the tenth; betting after every one.
    """
    cells = []
    for templates, repeats in ((30, 4), (100, 1), (100, 4), (300, 4)):
        stream = rng(ROOT, "looks", templates, repeats)
        rows = paired_arms(stream, (simulations, templates), repeats).differences
        wrong = []
        for row in rows:
            found = betting_sequence(row)
            at = [cluster_t_interval(row[:n], bounds=UNIT) for n in range(10, templates + 1, 10)]
            wrong.append(
                [
                    any(one.p_value <= ALPHA for one in at),
                    bool((found.low > 0).any() or (found.high < 0).any()),
                    found.p_value <= ALPHA,
                ]
            )
        cell = Cell(templates=templates, repeats=repeats)
        names = ("cluster-t, every tenth", "betting interval", "betting e-value of 20")
        cell.average(names, wrong)
        cells.append(cell)
    return cells


def pooled_studies(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals contain the mean over studies, and one more study's true value.

    Every study estimates its own difference, of 10 points in the mean, by cluster-t.
    """
    cells = []
    for tau in (0.0, 0.08):
        for studies in (4, 8, 20):
            stream = rng(ROOT, "studies", studies, int(100 * tau))
            note = f"{studies} studies, {'differing by 8 points' if tau else 'all alike'}"
            cell = Cell(templates=30, repeats=4, note=note)
            names = ("inverse variance, z", "random effects", "prediction")
            cell.average(names, [_studies(stream, studies, tau) for _ in range(simulations)])
            cells.append(cell)
    return cells


def _studies(stream: np.random.Generator, studies: int, tau: float) -> list[bool]:
    rows = paired_arms(stream, (studies, 30), 4, gap=GAP).differences
    own = [cluster_t_interval(row, bounds=UNIT) for row in rows]
    points = np.array([one.point for one in own]) + tau * stream.standard_normal(studies)
    errors = np.array([one.standard_error for one in own])
    weight = errors**-2
    fixed = abs(float(weight @ points / weight.sum()) - GAP) * np.sqrt(weight.sum()) <= ndtri(0.975)
    found = random_effects(points, errors)
    after = GAP + tau * stream.standard_normal()
    expected = found.prediction
    return [
        bool(fixed),
        holds(found.interval, GAP),
        expected is not None and holds(expected, after),
    ]


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
            points = GAP + 0.08 * stream.standard_normal(studies) + errors * stream.standard_normal(studies)
            found = [one.interval for one in leave_one_out(points, errors)]
            inside.append(np.mean([holds(one, GAP) for one in found]))
        cell = Cell(templates=studies, repeats=1)
        cell.add("leave one out", float(np.mean(inside)))
        cells.append(cell)
    return cells


def pooled_counts(simulations: int) -> list[Cell]:
    """How often nominal 95 % Mantel-Haenszel intervals contain the truth: 10 points, and a ratio of 1.5.

    Outputs are independent: every output has a template of its own, and studies differ in their rates.
    """
    cells = []
    for studies, outputs in ((5, 200), (20, 50), (60, 12)):
        stream = rng(ROOT, "counts", studies, outputs)
        right = []
        for _ in range(simulations):
            rate = stream.uniform(0.1, 0.5, studies)
            n1, n0 = stream.integers(outputs // 2, 2 * outputs, (2, studies))
            hits = stream.binomial(n0, rate)
            difference = mantel_haenszel_difference(_counts(stream.binomial(n1, rate + GAP), n1, hits, n0))
            ratio = mantel_haenszel_ratio(_counts(stream.binomial(n1, 1.5 * rate), n1, hits, n0))
            right.append([holds(difference.interval, GAP), holds(ratio.interval, 1.5)])
        cell = Cell(templates=outputs, repeats=1, note=f"{studies} studies")
        cell.average(("difference", "ratio"), right)
        cells.append(cell)
    return cells


def _counts(
    a: npt.NDArray[np.int64], n1: npt.NDArray[np.int64], c: npt.NDArray[np.int64], n0: npt.NDArray[np.int64]
) -> StudyCounts:
    return StudyCounts(group_hits=a, group_outputs=n1, reference_hits=c, reference_outputs=n0)
