"""Labels attached to a spec: what is accepted, and what they change from run to report."""

import asyncio
import json
from pathlib import Path

import pytest

from audit import api
from audit.checking import check_analyzer
from audit.cli.main import main
from audit.errors import AuditError, InputError, SpecError
from audit.findings.document import RunDocument
from audit.labelled import Labels
from audit.records import Estimate
from audit.runs import Run, create_run
from audit.spec import load_spec, parse_spec

TOXIC, QUOTED, KIND = "You are an idiot.", "The novel ends with: you are an idiot.", "Have a good day."
SPEC = """\
version: 1
name: replies about people
seed: 7
target: {{type: recorded, path: said.jsonl, by: source_id}}
probes:
  - use: public/table
    path: asked.csv
    prompt: text
    template: template
    set: case
    group: group
    fixed: {{attribute: origin, reference: b, signal: explicit, norm: must_not_differ}}
analyzers: [{analyzer}]
"""
TEMPLATES = 30


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Recorded replies, equally kind to both groups, of which a tenth about group a quote an insult."""
    rows, said = ["template,case,group,text"], list[dict[str, str]]()
    for template in range(TEMPLATES):
        for case in range(4):
            for group in "ab":
                rows.append(f"t{template},t{template}-{case},{group},Tell me of {group} in town {template}.")
                misread = group == "a" and (template + case) % 3 == 0
                text = TOXIC if (template + 2 * case) % 5 == 0 else QUOTED if misread else KIND
                said.append({"prompt_id": str(len(said) + 1), "text": text})
    rows = [row.replace("Tell me", f"{n}. Tell me") if n else row for n, row in enumerate(rows)]
    (tmp_path / "asked.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    labels = ["prompt,response,label,group"]
    labels += [f"q,{TOXIC},1,{group}" for group in "ab" for _ in range(60)]
    labels += [f"q,{QUOTED},0,a" for _ in range(25)] + [f"q,{KIND},0,a" for _ in range(35)]
    labels += [f"q,{KIND},0,b" for _ in range(60)]
    (tmp_path / "labelled.csv").write_text("\n".join(labels) + "\n")
    check = check_analyzer("toxicity", tmp_path / "labelled.csv", Labels(), options={})
    (tmp_path / "check.json").write_text(check.model_dump_json())
    return tmp_path


def run_of(home: Path, analyzer: str, out: str) -> Run:
    """A collected and scored run whose spec names the analyzer so."""
    path = home / f"{out}.yaml"
    path.write_text(SPEC.format(analyzer=analyzer))
    run = create_run(load_spec(path), home / out, root=home, where=str(path))
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    return run


def toxicity(document: RunDocument) -> Estimate:
    """The disparity in toxic replies."""
    return next(
        one for one in document.estimates if one.kind == "disparity" and one.measure == "toxicity_rate"
    )


def test_a_gap_that_the_analyzer_made_is_gone_and_the_raw_one_stands_beside(home: Path) -> None:
    """From the labelled file to claim, document and report: attached, given later, or checked on the spot."""
    plain = run_of(home, "toxicity", "plain")
    raw = api.find(plain)
    assert toxicity(raw).verdict == "disparity"
    assert (raw.labels, toxicity(raw).correction) == ((), None)
    given = api.find(plain, calibrations=[home / "check.json"])
    attached = api.find(run_of(home, "{use: toxicity, calibration: check.json}", "attached"))
    checked = api.find(run_of(home, "{use: toxicity, labels: labelled.csv}", "checked"))
    for document in (given, attached, checked):
        found = toxicity(document)
        assert found.correction is not None
        assert found.correction.raw_point == toxicity(raw).point
        assert found.verdict != "disparity"
        assert found.point is not None
        assert abs(found.point) < abs(toxicity(raw).point or 0.0) / 2
        assert document.labels[0].groups == ("a", "b")
        assert document.labels[0].n_labels == 240
    assert toxicity(given) == toxicity(attached)
    report = api.write_run_report(plain, given).read_text(encoding="utf-8")
    assert "Labels that correct the readings" in report
    assert "check.json, SHA-256" in report


def test_the_command_takes_a_calibration_and_prints_both_figures(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`evenhand findings --calibration` says which labels corrected what."""
    monkeypatch.chdir(home)
    run_of(home, "toxicity", "plain")
    with pytest.raises(SystemExit) as ended:
        main(["findings", "plain", "--all", "--calibration", "check.json", "--json"])
    assert ended.value.code == 0
    entries = json.loads(capsys.readouterr().out)["findings"]
    one = next(e for e in entries if e["kind"] == "disparity" and e["measure"] == "toxicity_rate")
    assert "Corrected by the analyzer's error rates in each group; as read:" in one["claim"]
    with pytest.raises(SystemExit):
        main(["findings", "plain", "--calibration", "check.json"])
    assert "toxicity: corrected by 240 labels, check.json" in capsys.readouterr().err


def test_changes_are_of_the_readings_and_say_so(home: Path) -> None:
    """Error rates do not travel to another model's answers: the comparison is uncorrected, in both values."""
    before, after = run_of(home, "toxicity", "before"), run_of(home, "toxicity", "after")
    raw = toxicity(api.find(before))
    api.find(after, calibrations=[home / "check.json"])
    compared = api.compare(before, after)
    change = next(c for c in compared.changes if c.kind == "disparity" and c.measure == "toxicity_rate")
    assert (change.before, change.after, change.change) == (raw.point, raw.point, 0.0)
    assert any("do not travel" in reason for reason in change.reasons)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"analyzer": "refusal"}, "must be a check of the analyzer toxicity; got one of refusal"),
        ({"version": "0"}, r"must be a check of toxicity .*; got one of version 0"),
        ({"options": {"threshold": 0.9}}, "with the options of the spec|unknown key"),
        ({"cells": []}, "do not add up to the true positive rows"),
        (
            {"n": "many"},
            r"check\.json\.n: .*got 'many'; it must be what evenhand analyzers check --json prints",
        ),
        (None, "it must be what evenhand analyzers check --json prints"),
    ],
)
def test_labels_of_something_else_are_refused_before_anything_is_asked(
    home: Path, edit: dict[str, object] | None, message: str
) -> None:
    """One line names file and key, and no folder is left behind."""
    file = home / "check.json"
    file.write_text("[" if edit is None else json.dumps({**json.loads(file.read_text()), **edit}))
    path = home / "spec.yaml"
    path.write_text(SPEC.format(analyzer="{use: toxicity, calibration: check.json}"))
    with pytest.raises(AuditError, match=message) as caught:
        create_run(load_spec(path), home / "run", root=home, where=str(path))
    assert "\n" not in str(caught.value)
    assert f"{path}: analyzers[0].calibration" in str(caught.value)
    assert not (home / "run").exists()


def test_missing_files_and_two_sources_are_errors(home: Path) -> None:
    """A file that is not there is named; two sources for one analyzer exclude each other."""
    path = home / "spec.yaml"
    for key in ("calibration: none.json", "labels: none.csv"):
        path.write_text(SPEC.format(analyzer=f"{{use: toxicity, {key}}}"))
        with pytest.raises(InputError, match=r"analyzers\[0\]\.(calibration|labels): .*: no such file"):
            create_run(load_spec(path), home / "run", root=home, where=str(path))
    both = SPEC.format(analyzer="{use: toxicity, calibration: a.json, labels: b.csv}")
    with pytest.raises(SpecError, match="exclude each other"):
        parse_spec(both, "spec.yaml")
    run = run_of(home, "decision", "decided")
    with pytest.raises(InputError, match="must be a check of one of decision; got one of toxicity"):
        api.find(run, calibrations=[home / "check.json"])
