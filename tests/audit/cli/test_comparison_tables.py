"""What became of each finding, on the terminal."""

import pytest

from audit.cli.comparison_tables import show_legend, show_outcomes
from audit.records import Change, Verdict
from audit.repaired.outcomes import FindingOutcome


def _change(finding: str, before: float, after: float) -> Change:
    missing = ("attribute", "group", "reference_group", "signal", "technique", "p_value", "p_adjusted")
    fields: dict[str, object] = dict.fromkeys(missing)
    fields |= {"finding": finding, "measure": "m", "kind": "disparity", "domain": "all", "level": 0.95}
    fields |= {"before": before, "after": after, "change": after - before, "ci_low": 0.1, "ci_high": 0.3}
    fields |= {"n_outputs": 9, "n_clusters": 9, "method": "x", "verdict": "smaller"}
    fields |= {"before_verdict": Verdict.DISPARITY, "after_verdict": Verdict.INCONCLUSIVE}
    return Change.model_validate(fields)


def test_a_finding_stands_with_its_figures_and_the_run_that_made_the_claim(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A claim of the run before is not read as one about the repaired model."""
    outcomes = [
        FindingOutcome(
            id="F-1",
            claim="women get fewer: 30.0 % against 55.0 %",
            outcome="fixed",
            shown=True,
            inside=True,
        ),
        FindingOutcome(id="F-2", claim="men get fewer", outcome="new", shown=False),
    ]
    show_outcomes(outcomes, [_change("F-1", -0.25, -0.004)])
    said = capsys.readouterr().err
    assert "F-1 fixed (-0.250 -> -0.004); found before: women get fewer\n" in said
    assert "shown to be within limit or margin afterwards: 1" in said
    assert "F-2 new, though not shown to be larger; found after: men get fewer" in said


def test_a_change_of_other_prompts_than_its_ends_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Where answers are missing, change is not after less before, and the legend says why."""
    one = _change("F-1", -0.121, -0.058)
    show_legend([one])
    assert "of the prompts that both could" not in capsys.readouterr().err
    show_legend([one.model_copy(update={"change": 0.081, "verdict": "reversed"})])
    said = capsys.readouterr().err
    assert "before, after: of all that each run could read; change: of the prompts that both could" in said
    assert "reversed: each run shows the disparity" in said


def test_the_legend_says_where_intervals_allow_for_the_picking(capsys: pytest.CaptureFixture[str]) -> None:
    """The words stand wherever an interval was widened for the picking, and only there."""
    one = _change("F-1", -0.25, -0.004)
    show_legend([one])
    assert "picking" not in capsys.readouterr().err
    show_legend([one.model_copy(update={"selected_ci_low": 0.1, "selected_ci_high": 0.4})])
    assert "interval: widened for the picking where the change is shown" in capsys.readouterr().err
