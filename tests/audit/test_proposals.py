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
    assert one.smallest_detectable < one.smallest_detectable_in_family
    assert one.cheapest is not None
    assert one.cheapest_sure is not None
    assert one.templates < one.cheapest.templates <= 88
    assert one.cheapest.outputs < one.cheapest_sure.outputs
    assert one.cheapest.smallest_detectable <= one.margin
    assert one.cheapest.chance_equivalent >= 0.8
    assert one.affordable is None
    assert one.impossible is None


def test_primary_contrasts_are_those_that_the_spec_names(tmp_path: Path) -> None:
    """Each measure of each group named counts once, and the more there are the less one of them sees."""

    def found(rules: str) -> tuple[int, float]:
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
    assert seen[0] < seen[1] < seen[2]


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
    assert 0.0 <= one.variances.slope_sd < 0.25


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
    assert "age (explicit), gender (explicit), pooled" in told


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
