"""The betting confidence sequence, at every look."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics.betting import betting_sequence
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.evalues import combine_e_values
from probes.seeds import rng

Matrix = npt.NDArray[np.float64]


def null_differences(stream: np.random.Generator, shape: tuple[int, int], repeats: int) -> Matrix:
    """Template differences without a true effect, with template and slope heterogeneity."""
    base, slope = 1.5 * stream.standard_normal(shape), 0.5 * stream.standard_normal(shape)
    group = stream.binomial(repeats, expit(base + slope / 2))
    return np.asarray((group - stream.binomial(repeats, expit(base - slope / 2))) / repeats)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40))
@settings(max_examples=60)
def test_bounds_only_close_in(values: list[float]) -> None:
    """Lower bounds never fall, upper never rise, both stay in range, and means are the running means."""
    found = betting_sequence(values)
    assert (np.diff(found.low) >= 0).all()
    assert (np.diff(found.high) <= 0).all()
    assert found.low[0] >= -1
    assert found.high[0] <= 1
    assert found.means == pytest.approx(np.cumsum(values) / np.arange(1, len(values) + 1))
    assert 0 < found.p_value <= 1


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
@settings(max_examples=40)
def test_swapped_arms_mirror(values: list[float]) -> None:
    """Differences of the other sign give the mirrored bounds and the same evidence."""
    one, two = betting_sequence(values), betting_sequence([-value for value in values])
    assert one.low == pytest.approx(-two.high, abs=1e-3)
    assert one.e_values == pytest.approx(two.e_values, rel=1e-6)


def test_what_was_known_does_not_change_later() -> None:
    """The bounds after 30 clusters are the same whether or not more clusters follow: nothing looks ahead."""
    values = null_differences(rng(71, "prefix"), (1, 80), 4)[0]
    short, long = betting_sequence(values[:30]), betting_sequence(values)
    assert long.low[:30].tolist() == short.low.tolist()
    assert long.high[:30].tolist() == short.high.tolist()
    assert long.e_values[:30] == pytest.approx(short.e_values)


def test_capital_is_the_papers() -> None:
    """The e-value is the mean of both capitals by the formula, bet by bet."""
    m, alpha = 0.55, 0.05
    values = rng(77, "capital").uniform(-0.9, 1, 120)
    x = (values + 1) / 2
    up = down = 1.0
    mean, variance, squares = 0.5, 0.25, 0.25
    for t, one in enumerate(x, 1):
        stake = np.sqrt(2 * np.log(2 / alpha) / (variance * t * np.log(t + 1)))
        up *= 1 + min(stake, 0.5 / m) * (one - m)
        down *= 1 - min(stake, 0.5 / (1 - m)) * (one - m)
        mean = (0.5 + x[:t].sum()) / (t + 1)
        squares += (one - mean) ** 2
        variance = squares / (t + 1)
    found = betting_sequence(values, null=2 * m - 1)
    assert stake < 0.5 / m  # the last stakes are the plug-in's own
    assert found.e_values[-1] == pytest.approx((up + down) / 2)


def test_other_bounds_scale() -> None:
    """Values of another range give the same bounds in that range."""
    values = rng(72, "scale").uniform(0, 1, 200)
    unit = betting_sequence(values, bounds=(0, 1), null=0.5)
    wide = betting_sequence(10 * values + 5, bounds=(5, 15), null=10)
    assert wide.low == pytest.approx(10 * unit.low + 5)
    assert wide.interval.high == pytest.approx(10 * unit.interval.high + 5)
    assert wide.p_value == pytest.approx(unit.p_value)


def test_evidence_stays_finite() -> None:
    """Overwhelming evidence is a large finite number and a p-value above 0."""
    found = betting_sequence(np.ones(5000))
    assert np.isfinite(found.e_values).all()
    assert 0 < found.p_value < 1e-200
    assert found.interval.low > 0.98


def test_drift_is_no_mean() -> None:
    """Values whose mean moves from one end to the other have no interval, and that is said."""
    with pytest.raises(NotMeasuredError, match="drifted"):
        betting_sequence(np.repeat([-1.0, 1.0], 300))


def test_bad_arguments_are_refused() -> None:
    """No cluster, values out of range, and a null at the edge are refused."""
    with pytest.raises(NotMeasuredError, match="at least 1 cluster"):
        betting_sequence([])
    with pytest.raises(ValueError, match="outside the bounds"):
        betting_sequence([2.0])
    with pytest.raises(ValueError, match="null, as a share of bounds"):
        betting_sequence([0.0], null=1.0)


def test_looking_after_every_template_keeps_the_level() -> None:
    """Stopped at the first alarm in 200 looks, at most 5 % of null runs alarm; cluster-t does in far more."""
    stream = rng(73, "looks")
    rows = null_differences(stream, (300, 200), 4)
    alarms, tests, by_e = [], [], []
    for row in rows:
        found = betting_sequence(row)
        alarms.append(bool((found.low > 0).any() or (found.high < 0).any()))
        by_e.append(found.p_value <= 0.05)
        looks = range(20, 201, 10)
        tests.append(any(cluster_t_interval(row[:n], bounds=(-1, 1)).p_value <= 0.05 for n in looks))
    assert np.mean(alarms) < 0.065
    assert np.mean(by_e) < 0.065
    assert np.mean(tests) > 0.15


def test_e_values_are_fair_and_multiply_over_nights() -> None:
    """Under the null an e-value is at most 1 on average at any stopping time, as are products over nights."""
    stream = rng(74, "nights")
    stopped, products = [], []
    for _ in range(500):
        nights = [betting_sequence(row).e_values for row in null_differences(stream, (3, 25), 2)]
        # Each night stops at its first e-value above 2, or at the end.
        taken = [float(e[np.argmax(e > 2)] if (e > 2).any() else e[-1]) for e in nights]
        stopped += taken
        products.append(combine_e_values(taken, dependence="sequential"))
    assert np.mean(stopped) < 1 + 4 * np.std(stopped) / np.sqrt(len(stopped))
    assert np.mean(np.array(products) >= 20) < 0.065


def test_bets_on_pairs_of_a_template_would_alarm() -> None:
    """Betting on each pair alarms far above 5 % once templates react differently: one template is one bet."""
    stream = rng(75, "pairs")
    alarms = []
    for _ in range(100):
        base, slope = 1.5 * stream.standard_normal(15), 1.5 * stream.standard_normal(15)
        rates = expit(np.stack([base + slope / 2, base - slope / 2])).repeat(60, axis=1)
        group, reference = stream.binomial(1, rates)
        pairs = stream.permutation(group - reference).astype(np.float64)
        alarms.append(betting_sequence(pairs).p_value <= 0.05)
    assert np.mean(alarms) > 0.15


def test_real_gaps_are_found_and_covered() -> None:
    """A gap of 20 points is found within 250 templates nearly always, and the truth stays inside."""
    stream = rng(76, "power")
    rows = stream.binomial(4, 0.6, (100, 250)) / 4 - stream.binomial(4, 0.4, (100, 250)) / 4
    found = [betting_sequence(row) for row in rows]
    assert np.mean([one.interval.low > 0 for one in found]) > 0.95
    assert np.mean([bool((one.low <= 0.2).all() and (one.high >= 0.2).all()) for one in found]) > 0.93
