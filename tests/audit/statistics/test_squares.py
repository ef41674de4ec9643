"""Squared sums of influences over clusters of one or several dimensions."""

import numpy as np
import pytest

from audit.statistics.squares import cluster_squares


def test_clusters_share_every_code() -> None:
    """Two dimensions make the clusters in which both codes are equal, whatever numbers the codes have."""
    parts = np.array([1.0, 2.0, 3.0, 4.0])
    first, second = np.array([7, 7, 9, 9]), np.array([100, 3, 100, 100])
    assert cluster_squares(parts, [first]) == 9 + 49
    assert cluster_squares(parts, [second]) == 64 + 4
    assert cluster_squares(parts, [first, second]) == 1 + 4 + 49


@pytest.mark.parametrize(("lost", "factor"), [(0, 1.0), (1, 1.5), (2, 3.0)])
def test_sums_that_are_0_by_themselves_are_made_up_for(lost: int, factor: float) -> None:
    """Of three clusters one or two sums are lost."""
    parts = np.array([1.0, -1.0, 0.5])
    found = cluster_squares(parts, [np.arange(3)], lost=lost)
    assert found == pytest.approx(factor * 2.25)
