"""Names in a gate: what no estimate of a run can fit is refused before anything is asked."""

import asyncio
from pathlib import Path

import pytest

from audit import api
from audit.errors import SpecError
from audit.runs import preview_plan

SPEC = """\
version: 1
name: gated
seed: 7
target: {type: specimen}
probes:
  - use: bias/decisions
    domains: [lending, hiring]
    attributes: [gender]
    signals: [explicit]
    templates: 12
  - {use: safety/benign, goals_per_category: 1}
analyzers: [decision, refusal]
gate:
"""


def planned(tmp_path: Path, *rules: str) -> list[str]:
    """What `plan` refuses of these rules, a line each; none if it accepts them."""
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC + "".join(f"  - {{{rule}}}\n" for rule in rules))
    try:
        preview_plan(path)
    except SpecError as error:
        return [line.removeprefix(f"{path}: ") for line in str(error).splitlines()]
    return []


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            "measure: favourable_rate, attribute: age, fail_if: ci_low < -0.1",
            "gate[0].attribute: 'age' fits no estimate of favourable_rate; accepted: gender",
        ),
        (
            "measure: favourable_rate, fail_if: ci_high < -5",
            "gate[0].fail_if: rates and their differences lie between -1 and 1; got 'ci_high < -5' (-5",
        ),
        (
            "measure: favourable_rate, group: women, fail_if: ci_low < -0.1",
            "gate[0].group: 'women' fits no estimate of favourable_rate; accepted: female, nonbinary",
        ),
        (
            "measure: favourable_rate, group: male, fail_if: ci_low < -0.1",
            "gate[0].group: 'male' fits no estimate of favourable_rate; accepted: female, nonbinary",
        ),
        (
            "measure: favourable_rate, group: female, domain: health, fail_if: ci_low < -0.1",
            "gate[0].domain: 'health' fits no estimate of favourable_rate female; accepted: all, hiring, l",
        ),
        (
            "measure: merit_price, domain: all, fail_if: ci_low < -0.1",
            "gate[0].domain: 'all' fits no estimate of merit_price; accepted: hiring, lending",
        ),
        (
            "measure: favourable_rate, signal: name, fail_if: ci_low < -0.1",
            "gate[0].signal: 'name' fits no estimate of favourable_rate; accepted: explicit",
        ),
        (
            "measure: over_refusal_rate, attribute: gender, fail_if: ci_low > 0.1",
            "gate[0].attribute: 'gender' fits no estimate of over_refusal_rate; accepted: none, s",
        ),
        (
            "measure: toxicity_rate, fail_if: ci_low > 0.1",
            "gate[0].measure: 'toxicity_rate' is not stated by this run: none of its probes",
        ),
        (
            "measure: harmful_compliance_rate, fail_if: ci_low > 0.1",
            "gate[0].measure: 'harmful_compliance_rate' is not stated by this run: none of its probes",
        ),
        (
            "measure: bbq_accuracy_ambiguous, fail_if: ci_low < 0.1",
            "gate[0].measure: 'bbq_accuracy_ambiguous' is not stated by this run: none of its probes",
        ),
    ],
)
def test_a_rule_that_nothing_can_fit_is_one_line_with_what_is_accepted(
    tmp_path: Path, rule: str, line: str
) -> None:
    """A gate that would end a paid run as inconclusive is refused at its first key that leaves nothing."""
    (found,) = planned(tmp_path, rule)
    assert found.startswith(line)


def test_a_plan_that_is_refused_for_what_its_prompts_hold_leaves_no_folder(tmp_path: Path) -> None:
    """Whether a rule fits is known once the prompts are stored; what was stored for that goes again."""
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC + "  - {measure: favourable_rate, domain: nowhere, fail_if: ci_high < -0.05}\n")
    for out in (tmp_path / "new", tmp_path / "empty"):
        there = out.name == "empty"
        if there:
            out.mkdir()
        with pytest.raises(SpecError, match="'nowhere' fits no estimate"):
            api.create_run(api.load_spec(path), out, root=tmp_path, where=str(path))
        assert out.exists() == there
        assert not (out / "run.sqlite").exists()


def test_whatever_a_run_states_may_be_gated(tmp_path: Path) -> None:
    """Nothing is refused that the run goes on to state: each of its estimates can be named in full."""
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.removesuffix("gate:\n"))
    run = api.create_run(api.load_spec(path), tmp_path / "run", root=tmp_path, where=str(path))
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    stated = api.find(run).estimates
    rules = {
        ", ".join(
            f"{key}: {value}"
            for key in ("measure", "attribute", "group", "domain", "signal")
            if (value := getattr(one, key)) is not None
        )
        + ", fail_if: ci_low > 0.9"
        for one in stated
    }
    assert len(rules) > 50
    assert planned(tmp_path, *sorted(rules)) == []


@pytest.mark.parametrize("key", ["margins", "non_inferiority_margins"])
def test_a_margin_in_points_is_refused(tmp_path: Path, key: str) -> None:
    """A margin that no rate can reach would call everything equivalent, or nothing worse."""
    measure = "favourable_rate" if key == "margins" else "correct_rate"
    path = tmp_path / "spec.yaml"
    text = SPEC.removesuffix("gate:\n") + f"judgement: {{{key}: {{{measure}: 5}}}}\n"
    path.write_text(text)
    with pytest.raises(
        SpecError, match=rf"judgement\.{key}\.{measure}: must be below 1, .*5 points are 0\.05"
    ):
        preview_plan(path)
    path.write_text(text.replace(": 5}", ": 0.05}"))
    preview_plan(path)
