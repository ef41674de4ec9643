"""How often the swap test of word associations is wrong, and what its intervals cover."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics import (
    SwappedExcess,
    co_occurrence_bias_score,
    stereotypical_associations,
    swapped_excess,
)
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import ALPHA, ROOT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["associations"]

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]
WORDS = 16
SWAPS = 99
LEAN = 1.5
SPREAD = 0.7
ENDLESS = 40_000
DESIGNS = ((12, 1), (12, 4), (30, 1), (30, 4), (60, 4))
"""Blocks of templates, of which a run has at most 60, and replies each."""


def bias_score(sides: Array) -> Array:
    """The co-occurrence bias score of counts that carry their totals as last column."""
    return co_occurrence_bias_score(sides[:, :, :-1], sides[:, :, -1], sides[:, :, -1])


def associated(sides: Array) -> Array:
    """Stereotypical associations of the same counts."""
    return stereotypical_associations(sides[:, :, :-1])


MEASURES: Mapping[str, Statistic] = MappingProxyType({"bias score": bias_score, "associations": associated})


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
    size, and how often that of the number misses its value on 40,000 templates. Data too few for a number
    count neither way.
    """
    cells = []
    for measure in MEASURES:
        endless = {repeats: _endless(measure, repeats) for _, repeats in DESIGNS}
        cells += [_cell(measure, t, r, endless[r], simulations) for t, r in DESIGNS]
    return cells


def _endless(measure: str, repeats: int) -> float:
    """The measure on so many templates that chance hardly moves it."""
    sides = drawn(rng(ROOT, "words", measure, "endless", repeats), ENDLESS, repeats, LEAN)
    return float(MEASURES[measure](sides.sum(axis=0, keepdims=True))[0])


def _cell(measure: str, templates: int, repeats: int, limit: float, simulations: int) -> Cell:
    statistic = MEASURES[measure]
    stream = rng(ROOT, "words", measure, templates, repeats)

    def found(lean: float) -> list[SwappedExcess]:
        each = (drawn(stream, templates, repeats, lean) for _ in range(simulations))
        stated = (_stated(statistic, sides, stream) for sides in each)
        return [one for one in stated if one is not None]

    nulls, leans = found(0.0), found(LEAN)
    excess = float(np.mean([one.excess.point for one in leans]))
    number = float(np.mean([one.observed.point for one in leans]))
    cell = Cell(templates=templates, repeats=repeats, note=measure)
    cell.average(
        ("above 0", "swap test", "excess"),
        [
            (one.observed.interval.low > 0, one.p_value <= ALPHA, not holds(one.excess.interval, 0.0))
            for one in nulls
        ],
    )
    cell.average(
        ("excess, leaning", "number, leaning", "endless data"),
        [
            (
                not holds(one.excess.interval, excess),
                not holds(one.observed.interval, number),
                not holds(one.observed.interval, limit),
            )
            for one in leans
        ],
    )
    return cell


def _stated(statistic: Statistic, sides: Array, stream: np.random.Generator) -> SwappedExcess | None:
    try:
        return swapped_excess(statistic, sides, swaps=SWAPS, rng=stream)
    except NotMeasuredError:
        return None
