"""Paired differences."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.paired import template_differences

row = st.tuples(
    st.integers(0, 5), st.booleans(), st.sampled_from([0.0, 1.0, 0.5, float("nan")])
)  # set, arm, value; the cluster of a set is the set modulo 3


def by_hand(rows: list[tuple[int, bool, float]]) -> dict[int, float]:
    """Cluster differences computed with dictionaries, slowly and obviously."""
    cells: dict[tuple[int, bool], list[float]] = defaultdict(list)
    for code, arm, value in rows:
        if value == value:  # noqa: PLR0124 - nan is the one value unequal to itself
            cells[code, arm].append(value)
    clusters: dict[int, list[float]] = defaultdict(list)
    for code in range(6):
        if cells[code, True] and cells[code, False]:
            clusters[code % 3].append(float(np.mean(cells[code, True]) - np.mean(cells[code, False])))
    return {cluster: float(np.mean(found)) for cluster, found in sorted(clusters.items())}


@settings(max_examples=100)
@given(st.lists(row, min_size=1, max_size=40))
def test_differences_equal_the_slow_computation(rows: list[tuple[int, bool, float]]) -> None:
    """The vectorised reduction agrees with plain dictionaries, and counts every row once."""
    sets = np.array([code for code, _, _ in rows])
    values = np.array([value for _, _, value in rows])
    group = np.array([arm for _, arm, _ in rows])
    expected = by_hand(rows)
    if not expected:
        with pytest.raises(NotMeasuredError, match="no counterfactual set"):
            template_differences(values, sets % 3, sets, group)
        return
    found = template_differences(values, sets % 3, sets, group)
    assert found.clusters.tolist() == list(expected)
    assert found.differences.tolist() == pytest.approx(list(expected.values()))
    assert (found.group_means - found.reference_means).tolist() == pytest.approx(list(expected.values()))
    assert found.n_rows + found.n_missing + found.n_unpaired == len(rows)
    assert found.sets.size + found.sets_dropped == np.unique(sets).size
    assert found.clusters.size + found.clusters_dropped == np.unique(sets % 3).size
    by_cluster = np.bincount(found.set_clusters, weights=found.set_influence)
    mean = found.differences.mean()
    shares = (found.differences - mean) / len(expected)
    assert by_cluster.tolist() == pytest.approx(shares.tolist(), abs=1e-12)


def test_influence_gives_the_clustered_standard_error() -> None:
    """Squared cluster sums of the influence, times T / (T - 1), are the variance of cluster-t."""
    stream = np.random.Generator(np.random.PCG64(5))
    sets = np.repeat(np.arange(40), 2)
    found = template_differences(stream.random(80), sets // 4, sets, np.tile([True, False], 40))
    sums = np.bincount(found.set_clusters, weights=found.set_influence)
    variance = float(sums @ sums) * 10 / 9
    assert variance**0.5 == pytest.approx(cluster_t_interval(found.differences).standard_error)


def test_repeats_are_averaged_before_pairing() -> None:
    """More repeats in one arm give that arm no more weight."""
    found = template_differences([1, 1, 1, 0, 0], [0] * 5, [0] * 5, [True, True, False, False, False])
    assert found.differences.tolist() == pytest.approx([1 - 1 / 3])


def test_missing_is_never_zero() -> None:
    """A set whose group arm is missing is dropped and counted, not read as a difference."""
    nan = float("nan")
    found = template_differences([nan, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [True, False, True, False])
    assert found.differences.tolist() == [0.0]
    assert (found.n_missing, found.n_unpaired, found.sets_dropped, found.clusters_dropped) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("values", "cluster", "sets", "group", "message"),
    [
        ([1.0, 0.0], [0, 1], [0, 0], [True, False], "set 0 has rows in more than one cluster"),
        ([1.0], [0, 0], [0, 0], [True, False], "must share one shape"),
        ([[1.0]], [[0]], [[0]], [[True]], "must share one shape"),
        ([float("inf"), 0.0], [0, 0], [0, 0], [True, False], "finite or nan"),
        ([1.0, 0.0], [-1, -1], [0, 0], [True, False], "at least 0"),
        ([1.0, 0.0], [0, 0], [-2, -2], [True, False], "at least 0"),
    ],
)
def test_bad_rows_are_refused(
    values: list[float], cluster: list[int], sets: list[int], group: list[bool], message: str
) -> None:
    """Rows that contradict the design are an error that names what is wrong."""
    with pytest.raises(ValueError, match=message):
        template_differences(values, cluster, sets, group)


def test_no_rows_is_not_measured() -> None:
    """An empty table has no difference, rather than a difference of 0."""
    with pytest.raises(NotMeasuredError, match="no row"):
        template_differences([], [], [], [])


def test_a_million_rows_take_no_quadratic_pass() -> None:
    """A million rows over 50,000 sets reduce within seconds and use every row."""
    sets = np.repeat(np.arange(50_000), 20)
    stream = np.random.Generator(np.random.PCG64(1))
    found = template_differences(
        stream.integers(0, 2, sets.size), sets // 50, sets, np.tile([True, False], 500_000)
    )
    assert found.n_rows == 1_000_000
    assert found.differences.size == 1000
