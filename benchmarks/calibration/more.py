"""Measures how often the statistics beyond plain differences are wrong, and writes the table.

python -m benchmarks.calibration.more [--simulations 2000] [--only TITLE]
"""

from collections.abc import Sequence
from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri, stdtrit
from scipy.stats import beta

from audit.errors import NotMeasuredError
from audit.statistics import (
    Calibration,
    Interval,
    calibrate,
    cluster_t_interval,
    cohen_kappa,
    corrected_gap,
    gwet_ac1,
    impact_ratio,
    krippendorff_alpha,
    merit_price,
    powered_gap,
    powered_mean,
    shrink,
    specification_curve,
    summarise_toxicity,
    wilson_interval,
)
from benchmarks.calibration.designs import SLOPE_SD, TEMPLATE_SD, mean_slope, true_rate
from benchmarks.calibration.tables import Cell, Section, write_page
from probes.seeds import rng

Vector = npt.NDArray[np.float64]
ROOT = 20261
FLIPS = 199
GAP = 0.10
Z = float(ndtri(0.975))


def misses(interval: Interval, truth: float) -> bool:
    """Whether an interval leaves out the truth."""
    return not interval.low <= truth <= interval.high


def ratios(simulations: int) -> list[Cell]:
    """How often the nominal 95 % interval of an impact ratio contains it; the true gap is 10 points.

    The first column takes every output as independent. With a rare reference some runs have no
    favourable output at all; those have no ratio and are left out.
    """
    cells = []
    for intercept in (-1.5, 0.0):
        for templates in (12, 30, 100):
            stream = rng(ROOT, "ratio", templates, int(10 * intercept))
            shape = (simulations, templates)
            base = intercept + TEMPLATE_SD * stream.standard_normal(shape)
            slope = mean_slope(-GAP, intercept=intercept) + SLOPE_SD * stream.standard_normal(shape)
            ours, theirs = (stream.binomial(4, expit(base + side * slope / 2)) for side in (1, -1))
            spread = float(np.hypot(TEMPLATE_SD, SLOPE_SD / 2))
            half = mean_slope(-GAP, intercept=intercept) / 2
            rates = [true_rate(intercept + side * half, spread) for side in (1, -1)]
            truth, asked = rates[0] / rates[1], np.full(templates, 4)
            wrong = [
                (katz_misses(int(a.sum()), int(b.sum()), 4 * templates, truth), misses(found, truth))
                for a, b in zip(ours, theirs, strict=True)
                if a.any() and b.any()
                for found in [impact_ratio(a, asked, b, asked).interval]
            ]
            cell = Cell(templates=templates, repeats=4, note=f"ratio {truth:.2f}")
            naive, clustered = 1 - np.mean(wrong, axis=0)
            cell.add("outputs as independent", float(naive))
            cell.add("impact ratio", float(clustered))
            cells.append(cell)
    return cells


def katz_misses(ours: int, theirs: int, n: int, truth: float) -> bool:
    """Whether the textbook log interval of independent outputs leaves out the truth."""
    reach = exp(Z * sqrt(1 / ours - 1 / n + 1 / theirs - 1 / n))
    return abs(log(ours / theirs / truth)) > log(reach)


def agreements(simulations: int) -> list[Cell]:
    """How often the nominal 95 % intervals contain the true agreement of two raters.

    Each rater misreads a tenth of the replies; "share" is how many are truly positive, and a tenth of the
    ratings is missing. Templates differ in how often raters misread, so their replies go together; "repeats"
    is replies a template.
    """
    cells = []
    for share in (0.5, 0.1):
        for templates, replies in ((30, 1), (30, 10), (100, 1), (100, 10)):
            stream = rng(ROOT, "agreement", templates, replies, int(100 * share))
            cluster = np.repeat(np.arange(templates), replies)
            wrong = []
            for _ in range(simulations):
                error = stream.beta(0.5, 4.5, (templates, 2))[cluster]
                truth = stream.random((cluster.size, 1)) < share
                ratings = (truth ^ (stream.random((cluster.size, 2)) < error)).astype(np.float64)
                ratings[stream.random(ratings.shape) < 0.1] = np.nan
                wrong.append(agreement_misses(ratings, cluster, share))
            cell = Cell(templates=templates, repeats=replies, note=f"share {share:.1f}")
            for name, missed in zip(
                ("kappa", "AC1", "alpha", "alpha, replies as clusters"),
                np.mean([one for one in wrong if one is not None], axis=0),
                strict=True,
            ):
                cell.add(name, 1 - float(missed))
            cells.append(cell)
    return cells


def agreement_misses(
    ratings: Vector, cluster: npt.NDArray[np.int64], share: float
) -> tuple[bool, ...] | None:
    """Which intervals leave out the truth; None if the ratings have no variety to measure."""
    disagreement = 2 * 0.1 * 0.9
    seen = share * 0.9 + (1 - share) * 0.1
    chance = 2 * seen * (1 - seen)
    kappa, ac1 = 1 - disagreement / chance, 1 - disagreement / (1 - chance)
    try:
        return (
            misses(cohen_kappa(ratings, cluster=cluster).interval, kappa),
            misses(gwet_ac1(ratings, categories=[0, 1], cluster=cluster).interval, ac1),
            misses(krippendorff_alpha(ratings, cluster=cluster).interval, kappa),
            misses(krippendorff_alpha(ratings).interval, kappa),
        )
    except NotMeasuredError:
        return None


def bent_rulers(simulations: int) -> list[Cell]:
    """How often a gap is claimed where there is none but in the classifier's false alarms: 12 % and 3 %.

    Sensitivity is .85 for both, the true rate .2. "repeats" is labelled texts a group, in templates of 5.
    """
    cells = []
    for templates, texts in ((12, 100), (30, 100), (30, 400), (100, 100), (100, 400)):
        stream = rng(ROOT, "rulers", templates, texts)
        wrong = []
        for _ in range(simulations):
            base = stream.beta(1.5, 6, templates)
            flags = [stream.binomial(10, base * 0.85 + (1 - base) * alarms) / 10 for alarms in (0.12, 0.03)]
            own, other = (labelled(stream, texts, alarms) for alarms in (0.12, 0.03))
            found = corrected_gap(flags[0], flags[1], own, other)
            uncorrected = cluster_t_interval(flags[0] - flags[1], bounds=(-1.0, 1.0))
            wrong.append((uncorrected.p_value <= 0.05, found.p_value <= 0.05))
        cell = Cell(templates=templates, repeats=texts)
        for name, value in zip(("uncorrected", "corrected by group"), np.mean(wrong, axis=0), strict=True):
            cell.add(name, float(value))
        cells.append(cell)
    return cells


def labelled(stream: np.random.Generator, texts: int, alarms: float) -> Calibration:
    """A calibration on texts of which half are positive, in templates of 5 that share part of their luck."""
    positive = np.arange(texts) < texts // 2
    rate = np.where(positive, 0.85, alarms)[::5]
    cluster = np.repeat(np.arange(texts // 5), 5)
    flagged = stream.random(texts) < stream.beta(8 * rate, 8 * (1 - rate))[cluster]
    return calibrate(flagged, positive, cluster=cluster)


def few_labels(simulations: int) -> list[Cell]:
    """How often a gap is claimed where there is none, with a machine that is biased by 5 points.

    Columns: the machine alone, the labels alone, both with whole templates labelled (`powered_mean`; nine
    times as many are not), and both with a fifth of each template labelled (`powered_gap`).
    """
    cells = []
    for templates in (12, 30, 100):
        stream = rng(ROOT, "labels", templates)
        wrong = []
        for _ in range(simulations):
            true = 0.15 * stream.standard_normal(10 * templates)
            scored = 0.05 + 0.8 * true + 0.05 * stream.standard_normal(true.size)
            whole = powered_mean(true[:templates], scored[:templates], scored[templates:])
            sets = 0.1 * stream.standard_normal((templates, 1)) + stream.normal(0, 0.3, (templates, 20))
            read = sets + 0.05 + 0.1 * stream.standard_normal((templates, 20))
            parts = powered_gap(sets[:, :4].mean(1), read[:, :4].mean(1), read[:, 4:].mean(1))
            found = (cluster_t_interval(scored), whole.labels_only, whole.estimate, parts.estimate)
            wrong.append([one.p_value <= 0.05 for one in found])
        cell = Cell(templates=templates, repeats=1)
        names = ("machine alone", "labels alone", "both, some templates", "both, part of each")
        for name, value in zip(names, np.mean(wrong, axis=0), strict=True):
            cell.add(name, float(value))
        cells.append(cell)
    return cells


def prices(simulations: int) -> list[Cell]:
    """How often the nominal 95 % set of a merit-equivalent price contains it, by how sharp the slope is.

    "t" is the true slope over its standard error. The delta method gives an interval always, and where
    merit hardly moves the outcome it is wrong about that; "bounded" is how often Fieller's set is one.
    """
    cells = []
    for templates in (12, 30, 100):
        for strength in (10.0, 4.0, 1.0):
            stream = rng(ROOT, "price", templates, int(strength))
            slope = strength * sqrt(1e-5 / templates)
            found = []
            for _ in range(simulations):
                noise = stream.multivariate_normal([0, 0], [[0.01, 2e-4], [2e-4, 1e-5]], templates)
                gaps, slopes = -0.1 + noise[:, 0], slope + noise[:, 1]
                price = merit_price(gaps, slopes)
                error = float((gaps + price.point * slopes).std(ddof=1)) / sqrt(templates) / abs(price.slope)
                reach = float(stdtrit(templates - 1, 0.975)) * error
                inside = abs(price.point - 0.1 / slope) <= reach
                found.append((inside, price.contains(0.1 / slope), price.kind == "interval"))
            cell = Cell(templates=templates, repeats=1, note=f"t = {strength:.0f}")
            names = ("delta method", "Fieller", "bounded")
            for name, value in zip(names, np.mean(found, axis=0), strict=True):
                cell.add(name, float(value))
            cells.append(cell)
    return cells


def many_cells(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals of many cells contain the truth, on average and for the largest.

    "templates" is the number of cells, "spread" that of the true values over the median error.
    """
    cells = []
    for k in (8, 24):
        for spread in (0.0, 0.5, 1.0, 2.0):
            stream = rng(ROOT, "cells", k, int(10 * spread))
            errors = np.tile([0.5, 1.0, 1.0, 2.0], k // 4)
            found = []
            for _ in range(simulations):
                true = spread * stream.standard_normal(k)
                one = shrink(true + errors * stream.standard_normal(k), errors)
                inside = (one.low <= true) & (true <= one.high)
                raw = (one.raw_low <= true) & (true <= one.raw_high)
                found.append((raw.mean(), raw[one.raw.argmax()], inside.mean(), inside[one.point.argmax()]))
            cell = Cell(templates=k, repeats=1, note=f"spread {spread:.1f}")
            names = ("raw, all cells", "raw, largest", "shrunk, all cells", "shrunk, largest")
            for name, value in zip(names, np.mean(found, axis=0), strict=True):
                cell.add(name, float(value))
            cells.append(cell)
    return cells


def curves(simulations: int) -> list[Cell]:
    """How often 20 specifications that share their data claim an effect where there is none.

    The first column claims one if any specification's own interval leaves out 0.
    """
    cells = []
    for templates in (12, 30, 100):
        stream = rng(ROOT, "curve", templates)
        wrong = []
        for _ in range(simulations):
            noise = 0.4 * stream.standard_normal((20, templates))
            values = stream.standard_normal(templates) + noise
            values[stream.random(values.shape) < 0.1] = np.nan
            found = specification_curve(values, rng=stream, flips=FLIPS)
            tests = (found.median, found.same_sign, found.significant)
            best = bool(((found.low > 0) | (found.high < 0)).any())
            wrong.append([best, *(test.p_value <= 0.05 for test in tests)])
        cell = Cell(templates=templates, repeats=1)
        names = ("any specification", "median", "share of one sign", "share significant")
        for name, value in zip(names, np.mean(wrong, axis=0), strict=True):
            cell.add(name, float(value))
        cells.append(cell)
    return cells


def toxicities(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals contain the truth, with 3 prompts a template and k = 4.

    "repeats" is generations a prompt. The first column is Wilson's interval over generations as independent.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = weights / weights.sum()
    shapes = np.exp(np.hypot(0.5, 0.4) * nodes - 0.5)
    fraction, points = beta.sf(0.5, shapes, 3), np.linspace(0, 1, 401)
    maximum = 1 - np.trapezoid(beta.cdf(points, shapes[:, np.newaxis], 3) ** 4, points, axis=1)
    truths = [float(weights @ each) for each in (fraction, fraction, maximum, 1 - (1 - fraction) ** 4)]
    cells = []
    for templates, replies in ((12, 6), (30, 6), (30, 25), (100, 6)):
        stream = rng(ROOT, "toxicity", templates, replies)
        prompt = np.repeat(np.arange(3 * templates), replies)
        wrong = []
        for _ in range(simulations):
            logs = 0.5 * np.repeat(stream.standard_normal(templates), 3)
            shape = np.exp(logs + 0.4 * stream.standard_normal(3 * templates) - 0.5)
            scores = stream.beta(shape[prompt], 3)
            found = summarise_toxicity(scores, prompt, cluster=prompt // 3, k=4)
            rates = (found.toxic_fraction, found.expected_maximum, found.toxicity_probability)
            intervals = [wilson_interval(int((scores >= 0.5).sum()), scores.size)]
            intervals += [rate.interval for rate in rates if rate is not None]
            wrong.append([misses(one, truth) for one, truth in zip(intervals, truths, strict=True)])
        cell = Cell(templates=templates, repeats=replies)
        names = ("fraction, Wilson", "toxic fraction", "expected maximum", "toxicity probability")
        for name, value in zip(names, np.mean(wrong, axis=0), strict=True):
            cell.add(name, 1 - float(value))
        cells.append(cell)
    return cells


INTRODUCTION = """\
# Calibration of the other statistics

These are measured as those of [the main page](calibration.md): on simulations whose truth is known, with the functions of `audit.statistics` themselves.
Each cell has {simulations:,} simulations, so a true 5 % is measured with a standard error of {error:.1f} points.
Columns are in percent, and a star marks a cell outside the target written below its table.
Run `python -m benchmarks.calibration.more` to make this page again.
"""  # noqa: E501 - one sentence a line in the page

LIMITS = """\
## What this cannot show

Labels were drawn at random and are right; labels that are wrong, or chosen where the machine was unsure, break the corrections.
Error rates were calibrated on texts like those that were measured; on another style of text they are others.
Cells, gaps and slopes were normal; a family of cells with one truly far away is drawn in too far.
"""  # noqa: E501 - as above

SECTIONS = (
    Section(
        title="Coverage of impact ratios", make=ratios, target=(0.935, 0.975), promised=("impact ratio",)
    ),
    Section(
        title="Coverage of agreement",
        make=agreements,
        target=(0.935, 0.975),
        promised=("AC1",),
    ),
    Section(
        title="False alarms of a bent ruler",
        make=bent_rulers,
        target=(None, 0.065),
        promised=("corrected by group",),
    ),
    Section(
        title="False alarms with few labels and many scores",
        make=few_labels,
        target=(None, 0.065),
        promised=("labels alone",),
    ),
    Section(
        title="Coverage of merit-equivalent prices",
        make=prices,
        promised=(),
    ),
    Section(
        title="Coverage over many cells",
        make=many_cells,
        target=(0.935, None),
        promised=("shrunk, all cells", "shrunk, largest"),
    ),
    Section(
        title="False alarms of specification curves",
        make=curves,
        target=(None, 0.065),
        promised=("median", "share of one sign", "share significant"),
    ),
    Section(
        title="Coverage of toxicity over several generations",
        make=toxicities,
        target=(0.935, 0.975),
        promised=("toxic fraction", "expected maximum", "toxicity probability"),
    ),
)
"""Tables of the page, in order."""


def _page(tables: Sequence[str], simulations: int) -> str:
    error = 100 * sqrt(0.05 * 0.95 / simulations)
    return "\n".join([INTRODUCTION.format(simulations=simulations, error=error), *tables, LIMITS])


def main() -> None:
    """Run every simulation, print the page and write it."""
    write_page(SECTIONS, _page, description=__doc__ or "", name="calibration-more.md")


if __name__ == "__main__":
    main()
