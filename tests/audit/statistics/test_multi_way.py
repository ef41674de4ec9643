"""Clusters in several ways at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.crossed import CrossedNames
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


def two_arms(draw: np.random.Generator, *sizes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Influences and weights of 48 parts in two strata and two arms, and names of either arm."""
    group = np.tile([True, False], 24)
    weights = np.where(group, 1.0, -1.0) / 24
    values = draw.normal(0, 1, 48)
    cell = 2 * np.repeat([0, 1], 24) + group
    means = np.bincount(cell, weights=values) / np.bincount(cell)
    names = np.array([draw.integers(0, size, 48) + size * group for size in sizes])
    return (values - means[cell]) * weights / 2, weights / 2, names


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_names_never_shorten_the_interval(seed: int) -> None:
    """Names that cancel by chance leave the variance of templates; their order changes nothing."""
    influence, weights, names = two_arms(rng(seed, "names"), 7, 4)
    templates, strata = np.repeat(np.arange(8), 6), np.repeat([0, 1], 24)
    alone = multi_way_cluster(influence, templates, strata)
    for many in (1, 2):
        both = CrossedNames(of=list(names[:many]), weights=weights)
        found = multi_way_cluster(influence, templates, strata, names=both)
        assert found.standard_error >= alone.standard_error * (1 - 1e-12)
        back = CrossedNames(of=[one[::-1] for one in names[:many]], weights=-weights[::-1])
        turned = multi_way_cluster(-influence[::-1], templates[::-1], strata[::-1], names=back)
        assert turned.standard_error == pytest.approx(found.standard_error)


def test_with_many_names_the_variance_is_the_published_sum() -> None:
    """With effects in all three dimensions it is inclusion and exclusion over them, but for some percent."""
    draw = rng(2, "sum")
    template, group = np.tile(np.repeat(np.arange(60), 10), 2), np.repeat([True, False], 600)
    codes = [draw.integers(0, size, 1200) + size * group for size in (80, 50)]
    values = draw.normal(0, 1, 60)[template] * np.where(group, 1, -1) + draw.normal(0, 0.2, 1200)
    values = values + sum(draw.normal(0, 1, 160)[one] for one in codes)
    weights = np.where(group, 1, -1) / 600
    influence = (values - np.where(group, values[group].mean(), values[~group].mean())) * weights
    same = [one[:, None] == one for one in (template, *codes)]
    found = multi_way_cluster(
        influence, template, np.zeros(1200, dtype=int), names=CrossedNames(of=codes, weights=weights)
    )
    plain = float(np.outer(influence, influence)[same[0] | same[1] | same[2]].sum())
    assert plain < found.standard_error**2 < 1.15 * plain
    assert found.df == 59


def test_what_cannot_be_seen_is_not_measured() -> None:
    """A stratum of one template, two names, and templates that never differ are refused."""
    with pytest.raises(NotMeasuredError, match="stratum 1 needs at least 2 clusters"):
        multi_way_cluster([0.1, -0.1, 0.0], [0, 1, 2], [0, 0, 1])
    names = CrossedNames(of=[[0, 1]], weights=[0.5, 0.5])
    with pytest.raises(NotMeasuredError, match="at least 3 names; got 2"):
        multi_way_cluster([0.1, -0.1], [0, 1], [0, 0], names=names)
    with pytest.raises(NotMeasuredError, match="do not differ"):
        multi_way_cluster([0.0, 0.0], [0, 1], [0, 0])
    with pytest.raises(ValueError, match="must have the shape"):
        multi_way_cluster([0.0, 0.0], [0, 1], [0])
