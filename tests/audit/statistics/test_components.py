"""Variances from a pilot."""

import numpy as np
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.components import pair_components


def test_planted_variances_are_recovered() -> None:
    """With 400 templates of unequal size both deviations come out within 5 %, domains apart."""
    stream = np.random.Generator(np.random.PCG64(1))
    sizes = stream.integers(4, 9, size=400)
    cluster = np.repeat(np.arange(400), sizes)
    stratum = cluster % 2
    slopes = stream.normal(0, 0.3, 400)
    pairs = slopes[cluster] + 5.0 * stratum + stream.normal(0, 0.5, cluster.size)
    found = pair_components(pairs, cluster, stratum)
    assert found.slope_sd == pytest.approx(0.3, rel=0.05)
    assert found.noise_sd == pytest.approx(0.5, rel=0.05)
    assert (found.n_clusters, found.n_pairs) == (400, cluster.size)


def test_the_interval_of_reactions_holds_as_often_as_it_says() -> None:
    """With 44 templates of 12 noisy pairs 95 % intervals hold the planted 5 points, mostly from 0 upwards."""
    stream = np.random.Generator(np.random.PCG64(2))
    cluster = np.repeat(np.arange(44), 12)
    runs = [
        pair_components(stream.normal(0, 0.05, 44)[cluster] + stream.normal(0, 0.7, cluster.size), cluster)
        for _ in range(400)
    ]
    assert 0.92 <= np.mean([one.slope_low <= 0.05 <= one.slope_high for one in runs]) <= 0.98
    assert np.mean([one.slope_low == 0.0 for one in runs]) > 0.8
    assert all(one.slope_low <= one.slope_sd <= one.slope_high for one in runs)


def test_balanced_layout_matches_the_textbook() -> None:
    """Mean squares of a small balanced table, by hand: MSW = 0.02, MSB = 1."""
    found = pair_components([0.0, 0.2, 1.0, 1.2], [7, 7, 3, 3])
    assert found.noise_sd == pytest.approx(0.02**0.5)
    assert found.slope_sd == pytest.approx(((1.0 - 0.02) / 2) ** 0.5)


def test_a_negative_variance_is_none() -> None:
    """Templates that differ less than chance makes them have slope variance 0, never below."""
    assert pair_components([0.0, 1.0, 0.0, 1.0], [0, 0, 1, 1]).slope_sd == 0.0


def test_too_little_is_refused() -> None:
    """One template, or one pair a template, tells nothing of one of the variances."""
    with pytest.raises(NotMeasuredError, match="two clusters"):
        pair_components([0.1, 0.2], [0, 0])
    with pytest.raises(NotMeasuredError, match="two pairs"):
        pair_components([0.1, 0.2], [0, 1])
    with pytest.raises(ValueError, match="shapes must be equal"):
        pair_components([0.1, 0.2], [0, 1, 2])
