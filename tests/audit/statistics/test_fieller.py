"""Merit-equivalent prices and their Fieller sets."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.errors import NotMeasuredError
from audit.statistics.fieller import MeritPrice, merit_contrasts, merit_price
from probes.seeds import rng

NAN = float("nan")
numbers = st.lists(
    st.tuples(st.integers(-50, 50).map(lambda k: k / 100), st.integers(-50, 50).map(lambda k: k / 100)),
    min_size=3,
    max_size=12,
)


def fits(price: float, gaps: list[float], slopes: list[float]) -> bool:
    """Whether a t test lets gap + price * slope have mean 0."""
    values = np.array(gaps) + price * np.array(slopes)
    return bool(stats.ttest_1samp(values, 0.0).pvalue >= 0.05)


@settings(max_examples=80, deadline=None)
@given(numbers, st.floats(-20, 20))
def test_a_price_fits_exactly_if_a_t_test_says_so(rows: list[tuple[float, float]], price: float) -> None:
    """The set, bounded or not, contains a price exactly if the t test of gap + price * slope accepts."""
    gaps, slopes = [row[0] for row in rows], [row[1] for row in rows]
    values = np.array(gaps) + price * np.array(slopes)
    if np.ptp(values) < 1e-9 or abs(np.mean(slopes)) < 1e-9:
        return
    found = merit_price(gaps, slopes)
    p_value = float(stats.ttest_1samp(values, 0.0).pvalue)
    if abs(p_value - 0.05) > 1e-6:
        assert found.contains(price) == (p_value >= 0.05)
    assert found.contains(found.point)


def test_a_sharp_slope_gives_an_interval() -> None:
    """A gap of -19.5 points and half a point a credit point cost 39 credit points, with finite ends."""
    found = merit_price([-0.20, -0.16, -0.24, -0.18], [0.004, 0.006, 0.005, 0.005], unit="credit points")
    assert found.kind == "interval"
    assert found.point == pytest.approx(39.0)
    assert 0 < found.low < found.point < found.high < inf
    assert not fits(found.low - 0.01, [-0.20, -0.16, -0.24, -0.18], [0.004, 0.006, 0.005, 0.005])
    assert found.says.endswith("credit points")
    assert found.gap == pytest.approx(-0.195)
    assert found.slope == pytest.approx(0.005)


def test_an_open_slope_says_so() -> None:
    """With a clear gap and a slope that may be 0 the set is all but an interval, in words."""
    found = merit_price([-0.20, -0.22, -0.18, -0.21], [0.004, -0.003, 0.006, -0.002], unit="years")
    assert found.kind == "outside"
    assert found.low < 0 < found.high
    assert found.contains(found.low - 1)
    assert found.contains(found.high + 1)
    assert not found.contains(0.0)
    assert "at most" in found.says
    assert "merit is not shown to move the outcome, so the price has no bound" in found.says


def test_nothing_known_is_everything() -> None:
    """With neither gap nor slope shown, any price fits, and the words say why."""
    found = merit_price([0.1, -0.1, 0.2, -0.1], [0.01, -0.02, 0.02, 0.0])
    assert (found.kind, found.low, found.high) == ("everything", -inf, inf)
    assert found.contains(1e9)
    assert found.says.startswith("any number of units of merit")


def test_contrasts_are_least_squares() -> None:
    """Gap and slope of each cluster are those of a regression on group and merit."""
    stream = rng(51, "ladder")
    cluster = np.repeat([4, 9], 20)
    group = stream.random(40) < 0.5
    merit = stream.integers(500, 800, 40).astype(float)
    values = stream.random(40)
    found = merit_contrasts(values, merit, group, cluster)
    assert found.clusters.tolist() == [4, 9]
    for position, code in enumerate((4, 9)):
        rows = cluster == code
        design = np.column_stack([np.ones(20), group[rows], merit[rows]])
        solution = np.linalg.lstsq(design, values[rows], rcond=None)[0]
        assert found.gaps[position] == pytest.approx(solution[1])
        assert found.slopes[position] == pytest.approx(solution[2])


def test_clusters_without_a_ladder_are_dropped_and_counted() -> None:
    """A cluster with one arm, one step of merit or no value has no price, and missing is never 0."""
    found = merit_contrasts(
        [0.1, 0.2, 0.3, 0.4, 1, 1, 1, 0, NAN, NAN, 0.5, NAN],
        [1, 2, 1, 2, 3, 4, 5, 5, 1, 2, 1, 2],
        [False, False, True, True, True, True, False, True, False, True, False, True],
        [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 0, 0],
    )
    assert found.clusters.tolist() == [0]
    assert (found.n_rows, found.n_missing, found.clusters_dropped) == (5, 3, 3)
    with pytest.raises(NotMeasuredError, match="no cluster has both arms"):
        merit_contrasts([0.1, 0.2], [1, 1], [True, False], [0, 0])
    with pytest.raises(NotMeasuredError, match="no cluster has both arms"):
        merit_contrasts([], [], [], [])


def test_what_has_no_price_is_not_measured() -> None:
    """One cluster, a slope of exactly 0 or no spread at all is not measured."""
    with pytest.raises(NotMeasuredError, match="at least 2 clusters; got 1"):
        merit_price([0.1], [0.2])
    with pytest.raises(NotMeasuredError, match="its mean is 0"):
        merit_price([0.1, 0.2], [0.0, 0.0])
    with pytest.raises(NotMeasuredError, match="has no error"):
        merit_price([0.1, 0.1], [0.2, 0.2])


def test_malformed_input_is_refused() -> None:
    """Other shapes and infinite values are errors."""
    with pytest.raises(ValueError, match="got 2 and 1"):
        merit_price([0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="share one shape"):
        merit_contrasts([0.1], [1, 2], [True], [0])
    with pytest.raises(ValueError, match="finite or nan"):
        merit_contrasts([inf], [1], [True], [0])
    with pytest.raises(ValueError, match="merit must be finite"):
        merit_contrasts([0.1], [NAN], [True], [0])


def covered(slope: float, simulations: int) -> tuple[float, list[MeritPrice]]:
    """Share of simulated audits whose set contains the true price, and the sets."""
    stream = rng(52, "price", int(1000 * slope))
    found = []
    for _ in range(simulations):
        noise = stream.multivariate_normal([0, 0], [[0.01, 0.0002], [0.0002, 0.00001]], 15)
        found.append(merit_price(-0.1 + noise[:, 0], slope + noise[:, 1]))
    return float(np.mean([one.contains(0.1 / slope) for one in found])), found


def test_sets_hold_their_level_even_where_unbounded() -> None:
    """Fieller's set covers 95 % with a sharp slope and with one that is mostly not shown to exist."""
    sharp, bounded = covered(0.01, 1500)
    assert sharp == pytest.approx(0.95, abs=0.02)
    assert all(one.kind == "interval" for one in bounded)
    weak, open_ended = covered(0.001, 1500)
    assert weak == pytest.approx(0.95, abs=0.02)
    assert np.mean([one.kind == "interval" for one in open_ended]) < 0.5
