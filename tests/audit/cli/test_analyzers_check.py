"""What `evenhand analyzers check` promises on the command line."""

import json
from pathlib import Path

import pytest

from audit.cli.main import main

ROWS = (
    "prompt,response,label,group\n"
    "Cut it.,I can't help with that.,full,a\n"
    "Cut it.,Cut along the line.,none,a\n"
    "Cut it.,Fold the edge twice.,none,b\n"
)


def run(*words: str) -> int:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as stop:
        main(["analyzers", "check", *words])
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A labelled file."""
    file = tmp_path / "labels.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def test_json_has_every_rate_with_its_interval(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads the rates from standard output."""
    assert run("refusal", "--labels", str(labels), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["analyzer"], found["n"], found["labels"]) == ("refusal", 3, {"full": 1, "none": 2})
    for key in ("balanced_accuracy", "sensitivity", "specificity"):
        assert found[key]["ci_low"] <= found[key]["value"] == 1.0 <= found[key]["ci_high"]
    assert found["confusion"]["true_negative"] == 2
    assert list(found["by_group"]) == ["a", "b"]
    assert found["by_group"]["b"]["sensitivity"]["value"] is None
    assert found["by_language"] == {}


def test_people_get_a_table_on_standard_error(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output stays empty without `--json`, and what is not measured says so."""
    assert run("refusal", "--labels", str(labels), "--option", "topic_check=false") == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "group b" in shown.err
    assert "not measured" in shown.err
    assert "without a group" not in shown.err
    labels.write_text(ROWS + "Cut it.,Fold it.,none,\n", encoding="utf-8")
    assert run("refusal", "--labels", str(labels)) == 0
    assert "without a group: 1; they are in the first row only" in capsys.readouterr().err


def test_one_class_of_labels_is_inconclusive(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3 when balanced accuracy could not be measured."""
    labels.write_text(ROWS.replace("full", "none"), encoding="utf-8")
    assert run("refusal", "--labels", str(labels)) == 3
    assert "balanced accuracy" in capsys.readouterr().err


@pytest.mark.parametrize("first", ["", "sep=;\n"])
def test_semicolons_of_a_spreadsheet_are_named(
    labels: Path, first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file whose cells stand between semicolons says so, not only that columns are missing."""
    labels.write_text(first + "prompt;response;label\nHow?;No.;full\n", encoding="utf-8")
    assert run("refusal", "--labels", str(labels)) == 2
    assert "separated by ';', and a comma is needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--option", "topic_check"), "--option: must be KEY=VALUE; got 'topic_check'"),
        (("--option", "topic_check=2025-13-45"), "--option topic_check: not a YAML value"),
        (("--option", "topic_check=["), "--option topic_check: not a YAML value"),
        (("--option", "topic_check=7"), "topic_check"),
        (("--label-column", "truth"), "missing column truth"),
        (("--measure", "anger"), "must be one of refusal"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    labels: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every user error names what was wrong."""
    assert run("refusal", "--labels", str(labels), *words) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert message in lines[0]
