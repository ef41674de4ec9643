"""Impact ratios and the four-fifths screen."""

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.ratios import FourFifths, four_fifths, impact_ratio
from probes.seeds import rng


def people(
    selected: tuple[int, int], considered: tuple[int, int]
) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Rows of independent people of a group and a reference."""
    first, second = considered
    of_group = np.arange(first + second) < first
    hits = np.concatenate([np.arange(n) < k for k, n in zip(selected, considered, strict=True)])
    sides = (of_group, ~of_group)
    return [column.astype(np.float64) for side in sides for column in (hits & side, side)]


def test_independent_people_have_the_log_interval_of_the_textbook() -> None:
    """With people as clusters the error is sqrt(1/a - 1/n + 1/b - 1/m), but for the small-sample factor."""
    found = impact_ratio(*people((24, 40), (80, 80)))
    assert found.point == pytest.approx(0.6)
    by_hand = sqrt((1 / 24 - 1 / 80 + 1 / 40 - 1 / 80) * 80 / 79)
    assert found.log_standard_error == pytest.approx(by_hand)
    reach = float(stdtrit(79, 0.975)) * by_hand
    assert found.interval.low == pytest.approx(0.6 * exp(-reach))
    assert found.interval.high == pytest.approx(0.6 * exp(reach))
    assert found.p_value is not None
    assert 0.01 < found.p_value < 0.03
    assert not found.degenerate


def test_a_pair_in_one_cluster_shares_its_luck() -> None:
    """Templates that favour both sides alike leave a ratio of 1 with no error from the templates."""
    found = impact_ratio([4, 1, 3, 2], [4] * 4, [4, 1, 3, 1], [4] * 4)
    influence = np.array([4, 1, 3, 2]) / 10 - np.array([4, 1, 3, 1]) / 9
    assert found.point == pytest.approx(10 / 9)
    assert found.log_standard_error == pytest.approx(sqrt(influence @ influence * 4 / 3))
    assert (
        found.log_standard_error
        < 0.5 * impact_ratio([4, 1, 3, 2], [4] * 4, [1, 4, 1, 3], [4] * 4).log_standard_error
    )


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=15))
def test_exchanging_the_sides_inverts_everything(counts: list[tuple[int, int]]) -> None:
    """The ratio the other way round has the inverse point and ends, and the same p."""
    ours, theirs = [pair[0] for pair in counts], [pair[1] for pair in counts]
    asked = [5] * len(counts)
    if not (sum(ours) and sum(theirs)):
        return
    found, mirror = impact_ratio(ours, asked, theirs, asked), impact_ratio(theirs, asked, ours, asked)
    assert mirror.point == pytest.approx(1 / found.point)
    assert mirror.interval.low == pytest.approx(1 / found.interval.high)
    assert mirror.interval.high == pytest.approx(1 / found.interval.low)
    assert mirror.p_value == (None if found.p_value is None else pytest.approx(found.p_value))
    assert found.interval.low <= found.point <= found.interval.high


def test_no_selection_is_bounded_not_infinite() -> None:
    """A group with no selection has a ratio of 0 whose interval reaches up, and is flagged."""
    found = impact_ratio([0] * 20, [1] * 20, [1, 0] * 10, [1] * 20)
    assert found.point == 0
    assert found.interval.low == 0
    assert 0.3 < found.interval.high < 1.0
    assert found.degenerate
    assert found.p_value is None
    fewer = impact_ratio([0] * 6, [1] * 6, [1, 0] * 3, [1] * 6)
    assert fewer.interval.high > found.interval.high


def test_everyone_selected_is_no_certainty() -> None:
    """Where all clusters are equal the interval is a bound of positive width around the ratio."""
    found = impact_ratio([2] * 15, [2] * 15, [2] * 15, [2] * 15)
    assert (found.point, found.degenerate, found.log_standard_error) == (1.0, True, 0.0)
    assert found.interval.low < 1 < found.interval.high


def test_what_cannot_be_divided_is_not_measured() -> None:
    """No member, one cluster or a reference rate of 0 is not measured; impossible counts are an error."""
    with pytest.raises(NotMeasuredError, match="reference rate above 0"):
        impact_ratio([1, 0], [1, 1], [0, 0], [1, 1])
    with pytest.raises(NotMeasuredError, match="got 1"):
        impact_ratio([1, 0], [1, 0], [1, 0], [1, 1])
    with pytest.raises(NotMeasuredError, match="the group of an impact ratio has no member"):
        impact_ratio([0, 0], [0, 0], [1, 0], [1, 1])
    with pytest.raises(ValueError, match="same clusters"):
        impact_ratio([1, 0], [1, 1], [1, 0, 0], [1, 1, 1])
    with pytest.raises(ValueError, match="0 <= selected <= considered"):
        impact_ratio([2, 0], [1, 1], [1, 0], [1, 1])


def test_interval_holds_its_level_over_templates() -> None:
    """The 95 % interval misses a true ratio in about 5 % of simulated audits of 40 templates."""
    stream = rng(11, "ratio")
    shape = (2000, 40)
    base, slope = 1.0 * stream.standard_normal(shape), 0.5 * stream.standard_normal(shape)
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    spread = sqrt(1 + 0.25**2)
    low, high = (weights @ expit(shift + spread * nodes) / weights.sum() for shift in (-0.4, 0.4))
    group, reference = (stream.binomial(4, expit(base + side * (slope / 2 + 0.4))) for side in (-1, 1))
    asked = np.full(40, 4)
    found = [impact_ratio(a, asked, b, asked).interval for a, b in zip(group, reference, strict=True)]
    missed = np.mean([not one.low <= low / high <= one.high for one in found])
    assert missed == pytest.approx(0.05, abs=0.02)


def test_bound_of_no_selection_covers() -> None:
    """Where the group was never selected, the bound still contains the true ratio at its level."""
    stream = rng(12, "none")
    asked = np.ones(25)
    misses = []
    for _ in range(1500):
        ours, theirs = stream.binomial(1, 0.04, 25), stream.binomial(1, 0.5, 25)
        if theirs.any():
            found = impact_ratio(ours, asked, theirs, asked)
            misses.append(not found.interval.low <= 0.08 <= found.interval.high)
    assert np.mean(misses) < 0.05


def test_four_fifths_says_what_one_selection_changes() -> None:
    """0.8 itself is not below, and a screen that one selection overturns says so."""
    assert four_fifths(8, 20, 10, 20) == FourFifths(
        ratio=0.8, below=False, one_more_clears=False, one_moved_reverses=False
    )
    assert four_fifths(7, 20, 10, 20).one_more_clears
    assert not four_fifths(70, 200, 100, 200).one_more_clears
    # 1 of 4 against 2 of 5: with one moved, 2 of 4 against 1 of 5.
    small = four_fifths(1, 4, 2, 5)
    assert small.below
    assert small.one_moved_reverses
    assert not four_fifths(2, 2, 1, 2).one_moved_reverses
    assert four_fifths(60, 100, 100, 100).ratio == pytest.approx(exp(log(0.6)))


def test_four_fifths_refuses_impossible_counts() -> None:
    """Nobody considered, more selected than considered, or no reference selection gives no answer."""
    with pytest.raises(ValueError, match="considered must be at least 1; got 0"):
        four_fifths(0, 0, 1, 2)
    with pytest.raises(ValueError, match="got 3 of 2"):
        four_fifths(3, 2, 1, 2)
    with pytest.raises(NotMeasuredError, match="above 0"):
        four_fifths(1, 2, 0, 2)
