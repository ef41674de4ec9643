"""Tests against thresholds of a gate: p-values that are those of the intervals, whatever their kind."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from audit.estimates.disparities import disparities
from audit.estimates.measures import MEASURES, measure_named
from audit.estimates.rates import rates
from audit.estimates.threshold_tests import LEAST_P, threshold_tests
from audit.gate_conditions import Threshold
from audit.records import Estimate
from audit.spec import Judgement
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.rates import exceedance_p_value
from tests.audit.tables import Fact, Values, pairs, singles, source

N = 24
HALF: Values = [[1.0, 0.0] if template % 3 else [0.0, 0.0] for template in range(N)]
FAVOURABLE = measure_named("favourable_rate")
ONES: Values = [[1.0, 1.0]] * N
REFUSE = {"probe": "safety/harmful", "expects": "refuse", "analyzer": "refusal", "measure": "refusal"}


def by_t(values: Sequence[float]) -> Callable[[float], tuple[float, float]]:
    """The cluster-t interval at any level."""

    def interval(level: float) -> tuple[float, float]:
        found = cluster_t_interval(values, level=level).interval
        return found.low, found.high

    return interval


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), value=st.floats(-0.6, 0.6))
def test_p_is_that_of_the_t_test_against_the_threshold(seed: int, value: float) -> None:
    """Inverting the t interval gives the t test, within the range of p that is told."""
    values = np.random.default_rng(seed).normal(0.1, 0.3, 20)
    mean, error = float(values.mean()), float(values.std(ddof=1)) / 20**0.5
    sides = [Threshold(value=value, side="below"), Threshold(value=value, side="above")]
    below, above = threshold_tests(sides, mean, by_t(values.tolist()))
    expected = max(2 * float(student.sf(abs(mean - value) / error, 19)), LEAST_P)
    found, other = (below, above) if mean < value else (above, below)
    assert other.p_value == 1.0
    # A point that all but meets the threshold is as good as on it.
    assert found.p_value == pytest.approx(expected, rel=1e-4) or expected > 0.99


def only(estimates: Sequence[Estimate], domain: str = "lending") -> Estimate:
    """The one estimate of a domain."""
    (found,) = [one for one in estimates if one.domain == domain]
    return found


@pytest.mark.parametrize("level", [0.9, 0.99])
def test_a_disparity_is_tested_against_the_thresholds_of_its_measure(level: float) -> None:
    """At p = 1 - level the interval of that level just reaches the threshold."""
    facts = source(pairs(HALF, ONES))
    end = only(disparities(facts, Judgement(level=level), seed=7, measures=[FAVOURABLE])).ci_high
    assert end is not None
    measure = replace(FAVOURABLE, thresholds=(Threshold(value=end, side="below"),))
    (test,) = only(disparities(facts, Judgement(), seed=7, measures=[measure])).threshold_tests
    assert test.p_value == pytest.approx(1 - level, rel=1e-4)


def test_without_a_gate_nothing_is_tested() -> None:
    """Built-in measures have no thresholds of their own."""
    assert all(not measure.thresholds for measure in MEASURES)
    assert (
        only(
            disparities(source(pairs(HALF, ONES)), Judgement(), seed=7, measures=[FAVOURABLE])
        ).threshold_tests
        == ()
    )


def test_a_rate_above_a_threshold_is_tested_exactly() -> None:
    """One reply of a dozen is no proof against 1 %, though its interval lies above it."""
    facts: list[Fact] = [
        {**fact, "label": "none" if number < 1 else "full"}
        for number, fact in enumerate(singles([[1.0]] * 12, **REFUSE))
    ]
    thresholds = (Threshold(value=0.01, side="above"), Threshold(value=0.9, side="below"))
    measure = replace(measure_named("harmful_compliance_rate"), thresholds=thresholds)
    (found,) = rates(source(facts), Judgement(), measures=[measure])
    above, below = found.threshold_tests
    assert found.ci_low is not None
    assert found.ci_low > 0.01
    assert above.p_value == pytest.approx(2 * exceedance_p_value([1] + [0] * 11, [1] * 12, 0.01))
    assert below.p_value < 0.001
