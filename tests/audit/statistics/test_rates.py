"""Intervals for rates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.errors import NotMeasuredError
from audit.statistics.rates import (
    clopper_pearson_interval,
    clustered_rate_interval,
    clustered_wilson,
    exceedance_p_value,
    wilson_interval,
)

clusters = st.lists(
    st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=20
)


@settings(max_examples=80)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_of_independent_trials_match_scipy(case: tuple[int, int]) -> None:
    """Wilson and Clopper-Pearson agree with scipy, stay in [0, 1] and contain the observed rate."""
    successes, trials = case
    reference = stats.binomtest(successes, trials)
    for found, method in (
        (wilson_interval(successes, trials), "wilson"),
        (clopper_pearson_interval(successes, trials), "exact"),
    ):
        expected = reference.proportion_ci(0.95, method=method)
        assert found.low == pytest.approx(expected.low, abs=1e-9)
        assert found.high == pytest.approx(expected.high, abs=1e-9)
        assert 0 <= found.low <= successes / trials <= found.high <= 1


@settings(max_examples=40)
@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_failures_mirror_successes(case: tuple[int, int]) -> None:
    """The interval for failures is 1 minus the interval for successes."""
    successes, trials = case
    for make in (wilson_interval, clopper_pearson_interval):
        found, mirror = make(successes, trials), make(trials - successes, trials)
        assert found.low == pytest.approx(1 - mirror.high, abs=1e-9)


@pytest.mark.parametrize("make", [wilson_interval, clopper_pearson_interval])
def test_no_trials_is_not_measured(make: object) -> None:
    """No trial is no rate, and never a rate of 0."""
    assert callable(make)
    with pytest.raises(NotMeasuredError, match="at least 1 trial"):
        make(0, 0)
    with pytest.raises(ValueError, match="between 0 and trials; got 3 of 2"):
        make(3, 2)
    with pytest.raises(ValueError, match="trials must be at least 0"):
        make(0, -1)


@settings(max_examples=80)
@given(clusters)
def test_clustered_rate_stays_in_range_and_ignores_order(cases: list[tuple[int, int]]) -> None:
    """The interval is in [0, 1], contains the pooled rate, is nested in its level, and ignores order."""
    hits, asked = [case[0] for case in cases], [case[1] for case in cases]
    found, wider = (clustered_rate_interval(hits, asked, level=level) for level in (0.9, 0.99))
    assert found.point == sum(hits) / sum(asked)
    assert 0 <= wider.interval.low <= found.interval.low <= found.point + 1e-12
    assert found.point - 1e-12 <= found.interval.high <= wider.interval.high <= 1
    assert found.interval.high > found.interval.low
    assert clustered_rate_interval(hits[::-1], asked[::-1], level=0.9) == found


def test_standard_error_is_the_ratio_estimator() -> None:
    """The linearised standard error equals the formula computed by hand."""
    found = clustered_rate_interval([1, 3, 0], [2, 4, 4])
    # p = .4, mean trials 10/3; u = (s - p n) / mean n.
    influence = [(1 - 0.8) * 0.3, (3 - 1.6) * 0.3, -1.6 * 0.3]
    assert found.standard_error == pytest.approx((sum(u * u for u in influence) / 6) ** 0.5)
    assert found.n_trials == 10


def test_repeats_of_one_prompt_are_not_more_prompts() -> None:
    """Ten identical replies a cluster leave the interval as wide as one reply does."""
    once = clustered_rate_interval([1, 0, 0, 1, 0, 0, 1, 0], [1] * 8)
    tenfold = clustered_rate_interval([10, 0, 0, 10, 0, 0, 10, 0], [10] * 8)
    assert tenfold.interval.low == pytest.approx(once.interval.low)
    assert tenfold.interval.high == pytest.approx(once.interval.high)


def test_no_success_is_bounded_by_clusters() -> None:
    """No success in 30 clusters of 100 replies has the bound of 30 trials, not of 3,000."""
    none = clustered_rate_interval([0] * 30, [100] * 30)
    assert none.degenerate
    assert none.interval.low == 0
    assert none.interval.high == clopper_pearson_interval(0, 30).high
    every = clustered_rate_interval([100] * 30, [100] * 30)
    assert every.interval.low == pytest.approx(1 - none.interval.high)
    assert every.interval.high == 1


def test_equal_clusters_in_between_are_flagged() -> None:
    """Clusters that all show one half give a flagged bound of positive width."""
    found = clustered_rate_interval([2] * 20, [4] * 20)
    assert found.degenerate
    assert found.interval.low < 0.5 < found.interval.high


def test_empty_clusters_do_not_count() -> None:
    """A cluster without trials is neither a cluster nor a zero."""
    assert clustered_rate_interval([1, 0, 2], [2, 0, 4]) == clustered_rate_interval([1, 2], [2, 4])
    with pytest.raises(NotMeasuredError, match="got 1"):
        clustered_rate_interval([1, 0], [2, 0])


@pytest.mark.parametrize(("hits", "asked"), [([1, 2], [2]), ([3, 1], [2, 2]), ([-1, 1], [2, 2])])
def test_impossible_counts_are_refused(hits: list[int], asked: list[int]) -> None:
    """Counts that cannot be are an error."""
    with pytest.raises(ValueError, match="0 <= successes <= trials"):
        clustered_rate_interval(hits, asked)


def test_one_hit_among_a_dozen_is_no_proof() -> None:
    """At a limit of 1 %, one of twelve happens by chance in one of nine audits; three do not."""
    assert exceedance_p_value([1] + [0] * 11, [1] * 12, 0.01) > 0.05
    assert exceedance_p_value([1] * 3 + [0] * 9, [1] * 12, 0.01) < 0.01


def test_what_never_occurs_exceeds_nothing() -> None:
    """No hit is no evidence, and any hit is proof against a limit of 0."""
    assert exceedance_p_value([0] * 12, [5] * 12, 0.0) == 1.0
    assert exceedance_p_value([1] + [0] * 11, [5] * 12, 0.0) == 0.0


def test_every_cluster_alike_counts_as_that_many_trials() -> None:
    """Twelve clusters that always show it are twelve trials, however often each was asked."""
    assert exceedance_p_value([9] * 12, [9] * 12, 0.5) == pytest.approx(0.5**12)


@pytest.mark.parametrize("limit", [-0.1, 1.1, float("nan")])
def test_limit_outside_the_range_is_refused(limit: float) -> None:
    """A limit is a fraction."""
    with pytest.raises(ValueError, match="limit must be in"):
        exceedance_p_value([1, 0], [1, 1], limit)


@pytest.mark.parametrize(("clusters", "trials", "limit", "alike"), [(12, 2, 0.05, 0.3), (44, 20, 0.01, 0.1)])
def test_exceedance_false_alarms_stay_below_nominal(
    clusters: int, trials: int, limit: float, alike: float
) -> None:
    """With the true rate exactly at the limit, and clusters that differ, at most 5 % of audits alarm."""
    draw = np.random.default_rng(11)
    shape = (1 - alike) / alike
    rates = draw.beta(limit * shape, (1 - limit) * shape, (600, clusters))
    hits = draw.binomial(trials, rates)
    alarms = sum(exceedance_p_value(row, [trials] * clusters, limit) <= 0.05 for row in hits)
    assert alarms <= 0.05 * 600 + 2 * (600 * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize("trials", [1, 10, 100])
def test_few_successes_never_tell_more_than_none(trials: int) -> None:
    """From 0 to 4 single successes in 44 clusters both ends rise, however often each cluster was asked."""
    found = [clustered_rate_interval([1] * k + [0] * (44 - k), [trials] * 44) for k in range(5)]
    highs, lows = ([getattr(one.interval, end) for one in found] for end in ("high", "low"))
    assert highs == sorted(highs)
    assert lows == sorted(lows)


def test_rates_over_enough_clusters_are_wilsons() -> None:
    """Where 15 clusters differ from the most frequent rate nothing is added."""
    hits, asked = [1, 2] * 8 + [0] * 28, [4] * 44
    found = clustered_rate_interval(hits, asked)
    quantile = stats.t.ppf(0.975, 43)
    trials = found.point * (1 - found.point) / found.standard_error**2
    centre = (found.point + quantile**2 / trials / 2) / (1 + quantile**2 / trials)
    assert (found.interval.low + found.interval.high) / 2 == pytest.approx(centre)
    assert found.interval.method == "clustered Wilson (t, df 43)"


def test_rare_clusters_beside_single_hits_are_covered() -> None:
    """One cluster in fifty always shows it, the others one time in a thousand: most runs miss the former."""
    draw = np.random.default_rng(12)
    missed = 0
    for _ in range(400):
        rates = np.where(draw.random(44) < 0.02, 1.0, 0.001)
        found = clustered_rate_interval(draw.binomial(10, rates), [10] * 44).interval
        missed += not found.low <= 0.02 + 0.98 * 0.001 <= found.high
    assert missed / 400 < 0.05


def test_a_rate_above_0_has_no_end_at_0() -> None:
    """What other clusters may hide takes a share of each end, so a ratio by such a rate has an end too."""
    found = clustered_rate_interval([1] + [0] * 11, [4] * 12).interval
    assert 0 < found.low < 1 / 48 < found.high < 1
    every = clustered_rate_interval([3] + [4] * 11, [4] * 12).interval
    assert (every.low, every.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_wilson_by_a_standard_error_is_wilson_and_goes_on_beyond_0() -> None:
    """At p (1 - p) / se^2 trials it is Wilson's; at 0 and beyond no end jumps or closes."""
    error = (0.2 * 0.8 / 50) ** 0.5
    plain = wilson_interval(10, 50)
    assert clustered_wilson(0.2, error, df=1e9, level=0.95) == pytest.approx((plain.low, plain.high))
    below, at, above = (clustered_wilson(p, 0.02, df=11.0, level=0.95) for p in (-0.01, 0.0, 1e-6))
    assert below == at
    assert at == pytest.approx(above, abs=1e-4)
    assert at[0] == 0
    assert 0.05 < at[1] < 0.12
    assert clustered_wilson(0.98, 0.02, df=11.0, level=0.95) == pytest.approx(
        [1 - end for end in clustered_wilson(0.02, 0.02, df=11.0, level=0.95)[::-1]]
    )
