"""Pooling over strata."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.equivalence import equivalence_of
from audit.statistics.intervals import equal_clusters_interval
from audit.statistics.pooling import stratified_t
from probes.seeds import rng

UNIT = (-1.0, 1.0)
stratum = st.lists(st.floats(-1, 1).map(lambda x: round(x, 2)), min_size=2, max_size=12)


def test_two_strata_are_welch() -> None:
    """The difference of two strata has Welch's standard error and degrees of freedom."""
    first, second = [0.1, 0.4, 0.2, 0.6, 0.3], [0.0, -0.2, 0.9]
    found = stratified_t([first, [-value for value in second]])
    welch = stats.ttest_ind(first, second, equal_var=False)
    assert found.df == pytest.approx(welch.df)
    assert found.p_value == pytest.approx(welch.pvalue)
    low, high = welch.confidence_interval(0.95)
    assert (2 * found.interval.low, 2 * found.interval.high) == pytest.approx((low, high))


def test_one_stratum_is_the_cluster_interval() -> None:
    """A single stratum gives what cluster-t gives."""
    values = [0.1, 0.3, -0.2, 0.0, 0.4]
    alone, plain = stratified_t([values]), cluster_t_interval(values)
    assert (alone.point, alone.df) == pytest.approx((plain.point, plain.df))
    assert alone.interval.low == pytest.approx(plain.interval.low)
    assert alone.interval.high == pytest.approx(plain.interval.high)


@settings(max_examples=60)
@given(st.lists(stratum, min_size=1, max_size=4))
def test_order_does_not_matter_and_negation_mirrors(strata: list[list[float]]) -> None:
    """The order of clusters changes nothing, and negated clusters mirror the interval with the same p."""
    found = stratified_t(strata, bounds=UNIT)
    assert stratified_t([values[::-1] for values in strata], bounds=UNIT) == found
    mirror = stratified_t([[-value for value in values] for values in strata], bounds=UNIT)
    assert (mirror.interval.low, mirror.interval.high) == pytest.approx(
        (-found.interval.high, -found.interval.low), abs=1e-12
    )
    assert mirror.p_value == pytest.approx(found.p_value)
    wider = stratified_t(strata, bounds=UNIT, level=0.99)
    assert wider.interval.low <= found.interval.low <= found.interval.high <= wider.interval.high


def test_strata_count_alike_whatever_their_size() -> None:
    """Equal weights give each domain one vote; weights by size give each cluster one."""
    strata = [[0.0, 0.1, 0.2, 0.1] * 5, [0.9, 1.0]]
    assert stratified_t(strata).point == pytest.approx((0.1 + 0.95) / 2)
    by_size = stratified_t(strata, weights=[20, 2])
    assert by_size.point == pytest.approx((sum(strata[0]) + sum(strata[1])) / 22)


def test_equal_strata_without_spread_are_one_sample() -> None:
    """Three silent strata of 20 clusters have the bound of 60 clusters."""
    found = stratified_t([[0.0] * 20] * 3, bounds=UNIT)
    assert found.degenerate
    assert found.n_clusters == 60
    assert found.interval == equal_clusters_interval(0.0, 60, bounds=UNIT)


@pytest.mark.parametrize(
    ("first", "second"), [((0.0, 30), (0.0, 4)), ((1.0, 8), (1.0, 8)), ((-0.5, 9), (0.5, 4))]
)
def test_the_bound_of_unequal_strata_holds_for_every_split(
    first: tuple[float, int], second: tuple[float, int]
) -> None:
    """No split of differing clusters over strata with p of 5 % or more moves the mean beyond the bound."""
    found = stratified_t([[first[0]] * first[1], [second[0]] * second[1]], bounds=UNIT)
    shares = np.linspace(0, 1, 201)
    q, r = np.meshgrid(shares, shares)
    agree = (1 - q) ** first[1] * (1 - r) ** second[1]
    possible = agree >= 0.05
    highest = (found.point + q * (1 - first[0]) / 2 + r * (1 - second[0]) / 2)[possible].max()
    lowest = (found.point - q * (first[0] + 1) / 2 - r * (second[0] + 1) / 2)[possible].min()
    assert found.interval.low <= lowest + 1e-12
    assert found.interval.high >= highest - 1e-12


def test_strata_too_small_to_state_are_named() -> None:
    """No stratum, a stratum of one cluster, and silent strata without bounds are not measured."""
    with pytest.raises(NotMeasuredError, match="at least 1 stratum"):
        stratified_t([])
    with pytest.raises(NotMeasuredError, match="stratum 1 needs at least 2 clusters; got 1"):
        stratified_t([[0.1, 0.2], [0.3]])
    with pytest.raises(NotMeasuredError, match="all 4 clusters"):
        stratified_t([[0.1, 0.1], [0.3, 0.3]])
    for weights in ([1.0], [1.0, 0.0]):
        with pytest.raises(ValueError, match="weights must be 2 numbers"):
            stratified_t([[0.1, 0.2], [0.3, 0.1]], weights=weights)


def test_a_stratum_without_spread_is_not_known_exactly() -> None:
    """Twelve equal templates beside thirty that vary hide what they may: the interval covers the truth."""
    draw = rng(5, "silent")
    covered = []
    for _ in range(300):
        # One template in ten of the first domain shows -1, the others 0: often none of twelve is seen.
        first = -draw.binomial(1, 0.1, 12).astype(float)
        second = draw.choice([-0.25, 0.0, 0.25], 30)
        found = stratified_t([first, second], bounds=UNIT)
        covered.append(found.interval.low <= -0.05 <= found.interval.high)
    assert np.mean(covered) > 0.93


def test_silent_strata_add_what_they_may_hide() -> None:
    """The ends are quantiles of t of the stratum that varies less or plus a beta share of the other."""
    varied = [0.1, 0.3, 0.2, 0.0, 0.4]
    found = stratified_t([varied, [0.0] * 20], bounds=UNIT)
    draw = rng(6, "sum")
    seen = found.standard_error * draw.standard_t(found.df, 1_000_000)
    hidden = 0.5 * draw.beta(1, 20, seen.size)
    assert found.interval.high == pytest.approx(0.1 + np.quantile(seen + hidden, 0.975), abs=1e-3)
    assert found.interval.low == pytest.approx(0.1 + np.quantile(seen - hidden, 0.025), abs=1e-3)
    assert not found.degenerate
    with pytest.raises(NotMeasuredError, match="all 20 clusters of stratum 1"):
        stratified_t([varied, [0.0] * 20])


@settings(max_examples=40)
@given(
    st.lists(st.floats(-1, 1), min_size=4, max_size=12).filter(lambda x: np.ptp(x) > 0.1), st.integers(2, 40)
)
def test_p_and_equivalence_are_dual_to_the_interval(varied: list[float], silent: int) -> None:
    """At the level 1 - p the interval ends at 0, and equivalence holds exactly if p is at most alpha."""
    strata = [varied, [0.0] * silent]
    found = stratified_t(strata, bounds=UNIT)
    if 1e-6 < found.p_value < 0.999:
        touching = stratified_t(strata, bounds=UNIT, level=1 - found.p_value).interval
        assert min(abs(touching.low), abs(touching.high)) == pytest.approx(0, abs=1e-6)
    same = equivalence_of(found, margin=0.3)
    assert same.equivalent == (same.p_value <= 0.05)
