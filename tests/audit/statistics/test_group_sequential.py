"""Planned looks at one error rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from audit.statistics.group_sequential import group_sequential, spent_share

TENTHS = np.arange(1, 11) / 10
DESIGN = group_sequential(TENTHS)
FIFTHS = group_sequential(TENTHS[1::2])


def test_published_boundaries_are_met() -> None:
    """Five looks with spending -4 at one-sided 0.025 have the z-values of gsDesign's manual."""
    found = [-ndtri(FIFTHS.nominal_alpha(0.025, look)) for look in range(1, 6)]
    assert found == pytest.approx([3.2527, 2.9860, 2.6917, 2.3737, 2.0253], abs=5e-4)


def test_pocock_like_spending_is_met() -> None:
    """Even spending (shape 0) over two looks at 0.025 matches direct integration of the bivariate normal."""
    design = group_sequential([0.5, 1.0], shape=0.0)
    first = -ndtri(0.0125)
    assert -ndtri(design.nominal_alpha(0.025, 1)) == pytest.approx(first, abs=1e-3)
    stream = np.random.Generator(np.random.PCG64(1))
    steps = stream.standard_normal((1_000_000, 2)) * np.sqrt(0.5)
    z = steps.cumsum(axis=1) / np.sqrt([0.5, 1.0])
    second = -ndtri(design.nominal_alpha(0.025, 2))
    late = ((z[:, 0] < first) & (z[:, 1] >= second)).mean()
    assert late == pytest.approx(0.0125, abs=4e-4)


def test_all_looks_together_err_at_the_rate() -> None:
    """Of walks without drift 5 % cross the 5 % boundary; the smallest repeated p-value says which."""
    stream = np.random.Generator(np.random.PCG64(2))
    walks = stream.standard_normal((20_000, 10)).cumsum(axis=1) / np.sqrt(np.arange(1, 11))
    tails = ndtr(-walks)
    nominal = np.array([DESIGN.nominal_alpha(0.05, look) for look in range(1, 11)])
    crossed = (tails <= nominal).any(axis=1)
    assert crossed.mean() == pytest.approx(0.05, abs=0.005)
    few = np.flatnonzero(crossed)[:50].tolist() + np.flatnonzero(~crossed)[:50].tolist()
    smallest = np.array(
        [min(DESIGN.p_value(float(p), k + 1) for k, p in enumerate(tails[row])) for row in few]
    )
    assert ((smallest <= 0.05 + 1e-9) == crossed[few]).all()


def test_little_is_lost_at_the_last_look() -> None:
    """The last of ten looks still has five sixths of the error rate: looking costs little power."""
    assert 0.8 * 0.05 < DESIGN.nominal_alpha(0.05, 10) < 0.05
    assert DESIGN.nominal_alpha(0.05, 1) < 0.001


def test_two_halves_are_stricter_than_one_whole() -> None:
    """Twice the boundary of half the rate is at most that of the rate, so intervals also serve TOST."""
    for look in range(1, 11):
        assert 2 * DESIGN.nominal_alpha(0.025, look) <= DESIGN.nominal_alpha(0.05, look) * (1 + 1e-6)


@settings(max_examples=50)
@given(st.floats(1e-10, 0.49), st.integers(1, 10))
def test_p_values_invert_boundaries(alpha: float, look: int) -> None:
    """A p-value on the boundary of alpha has the repeated p-value alpha, and a larger one a larger."""
    nominal = DESIGN.nominal_alpha(alpha, look)
    assert nominal < alpha
    assert DESIGN.p_value(nominal, look) == pytest.approx(alpha, rel=1e-6)
    assert DESIGN.p_value(min(1.0, nominal * 1.5), look) > alpha


def test_extremes_stay_in_range() -> None:
    """P = 0 gives the least alpha, p above every boundary gives 1, and one look is the plain test."""
    assert DESIGN.p_value(0.0, 3) == pytest.approx(1e-12)
    assert DESIGN.p_value(1.0, 10) == 1.0
    once = group_sequential([1.0])
    assert once.level(0.95, 1) == pytest.approx(0.95)
    assert once.p_value(0.03, 1) == pytest.approx(0.03)


def test_levels_are_at_least_the_level() -> None:
    """A repeated interval is wider than the plain one at every look, and most at the first."""
    levels = [DESIGN.level(0.95, look) for look in range(1, 11)]
    assert min(levels) > 0.95
    assert levels == sorted(levels, reverse=True)


@pytest.mark.parametrize("fractions", [[], [0.5], [0.5, 0.505, 1.0], [0.0, 1.0], [[1.0]]])
def test_impossible_looks_are_refused(fractions: object) -> None:
    """Looks must ascend and end with everything."""
    with pytest.raises(ValueError, match="fractions must ascend"):
        group_sequential(np.asarray(fractions, dtype=float))


def test_values_out_of_range_are_refused() -> None:
    """Error rates, p-values, levels and shapes are checked at the door."""
    with pytest.raises(ValueError, match="alpha must be in"):
        DESIGN.nominal_alpha(0.6, 1)
    with pytest.raises(ValueError, match="p-value must be in"):
        DESIGN.p_value(1.5, 1)
    with pytest.raises(ValueError, match="level must be in"):
        DESIGN.level(1.0, 1)
    with pytest.raises(ValueError, match="shape must be in"):
        spent_share(0.5, 11)
