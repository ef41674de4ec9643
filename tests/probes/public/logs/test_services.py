"""Logs of services: OpenAI-shaped objects, tables with a mapping of columns, and what is damaged in them."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.errors import DataError
from probes.public.logs.columns import Columns
from probes.public.logs.conversations import conversation
from probes.public.logs.documents import DamagedError, Document
from probes.public.logs.entries import ABSENT, LogEntry, Problem, UnreadableError, fact
from probes.public.logs.formats import open_log
from probes.public.logs.lines import objects
from probes.records import Message
from tests.probes.public.logs.shapes import asked, write_lines


def _read(path: Path, columns: Columns | None = None) -> tuple[list[LogEntry], list[Problem]]:
    found = list(open_log(path, columns=columns).entries())
    entries = [one for one in found if isinstance(one, LogEntry)]
    return entries, [one for one in found if isinstance(one, Problem)]


def _completion(key: str, *texts: str | None, **more: object) -> dict[str, object]:
    choices = [
        {"index": i, "message": {"content": text}, "finish_reason": "stop"} for i, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    return {
        "id": key,
        "object": "chat.completion",
        "model": "m-1",
        "choices": choices,
        "usage": usage,
        **more,
    }


def test_stored_completions(tmp_path: Path) -> None:
    """Choices are repeats, the prompt is taken from where an export keeps it, and pages are unfolded."""
    refused = _completion("c3", None, input=asked("Do it"))
    refused["choices"] = [{"message": {"content": None, "refusal": "I cannot."}, "finish_reason": "stop"}]
    rows = [
        _completion("c1", "yes", "no", messages=asked("Enter?"), metadata={"group": "red"}),
        {
            "object": "list",
            "data": [
                _completion(
                    "c2", "ok", request={"messages": [*asked("Hm"), {"role": "assistant", "content": "ok"}]}
                ),
                refused,
            ],
        },
        _completion("c4", "alone"),
        {"object": "chat.completion", "id": "c5"},
    ]
    entries, problems = _read(write_lines(tmp_path / "s.jsonl", rows))
    assert [(one.id, one.repeat, one.reply.text) for one in entries] == [
        ("c1", 0, "yes"),
        ("c1", 1, "no"),
        ("c2", 0, "ok"),
        ("c3", 0, None),
        ("c4", 0, "alone"),
    ]
    assert [len(one.messages) for one in entries] == [1, 1, 1, 1, 0]
    assert entries[3].reply.refusal == "I cannot."
    assert fact(entries[0].facts, "metadata.group") == "red"
    assert (entries[0].reply.model, entries[0].reply.prompt_tokens) == ("m-1", 3)
    assert [(one.row, one.what) for one in problems] == [
        (4, "reply cannot be read: has neither choices nor output")
    ]


def test_batch_outputs_and_responses(tmp_path: Path) -> None:
    """A batch's row is known by its custom id; what failed in it is an error, not an empty reply."""
    said = {"type": "message", "content": [{"type": "output_text", "text": "yes"}]}
    thought = {"type": "reasoning", "summary": []}
    body = {
        "object": "response",
        "id": "r",
        "model": "m",
        "output": [thought, said],
        "input": "Enter?",
        "instructions": "Be brief.",
    }
    rows = [
        {"custom_id": "p1", "response": {"status_code": 200, "body": _completion("c", "ok")}, "error": None},
        {"custom_id": "p2", "response": {"status_code": 500, "body": {"error": {"message": "broke"}}}},
        {"custom_id": "p3", "response": None, "error": {"code": "expired", "message": None}},
        {"custom_id": "p4", "response": {"status_code": 200, "body": body}},
        {
            **body,
            "output": [{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}],
            "incomplete_details": {"reason": "max_output_tokens"},
        },
    ]
    entries, problems = _read(write_lines(tmp_path / "b.jsonl", rows))
    assert not problems
    assert [(one.id, one.reply.text, one.reply.error) for one in entries] == [
        ("p1", "ok", None),
        ("p2", None, "broke"),
        ("p3", None, "expired"),
        ("p4", "yes", None),
        ("r", None, None),
    ]
    assert [one.role for one in entries[3].messages] == ["system", "user"]
    assert (entries[4].reply.refusal, entries[4].reply.finish_reason) == ("No.", "length")


def test_a_services_own_log_in_any_kind_of_file(tmp_path: Path) -> None:
    """The same rows give the same entries from JSONL, CSV and Parquet."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [
        {"q": "Enter?", "a": "yes", "who": "red", "n": "7", "bad": ""},
        {"q": "Leave?", "a": "", "who": "blue", "n": "8", "bad": "time\nout"},
    ]
    write_lines(tmp_path / "l.jsonl", rows)
    with (tmp_path / "l.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "l.parquet")
    columns = Columns(prompt="q", response="a", id="n", error="bad")
    for kind in ("jsonl", "csv", "parquet"):
        entries, problems = _read(tmp_path / f"l.{kind}", columns)
        assert not problems
        assert [(one.id, one.reply.text, one.reply.error) for one in entries] == [
            ("7", "yes", None),
            ("8", None, "time out"),
        ]
        assert entries[1].messages == (Message(role="user", content="Leave?"),)
        assert entries[0].facts["who"] == "red"


def test_nested_columns_and_conversations_with_their_reply(tmp_path: Path) -> None:
    """Dots lead into nested values, and a conversation that ends with the reply needs no column for it."""
    row = {
        "request": {"messages": [*asked("a"), {"role": "assistant", "content": "b"}, *asked("c")]},
        "choices": [{"text": "d"}],
        "sys": "Be kind.",
    }
    columns = Columns(messages="request.messages", response="choices.0.text", system="sys")
    (entry,), _ = _read(write_lines(tmp_path / "l.jsonl", [row]), columns)
    assert ([one.content for one in entry.messages], entry.reply.text) == (["Be kind.", "a", "b", "c"], "d")
    whole = Columns(messages="talk")
    path = write_lines(
        tmp_path / "w.jsonl", [{"talk": json.dumps([*asked("a"), {"role": "assistant", "content": "b"}])}]
    )
    (entry,), _ = _read(path, whole)
    assert (len(entry.messages), entry.reply.text) == (1, "b")


def test_every_damaged_line_is_a_problem_with_its_row(tmp_path: Path) -> None:
    """Good rows around damaged ones are read; each damaged one is named, none is dropped."""
    good = json.dumps({"q": "Enter?", "a": "yes"})
    path = tmp_path / "l.jsonl"
    lines = [
        good,
        "{broken",
        "[1]",
        '{"q": "\xff',
        '{"q": 3, "a": "x"}',
        '{"a": "x"}',
        "[" * 99_999,
        "",
        good,
    ]
    path.write_bytes("\n".join(lines).encode("latin-1"))
    entries, problems = _read(path, Columns(prompt="q", response="a"))
    assert [one.row for one in entries] == [1, 9]
    assert [one.row for one in problems] == [2, 3, 4, 5, 6, 7]
    assert all("\n" not in one.what for one in problems)
    table = tmp_path / "l.csv"
    table.write_bytes(b'q,a\nEnter?,yes\nshort\n"\xff",x\nLeave?,no\n')
    entries, problems = _read(table, Columns(prompt="q", response="a"))
    assert [one.reply.text for one in entries] == ["yes", "no"]
    assert [one.row for one in problems] == [3, 4]


def test_a_line_longer_than_any_reply_is_not_held(tmp_path: Path) -> None:
    """Memory stays flat before a file without line ends, and the next line is found again."""
    path = tmp_path / "l.jsonl"
    path.write_text('{"a": "' + "x" * 5_000 + '"}\n{"a": 1}\n', encoding="utf-8")
    found = list(objects(path, most=1_000))
    assert isinstance(found[0][1], Problem)
    assert found[1] == (2, {"a": 1})


def test_hostile_texts_become_storable(tmp_path: Path) -> None:
    """A lone surrogate, which no file can hold, is replaced, and roles that cannot be asked are refused."""
    (entry,), _ = _read(
        write_lines(tmp_path / "l.jsonl", ['{"q": "\\ud800 hi", "a": "x"}']),
        Columns(prompt="q", response="a"),
    )
    assert entry.messages[0].content == "\ufffd hi"
    values: tuple[object, ...] = (
        [],
        {},
        3,
        [{"role": "tool", "content": "x"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": [{"type": "image_url"}]}],
    )
    for value in values:
        with pytest.raises(UnreadableError):
            conversation(value)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("a,a\n1,2\n", "l.csv", "must name every column once"),
        ('{"a": 1}', "l.jsonl", "format is not recognised; give format .inspect, garak"),
        ('{"a": 1}', "l.json", "not recognised"),
        ("PAR1 nothing", "l.parquet", "not a Parquet file"),
    ],
)
def test_what_is_no_log_is_refused(content: str, name: str, said: str, tmp_path: Path) -> None:
    """One line says what the file is not, and what would be accepted."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    columns = None if name in ("l.jsonl", "l.json") else Columns(prompt="a", response="a")
    with pytest.raises(DataError, match=said) as raised:
        list(open_log(path, columns=columns).entries())
    assert "\n" not in str(raised.value)


@given(
    st.lists(st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.booleans())),
    st.integers(0, 3),
)
def test_a_document_read_in_pieces_is_the_document(rows: list[dict[str, object]], indent: int) -> None:
    """However the elements lie across the pieces, reading gives them all, or says where it ends."""
    text = json.dumps({"before": {"x": [1, 2]}, "rows": rows, "after": 1}, indent=indent or None)
    assert _rows_of(text) == rows
    end = text.rindex("]")
    with pytest.raises(DamagedError):
        _rows_of(text[:end])


def _rows_of(text: str) -> list[object]:
    document = Document(io.StringIO(text))
    assert document.enter(("rows",)) == {"before": {"x": [1, 2]}}
    return list(document.elements())


def test_facts_are_found_by_dots_and_by_names_that_hold_dots() -> None:
    """A name is looked for as it stands first; what is not there is told from what is empty."""
    facts = {"a.b": 1, "a": {"b": 2, "c.d": [3, None]}}
    assert fact(facts, "a.b") == 1
    assert fact(facts, "a.c.d.0") == 3
    assert fact(facts, "a.c.d.1") is None
    assert fact(facts, "a.c.d.9") is ABSENT
    assert fact(facts, "a.z") is ABSENT
    assert fact({"x": "text"}, "x.0") is ABSENT
