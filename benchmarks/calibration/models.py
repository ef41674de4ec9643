"""Calibration of regressions, of the hierarchical bootstrap, and of one pair a template."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr

from audit.errors import NotMeasuredError
from audit.statistics import (
    ClusteredRows,
    Level,
    RowWeights,
    cluster_logit,
    cluster_t_interval,
    hierarchical_bootstrap,
    mcnemar_mid_p,
    mixed_logit,
    wild_cluster_test,
)
from benchmarks.calibration.designs import SLOPE_SD, TEMPLATE_SD, paired_arms
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["mixed_effects", "one_pair", "ratios", "regressions"]

Vector = npt.NDArray[np.float64]
Method = Literal["percentile", "bca", "studentised"]
ROOT = 20261
RESAMPLES = 399
FLIPS = 399
RATIO = 0.8


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
        by_t = [cluster_t_interval(row, bounds=(-1, 1)).p_value <= 0.05 for row in arms.differences]
        cell = Cell(templates=templates, repeats=1)
        cell.add("cluster-t", float(np.mean(by_t)))
        cell.add("McNemar, mid-p", float(np.mean([one.p_value <= 0.05 for one in found])))
        cell.add("McNemar, exact", float(np.mean([one.exact_p_value <= 0.05 for one in found])))
        cells.append(cell)
    return cells


def ratios(simulations: int) -> list[Cell]:
    """How often each nominal 95 % bootstrap interval contains a ratio of rates of 0.8.

    The last column draws the samples of each template too, which counts their noise twice. Intervals that
    are refused, as when nearly all hits are of one template, count neither way.
    """
    cells = []
    for templates in (12, 30, 60):
        stream = rng(ROOT, "ratio", templates)
        missed = np.array([_ratio_misses(stream, templates, 4) for _ in range(simulations)])
        cell = Cell(templates=templates, repeats=4)
        names = ("percentile", "BCa", "studentised", "percentile, samples drawn too")
        for name, share in zip(names, np.nanmean(missed, axis=0), strict=True):
            cell.add(name, 1 - float(share))
        cells.append(cell)
    return cells


def _ratio_misses(stream: np.random.Generator, templates: int, repeats: int) -> list[float]:
    """Whether percentile, BCa and studentised over templates, and percentile over samples too, miss."""
    base = expit(TEMPLATE_SD * stream.standard_normal(templates))
    is_group = np.tile([True, False], templates)
    rate = np.where(is_group, RATIO, 1.0) * base.repeat(2)
    hits = stream.binomial(1, rate[:, np.newaxis], (2 * templates, repeats)).astype(np.float64)
    sums = hits.sum(axis=1)
    group, reference = sums[is_group], sums[~is_group]
    rows, ours = hits.ravel(), is_group.repeat(repeats)

    def of_templates(weights: RowWeights) -> Vector:
        return _share(weights @ group, weights @ reference)

    def of_samples(weights: RowWeights) -> Vector:
        return _share((weights @ (rows * ours)), (weights @ (rows * ~ours)))

    outer = [Level(codes=np.arange(templates))]
    cluster = np.arange(templates).repeat(2 * repeats)
    prompts = np.arange(2 * templates).repeat(repeats)
    inner = [Level(codes=cluster), Level(codes=np.arange(rows.size), within=prompts)]
    return [
        _missed(of_templates, outer, stream, "percentile"),
        _missed(of_templates, outer, stream, "bca"),
        _missed(of_templates, outer, stream, "studentised"),
        _missed(of_samples, inner, stream, "percentile"),
    ]


def _missed(
    statistic: Callable[[RowWeights], Vector],
    levels: list[Level],
    stream: np.random.Generator,
    method: Method,
) -> float:
    """1 if the interval misses the ratio, 0 if it contains it, nan if it is refused."""
    try:
        found = hierarchical_bootstrap(statistic, levels, rng=stream, resamples=RESAMPLES, method=method)
    except NotMeasuredError:
        return float("nan")
    return float(not found.interval.low <= RATIO <= found.interval.high)


def _share(above: Vector, below: Vector) -> Vector:
    return np.asarray(np.where(below > 0, above / np.maximum(below, 1e-300), np.nan))


def regressions(simulations: int) -> list[Cell]:
    """How often a logistic regression with a covariate claims an effect of the group where there is none.

    A fit without an estimate claims nothing.
    """
    cells = []
    for apart in (False, True):
        for templates in (12, 30, 100):
            stream = rng(ROOT, "regression", templates, int(apart))
            note = "each template asks one arm" if apart else "every template asks both arms"
            wrong = np.array([_regression(stream, templates, apart=apart) for _ in range(simulations)])
            cell = Cell(templates=templates, repeats=4, note=note)
            names = ("outputs as independent", "sandwich, z", "CR2, Satterthwaite t", "wild cluster test")
            for name, share in zip(names, wrong.mean(axis=0), strict=True):
                cell.add(name, float(share))
            cells.append(cell)
    return cells


def _regression(stream: np.random.Generator, templates: int, *, apart: bool) -> list[bool]:
    cluster = np.arange(templates).repeat(2)
    group = (cluster < templates // 2) if apart else np.tile([False, True], templates)
    covariate = stream.standard_normal(templates)[cluster]
    base, slope = (
        TEMPLATE_SD * stream.standard_normal(templates),
        SLOPE_SD * stream.standard_normal(templates),
    )
    rate = expit((base + 0.5 * covariate[::2])[cluster] + slope[cluster] * (group - 0.5))
    rows = ClusteredRows(
        outcome=stream.binomial(4, rate) / 4,
        design=np.column_stack([np.ones(cluster.size), group, covariate]),
        cluster=cluster,
        trials=np.full(cluster.size, 4.0),
    )
    try:
        fit = cluster_logit(rows)
        found = fit.contrast([0, 1, 0])
        wild = wild_cluster_test(rows, [0, 1, 0], flips=FLIPS, rng=stream)
    except NotMeasuredError:
        return [False] * 4
    x = np.asarray(rows.design)
    residual = 4 * (np.asarray(rows.outcome) - expit(x @ fit.coefficients))
    scores = (residual[:, np.newaxis] * x).reshape(templates, 2, 3).sum(axis=1)
    sandwich = fit.information_inverse @ scores.T @ scores @ fit.information_inverse
    errors = np.sqrt([fit.information_inverse[1, 1], sandwich[1, 1]])
    naive = 2 * ndtr(-abs(found.point) / errors) <= 0.05
    return [bool(naive[0]), bool(naive[1]), found.p_value <= 0.05, wild.p_value <= 0.05]


def mixed_effects(simulations: int) -> list[Cell]:
    """How often a regression of log-odds claims an effect of the group where there is none.

    Log-odds are normal here, with a standard deviation of 0.5 within templates.
    """
    cells = []
    for slope_sd in (SLOPE_SD, 0.0):
        for templates in (12, 30, 100):
            stream = rng(ROOT, "mixed", templates, int(10 * slope_sd))
            note = f"slopes differ by {slope_sd:g}" if slope_sd else "slopes are equal"
            wrong = np.array([_mixed(stream, templates, slope_sd) for _ in range(simulations)])
            cell = Cell(templates=templates, repeats=4, note=note)
            cell.add("slopes held equal", float(wrong[:, 0].mean()))
            cell.add("mixed-effects logit", float(wrong[:, 1].mean()))
            cells.append(cell)
    return cells


def _mixed(stream: np.random.Generator, templates: int, slope_sd: float) -> list[bool]:
    cluster = np.arange(templates).repeat(8)
    group = np.tile([0.0, 1.0], 4 * templates)
    base, slope = (
        TEMPLATE_SD * stream.standard_normal(templates),
        slope_sd * stream.standard_normal(templates),
    )
    y = base[cluster] + slope[cluster] * group + 0.5 * stream.standard_normal(cluster.size)
    x = np.column_stack([np.ones(cluster.size), group])
    found = [mixed_logit(y, x, cluster, varying=columns) for columns in ([0], [0, 1])]
    return [fit.contrast([0, 1]).p_value <= 0.05 for fit in found]
