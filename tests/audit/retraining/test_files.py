"""Writing files with their sidecars, and reading them back."""

import json
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.retraining.files import rows_of, write_split
from audit.retraining.layouts.table import LAYOUTS, Layout, layout
from audit.retraining.reading import check_direction, said, valid_rows, validate
from audit.retraining.records import Example, Format, Kind, Origin, Shape, SourceKind
from probes.records import Expectation, Message

_DIRECTED = [one for one in LAYOUTS if one.shape is not Shape.SFT]


def _named(one: Layout) -> str:
    return f"{one.format}/{one.shape}"


def _example(number: int) -> Example:
    return Example.make(
        (
            Message(role="system", content="You decide."),
            Message(role="user", content=f"Case {number} “é”: yes or no?"),
        ),
        answer="Yes. Good enough.",
        rejected="No. Too weak.",
        expectation=Expectation(kind="choice", options=("yes", "no"), favourable="yes", answer="yes"),
        origin=Origin(
            findings=("f",),
            kind=Kind.REPLAY,
            probe="bias/decisions",
            probe_version="1",
            template="lending/t",
            domain="lending",
            source=SourceKind.GROUND_TRUTH,
            strategy="counterfactual_augmentation",
            strategy_version="1",
            seed=0,
            licence="Apache-2.0",
        ),
    )


_EXAMPLES = [_example(number) for number in range(12)]


def _turned(row: dict[str, object], one: Layout) -> dict[str, object]:
    """A row with its direction reversed."""
    if one.shape is Shape.KTO:
        key = one.encoding.keys[-1]
        return {**row, key: not row[key]}
    good, bad = one.encoding.keys[-2:]
    return {**row, good: row[bad], bad: row[good]}


def test_what_is_written_is_valid_and_repeatable(tmp_path: Path) -> None:
    """Every file passes its own check, has a sidecar line a row, and the same bytes each time."""
    first = write_split(tmp_path / "a", iter(_EXAMPLES), LAYOUTS, "train")
    assert write_split(tmp_path / "b", iter(_EXAMPLES), LAYOUTS, "train") == first
    for one, file in zip(LAYOUTS, first, strict=True):
        expected = rows_of(one.shape, examples=12, pairs=12)
        assert (validate(tmp_path / "a" / file.path, one), file.rows) == (expected, expected)
        notes = (tmp_path / "a" / file.provenance).read_text(encoding="utf-8").splitlines()
        assert [json.loads(note)["row"] for note in notes] == list(range(1, expected + 1))
        row = next(valid_rows(tmp_path / "a" / file.path, one))
        assert (said(row), row.answer.content) == ("Case 0 “é”: yes or no?", "Yes. Good enough.")


def test_an_example_without_a_rejected_answer_is_no_preference(tmp_path: Path) -> None:
    """Such an example stands in the files of answers, desirable once, and in no file of preferences."""
    example = _EXAMPLES[0].model_copy(update={"rejected": None})
    chosen = [layout(Format.HF, shape) for shape in Shape]
    written = write_split(tmp_path, [example, _EXAMPLES[1]], chosen, "train")
    assert {file.shape: file.rows for file in written} == {Shape.SFT: 2, Shape.DPO: 1, Shape.KTO: 3}
    assert [rows_of(shape, examples=2, pairs=1) for shape in Shape] == [2, 1, 3]


def test_too_few_rows_for_a_service_are_refused(tmp_path: Path) -> None:
    """A service that takes no file of nine rows is not given one, and the line says how many it needs."""
    with pytest.raises(InputError, match=r"train\.openai-sft\.jsonl: 9 rows; openai-sft needs at least 10"):
        write_split(tmp_path, _EXAMPLES[:9], [layout(Format.OPENAI_SFT, Shape.SFT)], "train")


@pytest.mark.parametrize("one", _DIRECTED, ids=_named)
def test_a_reversed_direction_is_refused(one: Layout, tmp_path: Path) -> None:
    """A file in which one row teaches the opposite of what was written is refused, with the line."""
    (written,) = write_split(tmp_path, _EXAMPLES, [one], "train")
    path, sidecar = tmp_path / written.path, tmp_path / written.provenance
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[4] = _turned(rows[4], one)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(InputError, match=rf"swapped in 1 of {written.rows} rows \(lines 5\)"):
        check_direction(path, sidecar, one)


def test_a_changed_answer_is_refused(tmp_path: Path) -> None:
    """An answer that is neither where nor what was written is refused, and so is another file's sidecar."""
    one = layout(Format.TRL_SFT, Shape.SFT)
    (written,) = write_split(tmp_path, _EXAMPLES, [one], "train")
    path, sidecar = tmp_path / written.path, tmp_path / written.provenance
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Yes. Good enough.", "Yes.", 1), encoding="utf-8")
    with pytest.raises(InputError, match=r"an answer was changed in 1 of 12 rows \(lines 1\)"):
        check_direction(path, sidecar, one)
    path.write_text(text + text.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="has not one line for each row"):
        check_direction(path, sidecar, one)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{\n", r"rows\.jsonl:1: not JSON"),
        (b"[" * 100_000, r"rows\.jsonl:1: not JSON: nested too deep"),
        (b"9" * 5000, r"rows\.jsonl:1: not JSON: a number has too many digits"),
        (b'{"a": "\\ud83d\\ude00"}\n{"b": "x\\udc00"}\n', r"rows\.jsonl:1: keys are a"),
        (b'{"b": "x\\udc00"}\n', r"rows\.jsonl:1: holds half of a character, \\udc00,"),
        (b"[1]\n", "list found; accepted: a JSON object"),
        (b"\xff\n", r"rows\.jsonl: cannot be read"),
        (b"", r"rows\.jsonl: 0 rows; trl-sft needs at least 1"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    """What is not JSON lines in UTF-8 is one clear line."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        validate(path, layout(Format.TRL_SFT, Shape.SFT))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is one clear line."""
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read"):
        validate(tmp_path / "none.jsonl", layout(Format.TRL_SFT, Shape.SFT))
