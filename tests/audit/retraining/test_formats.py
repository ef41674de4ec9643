"""File formats and their validators."""

import json
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.retraining.formats import check_direction, read_pairs, validate, write
from audit.retraining.records import Example, Format, Kind, Origin, SourceKind
from probes.records import Expectation, Message

_USER = {"role": "user", "content": "Granted? Answer yes or no."}
_YES = {"role": "assistant", "content": "Yes. Good enough."}
_NO = {"role": "assistant", "content": "No. Too weak."}
_GOOD: dict[Format, dict[str, object]] = {
    Format.TRL_SFT: {"messages": [_USER, _YES]},
    Format.OPENAI_SFT: {"messages": [_USER, _YES]},
    Format.TRL_DPO: {"prompt": [_USER], "chosen": [_YES], "rejected": [_NO]},
    Format.OPENAI_DPO: {
        "input": {"messages": [_USER]},
        "preferred_output": [_YES],
        "non_preferred_output": [_NO],
    },
}


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
            generator_version="1",
            seed=0,
            licence="Apache-2.0",
        ),
    )


def _file(tmp_path: Path, rows: list[object]) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("file_format", list(Format))
def test_what_is_written_is_valid_and_repeatable(file_format: Format, tmp_path: Path) -> None:
    """Every format's file passes its validator, has a sidecar line a row, and the same bytes each time."""
    examples = [_example(number) for number in range(12)]
    first = write(tmp_path / "a", examples, file_format, "train")
    assert write(tmp_path / "b", examples, file_format, "train") == first
    path = tmp_path / "a" / first.path
    assert validate(path, file_format) == first.rows == 12
    notes = (tmp_path / "a" / first.provenance).read_text(encoding="utf-8").splitlines()
    assert [json.loads(note)["row"] for note in notes] == list(range(1, 13))
    assert read_pairs(path, file_format)[3] == ("Case 3 “é”: yes or no?", "Yes. Good enough.")


@pytest.mark.parametrize("file_format", list(Format))
def test_good_rows_pass(file_format: Format, tmp_path: Path) -> None:
    """A row written by hand as the format's documentation shows it is accepted."""
    assert validate(_file(tmp_path, [_GOOD[file_format]] * 10), file_format) == 10


@pytest.mark.parametrize(
    ("file_format", "row", "message"),
    [
        (Format.TRL_SFT, {"messages": [_USER]}, "must be a list|prompt must end"),
        (Format.TRL_SFT, {"messages": [_USER, _YES], "note": 1}, "keys are messages, note"),
        (Format.TRL_SFT, {"messages": [_USER, {"role": "bot", "content": "x"}]}, r"messages\[1\]"),
        (Format.TRL_SFT, {"messages": [_YES, _USER]}, "must end with a message of role user"),
        (Format.TRL_SFT, {"messages": [_USER, _USER]}, "role must be assistant"),
        (Format.TRL_SFT, {"messages": [_USER, {"role": "assistant", "content": " "}]}, "is empty"),
        (Format.TRL_DPO, {"prompt": [_USER], "chosen": _YES, "rejected": [_NO]}, "chosen must be a list"),
        (
            Format.TRL_DPO,
            {"prompt": [_USER], "chosen": [_YES, _NO], "rejected": [_NO]},
            "must hold one message",
        ),
        (Format.TRL_DPO, {"prompt": [_USER], "chosen": [_YES], "rejected": [_YES]}, "are the same"),
        (Format.TRL_DPO, {"prompt": [_USER], "chosen": [_YES]}, "keys are chosen, prompt"),
        (
            Format.OPENAI_DPO,
            {"input": [_USER], "preferred_output": [_YES], "non_preferred_output": [_NO]},
            "input must be an object",
        ),
        (Format.TRL_SFT, [1], "list found; accepted: a JSON object"),
    ],
)
def test_bad_rows_are_refused(file_format: Format, row: object, message: str, tmp_path: Path) -> None:
    """A malformed row is refused with file, line and what is wrong."""
    with pytest.raises(InputError, match=message) as refused:
        validate(_file(tmp_path, [_GOOD[file_format], row]), file_format)
    assert "rows.jsonl:2" in str(refused.value)


def test_files_that_are_no_files_are_refused(tmp_path: Path) -> None:
    """Text that is not JSON, too few rows and a missing file are each one clear error."""
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.jsonl:1: not JSON"):
        validate(broken, Format.TRL_SFT)
    with pytest.raises(InputError, match="needs at least 10"):
        validate(_file(tmp_path, [_GOOD[Format.OPENAI_SFT]] * 9), Format.OPENAI_SFT)
    with pytest.raises(InputError, match="needs at least 1"):
        validate(_file(tmp_path, []), Format.TRL_SFT)
    with pytest.raises(InputError, match="cannot be read"):
        validate(tmp_path / "none.jsonl", Format.TRL_SFT)


@pytest.mark.parametrize("file_format", [Format.TRL_DPO, Format.OPENAI_DPO])
def test_swapped_preferences_are_refused(file_format: Format, tmp_path: Path) -> None:
    """A preference file with chosen and rejected swapped is refused, with the lines."""
    written = write(tmp_path, [_example(number) for number in range(10)], file_format, "train")
    path, sidecar = tmp_path / written.path, tmp_path / written.provenance
    good, bad = (
        ("chosen", "rejected")
        if file_format is Format.TRL_DPO
        else ("preferred_output", "non_preferred_output")
    )
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[4][good], rows[4][bad] = rows[4][bad], rows[4][good]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(InputError, match=r"swapped in 1 of 10 rows \(lines 5\)"):
        check_direction(path, sidecar, file_format)
    rows[4][good] = [{"role": "assistant", "content": "Other."}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(InputError, match="an answer was changed in 1 of 10"):
        check_direction(path, sidecar, file_format)
    sidecar.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="0 lines for 10 rows"):
        check_direction(path, sidecar, file_format)


def test_a_preference_needs_a_rejected_answer(tmp_path: Path) -> None:
    """An example without a rejected answer cannot be written as a preference."""
    example = _example(1).model_copy(update={"rejected": None})
    with pytest.raises(ValueError, match="has no rejected answer"):
        write(tmp_path, [example], Format.TRL_DPO, "train")
