"""Fixed and sequential designs."""

import numpy as np
import pandas as pd
import pytest

from audit.estimates.contrasts import contrasts, seed_names
from audit.estimates.design import FIXED, LookDesign
from audit.estimates.disparities import disparities
from audit.estimates.measures import Measure, measure_named
from audit.records import Estimate
from audit.spec import Judgement
from audit.statistics.group_sequential import group_sequential

BOUNDARIES = group_sequential([0.5, 1.0])
RATE = measure_named("favourable_rate")


def rows(gap: float, *, templates: int = 40, repeats: int = 20) -> pd.DataFrame:
    """A yes/no measure of one attribute in one domain."""
    stream = np.random.Generator(np.random.PCG64(5))
    facts = {"probe": "p", "language": "en", "attribute": "a", "signal": "explicit", "arm": "counterfactual"}
    facts |= {"domain": "d", "norm": "must_not_differ", "reference": "r"}
    return pd.DataFrame(
        [
            {**facts, "template": f"t{t}", "set_id": f"s{t}", "grp": group, "value": float(value)}
            for t in range(templates)
            for group, rate in (("r", 0.6), ("g", 0.6 - gap))
            for value in stream.random(repeats) < rate
        ]
    ).assign(name=None, placebo=None)


def only(gap: float, design: LookDesign | None = None) -> Estimate:
    """The one estimate of such rows."""

    def frame_of(measure: Measure) -> pd.DataFrame:
        frame = rows(gap)
        return frame if measure.name == RATE.name else frame.iloc[:0]

    found = disparities(frame_of, Judgement(), seed=1, design=design or FIXED)
    assert len(found) == 1
    return found[0]


def test_a_look_widens_the_interval_and_says_so() -> None:
    """The interval of a first look contains the fixed one, has its level, and names look and method."""
    fixed, first = only(0.1), only(0.1, LookDesign(boundaries=BOUNDARIES, look=1))
    assert first.point == fixed.point
    assert first.ci_low is not None
    assert first.ci_high is not None
    assert fixed.ci_low is not None
    assert fixed.ci_high is not None
    assert first.ci_low < fixed.ci_low < fixed.ci_high < first.ci_high
    assert first.level == fixed.level == 0.95
    assert first.method.endswith("repeated interval at look 1 of 2")


def test_p_values_fit_their_intervals() -> None:
    """At each look p is at most 1 - level exactly when the interval excludes 0."""
    for gap in (0.0, 0.03, 0.05, 0.06, 0.08, 0.1):
        for look in (1, 2):
            found = only(gap, LookDesign(boundaries=BOUNDARIES, look=look))
            assert found.p_value is not None
            assert found.ci_low is not None
            assert found.ci_high is not None
            assert (found.p_value <= 0.05) == (found.ci_low > 0 or found.ci_high < 0)


def test_the_smallest_p_value_so_far_counts() -> None:
    """What an earlier look showed is not forgotten."""
    (contrast,) = contrasts(rows(0.1), RATE)
    design = LookDesign(boundaries=BOUNDARIES, look=2, earlier={seed_names(contrast): 1e-9})
    assert design.p_value(contrast, 0.5) == pytest.approx(1e-9)
    assert design.p_value(contrast, 0.0) < 1e-11


def test_the_whole_family_counts_before_it_shows_itself() -> None:
    """Contrasts that cannot show anything yet make the others' adjusted p larger, with p = 1."""

    def frame_of(measure: Measure) -> pd.DataFrame:
        frame = rows(0.1)
        if measure.name == "refusal_rate":
            return frame.assign(value=0.0)
        return frame if measure.name == RATE.name else frame.iloc[:0]

    parts, whole = (
        disparities(
            frame_of,
            Judgement(),
            seed=1,
            design=LookDesign(boundaries=BOUNDARIES, look=1, whole_family=whole),
        )
        for whole in (False, True)
    )
    assert [one.p_adjusted is None for one in parts] == [False, True]
    assert whole[1].p_adjusted == 1.0
    # Alone it has all of the rate, beside a side outcome the primary share of it.
    assert whole[0].p_adjusted == pytest.approx((parts[0].p_adjusted or 0) / Judgement().primary_share)
