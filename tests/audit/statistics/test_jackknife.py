"""The cluster jackknife: agrees with the t interval where both apply, and covers where it claims to."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics import cluster_jackknife, cluster_t_interval
from audit.statistics.arguments import Vector
from probes.seeds import rng

MEANS = st.lists(st.floats(-1, 1), min_size=3, max_size=30).filter(lambda found: np.ptp(found) > 1e-6)


def _share(sums: Vector) -> Vector:
    out: Vector = np.full(sums.shape[0], np.nan)
    np.divide(sums[:, 0], sums[:, 1], out=out, where=sums[:, 1] > 0)
    return out


@given(MEANS, st.floats(-1, 1))
def test_mean_of_equal_clusters_is_the_cluster_t_interval(means: list[float], null: float) -> None:
    """For a plain mean the jackknife is Student's interval, whatever value it is tested against."""
    sums = np.column_stack([means, np.ones(len(means))])
    found, known = cluster_jackknife(_share, sums, null=null), cluster_t_interval(means)
    assume(known.unseen is None)
    assert found.point == pytest.approx(known.point, abs=1e-9)
    assert found.interval.low == pytest.approx(known.interval.low, abs=1e-6)
    assert found.interval.high == pytest.approx(known.interval.high, abs=1e-6)


@given(MEANS, st.floats(-1.5, 1.5))
def test_p_value_and_interval_say_the_same(means: list[float], null: float) -> None:
    """The p-value is below 1 - level exactly when the value tested lies outside the interval."""
    found = cluster_jackknife(_share, np.column_stack([means, np.ones(len(means))]), null=null)
    outside = null < found.interval.low - 1e-9 or null > found.interval.high + 1e-9
    inside = found.interval.low + 1e-9 < null < found.interval.high - 1e-9
    assert not (outside and found.p_value > 0.05 + 1e-6)
    assert not (inside and found.p_value < 0.05 - 1e-6)


def test_covers_a_difference_of_rates_over_unequal_clusters() -> None:
    """30 clusters of unequal size, both groups in each, 95 %: between 93.5 and 97.5 % of 2,000 audits."""
    draws, audits, clusters = rng(7, "jackknife coverage"), 2_000, 30
    covered = 0
    for _ in range(audits):
        asked = draws.integers(2, 20, size=(clusters, 2))
        level = draws.normal(0, 0.15, size=(clusters, 1)) + draws.normal(0, 0.05, size=(clusters, 2))
        hits = draws.binomial(asked, np.clip(0.5 + level + np.array([[0.05, -0.05]]), 0, 1))
        sums = np.column_stack([hits[:, 0], asked[:, 0], hits[:, 1], asked[:, 1]]).astype(np.float64)
        found = cluster_jackknife(lambda s: s[:, 0] / s[:, 1] - s[:, 2] / s[:, 3], sums)
        covered += found.interval.low <= 0.1 <= found.interval.high
    assert 0.935 <= covered / audits <= 0.975


@pytest.mark.parametrize(
    ("sums", "said"),
    [
        ([[1, 2]], "cluster"),
        ([[1, 2], [1, 2], [1, 2]], "the same"),
        ([[1, 2], [1, 0]], "no value"),
    ],
)
def test_what_cannot_be_stated_is_not(sums: list[list[float]], said: str) -> None:
    """One cluster, no spread, or no denominator without one cluster: no number."""
    with pytest.raises(NotMeasuredError, match=said):
        cluster_jackknife(_share, sums)


def test_sums_must_be_a_table() -> None:
    """A flat list is refused rather than read in some way."""
    with pytest.raises(ValueError, match="shape"):
        cluster_jackknife(_share, [1.0, 2.0])
