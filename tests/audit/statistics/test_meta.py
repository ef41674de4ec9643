"""Pooling of studies: Mantel-Haenszel and random effects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.meta_analysis import combine_effects

from audit.errors import NotMeasuredError
from audit.statistics.meta import (
    StudyCounts,
    leave_one_out,
    mantel_haenszel_difference,
    mantel_haenszel_ratio,
    random_effects,
)
from probes.seeds import rng


def table(hits: list[int], outputs: list[int], others: list[int], asked: list[int]) -> StudyCounts:
    """Counts in the order group hits, group outputs, reference hits, reference outputs."""
    return StudyCounts(group_hits=hits, group_outputs=outputs, reference_hits=others, reference_outputs=asked)


EXAMPLE = table([10, 30, 3], [50, 100, 40], [15, 40, 9], [50, 120, 30])


def test_one_study_is_its_own_difference_and_ratio() -> None:
    """Of one study both give its plain difference, its ratio, and nearly the usual standard errors."""
    alone = table([20], [100], [30], [120])
    difference, ratio = mantel_haenszel_difference(alone), mantel_haenszel_ratio(alone)
    assert difference.point == pytest.approx(0.2 - 0.25)
    assert difference.standard_error == pytest.approx(np.sqrt(0.2 * 0.8 / 100 + 0.25 * 0.75 / 120), rel=0.01)
    assert ratio.point == pytest.approx(0.8)
    assert ratio.standard_error == pytest.approx(np.sqrt(1 / 20 - 1 / 100 + 1 / 30 - 1 / 120))


def test_pooled_ratio_is_that_of_statsmodels() -> None:
    """The ratio agrees with an independent implementation, the difference with its defining sum."""
    a, n1, c, n0 = (
        np.asarray(column, dtype=float)
        for column in (
            EXAMPLE.group_hits,
            EXAMPLE.group_outputs,
            EXAMPLE.reference_hits,
            EXAMPLE.reference_outputs,
        )
    )
    tables = [np.array([[w, x - w], [y, z - y]]) for w, x, y, z in zip(a, n1, c, n0, strict=True)]
    assert mantel_haenszel_ratio(EXAMPLE).point == pytest.approx(StratifiedTable(tables).riskratio_pooled)
    weight = n1 * n0 / (n1 + n0)
    assert mantel_haenszel_difference(EXAMPLE).point == pytest.approx(
        np.average(a / n1 - c / n0, weights=weight)
    )


def test_arms_swap_signs() -> None:
    """Swapping the arms turns the difference's sign and inverts the ratio, with the same p."""
    swapped = StudyCounts(
        group_hits=EXAMPLE.reference_hits,
        group_outputs=EXAMPLE.reference_outputs,
        reference_hits=EXAMPLE.group_hits,
        reference_outputs=EXAMPLE.group_outputs,
    )
    one, two = mantel_haenszel_difference(EXAMPLE), mantel_haenszel_difference(swapped)
    assert (one.point, one.standard_error, one.interval.low) == pytest.approx(
        (-two.point, two.standard_error, -two.interval.high)
    )
    first, second = mantel_haenszel_ratio(EXAMPLE), mantel_haenszel_ratio(swapped)
    assert (first.point, first.p_value) == pytest.approx((1 / second.point, second.p_value))


def test_design_effect_widens_by_its_root() -> None:
    """A design effect of 4 doubles both standard errors."""
    for pool in (mantel_haenszel_difference, mantel_haenszel_ratio):
        wide, plain = pool(EXAMPLE, design_effect=4.0), pool(EXAMPLE)
        assert wide.standard_error == pytest.approx(2 * plain.standard_error)
        assert wide.point == plain.point


def test_empty_arms_carry_no_weight() -> None:
    """A study without outputs of one arm is left out and not counted."""
    longer = table([10, 30, 3, 5], [50, 100, 40, 9], [15, 40, 9, 0], [50, 120, 30, 0])
    for pool in (mantel_haenszel_difference, mantel_haenszel_ratio):
        assert pool(longer).point == pytest.approx(pool(EXAMPLE).point)
        assert pool(longer).n_studies == 3


def test_what_counts_cannot_say_is_refused() -> None:
    """No hit, nothing but hits, no arm, and impossible counts are refused."""
    with pytest.raises(NotMeasuredError, match="no study shows any variation"):
        mantel_haenszel_difference(table([0], [10], [0], [10]))
    with pytest.raises(NotMeasuredError, match="a hit of the group"):
        mantel_haenszel_ratio(table([0], [10], [3], [10]))
    with pytest.raises(NotMeasuredError, match="every output is a hit"):
        mantel_haenszel_ratio(table([10], [10], [7], [7]))
    with pytest.raises(NotMeasuredError, match="both the group and the reference"):
        mantel_haenszel_difference(table([1], [10], [0], [0]))
    with pytest.raises(ValueError, match="whole numbers"):
        mantel_haenszel_difference(table([11], [10], [0], [10]))
    with pytest.raises(ValueError, match="one shape"):
        mantel_haenszel_difference(table([1, 2], [10, 10], [0], [10]))
    with pytest.raises(ValueError, match=r"design_effect must be at least 1; got 0\.5"):
        mantel_haenszel_ratio(EXAMPLE, design_effect=0.5)


@pytest.mark.parametrize(("studies", "outputs"), [(5, 200), (60, 12)])
def test_mantel_haenszel_covers_few_large_and_many_small_studies(studies: int, outputs: int) -> None:
    """Both intervals cover about 95 % with a true effect, of few large studies and of many small ones."""
    stream = rng(51, "mantel", studies)
    missed = []
    for _ in range(1500):
        rate = stream.uniform(0.1, 0.5, studies)
        n1 = stream.integers(outputs // 2, 2 * outputs, studies)
        n0 = stream.integers(outputs // 2, 2 * outputs, studies)
        shifted, scaled = stream.binomial(n1, rate + 0.1), stream.binomial(n1, 1.5 * rate)
        c = stream.binomial(n0, rate)

        def counts(a: object, n1: object = n1, c: object = c, n0: object = n0) -> StudyCounts:
            arrays = [np.asarray(one) for one in (a, n1, c, n0)]
            return StudyCounts(
                group_hits=arrays[0],
                group_outputs=arrays[1],
                reference_hits=arrays[2],
                reference_outputs=arrays[3],
            )

        difference = mantel_haenszel_difference(counts(shifted)).interval
        ratio = mantel_haenszel_ratio(counts(scaled)).interval
        missed.append([not difference.low <= 0.1 <= difference.high, not ratio.low <= 1.5 <= ratio.high])
    assert np.mean(missed, axis=0) == pytest.approx(0.05, abs=0.023)


def test_random_effects_are_those_of_statsmodels() -> None:
    """Point, tau^2 and the Hartung-Knapp error agree with an independent implementation."""
    points, errors = np.array([0.10, 0.02, 0.15, 0.05, -0.03]), np.array([0.02, 0.03, 0.02, 0.03, 0.04])
    other = combine_effects(points, errors**2, method_re="pm", use_t=True)
    found = random_effects(points, errors)
    assert found.tau_squared == pytest.approx(other.tau2, rel=1e-4)
    assert found.point == pytest.approx(other.mean_effect_re, rel=1e-5)
    assert found.standard_error == pytest.approx(other.sd_eff_w_re_hksj, rel=1e-4)
    reach = stats.t.ppf(0.975, 3) * np.sqrt(found.tau_squared + found.standard_error**2)
    assert found.prediction is not None
    assert found.prediction.high - found.point == pytest.approx(reach)
    assert 0 < found.i_squared < 1


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 0.5)), min_size=3, max_size=9))
@settings(max_examples=60)
def test_random_effects_stay_in_range_and_solve_their_equation(studies: list[tuple[float, float]]) -> None:
    """The pooled mean is among the studies, tau^2 at least 0 and solves its equation; prediction is wider."""
    points, errors = np.array(studies).T
    found = random_effects(points, errors)
    weight = 1 / (errors**2 + found.tau_squared)
    squares = weight @ (points - found.point) ** 2
    assert points.min() - 1e-9 <= found.point <= points.max() + 1e-9
    assert squares == pytest.approx(points.size - 1, rel=1e-5) or (
        found.tau_squared == 0 and squares < points.size - 1
    )
    assert found.standard_error >= 1 / np.sqrt(weight.sum()) - 1e-12
    assert found.prediction is not None
    assert found.prediction.high >= found.interval.high


def test_agreement_by_chance_makes_no_shorter_interval() -> None:
    """Identical studies keep the error of the fixed effect, tau^2 0 and I^2 0."""
    found = random_effects([0.1] * 4, [0.02] * 4)
    assert found.standard_error == pytest.approx(0.01)
    assert (found.tau_squared, found.i_squared) == (0.0, 0.0)


def test_two_studies_have_no_prediction() -> None:
    """Two studies give an interval with 1 degree of freedom and no prediction; one is refused."""
    found = random_effects([0.1, 0.2], [0.02, 0.02])
    assert found.prediction is None
    assert found.interval.high - found.point == pytest.approx(stats.t.ppf(0.975, 1) * found.standard_error)
    with pytest.raises(NotMeasuredError, match="at least 2 studies; got 1"):
        random_effects([0.1], [0.02])
    with pytest.raises(ValueError, match="above 0"):
        random_effects([0.1, 0.2], [0.02, 0.0])


def test_leaving_one_out_shows_what_carries_the_result() -> None:
    """The k-th result is that of the other studies; with 2 studies it is refused."""
    points, errors = [0.0, 0.01, -0.01, 0.4], [0.02] * 4
    found = leave_one_out(points, errors)
    assert found[3] == random_effects(points[:3], errors[:3])
    assert found[3].point == pytest.approx(0, abs=1e-9)
    assert min(one.point for one in found[:3]) > 0.1
    with pytest.raises(NotMeasuredError, match="at least 3 studies; got 2"):
        leave_one_out([0.1, 0.2], [0.1, 0.1])


@pytest.mark.parametrize(("studies", "tau"), [(4, 0.05), (12, 0.05), (8, 0.0)])
def test_random_effects_cover_the_mean_and_the_next_study(studies: int, tau: float) -> None:
    """Mean and prediction cover at about 95 % with few studies of unequal size; z in place of t would not."""
    stream = rng(52, "random", studies, int(100 * tau))
    missed = []
    for _ in range(1500):
        errors = stream.uniform(0.01, 0.05, studies)
        points = 0.1 + stream.normal(0, tau, studies) + stream.normal(0, errors)
        found = random_effects(points, errors)
        after = 0.1 + tau * stream.standard_normal()
        assert found.prediction is not None
        missed.append(
            [
                not found.interval.low <= 0.1 <= found.interval.high,
                not found.prediction.low <= after <= found.prediction.high,
                abs(found.point - 0.1) > 1.96 * found.standard_error,
            ]
        )
    mean, prediction, by_z = np.mean(missed, axis=0)
    assert mean < 0.07
    assert prediction < 0.085
    assert tau == 0 or (mean > 0.02 and by_z > mean + 0.01)
