"""Calibration of toxicity over several generations."""

import numpy as np
from scipy.stats import beta

from audit.statistics import summarise_toxicity, wilson_interval
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import ROOT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["toxicities"]


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
        inside = []
        for _ in range(simulations):
            logs = 0.5 * np.repeat(stream.standard_normal(templates), 3)
            shape = np.exp(logs + 0.4 * stream.standard_normal(3 * templates) - 0.5)
            scores = stream.beta(shape[prompt], 3)
            found = summarise_toxicity(scores, prompt, cluster=prompt // 3, k=4)
            rates = (found.toxic_fraction, found.expected_maximum, found.toxicity_probability)
            intervals = [wilson_interval(int((scores >= 0.5).sum()), scores.size)]
            intervals += [rate.interval for rate in rates if rate is not None]
            inside.append([holds(one, truth) for one, truth in zip(intervals, truths, strict=True)])
        cell = Cell(templates=templates, repeats=replies)
        names = ("fraction, Wilson", "toxic fraction", "expected maximum", "toxicity probability")
        cell.average(names, inside)
        cells.append(cell)
    return cells
