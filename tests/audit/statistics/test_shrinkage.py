"""Empirical Bayes over many cells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.shrinkage import shrink, shrink_rates
from probes.seeds import rng

BATTING = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
"""Hits of 18 batters in their first 45 turns: Efron & Morris (1977), Scientific American 236(5):119-127."""


def test_equal_errors_give_the_published_stein_estimate() -> None:
    """The batters keep .212 of their distance from .265, so the first's .400 becomes .294, as printed."""
    found = shrink_rates(BATTING, np.full(18, 45))
    assert found.mean == pytest.approx(0.265, abs=5e-4)
    assert 1 - found.shrinkage == pytest.approx(0.212, abs=5e-4)
    assert found.point[0] == pytest.approx(0.294, abs=5e-4)
    assert found.point[-1] == pytest.approx(0.242, abs=5e-4)


def test_intervals_of_equal_errors_match_the_formula() -> None:
    """With equal errors Morris's variance is V (1 - (k - 1) B / k) + 2 / (k - 3) B^2 (y - mean)^2."""
    y, error = np.array([0.0, 0.1, 0.2, 0.5, -0.1]), 0.1
    found = shrink(y, [error] * 5, level=0.9)
    b = found.shrinkage[0]
    variance = error**2 * (1 - 0.8 * b) + b**2 * (y - y.mean()) ** 2
    assert found.standard_error == pytest.approx(np.sqrt(variance))
    assert found.high - found.point == pytest.approx(1.6449 * np.sqrt(variance), rel=1e-4)
    assert found.spread**2 == pytest.approx(y.var(ddof=1) - error**2)
    assert found.raw_high - found.raw == pytest.approx(1.6449 * error, rel=1e-4)


def test_spread_solves_its_equation() -> None:
    """With unequal errors mean and spread satisfy both of their equations."""
    stream = rng(61, "cells")
    errors = stream.uniform(0.05, 0.5, 12)
    y = stream.normal(0.3, 0.4, 12)
    found = shrink(y, errors)
    weight = 1 / (errors**2 + found.spread**2)
    assert found.spread > 0
    assert found.mean == pytest.approx(weight @ y / weight.sum())
    assert weight @ (y - found.mean) ** 2 == pytest.approx(11)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 3)), min_size=4, max_size=20),
    st.floats(-3, 3),
)
def test_shrinking_moves_towards_the_mean_only(cells: list[tuple[float, float]], shift: float) -> None:
    """Points lie between raw value and mean, noisier cells move further, and shifts pass through."""
    y, errors = (np.array(column) for column in zip(*cells, strict=True))
    found = shrink(y, errors)
    assert ((found.shrinkage > 0) & (found.shrinkage < 1)).all()
    assert np.abs(found.point - found.mean) == pytest.approx(
        (1 - found.shrinkage) * np.abs(y - found.mean), abs=1e-9
    )
    order = np.argsort(errors)
    assert (np.diff(found.shrinkage[order]) >= -1e-12).all()
    assert (found.low < found.point).all()
    assert shrink(y + shift, errors).point == pytest.approx(found.point + shift, abs=1e-6)


def test_cells_that_differ_by_noise_only_meet() -> None:
    """Where the cells differ less than their errors, the spread is 0 and little of each is kept."""
    found = shrink([0.10, 0.11, 0.09, 0.10, 0.12, 0.10], [0.1] * 6)
    assert found.spread == 0
    assert found.shrinkage == pytest.approx(3 / 5)


def test_rates_without_success_are_shrunk_too() -> None:
    """A cell with 0 of 4 is drawn far up to the others, one of 400 hardly, and ends stay in [0, 1]."""
    hits, asked = [0, 10, 60, 30, 50, 44], [4, 400, 400, 300, 400, 200]
    found = shrink_rates(hits, asked)
    assert found.point[0] > 0.05
    assert found.shrinkage[0] > 0.5 > found.shrinkage[1]
    assert found.low.min() >= 0
    assert found.raw_low.min() >= 0
    assert found.raw[0] == 0
    clustered = shrink_rates(hits, asked, design_effect=4.0)
    assert (clustered.shrinkage > found.shrinkage).all()


def test_what_cannot_be_shrunk_is_refused() -> None:
    """Fewer than 4 cells or rates that are all the same extreme are not measured; bad counts are errors."""
    with pytest.raises(NotMeasuredError, match="at least 4 cells; got 3"):
        shrink([1, 2, 3], [1, 1, 1])
    with pytest.raises(ValueError, match="standard errors be above 0"):
        shrink([1, 2, 3, 4], [1, 1, 1, 0])
    with pytest.raises(NotMeasuredError, match="every rate is 0"):
        shrink_rates([0] * 5, [9] * 5)
    with pytest.raises(NotMeasuredError, match="got 0"):
        shrink_rates([], [])
    with pytest.raises(ValueError, match="trials > 0"):
        shrink_rates([0, 1], [0, 1])
    with pytest.raises(ValueError, match="design_effect must be above 0; got 0"):
        shrink_rates([0, 1], [2, 2], design_effect=0)


def test_the_largest_cell_is_no_longer_exaggerated() -> None:
    """Over simulated cells the intervals cover on average, and so for the largest, where raw ones fail."""
    stream = rng(62, "winner")
    errors = np.tile([0.1, 0.2, 0.4], 4)
    covered, largest = [], []
    for _ in range(1000):
        true = 0.15 * stream.standard_normal(12)
        found = shrink(true + errors * stream.standard_normal(12), errors)
        covered.append(((found.low <= true) & (true <= found.high)).mean())
        top, raw_top = int(found.point.argmax()), int(found.raw.argmax())
        largest.append(
            [
                found.low[top] <= true[top] <= found.high[top],
                found.raw_low[raw_top] <= true[raw_top] <= found.raw_high[raw_top],
            ]
        )
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)
    shrunk, raw = np.mean(largest, axis=0)
    assert shrunk > 0.91
    assert raw < shrunk - 0.03


def test_shrunk_values_are_nearer_to_the_truth() -> None:
    """The mean squared error over cells is well below that of the raw values."""
    stream = rng(63, "risk")
    losses = []
    for _ in range(400):
        true = 0.1 * stream.standard_normal(10)
        found = shrink(true + 0.2 * stream.standard_normal(10), [0.2] * 10)
        losses.append([((found.point - true) ** 2).mean(), ((found.raw - true) ** 2).mean()])
    shrunk, raw = np.mean(losses, axis=0)
    assert shrunk < 0.6 * raw
