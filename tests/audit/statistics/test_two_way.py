"""Two-way clustering."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Vector
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.two_way import two_way_cluster
from probes.seeds import rng


def crossed(templates: int, names: int, *, name_sd: float, seed: int) -> tuple[Vector, Codes, Codes]:
    """Influence of each cell of a full cross of templates and names, on a mean of 0."""
    stream = rng(seed, "crossed")
    first = np.repeat(np.arange(templates), names)
    second = np.tile(np.arange(names), templates)
    values = stream.normal(0, 0.2, templates)[first] + stream.normal(0, name_sd, names)[second]
    values = values + stream.normal(0, 0.1, first.size)
    return (values - values.mean()) / values.size, first, second


def test_the_variance_is_the_published_sum() -> None:
    """With effects in both dimensions the variance is V(first) + V(second) - V(both)."""
    influence, first, second = crossed(20, 10, name_sd=0.2, seed=1)
    parts = []
    for codes in (first, second, first * 10 + second):
        sums = np.bincount(codes, weights=influence)
        parts.append(float(sums @ sums) * sums.size / (sums.size - 1))
    found = two_way_cluster(influence, first, second, point=0.1)
    assert found.standard_error**2 == pytest.approx(parts[0] + parts[1] - parts[2])
    assert found.df == 9
    assert found.point == pytest.approx((found.interval.low + found.interval.high) / 2)


def test_pairs_share_a_name_if_any_coincides() -> None:
    """Two names a part give the sum over all parts that share a template or a name, each counted once."""
    stream = rng(2, "pairs")
    first = stream.integers(0, 9, 60)
    names = stream.integers(0, 12, (60, 2))
    names[:5, 1] = names[:5, 0]
    effects = stream.normal(0, 1, 12)
    influence = effects[names[:, 0]] + effects[names[:, 1]] + stream.normal(0, 0.3, 60)
    influence -= influence.mean()
    same_name = (names[:, None, :, None] == names[None, :, None, :]).any(axis=(2, 3))
    same = same_name | (first[:, None] == first[None, :])
    products = np.outer(influence, influence)
    found = two_way_cluster(influence, first, names)
    # The corrections G / (G - 1) of each part keep the two a few percent apart.
    assert found.standard_error**2 == pytest.approx(float(products[same].sum()), rel=0.15)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 0.4]))
def test_names_never_shorten_the_interval(seed: int, name_sd: float) -> None:
    """Two-way is never shorter than one-way by template, and negation and order change nothing."""
    influence, first, second = crossed(8, 6, name_sd=name_sd, seed=seed)
    found = two_way_cluster(influence, first, second)
    one_way = cluster_t_interval(np.bincount(first, weights=influence))
    assert found.standard_error >= one_way.standard_error * 8 * (1 - 1e-9)
    assert two_way_cluster(-influence, first, second).standard_error == pytest.approx(found.standard_error)
    turned = two_way_cluster(influence[::-1], first[::-1], second[::-1])
    assert turned.standard_error == pytest.approx(found.standard_error)


def test_a_negative_variance_is_said() -> None:
    """Influences that cancel in both dimensions fall back to a one-way variance, and the method says so."""
    influence = [0.1, -0.1, -0.09, 0.1, -0.01, 0.0]
    found = two_way_cluster(influence, [0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1])
    assert "negative variance" in found.interval.method
    assert found.standard_error > 0


def test_a_smaller_variance_than_one_way_is_said() -> None:
    """Names that cancel by chance leave the one-way variance, and the method says so."""
    found = two_way_cluster([0.2, 0.1, -0.1, -0.2], [0, 0, 1, 1], [0, 1, 1, 0])
    assert "at least the one-way" in found.interval.method
    assert found.standard_error**2 == pytest.approx((0.3**2 + 0.3**2) * 2)


def test_no_spread_at_all_is_bounded_or_not_measured() -> None:
    """Influences that are all 0 give the bound of the smaller dimension, or nothing without bounds."""
    found = two_way_cluster([0.0] * 6, [0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], bounds=(-1, 1))
    assert found.degenerate
    assert found.df == 1
    with pytest.raises(NotMeasuredError, match="all 3 clusters"):
        two_way_cluster([0.0] * 6, [0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1])


def test_dimensions_must_fit() -> None:
    """A single name is not measured; codes of another shape are an error."""
    with pytest.raises(NotMeasuredError, match="each dimension"):
        two_way_cluster([0.1, -0.1], [0, 1], [0, 0])
    for first, second in (([0], [0, 1]), ([0, 1], [[0, 1, 2], [0, 1, 2]]), ([0, 1], [0, 1, 2])):
        with pytest.raises(ValueError, match="must have the shape"):
            two_way_cluster([0.1, -0.1], first, second)
