"""Intervals where few clusters differ, and others may differ far more: coverage, for each estimator.

Of all clusters 93 % treat both sides alike, 5 % differ by a quarter and 2 % by the whole range. A run of 40
often meets some of the small differences and none of the large ones; a t interval then covers in about 82 %
of runs.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pytest

from audit.errors import NotMeasuredError
from audit.statistics import cluster_jackknife, impact_ratio, two_way_cluster
from audit.statistics.intervals import Interval
from audit.tables.rates import Trials, contrast
from probes.seeds import rng

Vector = npt.NDArray[np.float64]
T, ASKED = 40, 4
RUNS = 150
TRUTH = -0.05 * 0.25 - 0.02
RATIO = (0.93 * 0.5 + 0.05 * 0.25) / (0.98 * 0.5 + 0.02)


def by_ratio(group: Vector, reference: Vector) -> Interval:
    """Of the ratio of both rates."""
    asked = np.full(T, ASKED)
    return impact_ratio(ASKED * group, asked, ASKED * reference, asked).interval


def by_jackknife(group: Vector, reference: Vector) -> Interval:
    """Of the difference, by leaving clusters out."""
    sums = np.column_stack([group, reference, np.ones(T)])
    return cluster_jackknife(lambda s: (s[:, 0] - s[:, 1]) / s[:, 2], sums, bounds=(-1, 1)).interval


def by_two_ways(group: Vector, reference: Vector) -> Interval:
    """Of the difference, clustered by template and by twenty names that every template draws from."""
    parts = np.repeat(group - reference, ASKED)
    names = np.arange(parts.size) * 7 % 20
    influence = (parts - parts.mean()) / parts.size
    templates = np.repeat(np.arange(T), ASKED)
    return two_way_cluster(influence, templates, names, point=parts.mean(), bounds=(-1, 1)).interval


def by_table(group: Vector, reference: Vector) -> Interval:
    """Of the difference of two groups of a table of decisions."""
    sides = [
        Trials(
            hits=int(rate.sum() * ASKED),
            trials=ASKED * T,
            ids=np.arange(T),
            cluster_hits=rate * ASKED,
            cluster_trials=np.full(T, float(ASKED)),
        )
        for rate in (group, reference)
    ]
    return contrast(*sides, margin=0.05).interval


def runs() -> Iterator[tuple[Vector, Vector]]:
    """Rates of both sides in forty clusters."""
    draw = rng(7, "few-differ")
    for _ in range(RUNS):
        kind = draw.random(T)
        yield np.select([kind < 0.02, kind < 0.07], [0.0, 0.25], 0.5), np.where(kind < 0.02, 1.0, 0.5)


@pytest.mark.parametrize(
    ("interval", "truth"),
    [(by_ratio, RATIO), (by_jackknife, TRUTH), (by_two_ways, TRUTH), (by_table, TRUTH)],
)
def test_clusters_that_were_not_met_are_counted_with(
    interval: Callable[[Vector, Vector], Interval], truth: float
) -> None:
    """An interval holds its level though the clusters that matter were seldom met."""
    inside = []
    for group, reference in runs():
        try:
            found = interval(group, reference)
        except NotMeasuredError:
            continue
        inside.append(found.low <= truth <= found.high)
    assert len(inside) > 0.9 * RUNS
    assert np.mean(inside) > 0.93


def test_sides_with_clusters_of_their_own_are_counted_apart() -> None:
    """One hit in one of forty clusters does not bound a difference as closely as its t interval says."""
    hits = np.zeros(T)
    hits[3] = 1.0

    def side(ids: slice) -> Trials:
        rows = np.arange(2 * T)[ids]
        return Trials(
            hits=int(hits[: rows.size].sum()),
            trials=ASKED * rows.size,
            ids=rows,
            cluster_hits=hits[: rows.size],
            cluster_trials=np.full(rows.size, float(ASKED)),
        )

    found = contrast(side(slice(0, T)), side(slice(T, 2 * T)), margin=0.05)
    assert found.difference == 0.0
    assert found.interval.high > 1 - 0.025 ** (1 / (2 * T)) - 0.001
    assert found.smallest_detectable is not None
    assert found.smallest_detectable > found.interval.high
