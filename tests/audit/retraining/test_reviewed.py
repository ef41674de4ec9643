"""People's labels of candidates: what they approve is written, with the answers they give."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.records import Finding
from audit.retraining.records import Format, RetrainingFiles, RetrainingOptions
from audit.retraining.reviewed import read_labels
from audit.retraining.writing import write_retraining_files
from probes.records import Prompt

MakeFinding = Callable[..., Finding]
_OPTIONS = {"max_examples": 30, "seed": 4, "formats": (Format.TRL_SFT, Format.TRL_DPO), "validation_share": 0}


def _notes(files: RetrainingFiles) -> list[dict[str, object]]:
    path = files.folder / "train.trl-sft.provenance.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _labels(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_only_what_was_approved_is_written_with_the_answers_given(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """An approved set stays, one with a member refused goes, and an edited answer is the reviewer's."""

    def written(out: str, **options: object) -> RetrainingFiles:
        wanted = RetrainingOptions.model_validate({**_OPTIONS, **options})
        return write_retraining_files([make_finding()], audit_prompts, tmp_path / out, wanted)

    first = _notes(written("first"))
    sets = list(dict.fromkeys(str(note["set_id"]) for note in first if note["set_id"] is not None))
    replay = next(note for note in first if note["set_id"] is None)
    rows: list[dict[str, object]] = [
        {"example": note["example"], "approve": True, "reviewer": "ana"}
        for note in first
        if note["set_id"] in sets[:2]
    ]
    rows[-1]["approve"] = False
    said = (tmp_path / "first" / "train.trl-sft.jsonl").read_text(encoding="utf-8").splitlines()
    old = json.loads(said[int(str(replay["row"])) - 1])["messages"][-1]["content"]
    edited = f"{old.split('.')[0]}. I looked at it twice."
    rows.append({"example": replay["example"], "approve": True, "reviewer": "ben", "answer": edited})
    labels = _labels(tmp_path / "labels.jsonl", rows)
    files = written("second", only_reviewed=labels)
    found = _notes(files)
    (whole,) = {note["set_id"] for note in found} - {None}
    assert whole in sets[:2]
    assert {(note["reviewer"], note["source"]) for note in found} == {
        ("ana", "ground_truth"),
        ("ben", "reviewer"),
    }
    assert edited in (tmp_path / "second" / "train.trl-sft.jsonl").read_text(encoding="utf-8")
    gate = files.manifest.gates[0]
    assert (gate.gate, gate.passed) == ("reviewed", len(rows) - 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no label"),
        ("{", r"labels\.jsonl:1: not JSON"),
        ('{"example": "a", "approve": "maybe", "reviewer": "x"}', r"labels\.jsonl:1: approve: "),
        ('{"example": "a", "approve": true}', r"labels\.jsonl:1: reviewer: required key is missing"),
        ('{"example": "a", "approve": true, "reviewer": " "}', r"labels\.jsonl:1: reviewer: "),
        ("9" * 5000, r"labels\.jsonl:1: not JSON: a number has too many digits"),
        ('{"example": "a", "approve": true, "reviewer": "x"}\n' * 2, r":2: example a is labelled twice"),
    ],
)
def test_malformed_labels_name_the_line(text: str, says: str, tmp_path: Path) -> None:
    """Nothing is guessed: a label that cannot be read is named with its line."""
    path = tmp_path / "labels.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read_labels(path)


def test_a_label_ends_with_its_line_only(tmp_path: Path) -> None:
    """An answer may hold other line separators as they are, and an editor may mark the file as UTF-8."""
    answer = "Yes.\u2028The figures\x85 meet\x0b the standard."
    row = {"example": "a", "approve": True, "reviewer": "ana", "answer": answer}
    path = tmp_path / "labels.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(row, ensure_ascii=False).encode() + b"\r\n\r\n")
    assert read_labels(path)["a"].answer == answer


def test_an_answer_with_line_separators_is_one_line_of_the_files(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Whatever a reader takes for the end of a line, a row is one, and says what the reviewer wrote."""
    first = RetrainingOptions.model_validate(_OPTIONS)
    notes = _notes(write_retraining_files([make_finding()], audit_prompts, tmp_path / "first", first))
    name = next(note["set_id"] for note in notes if note["set_id"] is not None)
    said = (tmp_path / "first" / "train.trl-sft.jsonl").read_text(encoding="utf-8").splitlines()
    rows, edited = list[dict[str, object]](), ""
    for note, line in zip(notes, said, strict=True):
        if note["set_id"] == name:
            edited = json.loads(line)["messages"][-1]["content"] + "\u2028I looked at it twice."
            row = {"example": note["example"], "approve": True, "reviewer": "a\x85b", "answer": edited}
            rows.append(row)
    labels = _labels(tmp_path / "labels.jsonl", rows)
    second = first.model_copy(update={"only_reviewed": labels})
    files = write_retraining_files([make_finding()], audit_prompts, tmp_path / "second", second)
    text = (tmp_path / "second" / "train.trl-sft.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["messages"][-1]["content"] for line in text.splitlines()] == [edited] * len(rows)
    assert {note["reviewer"] for note in _notes(files)} == {"a\x85b"}


def test_labels_of_other_examples_are_refused(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Labels made for another seed approve nothing by chance: the first unknown id is named."""
    path = _labels(tmp_path / "labels.jsonl", [{"example": "0" * 20, "approve": True, "reviewer": "ana"}])
    options = RetrainingOptions.model_validate({**_OPTIONS, "only_reviewed": path})
    with pytest.raises(InputError, match="example 00000000000000000000: no candidate of this run"):
        write_retraining_files([make_finding()], audit_prompts, tmp_path / "out", options)
    assert not (tmp_path / "out" / "retraining.json").exists()
