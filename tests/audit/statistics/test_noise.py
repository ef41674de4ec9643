"""The noise floor."""

import numpy as np
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.noise import noise_floor
from probes.seeds import rng


def floor(values: list[float], *, n_clusters: int | None = None) -> float:
    """The floor under a fixed stream."""
    return noise_floor(values, rng=rng(1, "floor"), n_clusters=n_clusters)


def test_a_null_placebo_exceeds_its_floor_one_time_in_twenty() -> None:
    """Fresh means of a null placebo exceed the floor about 5 % of the time, at 12 clusters too."""
    stream = rng(2, "placebo")
    placebos, fresh = stream.normal(0, 0.1, (2, 1500, 12))
    floors = [noise_floor(placebo, rng=stream, resamples=200) for placebo in placebos]
    above = np.abs(fresh.mean(axis=1)) > floors
    # The floor sits around the placebo's own mean, so it is higher than the noise alone would make it.
    assert 0.01 < np.mean(above) < 0.06


def test_the_floor_is_at_the_level_of_the_estimate() -> None:
    """An estimate over four times the clusters has half the floor."""
    values = rng(3, "wide").normal(0, 0.1, 400)
    values = (values - values.mean()).tolist()
    assert floor(values, n_clusters=1600) == pytest.approx(floor(values) / 2, rel=0.08)


def test_resampled_means_are_widened_to_the_spread_of_a_sample() -> None:
    """Two clusters at -0.1 and 0.1 have the floor 0.1 sqrt(2): resamples alone would give 0.1."""
    assert floor([-0.1, 0.1]) == pytest.approx(0.1 * 2**0.5)


def test_the_floor_ignores_order_and_size_scales_it() -> None:
    """Order changes nothing; doubled differences double the floor; the same stream gives the same floor."""
    values = [0.1, -0.2, 0.05, 0.0, 0.3, -0.1]
    assert floor(values) == floor(values[::-1])
    assert floor([2 * value for value in values]) == pytest.approx(2 * floor(values))


def test_a_placebo_off_zero_raises_the_floor() -> None:
    """A placebo that is itself far from 0 has a floor of at least that."""
    assert floor([0.2, 0.21, 0.19, 0.2]) > 0.2


def test_a_floor_needs_clusters_and_sense() -> None:
    """One cluster is not measured; too few resamples, no clusters or a quantile of 95 are errors."""
    with pytest.raises(NotMeasuredError, match="at least 2 clusters"):
        floor([0.1])
    with pytest.raises(ValueError, match="resamples"):
        noise_floor([0.1, 0.2], rng=rng(1, "x"), resamples=10)
    with pytest.raises(ValueError, match="n_clusters"):
        floor([0.1, 0.2], n_clusters=0)
    with pytest.raises(ValueError, match="quantile"):
        noise_floor([0.1, 0.2], rng=rng(1, "x"), quantile=95)
