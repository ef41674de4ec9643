"""Specification curves and their joint test."""

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.signflip import sign_flip_test
from audit.statistics.specification import specification_curve
from probes.seeds import rng

NAN = float("nan")
Matrix = npt.NDArray[np.float64]


def correlated(
    stream: np.random.Generator, specifications: int, clusters: int, effect: float = 0.0
) -> Matrix:
    """Differences of specifications that share most of their data; a tenth is left out."""
    shared = effect + stream.standard_normal(clusters)
    values = shared + 0.4 * stream.standard_normal((specifications, clusters))
    return np.where(stream.random(values.shape) < 0.1, NAN, values)


def test_curve_states_each_specification_as_it_would_be_alone() -> None:
    """Estimates and intervals are those of cluster-t on the clusters that the specification keeps."""
    values = correlated(rng(71, "curve"), 5, 14)
    found = specification_curve(values, rng=rng(71, "flips"), flips=99)
    for row, point, low, high, n in zip(
        values, found.estimates, found.low, found.high, found.n_clusters, strict=True
    ):
        alone = cluster_t_interval(row[~np.isnan(row)])
        assert point == pytest.approx(alone.point)
        assert low == pytest.approx(alone.interval.low)
        assert high == pytest.approx(alone.interval.high)
        assert n == alone.n_clusters
    assert found.median.value == pytest.approx(np.median(found.estimates))


def test_p_values_approach_all_sign_patterns() -> None:
    """The sampled p-values are near those of all 2^6 patterns, looked at one by one."""
    values = np.array(
        [[0.5, 0.3, 0.6, -0.2, 0.4, 0.1], [0.4, 0.5, 0.2, 0.1, 0.3, -0.3], [0.6, 0.1, 0.7, 0.2, -0.1, 0.2]]
    )
    patterns = np.array(list(product((-1.0, 1.0), repeat=6)))
    means = patterns @ values.T / 6
    medians = np.abs(np.median(means, axis=1))
    signs = np.maximum((means > 1e-12).mean(axis=1), (means < -1e-12).mean(axis=1))
    found = specification_curve(values, rng=rng(72, "flips"), flips=9999)
    assert found.median.p_value == pytest.approx((medians >= medians[-1] - 1e-12).mean(), abs=0.01)
    assert found.same_sign.value == 1.0
    assert found.same_sign.p_value == pytest.approx((signs >= 1.0 - 1e-12).mean(), abs=0.015)
    assert found.significant.value == pytest.approx(0.0)
    assert found.significant.p_value == 1.0


def test_one_specification_is_a_sign_flip_test() -> None:
    """With a single specification the median test is the plain sign-flip test."""
    row = [0.3, 0.1, 0.4, -0.2, 0.2, 0.5, 0.1, -0.1, 0.3, 0.2]
    found = specification_curve([row], rng=rng(73, "flips"), flips=9999)
    exact = sign_flip_test(row, flips=2**10, rng=rng(73, "unused"))
    assert exact.exact
    assert found.median.p_value == pytest.approx(exact.p_value, abs=0.01)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_order_sign_and_unit_do_not_matter(seed: int) -> None:
    """Shuffled clusters and another unit give the same p-values; another sign mirrors the curve."""
    values = correlated(rng(74, seed), 4, 12, effect=0.4)

    def p_values(given: Matrix) -> list[float]:
        found = specification_curve(given, rng=rng(74, "flips"), flips=199)
        return [test.p_value for test in (found.median, found.same_sign, found.significant)]

    expected = p_values(values)
    assert p_values(values[:, ::-1]) == expected
    assert p_values(1e-6 * values) == expected
    mirrored = specification_curve(-values, rng=rng(74, "flips"), flips=199)
    found = specification_curve(values, rng=rng(74, "flips"), flips=199)
    assert mirrored.median.value == pytest.approx(-found.median.value)
    assert mirrored.low == pytest.approx(-found.high)


def test_a_real_effect_is_found_by_every_summary() -> None:
    """Where every specification shows the effect, all three p-values are small."""
    found = specification_curve(correlated(rng(75, "effect"), 12, 40, effect=0.9), rng=rng(75, "flips"))
    assert found.same_sign.value == found.significant.value == 1.0
    assert found.median.p_value == pytest.approx(1 / 2000)
    assert found.significant.p_value < 0.01


def test_no_difference_at_all_has_p_of_one() -> None:
    """Where no cluster differs, nothing is on a side and every p is 1."""
    found = specification_curve(np.zeros((3, 5)), rng=rng(76, "flips"), flips=99)
    assert (found.same_sign.value, found.significant.value) == (0.0, 0.0)
    assert {test.p_value for test in (found.median, found.same_sign, found.significant)} == {1.0}


def test_what_is_no_curve_is_refused() -> None:
    """No specification, too few clusters, another shape and infinite values are refused."""
    flips = rng(77, "flips")
    with pytest.raises(NotMeasuredError, match="got 0 of at least 0"):
        specification_curve(np.zeros((0, 3)), rng=flips)
    with pytest.raises(NotMeasuredError, match="got 2 of at least 1"):
        specification_curve([[0.1, NAN], [0.1, 0.2]], rng=flips)
    with pytest.raises(ValueError, match=r"shape \(S, T\)"):
        specification_curve([0.1, 0.2], rng=flips)
    with pytest.raises(ValueError, match="finite or nan"):
        specification_curve([[0.1, float("inf")]], rng=flips)
    with pytest.raises(ValueError, match="flips must be at least 99"):
        specification_curve([[0.1, 0.2]], rng=flips, flips=10)


def test_joint_tests_hold_their_level() -> None:
    """Twenty specifications of no effect: picking the best errs far above 5 %, the joint tests do not."""
    stream = rng(78, "null")
    wrong = []
    for _ in range(600):
        found = specification_curve(correlated(stream, 20, 20), rng=stream, flips=199)
        best = bool(((found.low > 0) | (found.high < 0)).any())
        tests = (found.median, found.same_sign, found.significant)
        wrong.append([best, *(test.p_value <= 0.05 for test in tests)])
    rates = np.mean(wrong, axis=0)
    assert rates[0] > 0.11
    assert rates[1] == pytest.approx(0.05, abs=0.03)
    # Shares take few values, so their p-values step over 5 % and err on the safe side.
    assert rates[2:].max() < 0.08
