"""Rates and contrasts from counts, against published and independent computations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact

from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.rates import clustered_rate_interval
from audit.statistics.ratios import impact_ratio
from audit.tables.rates import Trials, contrast, rate_interval, ratio_interval, tally
from probes.seeds import rng


def plain(hits: int, trials: int) -> Trials:
    """Counts of independent rows."""
    return Trials(hits=hits, trials=trials, ids=None, cluster_hits=np.empty(0), cluster_trials=np.empty(0))


def clustered(hits: list[int], trials: list[int]) -> Trials:
    """Counts by cluster; clusters without a trial are left out, as a tally does."""
    asked, happened = np.array(trials), np.array(hits)
    ids = np.flatnonzero(asked)
    return Trials(
        hits=int(happened.sum()),
        trials=int(asked.sum()),
        ids=ids,
        cluster_hits=happened[ids].astype(float),
        cluster_trials=asked[ids].astype(float),
    )


def test_newcombe_interval_is_the_published_one() -> None:
    """56 of 70 against 48 of 80 gives 0.0524 to 0.3339, as in Newcombe (1998), table II, method 10."""
    found = contrast(plain(56, 70), plain(48, 80), margin=0.05)
    assert found.difference == pytest.approx(0.2)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_test_is_the_score_test_or_fishers() -> None:
    """Large counts agree with the chi-square test without correction, small ones with Fisher's."""
    table = [[60, 40], [45, 55]]
    assert contrast(plain(60, 100), plain(45, 100), margin=0.05).p_value == pytest.approx(
        chi2_contingency(table, correction=False).pvalue, abs=1e-12
    )
    assert contrast(plain(2, 12), plain(7, 13), margin=0.05).p_value == pytest.approx(
        fisher_exact([[2, 10], [7, 6]])[1], abs=1e-12
    )
    assert contrast(plain(20, 20), plain(30, 30), margin=0.05).p_value == 1.0


@pytest.mark.parametrize(("rows", "shown"), [(53, False), (58, False), (59, True)])
def test_rates_of_one_are_equivalent_from_as_many_rows_as_a_difference_would_show_in(
    rows: int, *, shown: bool
) -> None:
    """All of n rows have a chance of .95 ^ n where a rate is 95 %, which is below 5 % from 59 rows on."""
    assert contrast(plain(rows, rows), plain(1000, 1000), margin=0.05).equivalent == shown
    assert contrast(plain(0, rows), plain(0, 1000), margin=0.05).equivalent == shown


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1))
def test_intervals_hold_their_points(first: int, second: int, share: float, other: float) -> None:
    """Rate, difference and ratio lie inside their own intervals, at 0 and 1 too."""
    group, reference = plain(round(share * first), first), plain(round(other * second), second)
    for side in (group, reference):
        interval = rate_interval(side)
        assert interval is not None
        assert side.rate is not None
        assert 0 <= interval.low <= side.rate <= interval.high <= 1
    found = contrast(group, reference, margin=0.05)
    assert -1 <= found.interval.low <= found.difference <= found.interval.high <= 1
    ratio = ratio_interval(group, reference)
    if reference.hits > 4 and min(first, second) > 1:
        assert ratio is not None
        point = (group.hits / first) / (reference.hits / second)
        assert ratio.low <= point * (1 + 1e-12)
        assert point <= ratio.high * (1 + 1e-12)
    else:
        assert ratio is None


def test_ratio_of_counts_is_the_ratio_of_rows() -> None:
    """The interval from counts equals that of the public statistic with each row a cluster of one."""
    counts = ratio_interval(plain(48, 120), plain(28, 40))
    group = np.repeat([1.0, 0.0], [120, 40])
    hits = np.concatenate([np.repeat([1.0, 0.0], [48, 72]), np.zeros(40)])
    other = np.concatenate([np.zeros(120), np.repeat([1.0, 0.0], [28, 12])])
    rows = impact_ratio(hits, group, other, 1 - group).interval
    assert counts is not None
    assert (counts.low, counts.high) == pytest.approx((rows.low, rows.high), abs=1e-12)


def test_a_ratio_to_ten_of_ten_knows_that_ten_are_few() -> None:
    """A reference that was always favoured has an error of its own, which the log scale would not see."""
    found = ratio_interval(plain(600, 1000), plain(10, 10))
    assert found is not None
    assert found.high > 0.8


def test_clusters_with_one_group_each_and_with_both() -> None:
    """With both groups in every cluster equally, the contrast is the paired one of cluster means."""
    hits, other = [3, 1, 2, 4, 0, 2], [1, 2, 1, 2, 0, 3]
    asked = [4] * 6
    found = contrast(clustered(hits, asked), clustered(other, asked), margin=0.05)
    paired = cluster_t_interval((np.array(hits) - np.array(other)) / 4, level=0.95)
    assert found.interval.low == pytest.approx(paired.interval.low, abs=1e-12)
    assert found.interval.high == pytest.approx(paired.interval.high, abs=1e-12)
    assert found.p_value == pytest.approx(paired.p_value, abs=1e-12)
    apart = contrast(
        clustered([*hits, *[0] * 6], [*asked, *[0] * 6]),
        clustered([*[0] * 6, *other], [*[0] * 6, *asked]),
        margin=0.05,
    )
    assert apart.difference == pytest.approx(found.difference)
    rate = rate_interval(clustered(hits, asked))
    assert rate == clustered_rate_interval(hits, asked).interval


def test_clusters_without_spread_are_bounded_not_certain() -> None:
    """Equal clusters give a bound, no ratio error of 0, and no claim of equivalence from few of them."""
    same = clustered([1] * 20, [2] * 20)
    found = contrast(same, same, margin=0.05)
    assert found.interval.low < 0 < found.interval.high
    assert found.smallest_detectable is None
    assert not found.equivalent
    ratio = ratio_interval(same, same)
    assert ratio is not None
    assert ratio.low < 1 < ratio.high


def test_one_cluster_has_no_interval() -> None:
    """A single cluster shows no spread, and nothing is stated of it."""
    assert rate_interval(clustered([3], [5])) is None
    assert rate_interval(plain(0, 0)) is None
    assert ratio_interval(clustered([3], [5]), clustered([3, 4], [5, 5])) is None


def test_a_tally_counts_each_group_once() -> None:
    """Cells of other groups, outside the denominator or without a hit do not count."""
    found = list(
        tally(
            np.array([0, 0, 1, -1, 0]),
            2,
            trials=np.array([True, True, True, True, False]),
            hits=np.array([True, False, True, True, True]),
            counts=np.array([2, 3, 4, 5, 6]),
            clusters=np.array([0, 1, 1, 2, 2]),
        )
    )
    assert [(one.hits, one.trials) for one in found] == [(2, 5), (4, 4)]
    assert [one.ids.tolist() for one in found if one.ids is not None] == [[0, 1], [1]]
    assert found[0].cluster_hits.tolist() == [2, 0]


def test_a_tally_of_many_groups_is_that_of_each_alone() -> None:
    """One pass over all cells counts what a pass over each group's cells counts, clusters ascending."""
    generator = rng(3, "tally")
    groups, clusters = generator.integers(-1, 40, 5_000), np.sort(generator.integers(0, 700, 5_000))
    trials, hits = generator.random(5_000) < 0.8, generator.random(5_000) < 0.4
    counts = generator.integers(1, 9, 5_000)
    found = list(tally(groups, 40, trials=trials, hits=hits, counts=counts, clusters=clusters))
    assert len(found) == 40
    for group, one in enumerate(found):
        mine = (groups == group) & trials
        assert (one.hits, one.trials) == (counts[mine & hits].sum(), counts[mine].sum())
        assert one.ids is not None
        assert one.ids.tolist() == np.unique(clusters[mine]).tolist()
        sums = np.bincount(clusters[mine], weights=counts[mine])
        assert one.cluster_trials.tolist() == sums[one.ids].tolist()


def test_clusters_of_other_groups_change_nothing() -> None:
    """Where every cluster with one side has the other, they stay paired, whoever else is in the file."""
    hits, other, asked = [*[2] * 10, 4, 3], [2] * 12, [5] * 12
    beside = [clustered([0, *one], [0, *asked]) for one in (hits, other)]
    alone = [clustered(one, asked) for one in (hits, other)]
    assert ratio_interval(*beside) == ratio_interval(*alone)
    assert contrast(*beside, margin=0.05) == contrast(*alone, margin=0.05)


@pytest.mark.slow
def test_clustered_difference_covers() -> None:
    """95 % intervals hold the truth about 95 times in 100 where rows of a cluster resemble each other."""
    generator = rng(3, "cover")
    covered = naive = 0
    rounds = 600
    for _ in range(rounds):
        chance = np.clip(0.5 + 0.25 * generator.standard_normal(40), 0.02, 0.98)
        hits, other = generator.binomial(10, chance), generator.binomial(10, chance)
        # Half the clusters have only one of the groups.
        asked = [10] * 30 + [0] * 10
        asked_other = [0] * 10 + [10] * 30
        group = clustered([int(h) if a else 0 for h, a in zip(hits, asked, strict=True)], asked)
        reference = clustered(
            [int(h) if a else 0 for h, a in zip(other, asked_other, strict=True)], asked_other
        )
        found = contrast(group, reference, margin=0.05).interval
        covered += found.low <= 0 <= found.high
        rows = contrast(plain(group.hits, 300), plain(reference.hits, 300), margin=0.05).interval
        naive += rows.low <= 0 <= rows.high
    assert 0.93 <= covered / rounds <= 0.98
    assert naive / rounds < 0.92
