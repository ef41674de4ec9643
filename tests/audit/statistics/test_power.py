"""Planning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.power import (
    clusters_for_equivalence,
    clusters_needed,
    detectable_by,
    detectable_from_standard_error,
    difference_variance,
    smallest_detectable,
)

deviations = st.floats(0.05, 0.8)


@settings(max_examples=40)
@given(deviations, deviations, st.integers(1, 16), st.floats(0.05, 0.4))
def test_clusters_needed_inverts_the_smallest_detectable(
    slope: float, noise: float, repeats: int, disparity: float
) -> None:
    """The clusters needed see the disparity, and one cluster less does not."""
    design = {"slope_sd": slope, "noise_sd": noise}
    n = clusters_needed(disparity, repeats=repeats, **design)
    assert smallest_detectable(n, repeats=repeats, **design) <= disparity
    if n > 2:
        assert smallest_detectable(n - 1, repeats=repeats, **design) > disparity


def test_many_clusters_follow_the_normal_formula() -> None:
    """With many clusters the answer is the published formula with normal quantiles."""
    n = 4000
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    expected = z * ((0.1**2 + 0.6**2 / 4) / n) ** 0.5
    assert smallest_detectable(n, slope_sd=0.1, noise_sd=0.6, repeats=4) == pytest.approx(expected, rel=1e-3)


def test_templates_beat_repeats() -> None:
    """Repeats cannot lower what templates' own reactions leave; templates can."""
    design = {"slope_sd": 0.2, "noise_sd": 0.5}
    endless = smallest_detectable(30, repeats=10**6, **design)
    assert smallest_detectable(30, repeats=16, **design) > endless
    assert smallest_detectable(120, repeats=4, **design) < endless


def test_the_promised_power_is_had() -> None:
    """A planted disparity of the smallest detectable size is found in about 80 % of simulated runs."""
    stream = np.random.Generator(np.random.PCG64(3))
    gap = smallest_detectable(15, slope_sd=0.1, noise_sd=0.4, repeats=4)
    spread = difference_variance(slope_sd=0.1, noise_sd=0.4, repeats=4) ** 0.5
    rows = stream.normal(gap, spread, size=(2000, 15))
    found = np.mean([cluster_t_interval(row).p_value <= 0.05 for row in rows])
    assert found == pytest.approx(0.8, abs=0.03)


def test_equivalence_is_had_as_planned() -> None:
    """With the clusters planned for, a true difference of 0 is called equivalent in about 80 % of runs."""
    stream = np.random.Generator(np.random.PCG64(4))
    n = clusters_for_equivalence(0.1, slope_sd=0.1, noise_sd=0.4, repeats=4)
    spread = difference_variance(slope_sd=0.1, noise_sd=0.4, repeats=4) ** 0.5
    rows = stream.normal(0.0, spread, size=(2000, n))
    intervals = [cluster_t_interval(row, level=0.9).interval for row in rows]
    inside = np.mean([interval.low > -0.1 and interval.high < 0.1 for interval in intervals])
    assert inside == pytest.approx(0.8, abs=0.04)


def test_more_of_anything_detects_less() -> None:
    """More power or level needs a larger disparity; a smaller error needs a smaller one."""
    base = detectable_from_standard_error(0.02, 29)
    assert detectable_from_standard_error(0.02, 29, power=0.9) > base
    assert detectable_from_standard_error(0.02, 29, level=0.99) > base
    assert detectable_from_standard_error(0.01, 29) == pytest.approx(base / 2)


def test_designs_that_cannot_be_are_refused() -> None:
    """Every argument out of range is an error in one line."""
    design = {"slope_sd": 0.1, "noise_sd": 0.5}
    with pytest.raises(ValueError, match="repeats must be at least 1"):
        difference_variance(repeats=0, **design)
    for slope, noise in ((-0.1, 0.5), (0.1, -0.5), (0.0, 0.0)):
        with pytest.raises(ValueError, match="deviations"):
            difference_variance(slope_sd=slope, noise_sd=noise, repeats=1)
    for error, df in ((0.0, 5.0), (0.1, 0.0)):
        with pytest.raises(ValueError, match="above 0"):
            detectable_from_standard_error(error, df)
    for power in (0.4, 1.0):
        with pytest.raises(ValueError, match="power"):
            detectable_from_standard_error(0.1, 5, power=power)
    with pytest.raises(ValueError, match="n_clusters"):
        smallest_detectable(1, repeats=1, **design)
    with pytest.raises(ValueError, match="disparity"):
        clusters_needed(0.0, repeats=1, **design)
    with pytest.raises(ValueError, match="margin"):
        clusters_for_equivalence(-0.1, repeats=1, **design)


def test_what_few_clusters_hide_enters_what_can_be_seen() -> None:
    """Beside the plain size the interval has to clear its bound; where all are equal no size is known."""
    dense, few, none = (
        cluster_t_interval(values, bounds=(-1, 1))
        for values in (np.linspace(-0.4, 0.4, 44), [0.1] + [0.0] * 43, [0.0] * 44)
    )
    plain = detectable_from_standard_error(dense.standard_error, dense.df, level=0.9)
    assert detectable_by(dense, level=0.9) == pytest.approx(plain)
    seen = detectable_by(few)
    assert seen is not None
    reach = max(few.interval.high - few.point, few.point - few.interval.low)
    assert seen == pytest.approx(reach + stats.t.ppf(0.8, 43) * few.standard_error)
    assert detectable_by(none) is None
