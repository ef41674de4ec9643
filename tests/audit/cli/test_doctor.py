"""What `doctor` approves can be planned, and what is installed is told of every extra."""

import tomllib
from pathlib import Path

import pytest

from audit.diagnosis import EXTRAS
from tests.audit.cli.conftest import SPEC, Command

BIAS = SPEC.replace(
    "{use: public/table, path: asked.csv, prompt: prompt, options: options, answer: right}",
    "{use: bias/decisions, domains: [lending], attributes: [gender], templates: 2}",
).replace("{type: recorded, path: said.jsonl, by: source_id}", "{type: specimen}")


def test_every_extra_is_listed(evenhand: Command) -> None:
    """What a user may install is what the project declares, but for what its developers need."""
    declared = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(EXTRAS) == set(declared["project"]["optional-dependencies"]) - {"dev"}
    told = evenhand("doctor").err
    assert all(f"extra {name}: " in told for name in EXTRAS)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ('gate: [{measure: nothing, fail_if: "ci_high < -0.05"}]', "nothing"),
        (
            'gate: [{measure: favourable_rate, attribute: age, fail_if: "ci_high < -0.05"}]',
            "age",
        ),
        ("judgement: {margins: {nothing: 0.1}}", "nothing"),
        ("judgement: {primary: [{measure: favourable_rate, group: martian}]}", "martian"),
        ("judgement: {rate_limits: {nothing: 0.1}}", "nothing"),
        ("judgement: {control_features: [nothing]}", "nothing"),
        ("limits: {usd: 1}", "usd"),
    ],
)
def test_what_plan_refuses_doctor_refuses(home: Path, evenhand: Command, more: str, named: str) -> None:
    """Names that nothing in the plan has, and a limit that cannot be held, are the same lines in both."""
    (home / "spec.yaml").write_text(f"{BIAS}{more}\n")
    planned, looked_at = evenhand("plan", "spec.yaml"), evenhand("doctor", "spec.yaml")
    assert (planned.code, looked_at.code) == (2, 2)
    assert named in planned.err
    for line in planned.err.splitlines():
        assert line.startswith("next: ") or line.removeprefix("error: ") in looked_at.err


def test_what_can_be_planned_is_approved_with_its_size(evenhand: Command) -> None:
    """A good spec ends with 0 and with how much it would ask."""
    ended = evenhand("doctor", "spec.yaml")
    assert ended.code == 0
    assert "plan: 24 prompts, 24 requests" in ended.err
