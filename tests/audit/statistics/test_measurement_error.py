"""Correction for the measuring classifier's own errors."""

from dataclasses import replace
from math import sqrt

import numpy as np
import numpy.typing as npt
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.error_rates import Calibration, calibrate, label_reaches, shared_covariance
from audit.statistics.measurement_error import corrected_gap, corrected_rate
from audit.statistics.rates import wilson_interval
from audit.statistics.sensitivity_band import gap_band, rate_band
from probes.seeds import rng

NAN = float("nan")
Vector = npt.NDArray[np.float64]


def labelled(hits: int, positives: int, alarms: int, negatives: int, *, pooled: bool = False) -> Calibration:
    """A calibration from independent texts."""
    flagged = [*([1] * hits), *([0] * (positives - hits)), *([1] * alarms), *([0] * (negatives - alarms))]
    return calibrate(flagged, [*([1] * positives), *([0] * negatives)], pooled=pooled)


def test_labels_reach_as_far_as_wilson_says_of_either_error_rate() -> None:
    """Few false alarms seen leave room for many more: the reaches are those of Wilson's limits, by MOVER."""
    calibration = labelled(90, 100, 3, 150)
    down, up = label_reaches(calibration, (0.3, 0.9), level=0.95)
    ends = [wilson_interval(90, 100), wilson_interval(3, 150)]
    above = sqrt((0.3 * (ends[0].high - 0.9)) ** 2 + (0.9 * (ends[1].high - 0.02)) ** 2)
    below = sqrt((0.3 * (0.9 - ends[0].low)) ** 2 + (0.9 * (0.02 - ends[1].low)) ** 2)
    # Wilson's limits are normal ones and the reaches Student's, with 249 degrees of freedom.
    assert (down, up) == pytest.approx((above, below), rel=0.02)
    assert down > 1.3 * up


def test_labels_without_a_false_alarm_reach_down_only() -> None:
    """No false alarm of 150 is no proof that there is none: the rate may be lower, and no higher for it."""
    down, up = label_reaches(labelled(90, 100, 0, 150), (0.0, 1.0), level=0.95)
    assert down == pytest.approx(wilson_interval(0, 150).high, rel=0.05)
    assert up == 0.0


def test_delta_method_matches_the_textbook() -> None:
    """Independent texts have the variance of Rogan & Gladen, but for the small-sample factors."""
    calibration = labelled(90, 100, 10, 200)
    rates = np.repeat([0.0, 1.0], [70, 30])
    found = corrected_rate(rates, calibration)
    assert (calibration.sensitivity, calibration.false_positive_rate) == (0.9, 0.05)
    assert found.point == pytest.approx(0.25 / 0.85)
    p = 0.25 / 0.85
    calibrated = (p**2 * 0.09 / 100 + (1 - p) ** 2 * 0.0475 / 200) * 300 / 299
    assert found.standard_error == pytest.approx(sqrt(0.21 / 99 + calibrated) / 0.85)
    assert found.interval.low < found.point < found.interval.high
    assert found.apparent == pytest.approx(0.3)
    assert 99 < found.df < 400


def test_clusters_of_labels_count_once() -> None:
    """Ten copies of each labelled text under one cluster are worth one, and as texts ten."""
    flagged, positive = [1, 1, 0, 1, 0, 0, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    once = calibrate(flagged, positive)
    copies = [np.repeat(values, 10) for values in (flagged, positive)]
    clustered = calibrate(*copies, cluster=np.repeat(np.arange(10), 10))
    assert clustered.variance(0.3, 0.7) == pytest.approx(once.variance(0.3, 0.7))
    assert calibrate(*copies).variance(0.3, 0.7) < 0.2 * once.variance(0.3, 0.7)


def test_errors_of_one_cluster_can_cancel() -> None:
    """A template that both misses and alarms moves both rates together: the variance knows."""
    flagged, positive = [0, 0, 1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 1, 0, 0]
    together = calibrate(flagged, positive, cluster=[0, 0, 0, 0, 1, 1, 1, 1])
    assert together.variance(1.0, 1.0) == pytest.approx(0)
    assert together.variance(1.0, -1.0) > 0.1


def test_no_error_seen_is_no_proof_of_none() -> None:
    """A classifier with no miss in 20 positives still has an uncertain sensitivity."""
    perfect = labelled(20, 20, 0, 30)
    assert perfect.sensitivity_floor == pytest.approx((21 / 22) * (1 / 22) / 20)
    assert perfect.false_positive_floor == pytest.approx((1 / 32) * (31 / 32) / 30)
    assert perfect.variance(1.0, 0.0) > 0
    assert labelled(19, 20, 1, 30).sensitivity_floor == 0


def test_a_rate_below_the_false_alarms_is_zero_with_a_bound() -> None:
    """Fewer flags than false alarms alone would make are cut to 0, and the interval still reaches up."""
    found = corrected_rate([0.0] * 30, labelled(90, 100, 10, 100))
    assert found.point == 0
    assert found.unbounded == pytest.approx(-0.125)
    assert found.interval.low == 0
    assert found.standard_error > 0


def test_missing_labels_and_flags_are_counted() -> None:
    """A text without a flag or a label is in no error rate."""
    found = calibrate([1, NAN, 0, 0, 1, 1], [1, 1, NAN, 0, 0, 1])
    assert (found.n_positive, found.n_negative, found.n_missing) == (2, 2, 2)
    assert (found.sensitivity, found.false_positive_rate) == (1.0, 0.5)


def test_pooled_error_rates_correct_no_gap() -> None:
    """With pooled rates, or the same for both groups, the gap is refused and the band is named."""
    own, pooled = labelled(18, 20, 2, 20), labelled(18, 20, 2, 20, pooled=True)
    rates = [0.1, 0.4, 0.3]
    for pair in ((pooled, own), (own, pooled), (own, own)):
        with pytest.raises(NotMeasuredError, match="needs error rates of each group") as caught:
            corrected_gap(rates, rates, *pair)
        assert caught.value.next_step is not None
        assert "gap_band" in caught.value.next_step
    assert corrected_gap(rates, [0.2, 0.2, 0.2], own, labelled(18, 20, 2, 20)).n_clusters == 3


def test_a_coin_measures_nothing() -> None:
    """A classifier not shown to beat a coin gives no corrected number."""
    with pytest.raises(NotMeasuredError, match="better than a coin"):
        corrected_rate([0.2, 0.4], labelled(11, 20, 10, 20))


def test_equal_clusters_leave_an_error() -> None:
    """Where no template differs, the gap still has a standard error."""
    found = corrected_gap([0.5] * 20, [0.5] * 20, labelled(90, 100, 5, 100), labelled(91, 100, 5, 100))
    alone = replace(labelled(90, 100, 5, 100), pooled=False)
    assert found.standard_error > sqrt(2 * (11 / 22) ** 2 / 20) / alone.youden


def test_malformed_input_is_refused() -> None:
    """Other shapes, values other than 0 and 1, and rates outside [0, 1] are errors."""
    own, other = labelled(18, 20, 2, 20), labelled(18, 20, 2, 20)
    with pytest.raises(ValueError, match="share one shape"):
        calibrate([1, 0], [1])
    with pytest.raises(ValueError, match="positive must be 0, 1 or nan"):
        calibrate([1, 0], [1, 0.5])
    with pytest.raises(NotMeasuredError, match="error rate among negatives needs at least 2 clusters; got 1"):
        calibrate([1, 1, 0], [1, 1, 0])
    with pytest.raises(ValueError, match="outside the bounds"):
        corrected_rate([0.5, 1.5], own)
    with pytest.raises(ValueError, match="same clusters"):
        corrected_gap([0.1, 0.2], [0.1, 0.2, 0.3], own, other)


def draw_calibration(stream: np.random.Generator, false_positive: float) -> Calibration:
    """150 positives and 150 negatives in templates of 5 that share part of their luck."""
    cluster = np.repeat(np.arange(60), 5)
    positive = np.arange(300) < 150
    rate = np.where(positive, 0.85, false_positive)
    # A beta of template rates: errors of one template come together.
    spread = stream.beta(8 * rate[::5], 8 * (1 - rate[::5]))[cluster]
    return calibrate((stream.random(300) < spread).astype(float), positive.astype(float), cluster=cluster)


def draw_flags(stream: np.random.Generator, false_positive: float, base: Vector) -> Vector:
    """Flagged share by template, of 10 outputs whose true rate is the template's."""
    return np.asarray(stream.binomial(10, base * 0.85 + (1 - base) * false_positive) / 10)


def test_correction_by_group_ends_false_alarms() -> None:
    """Equal true rates, false alarms of 3 and 12 %: the naive gap is mostly found, the corrected in 5 %."""
    stream = rng(31, "rulers")
    wrong = []
    for _ in range(700):
        base = stream.beta(1.5, 6, 60)
        flags = [draw_flags(stream, rate, base) for rate in (0.12, 0.03)]
        own, other = (draw_calibration(stream, rate) for rate in (0.12, 0.03))
        corrected = corrected_gap(flags[0], flags[1], own, other)
        wrong.append([cluster_t_interval(flags[0] - flags[1]).p_value <= 0.05, corrected.p_value <= 0.05])
    naive, right = np.mean(wrong, axis=0)
    assert naive > 0.75
    assert right == pytest.approx(0.05, abs=0.025)


def test_corrected_rate_covers() -> None:
    """The corrected rate's interval contains the true rate in about 95 % of simulations."""
    stream = rng(32, "rate")
    missed = []
    for _ in range(800):
        base = stream.beta(1.5, 6, 40)
        found = corrected_rate(draw_flags(stream, 0.08, base), draw_calibration(stream, 0.08))
        missed.append(not found.interval.low <= 0.2 <= found.interval.high)
    assert np.mean(missed) == pytest.approx(0.05, abs=0.023)


def test_band_contains_what_pooled_rates_hide() -> None:
    """The band at a departure that spans the groups' true error rates contains the truth."""
    stream = rng(33, "band")
    held = []
    for _ in range(60):
        base = stream.beta(1.5, 6, 60)
        flags = [draw_flags(stream, rate, base) for rate in (0.12, 0.03)]
        pooled = replace(draw_calibration(stream, 0.075), pooled=True)
        band = gap_band(flags[0], flags[1], pooled, departure=0.045)
        held.append(band.low <= 0 <= band.high)
        assert band.low <= band.at_pooled <= band.high
    assert np.mean(held) > 0.97


def test_band_widens_and_says_when_the_sign_is_lost() -> None:
    """More departure is a wider band; its sign is lost just beyond `sign_holds_to`."""
    stream = rng(34, "flags")
    reference = stream.binomial(20, 0.2, 50) / 20
    group = stream.binomial(20, 0.5, 50) / 20
    pooled = labelled(180, 200, 10, 200, pooled=True)
    near, far = (gap_band(group, reference, pooled, departure=d) for d in (0.01, 0.05))
    assert far.low < near.low < near.at_pooled < near.high < far.high
    assert near.at_pooled == pytest.approx((group.mean() - reference.mean()) / 0.85)
    holds = near.sign_holds_to
    assert holds is not None
    assert 0.05 < holds < 0.4
    assert gap_band(group, reference, pooled, departure=holds - 1e-6).low > 0
    assert gap_band(group, reference, pooled, departure=holds + 1e-6).low < 0
    assert f"more than {100 * holds:.1f} points" in near.says
    none = gap_band(reference, reference[::-1], pooled, departure=0.0)
    assert none.sign_holds_to is None
    assert "open even if both groups" in none.says
    blind = gap_band(group, reference, pooled, departure=0.6)
    assert (blind.low, blind.high) == (-1.0, 1.0)


def test_band_refuses_what_it_cannot_use() -> None:
    """Negative departures, other shapes, rates outside [0, 1] and a coin are refused."""
    pooled = labelled(18, 20, 2, 20, pooled=True)
    with pytest.raises(ValueError, match="departure must be at least 0"):
        gap_band([0.1, 0.2], [0.1, 0.2], pooled, departure=-0.1)
    with pytest.raises(ValueError, match="got 1 and 2 rates"):
        gap_band([0.1], [0.1, 0.2], pooled, departure=0.1)
    with pytest.raises(ValueError, match="outside the bounds"):
        gap_band([0.1, 1.2], [0.1, 0.2], pooled, departure=0.1)
    with pytest.raises(NotMeasuredError, match="got 1"):
        gap_band([0.1], [0.1], pooled, departure=0.1)
    with pytest.raises(NotMeasuredError, match="better than a coin"):
        gap_band([0.1, 0.2], [0.1, 0.2], labelled(8, 20, 10, 20, pooled=True), departure=0.1)


def test_calibrations_that_share_templates_vary_together() -> None:
    """Over simulated files whose templates hold texts of both groups, the covariance is the one stated."""
    draw = rng(7, "shared")
    sums, stated = [], []
    for _ in range(400):
        easy = np.repeat(draw.choice([0.6, 0.95], 30), 4)
        flags = {name: (draw.random(120) < easy).astype(float) for name in "gr"}
        alarms = (draw.random(60) < 0.1).astype(float)
        codes = np.concatenate([np.repeat(np.arange(30), 4), np.arange(100, 160)])
        truth = np.repeat([1.0, 0.0], [120, 60])
        found = [calibrate(np.concatenate([flags[n], alarms]), truth, cluster=codes) for n in "gr"]
        sums.append([one.sensitivity for one in found])
        stated.append(shared_covariance(found[0], (1.0, 0.0), found[1], (1.0, 0.0)))
    seen = float(np.cov(np.array(sums).T)[0, 1])
    assert float(np.mean(stated)) == pytest.approx(seen, rel=0.2)
    apart = calibrate([1, 0, 0, 1], [1, 1, 0, 0], cluster=[500, 501, 502, 503])
    assert shared_covariance(found[0], (1.0, 0.0), apart, (1.0, 0.0)) == 0


def test_a_rate_band_widens_with_the_departure_and_says_where_the_limit_is_met() -> None:
    """At the departure that is stated the low end is the limit; beyond it, it is below."""
    calibration = labelled(900, 1000, 20, 1000)
    bands = [rate_band((0.08, 0.12), calibration, limit=0.05, departure=by) for by in (0.0, 0.01, 0.2)]
    assert [one.low for one in bands] == sorted((one.low for one in bands), reverse=True)
    assert [one.high for one in bands] == sorted(one.high for one in bands)
    holds = bands[0].holds_to
    assert holds is not None
    assert rate_band((0.08, 0.12), calibration, limit=0.05, departure=holds).low == pytest.approx(
        0.05, abs=1e-6
    )
    assert rate_band((0.02, 0.03), calibration, limit=0.05, departure=0).holds_to is None
    assert rate_band((0.2, 0.3), calibration, limit=0.05, departure=0.5).low == 0.0
    with pytest.raises(NotMeasuredError):
        rate_band((0.2, 0.3), labelled(5, 10, 5, 10), limit=0.1, departure=0.0)
    with pytest.raises(ValueError, match="departure"):
        rate_band((0.2, 0.3), calibration, limit=0.1, departure=-0.1)
