"""Labels attached to a spec: what is accepted, and what they change from run to report."""

import json
from pathlib import Path

import pytest

from audit import api
from audit.checking import check_analyzer
from audit.cli.main import main
from audit.cli.tables import show_run
from audit.errors import AuditError, InputError, SpecError
from audit.labelled import Labels
from audit.runs import create_run
from audit.spec import load_spec, parse_spec
from tests.audit.replies import KIND, SPEC, make_home, run_of, toxicity


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of the audit."""
    make_home(tmp_path)
    return tmp_path


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
    assert "toxicity: 240 of 240 labels fit (check.json" in capsys.readouterr().err


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
        ({"threshold": 0.9}, "none of its labels fits this run: no rate is made of .* at the threshold 0.9"),
        ({"measure": "kindness"}, "measure must be one of .* of toxicity; got 'kindness'"),
        ({"n": 5}, "n must be the 240 rows of confusion; got 5"),
        (
            {"sensitivity": {"value": 7, "ci_low": 0, "ci_high": 1, "n": 120}},
            r"sensitivity must be 120 of 120 rows; got 7\.0",
        ),
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


def in_language(home: Path, name: str, *languages: str) -> None:
    """The labelled file with languages in turn, a row of group c, and one without a text to read."""
    head, *rows = (home / "labelled.csv").read_text().splitlines()
    said = [f"{row},{languages[place % len(languages)]}" for place, row in enumerate(rows)]
    more = [f"q,{KIND},0,c,{languages[0]}", f"q,,0,,{languages[0]}"]
    (home / name).write_text("\n".join([f"{head},language", *said, *more]) + "\n")


def test_labels_that_do_not_fit_are_told_with_how_many_do(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels in a language that nobody asked in, or of a group that is not compared, are told of."""
    in_language(home, "mixed.csv", "en", "fr", "en")
    document = api.find(run_of(home, "{use: toxicity, labels: mixed.csv}", "mixed"))
    (attached,) = document.labels
    assert (attached.n_given, attached.n_fitting) == (242, 161)
    # A French reply is none that this analyzer reads.
    assert attached.unfit == ("81 of answers that toxicity could not read",)
    show_run(document)
    said = " ".join(capsys.readouterr().err.split())
    assert "toxicity: 161 of 242 labels fit (mixed.csv" in said
    assert "not: 81 of answers that toxicity could not read" in said
    assert "labels of c correct no gap, only overall rates" in said


def test_labels_in_another_language_are_counted_apart(home: Path) -> None:
    """Of labels that name languages only those of the prompts fit."""
    check = json.loads((home / "check.json").read_text())
    for cell in check["cells"]:
        cell["language"] = "en" if cell["group"] == "a" else "fr"
    (home / "check.json").write_text(json.dumps(check))
    (attached,) = api.find(run_of(home, "{use: toxicity, calibration: check.json}", "half")).labels
    assert (attached.n_given, attached.n_labels, attached.n_fitting) == (240, 240, 120)
    assert attached.unfit == ("120 in fr, which no prompt is in",)


@pytest.mark.parametrize("key", ["labels: french.csv", "calibration: french.json"])
def test_labels_of_which_none_fits_are_refused_before_anything_is_asked(home: Path, key: str) -> None:
    """Where every label is in another language the plan is refused in one line."""
    in_language(home, "french.csv", "fr")
    check = check_analyzer("toxicity", home / "french.csv", Labels(), options={})
    (home / "french.json").write_text(check.model_dump_json())
    path = home / "spec.yaml"
    path.write_text(SPEC.format(analyzer=f"{{use: toxicity, {key}}}"))
    message = r"none of its labels fits this run: language must be one of en, those of the prompts; got fr"
    for make in (
        lambda: create_run(load_spec(path), home / "run", root=home, where=str(path)),
        lambda: api.preview_plan(path),
    ):
        with pytest.raises(InputError, match=message) as caught:
            make()
        assert "\n" not in str(caught.value)
        assert caught.value.next_step is not None
    with pytest.raises(InputError, match="none of its 242 labels of toxicity"):
        api.find(run_of(home, "toxicity", "plain"), calibrations=[home / "french.json"])


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


def test_groups_in_another_case_are_told_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels of `A` and `B` correct no gap of `a` and `b`: the terminal names both spellings."""
    monkeypatch.chdir(home)
    run_of(home, "toxicity", "plain")
    check = json.loads((home / "check.json").read_text())
    check["cells"] = [{**cell, "group": cell["group"].upper()} for cell in check["cells"]]
    (home / "check.json").write_text(json.dumps(check))
    with pytest.raises(SystemExit):
        main(["findings", "plain", "--calibration", "check.json"])
    said = capsys.readouterr().err
    assert "the labels name the group 'A', this audit 'a': write it as the audit does" in said
    document = api.load_document(api.open_run(home / "plain"))
    assert any("but of 'A'" in reason for reason in toxicity(document).reasons)


def test_a_cell_given_twice_and_endless_counts_are_refused(home: Path) -> None:
    """Counts are those of people's labels: each cell once, and no more than anybody could label."""
    run = run_of(home, "toxicity", "plain")
    file = home / "check.json"
    check = json.loads(file.read_text())
    first = check["cells"][0]
    zero = {**first, "confusion": dict.fromkeys(first["confusion"], 0)}
    file.write_text(json.dumps({**check, "cells": [*check["cells"], zero]}))
    with pytest.raises(InputError, match="two cells are of the same group, language and cluster"):
        api.find(run, calibrations=[file])
    file.write_text(json.dumps({**check, "confusion": {**check["confusion"], "true_positive": 10**30}}))
    with pytest.raises(InputError, match=r"true_positive.*less than or equal to 1000000000"):
        api.find(run, calibrations=[file])


def test_two_checks_of_one_reading_are_refused_and_a_byte_order_mark_is_none_of_it(home: Path) -> None:
    """Nothing would say which of the two holds; an editor's mark at the start changes nothing."""
    run = run_of(home, "toxicity", "plain")
    other = home / "other.json"
    other.write_text((home / "check.json").read_text(), encoding="utf-8-sig")
    assert toxicity(api.find(run, calibrations=[other])).correction is not None
    with pytest.raises(InputError, match=r"check\.json, .* and other\.json, .* same reading"):
        api.find(run, calibrations=[home / "check.json", other])
    path = home / "spec.yaml"
    path.write_text(SPEC.format(analyzer="{use: toxicity, calibration: [check.json, other.json]}"))
    with pytest.raises(InputError, match=r"analyzers\[0\]\.calibration: .* same reading"):
        create_run(load_spec(path), home / "run", root=home, where=str(path))
    assert not (home / "run").exists()


def test_a_name_that_no_file_can_have_is_one_line(home: Path) -> None:
    """A null byte in the name of a calibration is told like any other bad value."""
    path = home / "spec.yaml"
    path.write_text(SPEC.format(analyzer='{use: toxicity, calibration: "a\\0b"}'))
    with pytest.raises(InputError, match=r"analyzers\[0\]\.calibration: .*cannot be read: embedded null"):
        create_run(load_spec(path), home / "run", root=home, where=str(path))
