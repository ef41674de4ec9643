"""Calibration of regressions, and of the hierarchical bootstrap."""

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
    hierarchical_bootstrap,
    mixed_logit,
    wild_cluster_test,
)
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import ALPHA, DESIGNS, ROOT, SLOPE_SD, TEMPLATE_SD
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["mixed_effects", "ratios", "regressions"]

Vector = npt.NDArray[np.float64]
Method = Literal["percentile", "bca", "studentised"]
RESAMPLES = 399
FLIPS = 399
RATIO = 0.8
MOST_ROWS = 500
"""Outputs up to which samples are drawn anew too, which takes longer the more there are."""


def ratios(simulations: int) -> list[Cell]:
    """How often each nominal 95 % bootstrap interval contains a ratio of rates of 0.8.

    The last column draws the samples of each template too, which counts their noise twice. Intervals that
    are refused, as when nearly all hits are of one template, count neither way; "-" was left out for time.
    """
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "ratio", templates, repeats)
        cell = Cell(templates=templates, repeats=repeats)
        names = ("percentile", "BCa", "studentised", "percentile, samples drawn too")
        cell.average(names, [_ratio_holds(stream, templates, repeats) for _ in range(simulations)])
        cells.append(cell)
    return cells


def _ratio_holds(stream: np.random.Generator, templates: int, repeats: int) -> list[float]:
    """Whether percentile, BCa and studentised over templates, and percentile over samples, contain it."""
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
        _held(of_templates, outer, stream, "percentile"),
        _held(of_templates, outer, stream, "bca"),
        _held(of_templates, outer, stream, "studentised"),
        _held(of_samples, inner, stream, "percentile") if rows.size <= MOST_ROWS else float("nan"),
    ]


def _held(
    statistic: Callable[[RowWeights], Vector],
    levels: list[Level],
    stream: np.random.Generator,
    method: Method,
) -> float:
    """1 if the interval contains the ratio, 0 if it misses it, nan if it is refused."""
    try:
        found = hierarchical_bootstrap(statistic, levels, rng=stream, resamples=RESAMPLES, method=method)
    except NotMeasuredError:
        return float("nan")
    return float(holds(found.interval, RATIO))


def _share(above: Vector, below: Vector) -> Vector:
    return np.asarray(np.where(below > 0, above / np.maximum(below, 1e-300), np.nan))


def regressions(simulations: int) -> list[Cell]:
    """How often a logistic regression with a covariate claims an effect of the group where there is none.

    A fit without an estimate claims nothing.
    """
    cells = []
    for apart in (False, True):
        for templates, repeats in DESIGNS:
            stream = rng(ROOT, "regression", templates, repeats, int(apart))
            note = "each template asks one arm" if apart else "every template asks both arms"
            cell = Cell(templates=templates, repeats=repeats, note=note)
            names = ("outputs as independent", "sandwich, z", "CR2, Satterthwaite t", "wild cluster test")
            cell.average(
                names, [_regression(stream, templates, repeats, apart=apart) for _ in range(simulations)]
            )
            cells.append(cell)
    return cells


def _regression(stream: np.random.Generator, templates: int, repeats: int, *, apart: bool) -> list[bool]:
    cluster = np.arange(templates).repeat(2)
    group = (cluster < templates // 2) if apart else np.tile([False, True], templates)
    covariate = stream.standard_normal(templates)[cluster]
    base, slope = (
        TEMPLATE_SD * stream.standard_normal(templates),
        SLOPE_SD * stream.standard_normal(templates),
    )
    rate = expit((base + 0.5 * covariate[::2])[cluster] + slope[cluster] * (group - 0.5))
    rows = ClusteredRows(
        outcome=stream.binomial(repeats, rate) / repeats,
        design=np.column_stack([np.ones(cluster.size), group, covariate]),
        cluster=cluster,
        trials=np.full(cluster.size, float(repeats)),
    )
    try:
        fit = cluster_logit(rows)
        found = fit.contrast([0, 1, 0])
        wild = wild_cluster_test(rows, [0, 1, 0], flips=FLIPS, rng=stream)
    except NotMeasuredError:
        return [False] * 4
    x = np.asarray(rows.design)
    residual = repeats * (np.asarray(rows.outcome) - expit(x @ fit.coefficients))
    scores = (residual[:, np.newaxis] * x).reshape(templates, 2, 3).sum(axis=1)
    sandwich = fit.information_inverse @ scores.T @ scores @ fit.information_inverse
    errors = np.sqrt([fit.information_inverse[1, 1], sandwich[1, 1]])
    naive = 2 * ndtr(-abs(found.point) / errors) <= ALPHA
    return [bool(naive[0]), bool(naive[1]), found.p_value <= ALPHA, wild.p_value <= ALPHA]


def mixed_effects(simulations: int) -> list[Cell]:
    """How often a regression of log-odds claims an effect of the group where there is none.

    Log-odds are normal here, with a standard deviation of 0.5 within templates. With one answer an arm
    a template's slope cannot be told from its noise, and the fit is refused.
    """
    cells = []
    for slope_sd in (SLOPE_SD, 0.0):
        for templates, repeats in ((12, 4), (30, 4), (30, 16), (100, 4)):
            stream = rng(ROOT, "mixed", templates, repeats, int(10 * slope_sd))
            note = f"slopes differ by {slope_sd:g}" if slope_sd else "slopes are equal"
            wrong = [_mixed(stream, templates, repeats, slope_sd) for _ in range(simulations)]
            cell = Cell(templates=templates, repeats=repeats, note=note)
            cell.average(("slopes held equal", "mixed-effects logit"), wrong)
            cells.append(cell)
    return cells


def _mixed(stream: np.random.Generator, templates: int, repeats: int, slope_sd: float) -> list[bool]:
    cluster = np.arange(templates).repeat(2 * repeats)
    group = np.tile([0.0, 1.0], repeats * templates)
    base, slope = (
        TEMPLATE_SD * stream.standard_normal(templates),
        slope_sd * stream.standard_normal(templates),
    )
    y = base[cluster] + slope[cluster] * group + 0.5 * stream.standard_normal(cluster.size)
    x = np.column_stack([np.ones(cluster.size), group])
    found = [mixed_logit(y, x, cluster, varying=columns) for columns in ([0], [0, 1])]
    return [fit.contrast([0, 1]).p_value <= ALPHA for fit in found]
