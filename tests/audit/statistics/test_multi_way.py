"""Clusters in several ways at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.multi_way import multi_way_cluster
from audit.statistics.pooling import stratified_t
from probes.seeds import rng


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.lists(st.integers(2, 9), min_size=1, max_size=4))
def test_templates_alone_are_the_stratified_t(seed: int, sizes: list[int]) -> None:
    """Without names and shared templates it is what pooling over strata states."""
    strata = [rng(seed, "strata", place).normal(0, 1, size) for place, size in enumerate(sizes)]
    influence = np.concatenate([(one - one.mean()) / (one.size * len(sizes)) for one in strata])
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    found = multi_way_cluster(influence, np.arange(influence.size), stratum)
    plain = stratified_t(strata)
    assert (found.standard_error, found.df) == pytest.approx((plain.standard_error, plain.df))


def test_a_template_in_every_stratum_is_one_cluster() -> None:
    """The same templates in all strata give the t of their means over the strata."""
    values = rng(1, "shared").normal(0, 1, (4, 9))
    influence = (values - values.mean(axis=1, keepdims=True)) / values.size
    found = multi_way_cluster(influence.ravel(), np.tile(np.arange(9), 4), np.repeat(np.arange(4), 9))
    plain = cluster_t_interval(values.mean(axis=0))
    assert (found.standard_error, found.df, found.n_clusters) == pytest.approx((plain.standard_error, 8, 9))


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_a_dimension_of_names_never_shortens_the_interval(seed: int) -> None:
    """Names that cancel by chance leave the variance of templates; order changes nothing."""
    draw = rng(seed, "names")
    templates, strata = np.repeat(np.arange(8), 6), np.repeat([0, 1], 24)
    influence = draw.normal(0, 1, 48)
    names = [draw.integers(0, size, 48) for size in (7, 4)]
    widths = [
        multi_way_cluster(influence, templates, strata, names=names[:many]).standard_error
        for many in (0, 1, 2)
    ]
    assert widths == sorted(widths)
    turned = multi_way_cluster(
        influence[::-1], templates[::-1], strata[::-1], names=[one[::-1] for one in names]
    )
    assert turned.standard_error == pytest.approx(widths[2])


def test_the_variance_is_the_published_sum() -> None:
    """With effects in all three dimensions it is inclusion and exclusion over them."""
    draw = rng(2, "sum")
    codes = [draw.integers(0, size, 900) for size in (60, 80, 50)]
    influence = sum(draw.normal(0, 1, 80)[one] for one in codes) + draw.normal(0, 0.2, 900)
    influence = influence - influence.mean()
    same = (codes[0][:, None] == codes[0]) | (codes[1][:, None] == codes[1]) | (codes[2][:, None] == codes[2])
    found = multi_way_cluster(influence, codes[0], np.zeros(900, dtype=int), names=codes[1:])
    # The corrections G / (G - 2) of each part keep the two some percent apart.
    assert found.standard_error**2 == pytest.approx(
        float(np.outer(influence, influence)[same].sum()), rel=0.1
    )
    assert found.df == 48


def test_what_cannot_be_seen_is_not_measured() -> None:
    """A stratum of one template, two names, and templates that never differ are refused."""
    with pytest.raises(NotMeasuredError, match="stratum 1 needs at least 2 clusters"):
        multi_way_cluster([0.1, -0.1, 0.0], [0, 1, 2], [0, 0, 1])
    with pytest.raises(NotMeasuredError, match="at least 3 names; got 2"):
        multi_way_cluster([0.1, -0.1], [0, 1], [0, 0], names=[[0, 1]])
    with pytest.raises(NotMeasuredError, match="do not differ"):
        multi_way_cluster([0.0, 0.0], [0, 1], [0, 0])
    with pytest.raises(ValueError, match="must have the shape"):
        multi_way_cluster([0.0, 0.0], [0, 1], [0])
