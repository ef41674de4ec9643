"""What people read of a gate: a line a rule, and a row for each estimate that did not meet it."""

import pytest

from audit.cli.gate_table import show_gate
from audit.gates import GateEntry, GateResult, Outcome
from audit.spec import GateRule


def entry(name: str, outcome: Outcome, **changed: float | None) -> GateEntry:
    """An estimate that a rule was held against."""
    stated: dict[str, object] = {"point": -0.3, "ci_low": -0.4, "ci_high": -0.2, "p_adjusted": 1e-6}
    said = {"name": name, "outcome": outcome, "reason": "why", "n_outputs": 9, "n_clusters": 9}
    return GateEntry.model_validate({**stated, **said, **changed})


def result(*entries: GateEntry, outcome: Outcome, reason: str = "", **rule: str) -> GateResult:
    """A rule with what became of it."""
    said = GateRule.model_validate({"measure": "favourable_rate", "fail_if": "ci_high < -0.05", **rule})
    return GateResult(rule=said, outcome=outcome, estimates=len(entries), reason=reason, entries=entries)


def test_what_failed_stands_first_and_what_is_met_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """A rule says what it is about, how many estimates came out how, and names those that did not meet it."""
    open_ = entry("favourable_rate/all/gender/nonbinary/explicit", "inconclusive", p_adjusted=1.0)
    failed = entry("favourable_rate/all/gender/female/explicit", "failed")
    met = entry("favourable_rate/hiring/gender/female/explicit", "met")
    show_gate(result(open_, failed, met, outcome="failed", attribute="gender"))
    said = capsys.readouterr().err.splitlines()
    assert said[0] == (
        "gate failed: favourable_rate (attribute gender) fails if ci_high < -0.05; "
        "3 estimates: 1 failed, 1 inconclusive, 1 met"
    )
    assert said[3].split()[:5] == ["failed", "all/gender/female/explicit", "-0.300", "[-0.400,", "-0.200]"]
    assert "<0.001" in said[3]
    assert said[4].startswith("inconclusive  all/gender/nonbinary/explicit")
    assert len(said) == 5


def test_a_rate_has_no_sign_and_a_met_rule_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A rate of one population is no difference; a rule that is met, or about nothing, has no table."""
    rate = entry("correct_rate/all", "inconclusive", point=0.5, ci_low=0.4, ci_high=0.6, p_adjusted=None)
    show_gate(result(rate, outcome="inconclusive"))
    assert "0.500  [0.400, 0.600]  -" in capsys.readouterr().err
    show_gate(result(entry("correct_rate/all", "met"), outcome="met"))
    assert capsys.readouterr().err.endswith("; 1 estimate: 1 met\n")
    show_gate(result(outcome="inconclusive", reason="no estimate of the run fits this rule"))
    assert capsys.readouterr().err.endswith("; no estimate of the run fits this rule\n")


def test_a_long_gate_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """A screen of rows is shown, and the rest is counted."""
    show_gate(result(*[entry(f"m/all/a/{n}/name", "failed") for n in range(23)], outcome="failed"))
    said = capsys.readouterr().err
    assert said.count("failed  ") == 20
    assert "and 3 more; see --json" in said
