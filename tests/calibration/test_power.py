"""Power on few simulations: gaps are found as often as the best test would, and families keep their rate.

The full tables are made by `python -m benchmarks.power.run`.
"""

import numpy as np
import pytest

from audit.statistics import stratified_t
from benchmarks.calibration.designs import paired_arms
from benchmarks.power.alone import alone, equivalent
from benchmarks.power.family import Planted, at_once, family, weights
from benchmarks.power.oracle import template_sd
from benchmarks.power.page import render
from benchmarks.power.run import measured
from probes.seeds import rng


@pytest.mark.parametrize(("templates", "repeats"), [(60, 10), (120, 4)])
def test_ten_points_are_found_in_nine_of_ten_runs(templates: int, repeats: int) -> None:
    """Asked alone, by 60 templates x 10 answers or 120 x 4, and nearly as often as by the oracle."""
    found = alone(templates, repeats, 0.10, simulations=600)
    assert found["ours"] > 0.90 - 2 * (0.9 * 0.1 / 600) ** 0.5
    assert found["ours"] > 0.95 * found["oracle"]
    assert found["ours"] > 0.95 * found["best weights"]


def test_nothing_planted_is_found_one_time_in_twenty() -> None:
    """The power is not bought with false alarms."""
    found = alone(60, 4, 0.0, simulations=600)
    assert found["ours"] < 0.05 + 3 * (0.05 * 0.95 / 600) ** 0.5


def test_weights_find_in_a_family_what_equal_weights_miss() -> None:
    """One gap among 81 contrasts: the default weights find far more, a declared one nearly as if alone."""
    found = family(Planted(templates=60, repeats=10, gap=0.10), simulations=150)
    assert found["default"] > found["equal weights"] + 0.1
    assert found["declared"] > found["default"]
    assert found["declared"] > 0.9 - 3 * (0.9 * 0.1 / 150) ** 0.5
    assert found["default"] > 0.88 * found["oracle"]
    assert found["false share"] < 0.05 + 3 * (0.05 * 0.95 / 150) ** 0.5


def test_many_tests_at_once_are_those_of_stratified_t() -> None:
    """The vectorised test of the benchmark states what the product's own function states.

    Where few templates differ the product adds what templates not met may hide; with 16 repeats most differ.
    """
    rows = paired_arms(rng(5, "rows"), (6, 40), 16, gap=0.1).differences
    found = at_once(rows, 2)
    for k, row in enumerate(rows):
        one = stratified_t(np.split(row, 2))
        assert (found.point[k], found.p_value[k]) == pytest.approx((one.point, one.p_value))
        assert found.reach[k] == pytest.approx(one.interval.high - one.point)


def test_weights_average_one_and_share_as_declared() -> None:
    """Primary contrasts have 80 % of the rate among them."""
    found = weights(81, range(9))
    assert found.mean() == pytest.approx(1)
    assert found[:9].sum() == pytest.approx(0.8 * 81)


def test_the_oracle_knows_the_spread() -> None:
    """The stated standard deviation of a template's difference is that of a hundred thousand of them."""
    rows = paired_arms(rng(6, "spread"), (1, 100_000), 4, gap=0.1).differences
    assert template_sd(4, 0.1) == pytest.approx(float(rows.std()), rel=0.01)


def test_equivalence_is_rarely_said_at_the_margin() -> None:
    """A true gap of 5 points is called equivalent in at most 5 % of runs, and none in far more."""
    wrong = equivalent(100, 16, 0.05, simulations=400)
    assert wrong < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5
    assert equivalent(100, 16, 0.0, simulations=200) > 0.6


def test_the_page_has_every_table() -> None:
    """One design of few simulations makes the whole page, without a hole in its text."""
    text = render(measured([(12, 1), (30, 4)], 4, each=map))
    assert "{" not in text
    assert text.count("\n| ---") == 4
    assert "| 10 | 30 | 4 |" in text
