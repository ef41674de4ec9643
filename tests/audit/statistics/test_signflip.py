"""The sign-flip test."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.signflip import flips_needed, least_clusters_for_flips, sign_flip_test

differences = st.lists(st.integers(-4, 4).map(lambda x: x / 4), min_size=1, max_size=9)


def fresh() -> np.random.Generator:
    """The same stream at every call."""
    return np.random.Generator(np.random.PCG64(11))


def enumerated(values: list[float], weights: list[float], *, studentised: bool) -> float:
    """Two-sided p over all 2^T patterns, one by one."""

    def statistic(signs: tuple[int, ...]) -> float:
        flipped, weight = np.array(signs) * values, np.array(weights)
        total = float(weight @ flipped)
        if not studentised:
            return abs(total)
        spread = float(((weight * (flipped - total / weight.sum())) ** 2).sum())
        floor = 1e-9 * float(((weight * flipped) ** 2).sum())
        return abs(total) / float(np.sqrt(max(spread, floor)))

    observed = statistic((1,) * len(values))
    patterns = [statistic(signs) for signs in product((1, -1), repeat=len(values))]
    return float(np.mean([found >= observed - 1e-9 * max(1, observed) for found in patterns]))


@settings(max_examples=60, deadline=None)
@given(differences)
def test_exact_p_counts_every_pattern(values: list[float]) -> None:
    """Up to 2^T flips the p-value is the exact share of sign patterns at least as extreme."""
    found = sign_flip_test(values, flips=512, rng=fresh())
    assert found.exact
    assert found.p_value == pytest.approx(enumerated(values, [1.0] * len(values), studentised=False))
    assert found.p_value >= found.least_p_value or not any(values)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(1, 3)), min_size=2, max_size=7), st.booleans())
def test_weights_enter_the_statistic(cases: list[tuple[int, int]], studentised: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """Weighted and studentised p-values agree with the enumeration of their definition."""
    values = [value / 4 for value, _ in cases]
    weights = [float(weight) for _, weight in cases]
    if not any(values):
        values[0] = 0.5
    found = sign_flip_test(values, flips=512, rng=fresh(), weights=weights, studentised=studentised)
    assert found.p_value == pytest.approx(enumerated(values, weights, studentised=studentised))


@settings(max_examples=40)
@given(st.lists(st.floats(-1, 1), min_size=12, max_size=40), st.booleans())
def test_order_and_sign_do_not_change_p(values: list[float], studentised: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """Shuffled or negated clusters give the same p under the same stream."""
    weights = [1.0 + (position % 3) for position in range(len(values))]
    found = sign_flip_test(values, rng=fresh(), weights=weights, flips=300, studentised=studentised)
    turned = sign_flip_test(
        values[::-1], rng=fresh(), weights=weights[::-1], flips=300, studentised=studentised
    )
    mirror = sign_flip_test(
        [-value for value in values], rng=fresh(), weights=weights, flips=300, studentised=studentised
    )
    assert found.p_value == turned.p_value == mirror.p_value


def test_drawn_flips_never_give_zero_and_approach_the_exact_p() -> None:
    """A Monte-Carlo p is at least 1 / (1 + flips) and near the p of the full enumeration."""
    values = np.linspace(-0.2, 0.6, 18)
    exact = sign_flip_test(values, flips=2**18, rng=fresh())
    drawn = sign_flip_test(values, flips=20_000, rng=fresh())
    assert exact.exact
    assert not drawn.exact
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.003)
    extreme = sign_flip_test([0.5] * 40, flips=99, rng=fresh())
    assert extreme.p_value == extreme.least_p_value == 0.01


def test_studentising_changes_nothing_without_weights() -> None:
    """Without weights the studentised statistic orders the patterns as the plain one does."""
    values = [0.1, -0.3, 0.4, 0.2, 0.25, 0.05]
    plain = sign_flip_test(values, flips=64, rng=fresh())
    assert sign_flip_test(values, flips=64, rng=fresh(), studentised=True).p_value == plain.p_value


def test_zeros_say_nothing() -> None:
    """All differences 0 give p = 1, and zeros beside others leave the exact p as it is."""
    assert sign_flip_test([0.0] * 5, flips=99, rng=fresh()).p_value == 1
    padded = sign_flip_test([0.1, 0.2, 0.3, *[0.0] * 50], flips=99, rng=fresh())
    assert padded == sign_flip_test([0.1, 0.2, 0.3], flips=99, rng=fresh())


def test_the_strictest_threshold_can_be_passed() -> None:
    """With the flips and clusters asked for the smallest p passes; with one cluster less it does not."""
    flips, clusters = flips_needed(20, 0.05), least_clusters_for_flips(20, 0.05)
    assert 1 / (1 + flips) <= 0.05 / 20 / 10
    assert sign_flip_test([1.0] * clusters, flips=flips, rng=fresh()).p_value <= 0.05 / 20
    assert sign_flip_test([1.0] * (clusters - 1), flips=flips, rng=fresh()).p_value > 0.05 / 20


def test_bad_arguments_are_refused() -> None:
    """No cluster is not measured; negative weights, other shapes and no flips are errors."""
    with pytest.raises(NotMeasuredError, match="at least 1 cluster"):
        sign_flip_test([], flips=9, rng=fresh())
    with pytest.raises(ValueError, match="flips must be at least 1"):
        sign_flip_test([0.1], flips=0, rng=fresh())
    for weights in ([1.0], [1.0, -1.0]):
        with pytest.raises(ValueError, match="one shape"):
            sign_flip_test([0.1, 0.2], flips=9, rng=fresh(), weights=weights)


@pytest.mark.parametrize("studentised", [False, True])
@pytest.mark.parametrize("clusters", [13, 16, 17])
def test_random_flips_agree_with_all_of_them(clusters: int, *, studentised: bool) -> None:
    """Random patterns give the p-value of all patterns within their Monte-Carlo error."""
    draw = np.random.Generator(np.random.PCG64(clusters))
    values, weights = draw.normal(0.3, 1.0, clusters), draw.uniform(0.5, 2.0, clusters)
    exact = sign_flip_test(values, flips=2**18, rng=fresh(), weights=weights, studentised=studentised)
    drawn = sign_flip_test(values, flips=8_000, rng=fresh(), weights=weights, studentised=studentised)
    assert exact.exact
    assert not drawn.exact
    error = np.sqrt(exact.p_value * (1 - exact.p_value) / 8_000)
    assert abs(drawn.p_value - exact.p_value) < 4 * error + 1 / 8_000


def test_enough_ends_the_drawing_and_keeps_p() -> None:
    """Where there is nothing to see the drawing ends early, at the very flip, with nearly the same p."""
    values = np.linspace(-0.5, 0.6, 40)
    full = sign_flip_test(values, flips=40_000, rng=fresh())
    early = sign_flip_test(values, flips=40_000, rng=fresh(), enough=400)
    assert early.flips < 4_000
    assert early.p_value == pytest.approx(400 / early.flips)
    assert early.p_value == pytest.approx(full.p_value, rel=0.2)


def test_enough_is_never_reached_where_p_is_small() -> None:
    """A clear difference is drawn to the end, so that its p can pass a strict family."""
    found = sign_flip_test(np.full(40, 0.3), flips=5_000, rng=fresh(), enough=400)
    assert (found.p_value, found.flips) == (1 / 5_001, 5_000)
    with pytest.raises(ValueError, match="enough"):
        sign_flip_test([0.1], flips=10, rng=fresh(), enough=0)


def test_p_of_a_drawing_that_ends_early_is_valid() -> None:
    """Under the null p is at most u with a chance of at most u, at every u that stopping can give."""
    stream = np.random.Generator(np.random.PCG64(12))
    rows = stream.standard_normal((3000, 12))
    p = np.array([sign_flip_test(row, flips=499, rng=stream, enough=10).p_value for row in rows])
    for u in (0.01, 0.05, 0.2, 0.5):
        assert np.mean(p <= u) < u + 4 * (u * (1 - u) / len(p)) ** 0.5


@pytest.mark.parametrize("weight", [0.1, 1.0, 6.0, 100.0])
def test_flips_and_clusters_follow_the_weight(weight: float) -> None:
    """A weighted test gets the flips and needs the clusters that its own threshold asks for."""
    threshold = 0.05 * min(1.0, weight / 20)
    flips = flips_needed(20, 0.05, weight=weight)
    assert 1 / (1 + flips) <= threshold / 10 < 1 / flips
    least = least_clusters_for_flips(20, 0.05, weight=weight)
    assert 2.0 ** (1 - least) <= threshold < 2.0 ** (2 - least)
    for call in (flips_needed, least_clusters_for_flips):
        with pytest.raises(ValueError, match="weight"):
            call(20, 0.05, weight=0.0)


def test_mid_p_counts_ties_by_half() -> None:
    """Five equal differences: only the data and their mirror are as extreme, and both are ties."""
    found = sign_flip_test([0.2] * 5, flips=100, rng=fresh())
    assert (found.p_value, found.mid_p_value) == (1 / 16, 1 / 32)
    nothing = sign_flip_test([0.0], flips=9, rng=fresh())
    assert nothing.mid_p_value == 1.0


def test_drawn_mid_p_is_that_of_all_patterns() -> None:
    """Drawn flips, ended early or not, give the exact mid-p within their Monte-Carlo error."""
    values = np.repeat([0.25, -0.25, 0.5], [8, 5, 3])
    exact = sign_flip_test(values, flips=2**18, rng=fresh())
    assert exact.exact
    assert exact.mid_p_value < exact.p_value
    for enough in (None, 400):
        drawn = sign_flip_test(values, flips=20_000, rng=fresh(), enough=enough)
        assert drawn.mid_p_value == pytest.approx(exact.mid_p_value, rel=0.15)


def test_mid_p_holds_its_level_where_differences_are_coarse() -> None:
    """Differences of one pair a template: the mid-p claims in about 5 % of nulls, the full p in fewer."""
    stream = np.random.Generator(np.random.PCG64(13))
    rows = stream.binomial(1, 0.5, (3000, 30)) - stream.binomial(1, 0.5, (3000, 30))
    found = [sign_flip_test(row, flips=499, rng=stream, enough=40) for row in rows]
    full, mid = (
        np.mean([p <= 0.05 for p in column])
        for column in zip(*((f.p_value, f.mid_p_value) for f in found), strict=True)
    )
    assert full < 0.045
    assert 0.035 < mid < 0.065
