"""The recorded target with real files of every kind: matched rows, and everything else named."""

import asyncio
import csv
import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from audit.errors import ExtraMissingError, InputError
from audit.records import Outcome, Output, Request
from audit.targets.base import Target, TargetContext
from audit.targets.recorded.target import RecordedOptions, RecordedTarget
from probes.data import file_sha256

Ask = Callable[..., Request]
_SHARED = Path(__file__).parents[5] / "shared" / "data" / "bbq" / "preds_Religion.jsonl"


def write(folder: Path, kind: str, rows: Sequence[Mapping[str, object]]) -> Path:
    """A file of the given kind with these rows."""
    path = folder / f"outputs.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif kind == "csv":
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        arrow = pytest.importorskip("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist(list(rows)), path)
    return path


def outputs_of(target: Target, requests: Sequence[Request]) -> Sequence[Output]:
    """What a target answers, in an event loop of its own."""
    return asyncio.run(_generate(target, requests))


async def _generate(target: Target, requests: Sequence[Request]) -> Sequence[Output]:
    outputs = await target.generate(requests, seed=7)
    await target.aclose()
    return outputs


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_rows_are_matched_by_joined_columns(kind: str, context: TargetContext, ask: Ask) -> None:
    """Category and number joined by / meet a source id; a request without a row is a missing output."""
    rows = [{"category": "Religion", "example": i, "answer": f"text {i}", "other": "x"} for i in range(3)]
    path = write(context.root, kind, rows)
    options = RecordedOptions(
        path=Path(path.name), key=("category", "example"), by="source_id", text="answer"
    )
    target = RecordedTarget(options, context)
    requests = [ask("?", source_id=source) for source in ("Religion/2", "Religion/9", None)]
    found, absent, unknown = outputs_of(target, requests)
    assert (found.text, found.error, found.cached) == ("text 2", None, True)
    assert (absent.text, absent.error) == (None, "no recorded output")
    assert "no source_id" in (unknown.error or "")
    assert target.info.facts["rows"] == "3"
    assert target.info.facts["sha256"] == file_sha256(path)
    assert dict(target.info.facts) == dict(target.facts())
    assert target.info.deterministic


def test_key_prefix_and_prompt_text(context: TargetContext, ask: Ask) -> None:
    """Keys may lack a common prefix, and prompts may be matched by their text."""
    path = write(context.root, "jsonl", [{"n": 4, "text": "four"}])
    options = RecordedOptions(path=path, key="n", key_prefix="Religion/", by="source_id")
    assert outputs_of(RecordedTarget(options, context), [ask("?", source_id="Religion/4")])[0].text == "four"
    by_text = RecordedOptions(
        path=write(context.root, "csv", [{"q": "why?", "text": "so"}]), key="q", by="prompt_text"
    )
    assert outputs_of(RecordedTarget(by_text, context), [ask("why?")])[0].text == "so"


def test_one_text_a_prompt_is_not_given_for_further_repeats(context: TargetContext, ask: Ask) -> None:
    """Without a repeat column a second repeat is missing: one observation is never counted twice."""
    path = write(context.root, "jsonl", [{"prompt_id": "p1", "text": "a"}])
    first, second = outputs_of(
        RecordedTarget(RecordedOptions(path=path), context), [ask("?"), ask("?", repeat=1)]
    )
    assert first.text == "a"
    assert "set repeats: 1" in (second.error or "")


def test_repeats_errors_and_empty_texts(context: TargetContext, ask: Ask) -> None:
    """Repeats are told apart, recorded errors stay errors, and an empty text is an empty output."""
    rows = [
        {"prompt_id": "p1", "n": 0, "text": "a", "problem": ""},
        {"prompt_id": "p1", "n": 1, "text": "b", "problem": ""},
        {"prompt_id": "p1", "n": 2, "text": "", "problem": "time\nout"},
        {"prompt_id": "p1", "n": 3, "text": "", "problem": ""},
    ]
    options = RecordedOptions(path=write(context.root, "csv", rows), repeat="n", error="problem")
    requests = [ask("?", repeat=i) for i in range(5)]
    outputs = outputs_of(RecordedTarget(options, context), requests)
    assert [output.text for output in outputs] == ["a", "b", None, "", None]
    assert [output.outcome for output in outputs[2:4]] == [Outcome.ERRORED, Outcome.EMPTY]
    assert [output.error for output in outputs[2:]] == [
        "time out",
        None,
        "no recorded output: the file has 4 of this prompt",
    ]


def test_two_texts_for_one_key_are_an_error(context: TargetContext) -> None:
    """The same row twice is harmless; another text for the same key is refused with its line."""
    same = {"prompt_id": "p1", "text": "a"}
    path = write(context.root, "jsonl", [same, same, {"prompt_id": "p1", "text": "b"}])
    with pytest.raises(InputError, match=r"line 3: key 'p1' .* repeat column"):
        _ = RecordedTarget(RecordedOptions(path=path), context).facts()


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (
            '{"prompt_id": "p", "answer": "a"}',
            "o.jsonl",
            "missing column text; columns present: answer, prompt_id",
        ),
        ("{broken", "o.jsonl", "line 1: not valid JSON"),
        ("[" * 100_000, "o.jsonl", "line 1: not valid JSON: nested too deeply"),
        ("prompt_id,text,text\np,a,b\n", "o.csv", "line 1: column text is there more than once"),
        ("[1]", "o.jsonl", "must be a JSON object"),
        ('{"prompt_id": null, "text": "a"}', "o.jsonl", "prompt_id must be a text or whole number; got None"),
        ('{"prompt_id": "p", "text": 3}', "o.jsonl", "text must be a text; got 3"),
        ("prompt_id,answer\np,a\n", "o.csv", "missing column text"),
        ("prompt_id,text\np\n", "o.csv", "line 2: has not the 2 cells"),
        ("prompt_id,text\np,a,b\n", "o.csv", "line 2: has not the 2 cells"),
        ('prompt_id,text\np,"a"b\n', "o.csv", "not valid CSV"),
        ("", "o.csv", "columns present: none"),
        ("PAR1 nothing", "o.parquet", "not a Parquet file"),
        ("x", "o.txt", r"unknown kind of file '.txt'; accepted: .csv, .jsonl"),
    ],
)
def test_malformed_files_are_named(content: str, name: str, said: str, context: TargetContext) -> None:
    """Each problem of a file is one line with file, line and what was expected."""
    (context.root / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said) as raised:
        _ = RecordedTarget(RecordedOptions(path=Path(name)), context).facts()
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_bad_bytes_and_a_missing_file_are_named(context: TargetContext) -> None:
    """A file that is no UTF-8 or not there is an error at once."""
    (context.root / "o.jsonl").write_bytes(b'{"prompt_id": "\xff"}')
    with pytest.raises(InputError, match="is not UTF-8"):
        _ = RecordedTarget(RecordedOptions(path=Path("o.jsonl")), context).facts()
    with pytest.raises(InputError, match="no such file"):
        RecordedTarget(RecordedOptions(path=Path("absent.csv")), context)


def test_parquet_without_pyarrow_names_the_extra(
    context: TargetContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing optional library is an error that says how to get it."""
    (context.root / "o.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ExtraMissingError, match=r"evenhand\[parquet\]"):
        _ = RecordedTarget(RecordedOptions(path=Path("o.parquet")), context).facts()


@pytest.mark.skipif(not _SHARED.is_file(), reason="the public BBQ predictions are not beside the checkout")
def test_published_predictions_load(context: TargetContext, ask: Ask) -> None:
    """The released BBQ predictions are matched by category and example as they are."""
    options = RecordedOptions(
        path=_SHARED, key=("category", "example_id"), by="source_id", text="unifiedqa-t5-11b_pred_race"
    )
    target = RecordedTarget(options, context)
    assert target.info.facts["rows"] == "1200"
    (output,) = outputs_of(target, [ask("?", source_id="Religion/0")])
    assert output.text


def test_damage_inside_a_parquet_file_is_one_line(tmp_path: Path, context: TargetContext) -> None:
    """A file whose footer is sound and whose data are not is an error of the file."""
    path = tmp_path / "o.parquet"
    rows = {"prompt_id": [f"p{n}" for n in range(500)], "text": [f"answer {n}" for n in range(500)]}
    pd.DataFrame(rows).to_parquet(path)
    content = bytearray(path.read_bytes())
    content[60:600] = bytes(range(180)) * 3
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"o\.parquet: "):
        _ = RecordedTarget(RecordedOptions(path=path), context).facts()


def test_turns_are_matched_by_their_number(context: TargetContext, ask: Ask) -> None:
    """A column says which turn a row answers; without it later turns are missing, with a reason."""
    rows = [{"prompt_id": "p1", "n": turn, "text": f"turn {turn}"} for turn in range(2)]
    path = write(context.root, "csv", rows)
    requests = [ask("q").model_copy(update={"turn": turn}) for turn in range(3)]
    said = outputs_of(RecordedTarget(RecordedOptions(path=Path(path.name), turn="n"), context), requests)
    assert [one.text for one in said] == ["turn 0", "turn 1", None]
    assert [one.turn for one in said] == [0, 1, 2]
    plain = write(context.root, "jsonl", rows[:1])
    said = outputs_of(RecordedTarget(RecordedOptions(path=Path(plain.name)), context), requests[:2])
    assert said[1].error == "no recorded output: the prompt has several turns; name the column turn"


def test_no_number_is_no_error_and_no_text(context: TargetContext, ask: Ask) -> None:
    """NaN, which JSON of a data frame holds for a missing cell, is as null: not an error called nan."""
    rows = [
        {"key": "a", "said": "Yes.", "error": float("nan")},
        {"key": "b", "said": float("nan"), "error": None},
        {"key": "c", "said": float("nan"), "error": "timeout"},
    ]
    path = write(context.root, "jsonl", rows)
    options = RecordedOptions(path=Path(path.name), key=("key",), by="source_id", text="said", error="error")
    found = outputs_of(RecordedTarget(options, context), [ask(one, source_id=one) for one in "abc"])
    assert [(one.text, one.error) for one in found] == [("Yes.", None), (None, None), (None, "timeout")]
    assert found[1].outcome is Outcome.EMPTY


def test_replies_that_read_as_missing_cells_are_told(
    context: TargetContext, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """`nan` may be a reply, so it stays one, and somebody is told that it may be none."""
    rows = [{"key": "a", "said": "nan"}, {"key": "b", "said": "NA"}, {"key": "c", "said": "None of them."}]
    path = write(context.root, "csv", rows)
    options = RecordedOptions(path=Path(path.name), key=("key",), by="source_id", text="said")
    found = outputs_of(RecordedTarget(options, context), [ask(one, source_id=one) for one in "abc"])
    assert [one.text for one in found] == ["nan", "NA", "None of them."]
    assert "outputs.csv: 2 replies say nan, NA or the like" in caplog.text
