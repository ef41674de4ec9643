"""The hierarchical bootstrap."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics.hierarchical import Level, RowWeights, hierarchical_bootstrap
from audit.statistics.resampling import cluster_bootstrap
from probes.seeds import rng

Vector = npt.NDArray[np.float64]
Method = Literal["percentile", "bca", "studentised"]
METHODS: tuple[Method, ...] = ("percentile", "bca", "studentised")


def mean_of(values: Vector) -> Callable[[RowWeights], Vector]:
    """The weighted mean as a statistic."""
    return lambda weights: np.asarray((weights @ values) / weights.sum(axis=1))


def recorded(levels: list[Level], rows: int) -> RowWeights:
    """Weights of 400 resamples, as a statistic sees them."""
    seen: list[RowWeights] = []

    def keep(weights: RowWeights) -> Vector:
        seen.append(weights)
        return np.arange(float(weights.shape[0]))

    hierarchical_bootstrap(keep, levels, rng=rng(1, "recorded"), resamples=400, method="percentile")
    assert seen[0].shape == (1, rows)
    return np.concatenate(seen[1:])


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_templates_alone_are_the_cluster_bootstrap(method: Method) -> None:
    """With one level the interval of a skewed mean is that of `cluster_bootstrap`, up to the draws."""
    assert method != "studentised"
    values = rng(2, "skewed").exponential(size=15)
    levels = [Level(codes=np.arange(15))]
    one = hierarchical_bootstrap(mean_of(values), levels, rng=rng(2, "1"), resamples=8000, method=method)
    two = cluster_bootstrap(mean_of(values), 15, rng=rng(2, "2"), resamples=8000, method=method)
    assert one.point == pytest.approx(two.point)
    assert one.standard_error == pytest.approx(two.standard_error, rel=0.05)
    assert (one.interval.low, one.interval.high) == pytest.approx(
        (two.interval.low, two.interval.high), abs=0.15 * one.standard_error
    )


def test_nested_units_are_drawn_in_every_copy_of_their_parent() -> None:
    """Samples of a template get as many draws as the template's copies are worth, never more or fewer."""
    templates = np.repeat(np.arange(6), [4, 4, 4, 2, 2, 1])
    weights = recorded([Level(codes=templates), Level(codes=np.arange(17))], 17)
    sizes = np.bincount(templates)
    drawn = np.stack([weights[:, templates == t].sum(axis=1) / sizes[t] for t in range(6)], axis=1)
    assert (drawn == drawn.round()).all()
    assert (drawn.sum(axis=1) == 6).all()
    # Copies are drawn apart: within two copies of a template, a sample's count has the variance of 8 draws.
    twice = weights[drawn[:, 0] == 2, 0]
    assert twice.mean() == pytest.approx(2, abs=0.5)
    assert twice.var() == pytest.approx(8 * 0.25 * 0.75, abs=0.8)


def test_crossed_units_are_drawn_once_for_all() -> None:
    """Names that recur over templates are drawn once a resample, within their group, and weights multiply."""
    templates, names = np.repeat(np.arange(5), 6), np.tile(np.arange(6), 5)
    groups = names // 3
    weights = recorded([Level(codes=templates), Level(codes=names, within=groups)], 30).reshape(-1, 5, 6)
    by_template, by_name = weights.sum(axis=2) / 6, weights.sum(axis=1) / 5
    assert weights == pytest.approx(by_template[:, :, np.newaxis] * by_name[:, np.newaxis, :])
    assert min(by_template.std(), by_name.std()) > 0.5
    assert (by_name[:, :3].sum(axis=1) == 3).all()
    assert (by_name[:, 3:].sum(axis=1) == 3).all()


def test_three_levels_keep_their_sums() -> None:
    """Templates, names in groups and samples: each prompt's samples sum to its copies times their number."""
    prompts = np.arange(4 * 6).repeat(3)
    templates, names = prompts // 6, prompts % 6
    levels = [
        Level(codes=templates),
        Level(codes=names, within=names // 3),
        Level(codes=np.arange(prompts.size)),
    ]
    weights = recorded(levels, prompts.size)
    copies = weights.reshape(-1, 24, 3).sum(axis=2) / 3
    assert (copies == copies.round()).all()
    assert (copies.sum(axis=1) == 24).all()


@pytest.mark.parametrize("method", METHODS)
def test_same_generator_same_interval(method: Method) -> None:
    """The same generator gives the same interval; rows in another order give the same point."""
    values = rng(3, "values").standard_normal(48)
    templates = np.repeat(np.arange(12), 4)
    levels = [Level(codes=templates), Level(codes=np.arange(48))]
    one, two = (
        hierarchical_bootstrap(mean_of(values), levels, rng=rng(3, "draws"), resamples=200, method=method)
        for _ in range(2)
    )
    assert one == two
    assert one.interval.low < one.point < one.interval.high


@pytest.mark.parametrize("method", METHODS)
def test_shifted_and_scaled_values_move_the_interval(method: Method) -> None:
    """Values times 10 plus 5 give the interval times 10 plus 5."""
    values = rng(4, "values").standard_normal(30)
    levels = [Level(codes=np.arange(30))]

    def interval(numbers: Vector) -> tuple[float, float]:
        found = hierarchical_bootstrap(
            mean_of(numbers), levels, rng=rng(4, "draws"), resamples=300, method=method
        )
        return found.interval.low, found.interval.high

    assert interval(10 * values + 5) == pytest.approx(tuple(10 * end + 5 for end in interval(values)))


def test_equal_units_have_no_width() -> None:
    """If every unit is equal all methods give the value itself and no error of division."""
    for method in METHODS:
        found = hierarchical_bootstrap(
            mean_of(np.full(10, 0.25)),
            [Level(codes=np.arange(10))],
            rng=rng(5, "equal"),
            resamples=200,
            method=method,
        )
        assert (found.interval.low, found.interval.high) == pytest.approx((0.25, 0.25))


def test_undefined_values_are_counted_or_refused() -> None:
    """Few resamples without a value are counted; many, none on the sample or without a unit are refused."""
    ones = np.zeros(12)
    ones[:3] = 1

    def share(least: int) -> Callable[[RowWeights], Vector]:
        return lambda w: np.where(w @ ones >= least, w @ ones, np.nan)

    levels = [Level(codes=np.arange(12))]
    found = hierarchical_bootstrap(share(1), levels, rng=rng(6, "few"), resamples=300, method="percentile")
    assert 0 < found.n_undefined < 15
    with pytest.raises(NotMeasuredError, match="of 300 resamples"):
        hierarchical_bootstrap(share(2), levels, rng=rng(6, "many"), resamples=300, method="percentile")
    with pytest.raises(NotMeasuredError, match="without one of the units, so bca"):
        hierarchical_bootstrap(share(3), levels, rng=rng(6, "left"), resamples=300)
    with pytest.raises(NotMeasuredError, match="on the sample itself"):
        hierarchical_bootstrap(share(4), levels, rng=rng(6, "none"), resamples=300)


def test_bad_levels_are_refused() -> None:
    """No level, unequal shapes, names in two groups and a group with one name are refused."""
    templates = np.repeat(np.arange(3), 4)
    names = np.tile(np.arange(4), 3)
    cases: list[tuple[list[Level], str]] = [
        ([], "at least 1 level"),
        ([Level(codes=templates), Level(codes=[0, 1])], "level 1 must have the shape"),
        ([Level(codes=templates), Level(codes=names, within=np.arange(12) % 5)], "level 1 lies in two codes"),
    ]
    for levels, message in cases:
        with pytest.raises(ValueError, match=message):
            hierarchical_bootstrap(mean_of(np.ones(12)), levels, rng=rng(7, "bad"))
    for few in (
        [Level(codes=np.zeros(12))],
        [Level(codes=templates), Level(codes=names, within=np.minimum(names, 1))],
    ):
        with pytest.raises(NotMeasuredError, match="needs at least 2 clusters; got 1"):
            hierarchical_bootstrap(mean_of(np.ones(12)), few, rng=rng(7, "few"))


@pytest.mark.parametrize("method", METHODS)
def test_ratios_are_covered(method: Method) -> None:
    """The ratio of two arms' rates over 40 templates is covered close to nominally by each method."""
    stream = rng(8, "ratio", method)
    missed = 0
    for _ in range(200):
        base = expit(1.5 * stream.standard_normal(40))
        group, reference = stream.binomial(4, 0.8 * base), stream.binomial(4, base)

        def ratio(w: RowWeights, group: Vector = group, reference: Vector = reference) -> Vector:
            return np.asarray((w @ group) / (w @ reference))

        found = hierarchical_bootstrap(
            ratio,
            [Level(codes=np.arange(40))],
            rng=stream,
            resamples=200,
            method=method,
        )
        missed += not found.interval.low <= 0.8 <= found.interval.high
    assert 0.005 < missed / 200 < 0.115


def test_names_as_a_level_repair_what_templates_alone_miss() -> None:
    """Where 12 names a group matter, templates alone err often; with names as a level hardly above 5 %."""
    stream = rng(9, "names")
    templates, names = np.repeat(np.arange(25), 24), np.tile(np.arange(24), 25)
    group = names < 12
    wrong = []
    for _ in range(120):
        effects, base = 0.6 * stream.standard_normal(24), stream.standard_normal(25)
        y = stream.binomial(1, expit(base[templates] + effects[names])).astype(np.float64)

        def gap(w: RowWeights, y: Vector = y) -> Vector:
            ours, theirs = w * group, w * ~group
            return np.asarray((ours @ y) / ours.sum(axis=1) - (theirs @ y) / theirs.sum(axis=1))

        ends = []
        for levels in (
            [Level(codes=templates)],
            [Level(codes=templates), Level(codes=names, within=group)],
        ):
            found = hierarchical_bootstrap(gap, levels, rng=stream, resamples=200, method="percentile")
            ends.append(not found.interval.low <= 0 <= found.interval.high)
        wrong.append(ends)
    alone, both = np.mean(wrong, axis=0)
    assert alone > 0.2
    assert both < 0.13
