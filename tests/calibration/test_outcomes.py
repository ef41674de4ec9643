"""Prices, excesses over placebo and Cliff's delta keep their level: `benchmarks.outcomes.run`, reduced."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.outcomes.run import Cell, delta_covers, excess_covers, price_covers
from probes.seeds import rng

Covers = Callable[[Cell, np.random.Generator], bool | None]

AUDITS = 200
"""Of 200 audits 95 % +- 1.5 cover; fewer than 90 % do with probability below 0.002."""


@pytest.mark.parametrize(
    ("covers", "truth"), [(price_covers, 0.0), (price_covers, 0.4), (excess_covers, 0.0), (delta_covers, 0.0)]
)
def test_intervals_hold_the_planted_value(covers: Covers, truth: float) -> None:
    """At 30 templates and 4 repeats, with templates that differ, about 95 % of intervals hold the truth."""
    cell = Cell(estimator="reduced", templates=30, repeats=4, truth=truth)
    draw = rng(3, "outcomes", f"{truth:g}")
    found = [held for _ in range(AUDITS) if (held := covers(cell, draw)) is not None]
    assert len(found) >= 0.95 * AUDITS
    assert float(np.mean(found)) >= 0.90
