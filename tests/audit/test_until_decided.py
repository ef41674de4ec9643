"""Runs until decided, from the spec to the findings, on the specimen."""

import asyncio
import math
from collections import Counter
from pathlib import Path

import pytest

from audit import api
from audit.collection.progress import Progress
from audit.errors import BudgetReachedError, StoreError
from audit.findings.document import RunDocument, flattened
from audit.looks import SequentialRule
from audit.records import Verdict
from audit.spec import parse_spec

SPEC = """\
version: 1
name: until
seed: 5
target: {{type: specimen, favourable_rate: 0.6, gaps: {{gender: {{female: {gap}, nonbinary: 0.0}}}}}}
repeats: 4
probes:
  - use: bias/decisions
    domains: [lending, hiring]
    attributes: [gender]
    signals: [explicit]
    placebos: [resample]
    merit: [borderline]
    templates: 30
analyzers: [decision]
judgement: {{smallest_disparity_of_concern: {margin}}}
{more}
"""


QUARTERS = SequentialRule(looks=(0.25, 0.5, 0.75, 1.0))


def planned(
    folder: Path,
    *,
    gap: float = -0.35,
    margin: float = 0.25,
    more: str = "",
    rule: SequentialRule | None = None,
) -> api.Run:
    """A planned run until decided."""
    spec = parse_spec(SPEC.format(gap=gap, more=more, margin=margin), "spec.yaml")
    return api.create_run(spec, folder, root=folder.parent, where="spec.yaml", sequential=rule or QUARTERS)


def collected(run: api.Run, seen: list[Progress] | None = None) -> RunDocument:
    """Collect, score, find."""
    asyncio.run(api.collect(run, secrets={}, progress=None if seen is None else seen.append))
    api.score(run)
    return api.find(run)


Done = tuple[api.Run, RunDocument, list[Progress]]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A finished run with a large gap and a null."""
    run = planned(tmp_path_factory.mktemp("runs") / "run")
    seen: list[Progress] = []
    return run, collected(run, seen), seen


def test_decided_early_and_counted(done: Done) -> None:
    """A gap and a null end early; counts add up with the reason, and progress says so."""
    run, document, seen = done
    report = document.sequential
    assert report is not None
    counts = document.counts["target"]
    assert 0 < counts.decided_early == counts.not_asked == report.saved == seen[-1].not_needed
    assert report.asked + report.saved == report.planned == run.plan.requests
    assert seen[-1].done == report.asked
    assert report.lost == 0
    leading = {one.group: one for one in report.comparisons if one.leading}
    assert leading["female"].verdict is Verdict.DISPARITY
    assert leading["nonbinary"].verdict is Verdict.EQUIVALENT
    assert leading["female"].look <= leading["nonbinary"].look <= report.looks_made < 4
    assert leading["female"].planned_templates == 60
    assert leading["female"].templates == 2 * math.ceil(7.5 * leading["female"].look)
    stated = [one for one in document.estimates if one.measure == "favourable_rate" and one.group]
    assert stated
    first = next(one for one in document.findings if one.estimate.group == "female")
    assert first.estimate.early_look is not None
    assert f"at look {first.estimate.early_look}: its size tends to lie too far from 0" in first.claim
    assert all("repeated interval at look" in one.method for one in stated)
    assert flattened(document, every=False)["sequential"] == report.model_dump(mode="json")
    assert "decided_early" not in str(flattened(document, every=False)["counts"])


def test_same_spec_and_seed_decide_the_same(done: Done, tmp_path: Path) -> None:
    """Two runs of one spec have the same bytes."""
    assert collected(planned(tmp_path / "two")).model_dump_json() == done[1].model_dump_json()


def test_whole_templates_are_asked(done: Done) -> None:
    """Of each template all repeats of a group and arm are asked, or (once decided) none."""
    run, _, _ = done
    with run.store(read_only=True) as store:
        frame = store.frame("target")
    first = frame[~frame["output"].duplicated()]
    cells = Counter(
        zip(first["domain"], first["template"], first["grp"].astype(str), first["arm"], strict=True)
    )
    assert set(cells.values()) == {4}


def test_a_limit_stops_and_resume_goes_on(done: Done, tmp_path: Path) -> None:
    """What is left for a limit is told apart from what was decided, and resuming decides as if unbroken."""
    run = planned(tmp_path / "cut", more="limits: {requests: 500}")
    with pytest.raises(BudgetReachedError):
        asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    halfway = api.find(run)
    assert halfway.counts["target"].decided_early < halfway.counts["target"].not_asked
    assert halfway.sequential is not None
    assert halfway.sequential.looks_made < 4
    for _ in range(20):
        try:
            asyncio.run(api.collect(run, secrets={}, more={"requests": 500}))
        except BudgetReachedError:
            continue
        break
    api.score(run)
    assert api.find(run).estimates == done[1].estimates


def test_nothing_is_claimed_before_a_look(tmp_path: Path) -> None:
    """With a first look cut short no comparison is stated."""
    run = planned(tmp_path / "run", more="limits: {requests: 10}")
    with pytest.raises(BudgetReachedError):
        asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    document = api.find(run)
    assert not [one for one in document.estimates if one.kind == "disparity"]
    assert document.sequential is not None
    assert document.sequential.looks_made == 0
    assert document.sequential.lost is None


def test_undecided_to_the_end_says_what_looking_cost(tmp_path: Path) -> None:
    """Where the margin is too small for the plan, every template is asked and the cost is counted."""
    document = collected(planned(tmp_path / "run", gap=0.0, margin=0.02))
    report = document.sequential
    assert report is not None
    assert report.looks_made == 4
    assert report.lost is not None
    assert report.saved == 0


def test_changes_against_a_baseline_hold_at_every_look(tmp_path: Path) -> None:
    """With something left out, changes and rates are stated at the level of that look and say so."""
    document = collected(planned(tmp_path / "run", more="baseline: {type: specimen, favourable_rate: 0.6}"))
    assert document.sequential is not None
    assert document.sequential.rate_look is not None
    assert set(document.counts) == {"target", "baseline"}
    assert document.against_baseline
    assert all("repeated interval at look" in one.method for one in document.against_baseline)
    assert all("repeated interval at look" in one.method for one in document.group_rates)
    assert {one.level for one in document.against_baseline} == {0.95}


def test_runs_that_stopped_early_compare_at_the_level_of_their_look(done: Done) -> None:
    """Comparing two of them widens the intervals of the changes, and says so."""
    found = api.compare(done[0], done[0])
    assert found.changes
    assert all("repeated interval at look" in one.method for one in found.changes)


def test_a_full_run_and_one_that_stopped_early_stand_on_the_same_prompts(done: Done, tmp_path: Path) -> None:
    """Before, after and change are of the prompts that both asked: equal answers have not moved at all."""
    spec = done[0].spec
    full = api.create_run(spec, tmp_path / "full", root=tmp_path, where="spec.yaml")
    document = collected(full)
    moved = {(one.measure, one.group, one.domain): one for one in api.compare(full, done[0]).changes}
    gap = moved["favourable_rate", "female", "all"]
    stated = next(
        one
        for one in document.estimates
        if (one.measure, one.group, one.domain) == ("favourable_rate", "female", "all")
    )
    assert gap.before != stated.point
    for one in moved.values():
        if one.before is None or one.after is None or one.change is None:
            continue
        assert one.after - one.before == pytest.approx(one.change, abs=1e-9), one.measure
    assert any("prompts that both runs asked" in reason for reason in gap.reasons)
    assert gap.before_group_rate == gap.after_group_rate


def test_the_mode_belongs_to_the_run(done: Done, tmp_path: Path) -> None:
    """A folder planned one way is not gone on with in another."""
    run, _, _ = done
    assert api.open_run(run.folder.path).plan.sequential == QUARTERS
    with pytest.raises(StoreError, match="planned with --until-decided"):
        api.create_run(run.spec, run.folder.path, root=tmp_path, where="spec.yaml")
    with pytest.raises(StoreError, match="cannot change afterwards"):
        planned(run.folder.path, rule=SequentialRule(decide="every"))
    plain = api.create_run(run.spec, tmp_path / "plain", root=tmp_path, where="spec.yaml")
    with pytest.raises(StoreError, match="all its prompts to be asked"):
        planned(plain.folder.path)


SAFETY = SPEC.replace(
    "analyzers: [decision]",
    "  - {{use: safety/benign, goals_per_category: 3}}\nanalyzers: [decision, refusal]",
).replace("repeats: 4", "repeats: 2")


def test_rates_that_are_asked_in_full_are_one_analysis(tmp_path: Path) -> None:
    """A run that stops its comparisons early states its safety rates as a run that asks everything does."""
    spec = parse_spec(SAFETY.format(gap=-0.35, margin=0.25, more=""), "spec.yaml")
    made = [
        api.create_run(spec, tmp_path / name, root=tmp_path, where="spec.yaml", sequential=rule)
        for name, rule in (("short", QUARTERS), ("full", None))
    ]
    short, full = (collected(run) for run in made)
    assert short.sequential is not None
    assert short.sequential.stopped_probes == ("bias/decisions",)
    rates = [
        [
            one.model_dump(exclude={"p_adjusted"})
            for one in document.estimates
            if one.kind == "rate" and one.probe == "safety/benign"
        ]
        for document in (short, full)
    ]
    assert len(rates[0]) > 1
    assert rates[0] == rates[1]
