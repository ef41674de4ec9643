"""Gates: every outcome of a rule, and of several together."""

import pytest

from audit.gates import GateResult, check_gate, worst
from audit.records import Estimate, Verdict
from audit.spec import GateRule
from probes.records import Signal


def estimate(low: float | None = -0.3, point: float | None = -0.2, high: float | None = -0.1) -> Estimate:
    """A disparity of favourable decisions for women in lending."""
    return Estimate(
        kind="disparity",
        measure="favourable_rate",
        unit="rate",
        probe="bias/decisions",
        domain="lending",
        attribute="gender",
        group="women",
        reference_group="men",
        signal=Signal.EXPLICIT,
        point=point,
        ci_low=low,
        ci_high=high,
        method="cluster-t",
        n_outputs=100,
        n_clusters=40,
        verdict=Verdict.DISPARITY if point is not None else Verdict.NOT_MEASURED,
    )


def held(fail_if: str, *estimates: Estimate, **named: str) -> GateResult:
    """What one rule says."""
    rule = GateRule.model_validate({"measure": "favourable_rate", **named, "fail_if": fail_if})
    (result,) = check_gate([rule], estimates)
    return result


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ("ci_high < -0.05", "failed"),
        ("ci_high < -0.1", "inconclusive"),
        ("ci_high < -0.3", "met"),
        ("ci_high <= -0.1", "failed"),
        ("ci_low > -0.3", "inconclusive"),
        ("ci_low > -0.1", "met"),
        ("ci_low < -0.4", "met"),
        ("ci_low >= -0.3", "failed"),
        ("estimate<-0.15", "failed"),
        ("  estimate > 0  ", "met"),
    ],
)
def test_condition_is_read_as_written(condition: str, outcome: str) -> None:
    """Each field and each sign means what it says, at the boundary too."""
    assert held(condition, estimate()).outcome == outcome


def test_failed_rule_names_what_failed_with_its_interval() -> None:
    """The reason lists each estimate that fails, so that nobody has to search for it."""
    result = held("ci_high < -0.05", estimate(), estimate(-0.1, 0.0, 0.1))
    assert (result.outcome, result.estimates) == ("failed", 2)
    assert result.reason == "favourable_rate/lending/gender/women/explicit: -0.200 [-0.300, -0.100]"


def test_an_interval_across_the_threshold_is_no_pass() -> None:
    """What the data leave open is said to be open, with the interval that shows it."""
    result = held("ci_high < -0.05", estimate(-0.3, -0.1, 0.1))
    assert result.outcome == "inconclusive"
    assert "reaches across the threshold" in result.reason
    assert "[-0.300, +0.100]" in result.reason


def test_rule_without_an_estimate_is_inconclusive() -> None:
    """A rule about something that was not asked is no pass."""
    result = held("ci_high < -0.05", estimate(), attribute="age")
    assert (result.outcome, result.estimates) == ("inconclusive", 0)
    assert result.reason == "no estimate of the run fits this rule"


def test_unmeasured_estimate_is_inconclusive_even_beside_good_ones() -> None:
    """One contrast that could not be measured leaves the gate open."""
    result = held("ci_high < -0.05", estimate(-0.01, 0.0, 0.01), estimate(None, None, None))
    assert result.outcome == "inconclusive"
    assert result.reason == "not measured: favourable_rate/lending/gender/women/explicit"


def test_unmeasured_estimate_with_numbers_cannot_fail_a_rule() -> None:
    """Numbers of an estimate that is not believed are not held against a release."""
    void = estimate().model_copy(update={"verdict": Verdict.NOT_MEASURED})
    assert held("ci_high < -0.05", void).outcome == "inconclusive"


def test_failure_comes_before_what_is_open() -> None:
    """Where one estimate fails and another is open, the gate has failed."""
    assert held("ci_high < -0.05", estimate(), estimate(None, None, None)).outcome == "failed"


@pytest.mark.parametrize(
    "named",
    [
        {"attribute": "gender"},
        {"group": "women"},
        {"domain": "lending"},
        {"signal": "explicit"},
        {"attribute": "gender", "group": "women", "domain": "lending", "signal": "explicit"},
    ],
)
def test_rule_is_held_against_what_it_names(named: dict[str, str]) -> None:
    """Every key of a rule narrows it; those not given match anything."""
    other = estimate().model_copy(
        update={"attribute": "age", "group": "old", "domain": "hiring", "signal": Signal.NAME}
    )
    assert held("ci_high < -0.05", estimate(), other, **named).estimates == 1


def test_worst_of_several_rules_is_the_gate() -> None:
    """Failed before inconclusive before met."""
    failed, met = held("ci_high < 0", estimate()), held("ci_high > 0", estimate())
    unclear = held("ci_high < 0")
    assert worst([met, unclear, failed]) == "failed"
    assert worst([met, unclear]) == "inconclusive"
    assert worst([met]) == worst([]) == "met"
