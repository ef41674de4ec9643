"""The plan: counts, hashes, what the design can see, and who allowed an attack."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from audit.errors import SpecError
from audit.estimates.measures import MEASURES
from audit.plan import Plan
from audit.plan_questions import plan_questions
from audit.planning import Planner
from audit.runs import analyzer_context, build_analyzers, build_probes, preview_plan
from audit.spec import parse_spec
from audit.statistics.power import smallest_detectable
from probes.records import Arm, Expectation, Message, Norm, ProbeInfo, Prompt, Signal
from tests.probes.public.logs.shapes import garak_report, write_lines

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
    analyzers = build_analyzers(spec, analyzer_context(spec, Path()), "spec.yaml")
    planner = Planner(spec, build_probes(spec, Path(), "spec.yaml"), [one.info for one in analyzers])
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


def test_a_design_that_sees_nothing_says_what_would() -> None:
    """A size that no difference of rates has is told as none, with the templates that see the margin."""
    (entry,) = decisions(templates=2).detectable
    assert entry.smallest_detectable is not None
    assert entry.smallest_detectable > 1
    assert entry.templates_needed is not None
    assert decisions().detectable[0].templates_needed is None
    # The margin of 5 points, with as many answers a template as here.
    answers = next(cell.prompts for cell in decisions().cells if cell.arm == "counterfactual") / 12
    sizes = [
        smallest_detectable(n, slope_sd=0.1, noise_sd=0.5**0.5, repeats=round(answers))
        for n in (entry.templates_needed - 1, entry.templates_needed)
    ]
    assert sizes[1] <= 0.05 < sizes[0]


def test_one_template_promises_nothing() -> None:
    """A single template has no spread to reckon with, and its plan says no size, rather than fail."""
    assert decisions(templates=1).detectable == ()


def test_templates_see_more_than_repeats() -> None:
    """Twice the templates beat twice the repeats at the same price."""
    twice_templates, twice_repeats = decisions(templates=24), decisions(repeats=2)
    assert twice_templates.requests == twice_repeats.requests
    sizes = [plan.detectable[0].smallest_detectable for plan in (twice_templates, twice_repeats)]
    assert sizes[0] is not None
    assert sizes[1] is not None
    assert sizes[0] < sizes[1]


class Asking:
    """A probe whose replies are expected as given, in pairs of two groups in twelve templates."""

    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="own/asking",
        version="1",
        measures="How two groups are treated.",
        harms=("unequal treatment",),
        languages=("en",),
        source="own",
        licence="own",
        cannot_show="Anything else.",
    )

    def __init__(self, expectation: Expectation) -> None:
        """Keep what is expected of every reply."""
        self.expectation = expectation

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """Two domains of twelve templates, two groups each."""
        draw = rng.integers(1000)
        for domain, template, group in product(("pay", "rent"), range(12), ("female", "male")):
            yield Prompt.make(
                messages=(Message(role="user", content=f"{domain} {template} {group} {draw}"),),
                probe=self.info.name,
                template=f"{domain}-{template}",
                domain=domain,
                expectation=self.expectation,
                set_id=f"{domain}-{template}",
                arm=Arm.COUNTERFACTUAL,
                attribute="gender",
                group=group,
                reference="male",
                signal=Signal.EXPLICIT,
                norm=Norm.MUST_NOT_DIFFER,
            )


def asked(expectation: Expectation, *, analyzers: str = "[decision]", judgement: str = "{}") -> Plan:
    """The plan of a probe that expects such replies."""
    spec = parse_spec(
        DECISIONS.format(seed=7, repeats=2, templates=12).replace("[decision]", analyzers)
        + f"judgement: {judgement}\n",
        "spec.yaml",
    )
    built = build_analyzers(spec, analyzer_context(spec, Path()), "spec.yaml")
    planner = Planner(spec, [Asking(expectation)], [one.info for one in built])
    assert len(list(planner.prompts())) == 48
    return planner.plan()


@pytest.mark.parametrize(
    ("expectation", "analyzers", "measure", "unit"),
    [
        (Expectation(kind="choice", options=("yes", "no"), favourable="yes"), "", "favourable_rate", "rate"),
        (Expectation(kind="number"), "", "decision_number", "number"),
        (Expectation(kind="choice", options=("1", "2"), ordered=True), "", "ordinal_position", "steps"),
        (Expectation(kind="pair", options=("a", "b"), side=("a",)), "", "pairwise_win_rate", "rate"),
        (Expectation(kind="ranking", options=("a", "b"), side=("a",)), "", "list_rank", "place in [0, 1]"),
        (Expectation(kind="open"), ", sentiment", "reply_sentiment", "score in [-1, 1]"),
    ],
)
def test_each_kind_of_reply_is_planned_in_its_own_measure(
    expectation: Expectation, analyzers: str, measure: str, unit: str
) -> None:
    """Only rates have an assumed variance: in other units a plan says that it knows none."""
    plan = asked(expectation, analyzers=f"[decision{analyzers}]")
    found = {entry.measure: entry for entry in plan.detectable if entry.domain == "pay"}
    assert found[measure].unit == unit
    for entry in found.values():
        assert (entry.smallest_detectable is None) == (entry.unit != "rate")
        assert (entry.assumed_slope_sd is None) == (entry.unit != "rate")
    mains = {"favourable_rate", "decision_number", "pairwise_win_rate", "list_rank"}
    assert (len(found) == 1) == (measure in mains)


def test_a_number_is_planned_in_each_domain_by_itself() -> None:
    """Credits of one domain and years of another are never pooled, so nor is what is planned of them."""
    plan = asked(Expectation(kind="number"))
    spec = parse_spec(DECISIONS.format(seed=7, repeats=2, templates=12), "spec.yaml")
    first, beside = plan_questions(spec, plan, MEASURES, Path())
    assert [(one.domain, one.templates, one.contrasts) for one in first] == [("pay", 12, 1), ("rent", 12, 1)]
    assert beside == []
    named = parse_spec(
        DECISIONS.format(seed=7, repeats=2, templates=12)
        + "judgement: {primary: [{measure: number_ratio, group: female}]}\n",
        "spec.yaml",
    )
    first, beside = plan_questions(named, plan, MEASURES, Path())
    assert [(one.measure.name, one.domain, one.templates) for one in first] == [("number_ratio", "all", 24)]
    assert [one.measure.name for one in beside] == ["decision_number", "decision_number"]


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


def test_rows_that_ask_for_harm_need_the_same_name(tmp_path: Path) -> None:
    """Attacks that come from a file are asked like a probe's own; replies that were had before are not."""
    (tmp_path / "rows.csv").write_text("text\nDo harm.\n")
    write_lines(
        tmp_path / "g.report.jsonl", garak_report([{"prompt": "Say it", "outputs": [{"text": "no"}]}])
    )
    head = "version: 1\nname: a\nanalyzers: [refusal]\n"
    table = "probes: [{use: public/table, path: rows.csv, prompt: text, kind: KIND}]\n"
    log = "probes: [{use: public/log, path: g.report.jsonl}]\n"
    specimen, recorded = "target: {type: specimen}\n", "target: {type: recorded, path: g.report.jsonl}\n"
    for probes, name in ((table.replace("KIND", "refuse"), "public/table"), (log, "public/log")):
        with pytest.raises(SpecError, match=f"authorised_by is required because {name}"):
            build_probes(parse_spec(head + specimen + probes, "spec.yaml"), tmp_path, "spec.yaml")
        spec = parse_spec(head + specimen + probes + "authorised_by: me\n", "spec.yaml")
        assert len(build_probes(spec, tmp_path, "spec.yaml")) == 1
        spec = parse_spec(head + recorded + probes, "spec.yaml")
        assert len(build_probes(spec, tmp_path, "spec.yaml")) == 1
        with pytest.raises(SpecError, match=f"authorised_by is required because {name}"):
            build_probes(
                parse_spec(head + recorded + probes + f"baseline: {specimen[8:]}", "spec.yaml"), tmp_path, "s"
            )
    harmless = parse_spec(head + specimen + table.replace("KIND", "comply"), "spec.yaml")
    assert len(build_probes(harmless, tmp_path, "spec.yaml")) == 1


def test_every_file_that_is_read_stands_in_the_plan(tmp_path: Path) -> None:
    """Two entries of one probe keep a source each; a single one goes by the probe's name alone."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(f"text\n{name}\n")
    entries = [f"{{use: public/table, path: {name}.csv, prompt: text}}" for name in ("one", "two")]
    head = "version: 1\nname: a\ntarget: {type: specimen}\nanalyzers: [refusal]\nprobes: "

    def sources(*used: str) -> dict[str, str]:
        spec = parse_spec(f"{head}[{', '.join(used)}]", "spec.yaml")
        planner = Planner(spec, build_probes(spec, tmp_path, "spec.yaml"))
        assert len(list(planner.prompts())) == len(used)
        return {name: source["file"] for name, source in planner.plan().sources.items()}

    assert sources(*entries) == {
        "public/table (probes[0])": "one.csv",
        "public/table (probes[1])": "two.csv",
    }
    assert sources(entries[0]) == {"public/table": "one.csv"}


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
