"""The plan: counts, hashes, what the design can see, and who allowed an attack."""

from pathlib import Path

import pytest

from audit.errors import SpecError
from audit.plan import Plan, Planner
from audit.runs import build_probes, preview_plan
from audit.spec import parse_spec

DECISIONS = """\
version: 1
name: plan
seed: {seed}
repeats: {repeats}
target: {{type: specimen}}
probes:
  - use: bias/decisions
    domains: [lending]
    attributes: [gender]
    signals: [explicit]
    placebos: [resample]
    templates: {templates}
analyzers: [decision]
"""


def planned(text: str) -> Plan:
    """The plan of a spec, and a check that it counts what goes by."""
    spec = parse_spec(text, "spec.yaml")
    planner = Planner(spec, build_probes(spec, Path(), "spec.yaml"))
    prompts = list(planner.prompts())
    plan = planner.plan()
    assert plan.prompts == len(prompts) == sum(cell.prompts for cell in plan.cells)
    return plan


def decisions(*, seed: int = 7, repeats: int = 1, templates: int = 12) -> Plan:
    """The plan of a small audit of loan decisions."""
    return planned(DECISIONS.format(seed=seed, repeats=repeats, templates=templates))


def test_requests_are_prompts_times_repeats_times_targets() -> None:
    """Repeats and a baseline multiply what is asked, and the tokens with it."""
    once, thrice = decisions(), decisions(repeats=3)
    assert (once.requests, once.targets) == (once.prompts, 1)
    assert thrice.requests == 3 * once.requests
    assert thrice.prompt_tokens == pytest.approx(3 * once.prompt_tokens, abs=3)
    both = planned(DECISIONS.format(seed=7, repeats=2, templates=12) + "baseline: {type: specimen}\n")
    assert (both.targets, both.requests) == (2, 4 * once.prompts)


def test_cells_count_prompts_and_templates_apart() -> None:
    """Each group of the attribute has its cell, with as many templates as asked for."""
    cells = [cell for cell in decisions().cells if cell.arm == "counterfactual"]
    assert len(cells) > 1
    assert {cell.templates for cell in cells} == {12}
    assert {cell.attribute for cell in cells} == {"gender"}
    assert {cell.attribute for cell in decisions().cells if cell.arm == "placebo"} == {"resample"}


def test_same_spec_has_the_same_hashes_and_another_seed_others() -> None:
    """Two runs are comparable exactly when they ask the same prompts."""
    first, again, other = decisions(), decisions(), decisions(seed=8)
    assert (first.prompts_sha256, first.spec_sha256) == (again.prompts_sha256, again.spec_sha256)
    assert first.prompts_sha256 != other.prompts_sha256
    assert first.spec_sha256 != other.spec_sha256
    more = decisions(repeats=2)
    assert more.prompts_sha256 == first.prompts_sha256
    assert more.spec_sha256 != first.spec_sha256


def test_smallest_detectable_is_the_formula_by_hand() -> None:
    """(t(11, .975) + t(11, .8)) * sqrt((.1^2 + 2 * .5 * .5 / R) / 12), R answers a template and group."""
    (entry,) = decisions(repeats=2).detectable
    cell = next(cell for cell in decisions().cells if cell.arm == "counterfactual")
    answers = 2 * cell.prompts / 12
    by_hand = (2.200985 + 0.875530) * ((0.01 + 0.5 / answers) / 12) ** 0.5
    assert entry.smallest_detectable == pytest.approx(by_hand, abs=1e-4)
    assert (entry.templates, entry.attribute, entry.signal) == (12, "gender", "explicit")


def test_one_template_promises_nothing() -> None:
    """A single template has no spread to reckon with, and its plan says no size, rather than fail."""
    assert decisions(templates=1).detectable == ()


def test_templates_see_more_than_repeats() -> None:
    """Twice the templates beat twice the repeats at the same price."""
    twice_templates, twice_repeats = decisions(templates=24), decisions(repeats=2)
    assert twice_templates.requests == twice_repeats.requests
    assert twice_templates.detectable[0].smallest_detectable < twice_repeats.detectable[0].smallest_detectable


def test_attack_needs_somebody_who_authorised_it() -> None:
    """A probe that asks for harm is refused without a name, and accepted with one."""
    attack = "version: 1\nname: a\ntarget: {type: specimen}\n"
    attack += "probes: [{use: safety/harmful}]\nanalyzers: [refusal]\n"
    spec = parse_spec(attack, "spec.yaml")
    with pytest.raises(SpecError) as caught:
        build_probes(spec, Path(), "spec.yaml")
    assert str(caught.value).startswith("spec.yaml: authorised_by is required because safety/harmful")
    plan = planned(attack + "authorised_by: the owner of the model\n")
    assert plan.prompts > 0
    assert plan.detectable == ()


def test_probe_named_twice_with_the_same_prompts_is_refused(tmp_path: Path) -> None:
    """Two probes that ask the same prompts would count one answer twice: the plan says so at once."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "version: 1\nname: a\ntarget: {type: specimen}\n"
        "probes: [{use: safety/benign}, {use: safety/benign}]\nanalyzers: [refusal]\n"
    )
    with pytest.raises(
        SpecError, match=r"probes\[1\]: asks the same prompts as an earlier entry of safety/benign"
    ) as caught:
        preview_plan(spec)
    assert "\n" not in str(caught.value)


def test_file_behind_a_probe_is_in_the_plan(tmp_path: Path) -> None:
    """A probe that reads a file leaves its checksum and licence in the plan."""
    (tmp_path / "own.csv").write_text("prompt\nhello\ngoodbye\n")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "version: 1\nname: a\ntarget: {type: specimen}\nanalyzers: [toxicity]\n"
        "probes: [{use: public/table, path: own.csv, prompt: prompt, licence: mine}]\n"
    )
    plan = preview_plan(spec)
    assert plan.prompts == 2
    assert plan.sources["public/table"]["licence"] == "mine"
    assert len(plan.sources["public/table"]["sha256"]) == 64


def test_plan_survives_its_file() -> None:
    """The plan on disk is the plan."""
    plan = decisions()
    assert Plan.model_validate_json(plan.model_dump_json(indent=2)) == plan
    assert plan.versions["evenhand"]
