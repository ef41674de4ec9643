"""The variance over crossed names is free of the bias of centring."""

import numpy as np
import pytest

from audit.statistics.crossed import CrossedNames, crossed_variance
from probes.seeds import rng

TEMPLATES, PAIRS = 12, 16


def drawn(
    draw: np.random.Generator, spreads: tuple[float, float, float], names: tuple[int, int]
) -> tuple[float, float]:
    """A difference of two arms whose truth is 0, and its estimated variance.

    Spreads are the standard deviations of templates on both arms, of templates on the difference, and of
    first names; last names have three quarters of that, and a part itself one.
    """
    template = np.tile(np.repeat(np.arange(TEMPLATES), PAIRS), 2)
    group = np.repeat([True, False], TEMPLATES * PAIRS)
    codes = [draw.integers(0, size, template.size) + size * group for size in names]
    values = draw.normal(0, spreads[0], TEMPLATES)[template]
    values = values + draw.normal(0, spreads[1], TEMPLATES)[template] * np.where(group, 0.5, -0.5)
    for one, share in zip(codes, (1.0, 0.75), strict=True):
        values = values + draw.normal(0, share * spreads[2], int(one.max()) + 1)[one]
    values = values + draw.normal(0, 1, template.size)
    weights = np.where(group, 1.0, -1.0) / (TEMPLATES * PAIRS)
    means = np.where(group, values[group].mean(), values[~group].mean())
    factor = np.full(template.size, np.sqrt(TEMPLATES / (TEMPLATES - 1)))
    variance = crossed_variance(
        (values - means) * weights,
        factor,
        template,
        np.zeros(template.size, dtype=np.int64),
        CrossedNames(of=codes, weights=weights),
    )
    return float(weights @ values), variance


@pytest.mark.parametrize(
    ("spreads", "names"),
    [((1.5, 0.5, 0.4), (10, 6)), ((0.0, 0.0, 0.4), (28, 9)), ((1.5, 0.0, 0.0), (10, 6))],
)
def test_the_variance_is_right_on_average_however_large_each_kind_of_effect_is(
    spreads: tuple[float, float, float], names: tuple[int, int]
) -> None:
    """Over 300 audits its mean is the variance of the difference, however few names there are."""
    draw = rng(5, "crossed", *map(str, spreads), *map(str, names))
    points, variances = np.array([drawn(draw, spreads, names) for _ in range(300)]).T
    truly = float((points**2).mean())
    # Of the ratio of two means: that of the variance of 300 draws, and that of the estimates.
    error = np.hypot(np.sqrt(2 / 300), variances.std() / variances.mean() / np.sqrt(300))
    assert variances.mean() / truly == pytest.approx(1.0, abs=3.3 * error)


def test_what_centring_takes_is_put_back_exactly_for_effects_of_the_size_that_is_seen() -> None:
    """With effects of names alone and every name in every template, it is the variance of a mean of names."""
    names, templates = 6, 5
    effects = rng(6, "exact").normal(0, 1, 2 * names)
    group = np.repeat([True, False], names * templates)
    name = np.tile(np.arange(names), 2 * templates) + names * group
    template = np.tile(np.repeat(np.arange(templates), names), 2)
    weights = np.where(group, 1.0, -1.0) / (names * templates)
    values = effects[name]
    means = np.where(group, values[group].mean(), values[~group].mean())
    found = crossed_variance(
        (values - means) * weights,
        np.ones(group.size),
        template,
        np.zeros(group.size, dtype=np.int64),
        CrossedNames(of=[name], weights=weights),
    )
    of_each = [np.var(effects[:names], ddof=1), np.var(effects[names:], ddof=1)]
    assert found == pytest.approx(sum(of_each) / names)


def test_a_name_that_makes_up_a_whole_arm_of_a_stratum_says_nothing() -> None:
    """Where the sums by name are 0 whatever the data, the variance is still a number."""
    stratum, group = np.repeat([0, 0, 1, 1], 8), np.tile(np.repeat([True, False], 8), 2)
    template = np.tile(np.repeat(np.arange(4), 2), 4) + 4 * stratum
    values = rng(7, "whole").normal(0, 1, 32)
    cell = 2 * stratum + group
    weights = np.where(group, 1.0, -1.0) / 16
    influence = (values - (np.bincount(cell, weights=values) / 8)[cell]) * weights
    found = crossed_variance(
        influence, np.ones(32), template, stratum, CrossedNames(of=[cell], weights=weights)
    )
    assert np.isfinite(found)
