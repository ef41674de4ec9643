"""What `plan` proposes."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from audit import api
from audit.errors import InputError
from audit.proposals import propose

SPEC = """\
version: 1
name: propose
seed: 5
target: {{type: specimen, favourable_rate: 0.6, slope_sd: 0.1}}
repeats: {repeats}
probes:
  - use: bias/decisions
    domains: [lending, hiring]
    attributes: [gender]
    signals: [explicit]
    placebos: [resample]
    templates: {templates}
analyzers: [decision]
judgement: {{smallest_disparity_of_concern: {margin}}}
{more}
"""


def spec(folder: Path, *, templates: int = 12, margin: float = 0.1, repeats: int = 2, more: str = "") -> Path:
    """A spec file."""
    path = folder / "spec.yaml"
    path.write_text(SPEC.format(templates=templates, margin=margin, repeats=repeats, more=more))
    return path


def test_a_plan_says_what_it_decides_and_what_would(tmp_path: Path) -> None:
    """Alone it sees more than within the family; the cheapest design stays within the templates there are."""
    _, found = propose(spec(tmp_path))
    (one,) = found.proposals
    assert found.primary_contrasts == one.contrasts == 2
    assert one.templates == 24
    assert one.templates_available == 88
    assert one.variances.source == "assumed"
    assert one.smallest_detectable is not None
    assert one.smallest_detectable_in_family is not None
    assert one.smallest_detectable < one.smallest_detectable_in_family
    assert one.cheapest is not None
    assert one.margin is not None
    assert one.cheapest_sure is not None
    assert one.templates < one.cheapest.templates <= 88
    assert one.cheapest.outputs < one.cheapest_sure.outputs
    assert one.cheapest.smallest_detectable <= one.margin
    assert one.cheapest.chance_equivalent >= 0.8
    assert one.affordable is None
    assert one.impossible is None


def test_primary_contrasts_are_those_that_the_spec_names(tmp_path: Path) -> None:
    """Each measure of each group named counts once, and the more there are the less one of them sees."""

    def found(rules: str) -> tuple[int, float | None]:
        path = spec(tmp_path)
        text = path.read_text().replace("judgement: {", f"judgement: {{primary: [{rules}], ")
        path.write_text(text)
        _, proposals = propose(path)
        return proposals.primary_contrasts, proposals.proposals[0].smallest_detectable_in_family

    counts, seen = zip(
        found("{measure: favourable_rate, group: female}"),
        found("{measure: favourable_rate}, {measure: favourable_rate, group: female}"),
        found("{measure: favourable_rate}, {measure: unparsed_rate, group: nonbinary}"),
        strict=True,
    )
    assert counts == (1, 2, 3)
    assert sorted(size for size in seen if size is not None) == list(seen)


def test_what_cannot_be_decided_is_said(tmp_path: Path) -> None:
    """Below the floor of the slopes no repeats help, and the design that would is named."""
    _, found = propose(spec(tmp_path, margin=0.02, more="limits: {requests: 2000}"))
    (one,) = found.proposals
    assert one.cheapest is None
    assert one.impossible is not None
    assert "88 templates do not decide at 2 points" in one.impossible
    assert "would decide: bias/decisions has 88 in hiring, lending, and more come from" in one.impossible
    chances = [float(said) for said in re.findall(r"in ([0-9.]+) % (?:and|of runs)", one.impossible)]
    assert len(chances) == 2
    assert min(chances) < 80
    assert one.affordable is not None
    assert one.affordable.outputs <= 2000
    assert one.affordable.templates <= 88


def test_limits_of_tokens_bind_too(tmp_path: Path) -> None:
    """The tightest limit rules."""
    loose = propose(spec(tmp_path, more="limits: {requests: 4000}"))[1].proposals[0].affordable
    tight = (
        propose(spec(tmp_path, more="limits: {requests: 4000, tokens: 100000}"))[1].proposals[0].affordable
    )
    assert loose is not None
    assert tight is not None
    assert tight.outputs < loose.outputs


def test_a_plan_that_sees_nothing_says_so_in_place_of_a_size(tmp_path: Path) -> None:
    """`plan` prints no disparity above 100 points, but what would be needed."""
    path = spec(tmp_path, templates=2, repeats=1)
    path.write_text(path.read_text().replace("[lending, hiring]", "[lending]"))
    command = [sys.executable, "-m", "audit", "plan", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert re.search(
        r"cannot see any disparity of this measure with 2 templates .* needs \d+ templates", told
    )
    assert "not measured: 2 templates; at least 12 are needed to state anything" in told
    assert not re.search(r"\b[1-9]\d\d+\.\d points", told)


def test_too_few_templates_see_nothing_and_are_never_proposed(tmp_path: Path) -> None:
    """Below 12 templates no verdict is reached, so no size, chance or design rests on fewer."""
    path = spec(tmp_path, templates=8, margin=0.4, more="limits: {requests: 60}")
    path.write_text(path.read_text().replace("[lending, hiring]", "[lending]"))
    (one,) = propose(path)[1].proposals
    assert one.templates == 8
    assert one.smallest_detectable is one.smallest_detectable_in_family is None
    assert one.chance_found_at_margin == one.chance_equivalent == 0
    assert one.cheapest is not None
    assert one.cheapest_sure is not None
    assert min(one.cheapest.templates, one.cheapest_sure.templates) >= 12
    assert one.cheapest.chance_equivalent >= 0.8
    assert one.affordable is None
    command = [sys.executable, "-m", "audit", "plan", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "not measured by itself: 8 templates; at least 12 are needed" in told
    assert "in 4 of 5 runs" not in told


def test_a_table_of_too_few_templates_is_told_what_would_decide(tmp_path: Path) -> None:
    """Where a probe has fewer than 12 templates no repeats help, whatever the margin."""
    rows = [
        f"s{n},{group},Person {n} of the {group}s asks for a place. Answer yes or no."
        for n in range(6)
        for group in ("a", "b")
    ]
    (tmp_path / "rows.csv").write_text("\n".join(["case,group,text", *rows]) + "\n")
    path = tmp_path / "table.yaml"
    path.write_text(TABLE)
    (one,) = propose(path)[1].proposals
    assert one.cheapest is one.cheapest_sure is None
    assert one.impossible is not None
    assert re.match(
        r"6 templates do not decide at 40 points, nor anything else; \d+ templates x \d repeats would decide",
        one.impossible,
    )


TABLE = """\
version: 1
name: table
target: {type: specimen}
probes:
  - use: public/table
    path: rows.csv
    prompt: text
    template: case
    set: case
    group: group
    fixed:
      attribute: kind
      reference: a
      domain: places
      signal: explicit
      options: ["yes", "no"]
      favourable: "yes"
analyzers: [decision]
judgement: {smallest_disparity_of_concern: 0.4}
"""


def test_a_pilot_gives_the_variances(tmp_path: Path) -> None:
    """From a run of the specimen the planted spread and noise come out, and the source is named."""
    path = spec(tmp_path, templates=30, repeats=3)
    run = api.create_run(api.load_spec(path), tmp_path / "pilot", root=tmp_path, where="spec.yaml")
    with pytest.raises(InputError, match="has no scored answers"):
        propose(path, tmp_path / "pilot")
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    _, found = propose(path, tmp_path / "pilot")
    (one,) = found.proposals
    assert one.variances.source == "pilot (favourable_rate, 60 templates)"
    assert one.variances.noise_sd == pytest.approx(0.68, abs=0.06)
    assert one.variances.slope_sd is not None
    assert 0.0 <= one.variances.slope_sd < 0.25


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "templates: 12",
            "templates: 12\n    merit: [borderline]",
            "has one pair of answers in each template",
        ),
        ("templates: 12", "templates: 1", "has pairs of answers of 1 template in a domain"),
        ("rate: 0.6, slope_sd: 0.1", "rate: 1.0, slope_sd: 0.0", "differ alike"),
    ],
)
def test_a_pilot_that_tells_no_variance_says_why(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """Scores that are there are not said to be missing: what cannot be told is named."""
    path = spec(tmp_path, repeats=1)
    path.write_text(path.read_text().replace(old, new))
    run = api.create_run(api.load_spec(path), tmp_path / "pilot", root=tmp_path, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    with pytest.raises(InputError, match=reason) as caught:
        propose(path, tmp_path / "pilot")
    assert "scored" not in str(caught.value)
    assert "repeats: 2" in (caught.value.next_step or "")


@pytest.mark.parametrize("margin", [0.036, 0.037])
def test_a_plan_that_cannot_decide_names_a_power_below_the_one_asked_for(
    tmp_path: Path, margin: float
) -> None:
    """The chances told are those of repeats that are considered, where only endless ones would decide."""
    (one,) = propose(spec(tmp_path, margin=margin))[1].proposals
    assert one.impossible is not None
    found, equal = (float(chance) for chance in re.findall(r"in ([0-9.]+) % (?:and|of runs)", one.impossible))
    assert found < 80 < equal


def test_a_pilot_of_something_else_is_told_and_replaces_what_is_assumed(tmp_path: Path) -> None:
    """One line warns of another target and of missing domains; the lines that assume variances are gone."""
    other = tmp_path / "other"
    other.mkdir()
    path = other / "spec.yaml"
    small = SPEC.format(templates=12, margin=0.1, repeats=1, more="")
    path.write_text(small.replace("0.6", "0.7").replace("[lending, hiring]", "[lending]"))
    run = api.create_run(api.load_spec(path), other / "pilot", root=other, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    command = [sys.executable, "-m", "audit", "plan", str(spec(tmp_path)), "--pilot", str(other / "pilot")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    (warning,) = [line for line in told.splitlines() if line.startswith("warning:")]
    assert "another target" in warning
    assert "without the domains hiring" in warning
    assert "whose effects spread" not in told


def test_equal_lines_are_told_once(tmp_path: Path) -> None:
    """Attributes that the plan treats alike share one block."""
    path = spec(tmp_path)
    path.write_text(path.read_text().replace("[gender]", "[gender, age]"))
    told = subprocess.run(
        [sys.executable, "-m", "audit", "plan", str(path)], capture_output=True, text=True, check=True
    ).stderr
    assert told.count("sees differences of") == 1
    assert told.count("calls a true 0 equivalent within") == 1
    assert "age (explicit), gender (explicit), favourable_rate, pooled" in told


def test_the_command_prints_proposals(tmp_path: Path) -> None:
    """For people in sentences, for programs as JSON beside the plan."""
    path = spec(tmp_path)
    command = [sys.executable, "-m", "audit", "plan", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "decides at 10 points in 80 % of runs" in told.stderr
    printed = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    content = json.loads(printed.stdout)
    assert content["requests"] > 0
    assert content["proposals"]["proposals"][0]["attribute"] == "gender"


COMPARED = """\
version: 1
name: compared
seed: 5
target: {type: specimen, preferences: {gender: {female: -0.3}}}
repeats: 2
probes:
  - {use: bias/ranking, attributes: [gender], templates: 14, signals: [explicit]}
analyzers: [decision]
"""


def test_what_is_no_rate_is_planned_from_a_pilot_in_its_own_unit(tmp_path: Path) -> None:
    """Ranked lists have no assumed variance; a pilot's is taken, and nothing is told in points."""
    path = tmp_path / "spec.yaml"
    path.write_text(COMPARED)
    (blind,) = [one for one in propose(path)[1].proposals if one.attribute == "gender"]
    assert (blind.measure, blind.unit, blind.margin) == ("list_rank", "place in [0, 1]", 0.05)
    assert blind.variances.source == "not known without a pilot"
    assert (blind.smallest_detectable, blind.cheapest, blind.chance_equivalent) == (None, None, None)
    assert "--pilot RUN" in blind.unknown[0]
    run = api.create_run(api.load_spec(path), tmp_path / "pilot", root=tmp_path, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    (one,) = [one for one in propose(path, tmp_path / "pilot")[1].proposals if one.attribute == "gender"]
    assert one.variances.source.startswith("pilot (list_rank, ")
    assert (one.variances.unit, one.unknown) == (one.unit, ())
    assert one.variances.noise_sd is not None
    assert 0.1 < one.variances.noise_sd < 1.0
    assert one.smallest_detectable is not None
    command = [sys.executable, "-m", "audit", "plan", str(path), "--pilot", str(tmp_path / "pilot")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "place in [0, 1] in 4 of 5 runs if asked alone" in told
    assert "points" not in told


TEXTS = """\
version: 1
name: texts
seed: 5
target: {type: specimen}
probes:
  - {use: public/table, path: own.csv, prompt: prompt, template: t, set: s, group: g, attribute: a,
     reference: r, fixed: {signal: explicit, norm: must_not_differ}}
analyzers: [quality]
judgement: {margins: {reply_words: 12}}
"""


def test_texts_are_planned_in_every_measure_and_margins_asked_for(tmp_path: Path) -> None:
    """Where no measure is main all are primary; one without a margin says how to give it one."""
    rows = [f"tell {i} of {g},t{i},s{i},{g},gender,male" for i in range(14) for g in ("female", "male")]
    (tmp_path / "own.csv").write_text("\n".join(["prompt,t,s,g,a,r", *rows]) + "\n")
    path = tmp_path / "spec.yaml"
    path.write_text(TEXTS)
    found = propose(path)[1]
    by_measure = {one.measure: one for one in found.proposals}
    assert set(by_measure) == {"in_language_rate", "courteous_rate", "reply_words", "reading_grade"}
    assert found.primary_contrasts == 4
    assert by_measure["courteous_rate"].smallest_detectable is not None
    assert (by_measure["reply_words"].margin, by_measure["reading_grade"].margin) == (12, 1.0)
    path.write_text(TEXTS.replace("judgement: {margins: {reply_words: 12}}\n", ""))
    told = subprocess.run(
        [sys.executable, "-m", "audit", "plan", str(path)], capture_output=True, text=True, check=True
    ).stderr
    assert "reply_words has no margin of concern: give one in words in the spec" in told
    assert "judgement: {margins: {reply_words: 2}}" in told
    assert "reply_words: what it sees is not known without a pilot" in told


def test_what_is_not_primary_is_named_beside(tmp_path: Path) -> None:
    """Contrasts that the spec does not name get no proposal at a rate that they do not have."""
    path = spec(tmp_path)
    text = path.read_text().replace("[gender]", "[gender, age]")
    rule = "judgement: {primary: [{measure: favourable_rate, attribute: age}], "
    path.write_text(text.replace("judgement: {", rule))
    found = propose(path)[1]
    assert {one.attribute for one in found.proposals} == {"age"}
    assert found.beside == ("gender (explicit) of bias/decisions in favourable_rate",)
