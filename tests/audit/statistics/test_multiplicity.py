"""Families of tests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.statistics.multiplicity import benjamini_hochberg, benjamini_yekutieli, fcr_level, holm

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
