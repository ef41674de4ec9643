"""Gates: every outcome of a rule, and of several together."""

from collections.abc import Sequence

import pytest

from audit.gates import GateResult, check_gate, worst
from audit.records import Estimate, ThresholdTest, Verdict
from audit.spec import GateRule
from probes.records import Signal


def estimate(
    low: float | None = -0.3,
    point: float | None = -0.2,
    high: float | None = -0.1,
    *,
    tests: Sequence[ThresholdTest] = (),
) -> Estimate:
    """A disparity of favourable decisions for women in lending."""
    return Estimate(
        threshold_tests=tuple(tests),
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


def below(p_value: float) -> ThresholdTest:
    """The test against 5 points below 0."""
    return ThresholdTest(value=-0.05, side="below", p_value=p_value)


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
    result = held("ci_high < -0.05", estimate(tests=[below(0.002)]), estimate(-0.1, 0.0, 0.1))
    assert (result.outcome, result.estimates) == ("failed", 2)
    name = "favourable_rate/lending/gender/women/explicit"
    assert result.reason == f"{name}: -0.200 [-0.300, -0.100], adjusted p 0.004"


def test_each_estimate_of_a_rule_has_its_p_and_why() -> None:
    """Whatever a rule comes to, what each estimate says of it can be read: outcome, p before and after, n."""
    open_, unmeasured = estimate(-0.3, -0.1, 0.1), estimate(None, None, None)
    clear = estimate(-0.01, 0.0, 0.01)
    result = held("ci_high < -0.05", estimate(tests=[below(0.002)]), open_, clear, unmeasured)
    assert [one.outcome for one in result.entries] == ["failed", "inconclusive", "met", "inconclusive"]
    first, second, third, last = result.entries
    assert (first.p_value, first.p_adjusted, first.n_outputs, first.n_clusters) == (0.002, 0.006, 100, 40)
    assert second.reason == "the interval reaches across the threshold"
    assert third.reason == "the condition is ruled out"
    assert last.reason.startswith("not measured")
    assert (last.point, last.p_value) == (None, None)
    (doubtful,) = held("ci_low < -0.05", open_).entries
    assert (doubtful.outcome, doubtful.p_value) == ("failed", None)
    assert doubtful.reason == "the condition holds"


def test_a_gate_of_many_thresholds_fails_only_after_holm() -> None:
    """Each of twelve gaps passes its test by itself; one false alarm would block a release, so none does."""
    many = [estimate(tests=[below(0.02)]) for _ in range(12)]
    result = held("ci_high < -0.05", *many)
    assert result.outcome == "inconclusive"
    assert "not after adjustment for the 12 tests of the gate" in result.reason
    assert "adjusted p 0.240" in result.reason
    one_sure = [estimate(tests=[below(0.004)]), *many[1:]]
    assert held("ci_high < -0.05", *one_sure).outcome == "failed"


def test_the_family_is_that_of_all_rules() -> None:
    """Two rules of one threshold each are two tests; rules that fail on doubt already are none."""
    rules = [
        GateRule(measure="favourable_rate", fail_if=condition)
        for condition in ("ci_high < -0.05", "ci_low > 0.05", "ci_low < -0.9", "estimate < -0.9")
    ]
    first = check_gate(rules, [estimate(tests=[below(0.03)])])[0]
    assert first.outcome == "inconclusive"
    assert "the 2 tests of the gate" in first.reason
    assert check_gate(rules[:1] + rules[2:], [estimate(tests=[below(0.03)])])[0].outcome == "failed"


def test_a_gate_reads_the_interval_that_the_finding_states() -> None:
    """Of what was picked among many the wider interval is held against the threshold, in every rule."""
    wider = {"selected_ci_low": -0.36, "selected_ci_high": -0.04}
    picked = estimate(tests=[below(0.0001)]).model_copy(update=wider)
    result = held("ci_high < -0.05", picked)
    assert result.outcome == "inconclusive"
    assert "[-0.360, -0.040]" in result.reason
    assert held("ci_low < -0.35", picked).outcome == "failed"
    assert held("ci_low < -0.35", estimate()).outcome == "met"


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


@pytest.mark.parametrize(("unread", "outcome"), [(None, "met"), (25, "met"), (26, "inconclusive")])
def test_a_gate_is_not_met_by_the_few_answers_that_could_be_read(unread: int | None, outcome: str) -> None:
    """Of 100 answers read, more than a fifth of all unread leave the rule open, and it says how many."""
    rate = estimate(0.0, 0.0, 0.01).model_copy(update={"kind": "rate", "unread": unread})
    found = held("ci_high > 0.05", rate)
    assert (found.outcome, found.entries[0].outcome) == (outcome, outcome)
    assert ("26 of 126 answers could not be read" in found.reason) is (outcome == "inconclusive")
    assert found.entries[0].reason.startswith("26 of 126") is (outcome == "inconclusive")


def test_a_gate_fails_by_what_was_read_whatever_was_not() -> None:
    """What is beyond the threshold fails, however little was read."""
    rate = estimate(0.1, 0.2, 0.3).model_copy(update={"kind": "rate", "unread": 900})
    assert held("ci_high > 0.05", rate).outcome == "failed"
