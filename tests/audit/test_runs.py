"""Runs on disk: going on, refusing another spec, damage, and moving house."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from audit import api
from audit.errors import AuditError, IncompleteError, InputError, SpecError, StoreError
from audit.planned_run import Run, open_run
from audit.runs import create_run, preview_plan, score
from audit.spec import Spec, dump_spec, load_spec
from audit.store.store import Store

SPEC = """\
version: 1
name: own questions
seed: {seed}
target: {{type: recorded, path: said.jsonl, by: source_id}}
probes: [{{use: public/table, path: asked.csv, prompt: prompt, options: options}}]
analyzers: [decision]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a table of questions, recorded answers and a spec."""
    home = tmp_path / "home"
    home.mkdir()
    rows = "".join(f"Lend to client {n}?,yes|no\n" for n in range(5))
    (home / "asked.csv").write_text(f"prompt,options\n{rows}")
    answers = [{"prompt_id": str(n + 1), "text": "yes" if n % 2 else "no"} for n in range(5)]
    (home / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    (home / "spec.yaml").write_text(SPEC.format(seed=7))
    return home


def created(home: Path, out: str = "runs/first") -> Run:
    """The run of the home's spec."""
    path = home / "spec.yaml"
    return create_run(load_spec(path), home / out, root=home, where=str(path))


def collected(run: Run) -> int:
    """Collect, score and find; how many outputs the store then has an answer for."""
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    return api.find(run).counts["target"].answered


def test_run_is_planned_once_and_opened_afterwards(home: Path) -> None:
    """The same spec and folder are the same run: nothing is planned or asked again."""
    first = created(home)
    assert collected(first) == 5
    again = created(home)
    assert again.plan == first.plan
    assert again.spec == first.spec
    with again.store(read_only=True) as store:
        assert list(store.pending(["target"], 1, 0)) == []
    assert again.roles == ("target",)


def test_stages_can_be_run_again_and_give_the_same_bytes(home: Path) -> None:
    """Scoring again reads nothing new, and findings.json is the same file."""
    run = created(home)
    collected(run)
    before = run.folder.findings.read_bytes()
    assert api.score(run) == 0
    api.find(run)
    assert run.folder.findings.read_bytes() == before


def test_changed_spec_is_refused_with_the_lines_that_differ(home: Path) -> None:
    """A folder belongs to one spec; the difference is shown in the spec's own words."""
    created(home)
    (home / "spec.yaml").write_text(SPEC.format(seed=8) + "repeats: 2\n")
    with pytest.raises(StoreError) as caught:
        created(home)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("holds a run of another spec; they differ in")
    assert lines[1:] == ["  was: seed: 7", "  now: seed: 8", "  was: repeats: 1", "  now: repeats: 2"]
    assert caught.value.next_step is not None


def test_comments_and_order_of_keys_do_not_change_a_spec(home: Path) -> None:
    """What counts is what the spec says, not how it is written."""
    first = created(home)
    lines = SPEC.format(seed=7).splitlines()
    (home / "spec.yaml").write_text("# the same\n" + "\n".join(reversed(lines)) + "\n")
    assert created(home).plan == first.plan


def test_a_run_from_before_a_key_existed_goes_on(home: Path) -> None:
    """Defaults that came later make no other spec of one that nobody has changed."""
    first = created(home)
    kept = first.folder.spec
    later = ("  calibration: null\n", "  labels: null\n", "  control_features: []\n")
    text = kept.read_text(encoding="utf-8")
    for line in later:
        assert line in text
        text = text.replace(line, "")
    kept.write_text(text, encoding="utf-8")
    assert created(home).plan == first.plan
    (home / "spec.yaml").write_text(SPEC.format(seed=8))
    with pytest.raises(StoreError, match=r"they differ in\n  was: seed: 7\n  now: seed: 8$"):
        created(home)


def test_folder_that_holds_something_else_is_left_alone(home: Path) -> None:
    """A run never moves into a folder with other files."""
    other = home / "runs" / "first"
    other.mkdir(parents=True)
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="is not empty and holds no run"):
        created(home)
    assert [one.name for one in other.iterdir()] == ["thesis.txt"]


def test_answers_are_never_cleared_away_with_a_lost_plan(home: Path) -> None:
    """A run whose plan.json is gone is no unfinished plan: its answers were paid for and stay."""
    run = created(home)
    collected(run)
    plan = run.folder.plan.read_bytes()
    run.folder.plan.unlink()
    with pytest.raises(StoreError, match=r"holds outputs, but its plan\.json is missing"):
        created(home)
    run.folder.plan.write_bytes(plan)
    assert collected(created(home)) == 5


def test_unknown_analyzer_is_told_before_anything_is_stored(home: Path) -> None:
    """A mistake in the spec costs no answer: it is found before the run has a folder."""
    path = home / "spec.yaml"
    path.write_text(SPEC.format(seed=7).replace("[decision]", "[decisoin]"))
    with pytest.raises(AuditError, match=r"analyzers\[0\]\.use: unknown name 'decisoin'"):
        created(home)
    assert not (home / "runs").exists()
    with pytest.raises(AuditError, match="decisoin"):
        api.preview_plan(path)


def test_a_control_feature_that_no_prompt_has_is_refused(home: Path) -> None:
    """A misspelt tag would control for nothing, silently."""
    path = home / "spec.yaml"
    path.write_text(SPEC.format(seed=7) + "judgement: {control_features: [merrit]}\n")
    message = r"judgement\.control_features: no prompt has the tag 'merrit'; accepted: "
    with pytest.raises(SpecError, match=message):
        preview_plan(path)
    with pytest.raises(SpecError, match=message):
        created(home)


def test_unreadable_spec_of_a_run_is_refused_in_words(home: Path) -> None:
    """Damage to the kept spec is one line of error."""
    created(home).folder.spec.write_bytes(b"\xff\x00")
    with pytest.raises(StoreError, match="holds a run of another spec"):
        created(home)


def test_unfinished_plan_is_made_anew(home: Path) -> None:
    """A process killed while planning leaves nothing that hinders the next one."""
    out = home / "runs" / "first"
    Store.create(out).close()
    assert created(home).plan.prompts == 5
    assert collected(created(home)) == 5


def test_plan_in_the_making_is_not_taken_away(home: Path) -> None:
    """Where another process is planning, its store is left as it is."""
    out = home / "runs" / "first"
    with Store.create(out) as store:
        with pytest.raises(StoreError, match="another process"):
            created(home)
        store.set_meta("still", "here")
    with Store.open(out, read_only=True) as store:
        assert store.get_meta("still") == "here"


def test_damaged_parts_are_named(home: Path) -> None:
    """A damaged plan or spec, and a missing store, are each one line that names the file."""
    run = created(home)
    kept = run.folder.plan.read_text()
    for damage in ("", "{", '{"name": 1}', kept.replace('"seed": 7', '"seed": NaN')):
        run.folder.plan.write_text(damage)
        with pytest.raises(StoreError, match=r"plan\.json: is damaged: ") as caught:
            open_run(run.folder.path)
        assert "\n" not in str(caught.value)
    run.folder.plan.write_text(kept)
    spec = run.folder.spec.read_bytes()
    run.folder.spec.write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match=r"spec\.yaml: cannot be read"):
        open_run(run.folder.path)
    run.folder.spec.write_bytes(spec)
    run.folder.database.unlink()
    with pytest.raises(StoreError, match=r"run\.sqlite: no such file"):
        open_run(run.folder.path)


def test_folder_without_a_run_is_no_run(tmp_path: Path) -> None:
    """An empty or absent folder is named, with what makes a run."""
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(StoreError, match="holds no run") as caught:
            open_run(path)
        assert caught.value.next_step is not None


def test_store_of_another_program_is_refused(home: Path) -> None:
    """A store without the folder of its spec was not written by a plan."""
    run = created(home)
    run.folder.database.unlink()
    Store.create(run.folder.path).close()
    with pytest.raises(StoreError, match="lacks the entry `root`"):
        open_run(run.folder.path)


def test_run_and_spec_can_move_together(home: Path, tmp_path: Path) -> None:
    """Paths are kept relative: a copied folder resumes where it lies now, and reads the files beside it."""
    created(home)
    moved = tmp_path / "elsewhere" / "deep"
    shutil.copytree(home, moved)
    shutil.rmtree(home)
    run = open_run(moved / "runs" / "first")
    assert run.root.resolve() == moved.resolve()
    assert collected(run) == 5
    assert str(home) not in run.folder.findings.read_text()


def test_run_without_its_answers_says_which_file_is_missing(home: Path) -> None:
    """A run that moved alone still opens and scores; only asking needs the missing file, and names it."""
    run = created(home)
    collected(run)
    (home / "said.jsonl").unlink()
    opened = open_run(run.folder.path)
    assert api.score(opened) == 0
    with pytest.raises(AuditError, match=r"said\.jsonl: no such file"):
        asyncio.run(api.collect(opened, secrets={}))


def test_recorded_answers_that_lack_a_row_are_errors_and_not_empty(home: Path) -> None:
    """Counts add up to what was planned, with what is missing counted as missing."""
    lines = (home / "said.jsonl").read_text().splitlines(keepends=True)
    (home / "said.jsonl").write_text("".join(lines[:4]))
    run = created(home)
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    counts = api.find(run).counts["target"]
    assert (counts.planned, counts.answered, counts.errored, counts.not_asked) == (5, 4, 1, 0)


def test_findings_that_are_missing_or_damaged_say_what_to_type(home: Path) -> None:
    """What a run found is read back whole or not at all."""
    run = created(home)
    with pytest.raises(InputError, match="no findings yet") as caught:
        api.load_document(run)
    assert caught.value.next_step == f"evenhand findings {run.folder.path}"
    for damage in ("{", '{"run": 1}', ""):
        run.folder.findings.write_text(damage)
        with pytest.raises(InputError, match="is damaged or of another version"):
            api.load_document(run)


def test_runs_of_other_prompts_or_analyzers_cannot_be_compared(home: Path) -> None:
    """A comparison of different questions is refused with its reason, and the same run has no change."""
    first = created(home)
    collected(first)
    same = api.compare(first, first)
    assert same.not_comparable is None
    assert all(change.change == 0.0 for change in same.changes if change.change is not None)
    (home / "asked.csv").write_text("prompt,options\n" + "".join(f"Hire {n}?,yes|no\n" for n in range(5)))
    other = created(home, "runs/other")
    collected(other)
    assert "different prompts" in (api.compare(first, other).not_comparable or "")
    document = api.load_document(first)
    changed = document.model_copy(update={"analyzers": {"decision": "0"}})
    other.folder.findings.write_text(changed.model_dump_json())
    reason = api.compare(first, other).not_comparable or ""
    read_by = document.analyzers["decision"]
    assert f"different analyzers: decision {read_by} in before and 0 in after; score the older run" in reason
    changed = document.model_copy(update={"analyzers": {**document.analyzers, "toxicity": "1"}})
    other.folder.findings.write_text(changed.model_dump_json())
    reason = api.compare(first, other).not_comparable or ""
    assert "toxicity none in before and 1 in after; name the same analyzers" in reason


def test_thresholds_for_measures_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    """A misspelt measure would hold for nothing in silence; each is one line with the accepted names."""
    spec = Spec.model_validate(
        {
            "version": 1,
            "name": "typo",
            "target": {"type": "specimen"},
            "probes": [{"use": "safety/benign"}],
            "analyzers": ["refusal"],
            "judgement": {"margins": {"favorable_rate": 0.1}},
            "gate": [{"measure": "refusals", "fail_if": "ci_low > 0.1"}],
        }
    )
    with pytest.raises(SpecError) as raised:
        create_run(spec, tmp_path / "run", root=tmp_path, where="spec.yaml")
    lines = str(raised.value).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(
        "spec.yaml: judgement.margins: no measure 'favorable_rate' (did you mean favourable_rate"
    )
    assert "; accepted: favourable_rate, " in lines[0]
    assert lines[1].startswith("spec.yaml: gate[0].measure: no measure 'refusals'")


def test_primary_contrasts_that_nothing_asks_about_are_refused(tmp_path: Path) -> None:
    """A share of the rate for a question that is not asked would be lost: refused, with what is asked."""
    asked = {
        "version": 1,
        "name": "typo",
        "target": {"type": "specimen"},
        "probes": [
            {"use": "bias/decisions", "domains": ["lending"], "attributes": ["gender"], "templates": 12}
        ],
        "analyzers": ["decision"],
    }
    women = {"measure": "favourable_rate", "group": "female", "domain": "all"}
    bad = [{**women, "group": "women"}, {**women, "domain": "hiring"}, women]
    spec = Spec.model_validate({**asked, "judgement": {"primary": bad}})
    with pytest.raises(SpecError) as raised:
        create_run(spec, tmp_path / "run", root=tmp_path, where="spec.yaml")
    lines = str(raised.value).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("spec.yaml: judgement.primary[0]: the plan asks nothing about group 'women'")
    assert "it asks about group: female, nonbinary" in lines[0]
    assert "hiring" in lines[1]
    path = tmp_path / "spec.yaml"
    path.write_text(dump_spec(spec))
    with pytest.raises(SpecError, match="asks nothing about"):
        preview_plan(path)
    misspelt = {"primary": [{"measure": "favorable_rate"}]}
    with pytest.raises(SpecError, match=r"judgement.primary\[0\].measure: no measure 'favorable_rate'"):
        create_run(
            Spec.model_validate({**asked, "judgement": misspelt}),
            tmp_path / "other",
            root=tmp_path,
            where="spec.yaml",
        )


def test_findings_wait_until_every_analyzer_has_read_everything(tmp_path: Path) -> None:
    """A half-scored run is not estimated as if the rest did not exist."""
    spec = Spec.model_validate(
        {
            "version": 1,
            "name": "half",
            "target": {"type": "specimen"},
            "probes": [{"use": "safety/benign", "goals_per_category": 1}],
            "analyzers": ["refusal"],
        }
    )
    run = create_run(spec, tmp_path / "run", root=tmp_path, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    with pytest.raises(IncompleteError, match="refusal has not read every output"):
        api.find(run)
    score(run)
    assert set(api.find(run).analyzers) == {"refusal"}
