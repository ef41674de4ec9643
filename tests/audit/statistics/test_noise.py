"""The noise floor."""

from itertools import product

import numpy as np
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.noise import noise_floor
from probes.seeds import rng


def floor(values: list[float], *, n_clusters: int | None = None) -> float:
    """The floor under a fixed stream."""
    return noise_floor(values, rng=rng(1, "floor"), n_clusters=n_clusters)


@pytest.mark.parametrize(("clusters", "most"), [(12, 0.09), (60, 0.065)])
def test_a_null_placebo_exceeds_its_floor_one_time_in_twenty(clusters: int, most: float) -> None:
    """Fresh means of a null placebo exceed the floor about 5 % of the time, a little more at 12 clusters."""
    stream = rng(2, "placebo", clusters)
    placebos, fresh = stream.normal(0, 0.1, (2, 1500, clusters))
    floors = [noise_floor(placebo, rng=stream, exchanges=200) for placebo in placebos]
    above = np.abs(fresh.mean(axis=1)) > floors
    assert 0.035 < np.mean(above) < most


def test_the_floor_is_at_the_level_of_the_estimate() -> None:
    """An estimate over four times the clusters has half the floor."""
    values = rng(3, "wide").normal(0, 0.1, 400)
    values = (values - values.mean()).tolist()
    assert floor(values, n_clusters=1600) == pytest.approx(floor(values) / 2, rel=0.08)


def test_the_floor_is_the_quantile_over_all_exchanges() -> None:
    """For five clusters it is the quantile of all 32 estimates that exchanging the arms can give."""
    values = np.array([0.1, -0.2, 0.4, 0.05, -0.3])
    every = [abs(float(np.mean(values * signs))) for signs in product((1, -1), repeat=5)]
    found = noise_floor(values, rng=rng(4, "floor"), exchanges=50_000, quantile=0.8)
    assert found == pytest.approx(np.quantile(every, 0.8), abs=1e-9)


def test_the_floor_ignores_order_and_size_scales_it() -> None:
    """Order changes nothing; doubled differences double the floor; the same stream gives the same floor."""
    values = [0.1, -0.2, 0.05, 0.0, 0.3, -0.1]
    assert floor(values) == floor(values[::-1]) == floor([-value for value in values])
    assert floor([2 * value for value in values]) == pytest.approx(2 * floor(values))


def test_a_placebo_off_zero_raises_the_floor() -> None:
    """A placebo that is itself far from 0 has a floor of at least that, however rare the exchange."""
    assert floor([0.2] * 30) == pytest.approx(0.2)


def test_a_floor_needs_clusters_and_sense() -> None:
    """One cluster is not measured; too few exchanges, no clusters or a quantile of 95 are errors."""
    with pytest.raises(NotMeasuredError, match="at least 2 clusters"):
        floor([0.1])
    with pytest.raises(ValueError, match="exchanges"):
        noise_floor([0.1, 0.2], rng=rng(1, "x"), exchanges=10)
    with pytest.raises(ValueError, match="n_clusters"):
        floor([0.1, 0.2], n_clusters=0)
    with pytest.raises(ValueError, match="quantile"):
        noise_floor([0.1, 0.2], rng=rng(1, "x"), quantile=95)
