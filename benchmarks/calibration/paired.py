"""Calibration of paired differences: error rates, coverage and power by templates and repeats."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from audit.statistics import (
    Interval,
    cluster_bootstrap,
    cluster_t_interval,
    equivalence_of,
    mcnemar_mid_p,
    sign_flip_test,
    stratified_t,
)
from benchmarks.calibration.counting import holds, naive_holds, naive_p
from benchmarks.calibration.designs import ALPHA, DESIGNS, GAP, ROOT, UNIT, paired_arms
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["coverages", "nulls", "one_pair", "power"]

Vector = npt.NDArray[np.float64]
FLIPS = 999
RESAMPLES = 999
MARGIN = 0.05


def nulls(simulations: int) -> list[Cell]:
    """How often each method claims a difference where there is none.

    The naive test ignores the pairing and the clusters: with few repeats the first loss hides the second.
    """
    cells = []
    for templates, repeats in (*DESIGNS, (40, 100)):
        stream = rng(ROOT, "null", templates, repeats)
        arms = paired_arms(stream, (simulations, templates), repeats)
        rows = arms.differences
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("naive z-test", float((naive_p(arms, repeats) <= ALPHA).mean()))
        for name, covers in _methods(stream).items():
            cell.add(name, 1 - float(np.mean([covers(row, 0.0) for row in rows])))
        flips = [sign_flip_test(row, flips=FLIPS, rng=stream).p_value <= ALPHA for row in rows]
        cell.add("sign-flip", float(np.mean(flips)))
        cells.append(cell)
    return cells


def coverages(simulations: int) -> list[Cell]:
    """How often each nominal 95 % interval contains the truth.

    The naive interval is that of two independent proportions.
    """
    cells = []
    for templates, repeats in (*DESIGNS, (40, 100)):
        stream = rng(ROOT, "gap", templates, repeats)
        arms = paired_arms(stream, (simulations, templates), repeats, gap=GAP)
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("naive interval", float(naive_holds(arms, repeats, GAP).mean()))
        for name, covers in _methods(stream).items():
            cell.add(name, float(np.mean([covers(row, GAP) for row in arms.differences])))
        cells.append(cell)
    return cells


def _methods(stream: np.random.Generator) -> dict[str, Callable[[Vector, float], bool]]:
    """By name: from differences and the truth to whether the method's interval contains it."""
    return {
        "cluster-t": lambda d, truth: holds(cluster_t_interval(d, bounds=UNIT).interval, truth),
        "stratified t": lambda d, truth: holds(_stratified(d), truth),
        "bootstrap, percentile": lambda d, truth: holds(_bootstrap(d, "percentile", stream), truth),
        "bootstrap, BCa": lambda d, truth: holds(_bootstrap(d, "bca", stream), truth),
    }


def _stratified(differences: Vector) -> Interval:
    """Interval over three strata of unequal size (a half, a third, a sixth of the templates)."""
    n = differences.size
    strata = np.split(differences, [n // 2, n // 2 + n // 3])
    return stratified_t(strata, bounds=UNIT).interval


def _bootstrap(differences: Vector, method: str, stream: np.random.Generator) -> Interval:
    """Bootstrap interval of a mean difference."""
    n = differences.size
    found = cluster_bootstrap(
        lambda counts: counts @ differences / n,
        n,
        resamples=RESAMPLES,
        rng=stream,
        method="bca" if method == "bca" else "percentile",
    )
    return found.interval


def power(simulations: int) -> list[Cell]:
    """How often cluster-t finds planted differences, and TOST says equivalent (margin 5 points)."""
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "power", templates, repeats)
        cell = Cell(templates=templates, repeats=repeats)
        shape = (simulations, templates)
        for gap in (0.02, 0.05, 0.10, 0.20):
            rows = paired_arms(stream, shape, repeats, gap=gap).differences
            found = [cluster_t_interval(row, bounds=UNIT).p_value <= ALPHA for row in rows]
            cell.add(f"finds {gap * 100:.0f} points", float(np.mean(found)))
        for gap, name in ((0.0, "equivalent at 0"), (MARGIN, "equivalent at 5 points (wrong)")):
            rows = paired_arms(stream, shape, repeats, gap=gap).differences
            same = [
                equivalence_of(cluster_t_interval(row, bounds=UNIT), margin=MARGIN).equivalent for row in rows
            ]
            cell.add(name, float(np.mean(same)))
        cells.append(cell)
    return cells


def one_pair(simulations: int) -> list[Cell]:
    """How often each test claims a difference where there is none, with one pair a template.

    The exact test cannot pass 5 %, and wastes most of it.
    """
    cells = []
    for templates in (12, 30, 100):
        stream = rng(ROOT, "pair", templates)
        arms = paired_arms(stream, (simulations, templates), 1)
        codes = np.arange(templates)
        found = [mcnemar_mid_p(g, r, codes) for g, r in zip(arms.group, arms.reference, strict=True)]
        by_t = [cluster_t_interval(row, bounds=UNIT).p_value <= ALPHA for row in arms.differences]
        cell = Cell(templates=templates, repeats=1)
        cell.add("cluster-t", float(np.mean(by_t)))
        cell.add("McNemar, mid-p", float(np.mean([one.p_value <= ALPHA for one in found])))
        cell.add("McNemar, exact", float(np.mean([one.exact_p_value <= ALPHA for one in found])))
        cells.append(cell)
    return cells
