"""How often the swap test of word associations is wrong, and what its intervals cover."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from audit.statistics import (
    SwappedExcess,
    co_occurrence_bias_score,
    stereotypical_associations,
    swapped_excess,
)
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["associations"]

Array = npt.NDArray[np.float64]
ROOT = 20264
WORDS = 30
SWAPS = 99
LEAN = 1.5
SPREAD = 0.7
ENDLESS = 40_000
DESIGNS = ((12, 4), (30, 1), (30, 4), (60, 4))


def bias_score(sides: Array) -> Array:
    """The co-occurrence bias score of counts that carry their totals as last column."""
    return co_occurrence_bias_score(sides[:, :, :-1], sides[:, :, -1], sides[:, :, -1])


def associated(sides: Array) -> Array:
    """Stereotypical associations of the same counts."""
    return stereotypical_associations(sides[:, :, :-1])


MEASURES = {"bias score": bias_score, "associations": associated}


def drawn(stream: np.random.Generator, templates: int, repeats: int, lean: float) -> Array:
    """Counts by template, group and word, with their sum behind them, shape (T, 2, WORDS + 1)."""
    often = stream.gamma(0.5, 2.0, (templates, WORDS)) * np.geomspace(0.05, 0.5, WORDS)
    together = stream.poisson(repeats * often)
    leaning = lean * np.where(np.arange(WORDS) % 2, 1, -1)
    # A template leans as a whole as well: one names women, the other men.
    own = SPREAD * (stream.standard_normal((templates, WORDS)) + stream.standard_normal((templates, 1)))
    first = stream.binomial(together, expit(leaning + own))
    sides = np.stack([first, together - first], axis=1).astype(np.float64)
    return np.concatenate([sides, sides.sum(axis=2, keepdims=True)], axis=2)


def associations(simulations: int) -> list[Cell]:
    """How often two groups named alike are told apart, and how often intervals miss what they are about.

    In the first three columns either group is as likely to be named with every word, template by template.
    "above 0" is how often the interval of the published number excludes 0; "swap test" how often p <= 5 %;
    "excess" how often the interval of the excess misses 0. In the others half of the words lean to one
    group, e^1.5 to 1: how often the intervals of the excess and of the number miss their own means at that
    size, and how often that of the number misses its value on 40,000 templates.
    """
    cells = []
    for measure, statistic in MEASURES.items():
        for templates, repeats in DESIGNS:
            stream = rng(ROOT, "words", measure, templates, repeats)

            def once(lean: float, one: tuple[int, int], stream: np.random.Generator) -> SwappedExcess:
                return swapped_excess(statistic, drawn(stream, *one, lean), swaps=SWAPS, rng=stream)  # noqa: B023

            design = (templates, repeats)
            nulls = [once(0.0, design, stream) for _ in range(simulations)]
            leans = [once(LEAN, design, stream) for _ in range(simulations)]
            limit = float(statistic(drawn(stream, ENDLESS, repeats, LEAN).sum(axis=0, keepdims=True))[0])
            excess = float(np.mean([one.excess.point for one in leans]))
            number = float(np.mean([one.observed.point for one in leans]))
            cell = Cell(templates=templates, repeats=repeats, note=measure)
            cell.add("above 0", float(np.mean([one.observed.interval.low > 0 for one in nulls])))
            cell.add("swap test", float(np.mean([one.p_value <= 0.05 for one in nulls])))
            cell.add("excess", float(np.mean([not _holds(one, 0.0) for one in nulls])))
            cell.add("excess, leaning", float(np.mean([not _holds(one, excess) for one in leans])))
            bounds = [one.observed.interval for one in leans]
            cell.add("number, leaning", float(np.mean([not i.low <= number <= i.high for i in bounds])))
            cell.add("endless data", float(np.mean([not i.low <= limit <= i.high for i in bounds])))
            cells.append(cell)
    return cells


def _holds(one: SwappedExcess, truth: float) -> bool:
    return one.excess.interval.low <= truth <= one.excess.interval.high
