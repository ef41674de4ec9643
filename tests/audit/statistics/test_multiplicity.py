"""Families of tests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.statistics.multiplicity import (
    benjamini_hochberg,
    benjamini_yekutieli,
    fcr_level,
    holm,
    weighted_benjamini_hochberg,
)
from probes.seeds import rng

families = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@settings(max_examples=80)
@given(families)
def test_false_discovery_adjustments_match_scipy(p: list[float]) -> None:
    """Benjamini-Hochberg and Benjamini-Yekutieli agree with scipy, in the order received."""
    assert benjamini_hochberg(p).tolist() == pytest.approx(
        stats.false_discovery_control(p, method="bh").tolist()
    )
    assert benjamini_yekutieli(p).tolist() == pytest.approx(
        stats.false_discovery_control(p, method="by").tolist()
    )


@settings(max_examples=80)
@given(families, st.floats(0.001, 0.5))
def test_holm_rejects_what_the_step_down_rule_rejects(p: list[float], rate: float) -> None:
    """Adjusted p-values at most the level are those that Holm's sequential rule rejects."""
    rejected = np.zeros(len(p), dtype=bool)
    for step, position in enumerate(np.argsort(p, kind="stable")):
        if (len(p) - step) * p[position] > rate:
            break
        rejected[position] = True
    assert (holm(p) <= rate).tolist() == rejected.tolist()


@settings(max_examples=60)
@given(families)
def test_stricter_methods_give_larger_values(p: list[float]) -> None:
    """No adjustment lowers a p-value, and each stays in [0, 1] with Holm and BY above BH."""
    plain = benjamini_hochberg(p)
    for adjusted in (plain, holm(p), benjamini_yekutieli(p)):
        assert (adjusted >= np.array(p) - 1e-15).all()
        assert (adjusted <= 1).all()
    assert (holm(p) >= plain - 1e-12).all()
    assert (benjamini_yekutieli(p) >= plain - 1e-12).all()


@pytest.mark.parametrize("adjust", [benjamini_hochberg, benjamini_yekutieli, holm])
def test_families_of_none_and_bad_values(adjust: object) -> None:
    """An empty family is empty, and a p-value that is none is refused."""
    assert callable(adjust)
    assert adjust([]).size == 0
    for bad in ([0.1, 1.2], [-0.1], [float("nan")]):
        with pytest.raises(ValueError, match="must be"):
            adjust(bad)


def test_fcr_level_spends_the_rate_on_the_selected() -> None:
    """All selected gives 1 - rate, fewer selected a higher level, any dependence a higher one still."""
    assert fcr_level(20, 20, 0.05) == pytest.approx(0.95)
    assert fcr_level(1, 20, 0.05) == pytest.approx(0.9975)
    assert fcr_level(1, 20, 0.05, any_dependence=True) > fcr_level(1, 20, 0.05)
    for selected in (0, 21):
        with pytest.raises(ValueError, match="between 1 and n_tests"):
            fcr_level(selected, 20, 0.05)


weighted_families = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([0.2, 1.0, 3.0, 12.0])), min_size=1, max_size=15
)


@settings(max_examples=80)
@given(families)
def test_equal_weights_are_plain_benjamini_hochberg(p: list[float]) -> None:
    """A family of equal weights, however they are scaled, is adjusted as ever."""
    found = weighted_benjamini_hochberg(p, [7.0] * len(p))
    assert found.tolist() == pytest.approx(benjamini_hochberg(p).tolist())


@settings(max_examples=120)
@given(weighted_families, st.floats(0.001, 0.6))
def test_weighted_rule_rejects_the_largest_set_that_supports_itself(
    family: list[tuple[float, float]], rate: float
) -> None:
    """Adjusted p at most q: exactly the tests of the largest R with R of them below their thresholds."""
    p, weight = (np.array(column) for column in zip(*family, strict=True))
    share = weight / weight.sum()
    rejected = np.zeros(len(p), dtype=bool)
    for size in range(len(p), 0, -1):
        passing = p / np.minimum(1, size * share) <= rate
        if passing.sum() >= size:
            rejected = passing
            break
    found = weighted_benjamini_hochberg(p, weight)
    assert (found <= rate).tolist() == rejected.tolist()
    assert (found >= p).all()
    assert (found <= 1).all()


def test_weights_move_power_and_keep_the_rate() -> None:
    """Heavy tests find more, light ones less; the share of false claims stays at its rate."""
    stream = rng(21, "weights")
    true = np.arange(40) < 3
    weight = np.where(np.arange(40) < 5, 0.8 / 5, 0.2 / 35)
    shares, found = [], []
    for _ in range(3000):
        z = stream.standard_normal(40) + 3.2 * true
        p = 2 * stats.norm.sf(np.abs(z))
        plain, weighted = benjamini_hochberg(p) <= 0.1, weighted_benjamini_hochberg(p, weight) <= 0.1
        shares.append([(chosen & ~true).sum() / max(1, chosen.sum()) for chosen in (plain, weighted)])
        found.append([chosen[true].mean() for chosen in (plain, weighted)])
    plain_power, weighted_power = np.mean(found, axis=0)
    assert weighted_power > plain_power + 0.1
    assert np.mean(shares, axis=0)[1] < 0.1


def test_weights_must_fit_the_family() -> None:
    """One weight above 0 for each test; an empty family is empty."""
    assert weighted_benjamini_hochberg([], []).size == 0
    for weight in ([1.0], [1.0, 0.0], [1.0, -1.0]):
        with pytest.raises(ValueError, match="weights must be"):
            weighted_benjamini_hochberg([0.1, 0.2], weight)
    with pytest.raises(ValueError, match="weight must be"):
        fcr_level(1, 20, 0.05, weight=0.0)


def test_selected_intervals_of_a_weighted_family_rarely_miss() -> None:
    """The share of shown intervals that miss stays at the rate, where plain 95 % intervals miss more."""
    stream = rng(22, "fcr")
    truth = np.where(np.arange(30) < 6, 2.5, 0.0)
    weight = np.where(np.arange(30) < 8, 0.8 / 8, 0.2 / 22) * 30
    missed, plain = [], []
    for _ in range(2000):
        z = stream.standard_normal(30) + truth
        chosen = np.flatnonzero(weighted_benjamini_hochberg(2 * stats.norm.sf(np.abs(z)), weight) <= 0.05)
        levels = np.array([fcr_level(chosen.size, 30, 0.05, weight=weight[k]) for k in chosen])
        off = np.abs(z - truth)[chosen]
        # What is selected has an interval that leaves out 0, and the other way round.
        assert (np.abs(z[chosen]) >= stats.norm.isf((1 - levels) / 2) - 1e-9).all()
        missed.append((off > stats.norm.isf((1 - levels) / 2)).mean() if chosen.size else 0.0)
        plain.append((off > 1.96).mean() if chosen.size else 0.0)
    assert np.mean(missed) < 0.05
    assert np.mean(plain) > 0.06
