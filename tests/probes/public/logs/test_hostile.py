"""Hostile logs: whatever stands where something else should, a row is read or named, and nothing crashes."""

import json
from collections.abc import Mapping
from copy import deepcopy as copy_of
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes.errors import DataError
from probes.public.logs.columns import Columns
from probes.public.logs.entries import LogEntry, Problem
from probes.public.logs.formats import Format, open_log, recognised
from tests.probes.public.logs.shapes import (
    asked,
    garak_report,
    inspect_archive,
    inspect_sample,
    lm_eval_row,
    promptfoo_row,
    write_lines,
)

_TURNS = {"turns": [{"role": "user", "content": {"text": "Say it"}}]}
_ROWS: Mapping[str, object] = {
    "inspect": inspect_sample("a", 1, "Enter?", "yes"),
    "garak": garak_report([{"prompt": _TURNS, "outputs": [{"text": "no"}], "conversations": [_TURNS]}])[-2],
    "garak_hits": {
        "attempt_id": "u",
        "prompt": _TURNS,
        "output": {"text": "o"},
        "detector": "d",
        "goal": "g",
    },
    "promptfoo": promptfoo_row(0, "Enter?", "yes"),
    "lm_eval": lm_eval_row(0, "Enter?", ["yes"]),
    "openai": {
        "id": "c",
        "object": "chat.completion",
        "messages": asked("Enter?"),
        "choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}],
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}],
        "usage": {"prompt_tokens": 3},
    },
    "columns": {"q": asked("Enter?"), "a": "yes", "n": 0, "id": "k", "t": 0.5},
}
_COLUMNS = Columns(messages="q", response="a", repeat="n", id="id", latency_s="t", prompt_tokens="n")
_WRONG: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        True,
        -1,
        1e300,
        10**30,
        float("nan"),
        "",
        "\ud800",
        "[",
        "-inf",
        [],
        {},
        [[]],
        [{}],
        [None],
        {"": None},
    ]
)


def _places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a parsed document."""
    inner: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        inner = [place for key in value for place in _places(value[key], (*at, key))]
    elif isinstance(value, list):
        inner = [place for index, one in enumerate(value) for place in _places(one, (*at, index))]
    return [at, *inner] if at else inner


@st.composite
def _damaged(draw: st.DrawFn, row: object) -> object:
    """A row with something else at one to three of its places."""
    copy = json.loads(json.dumps(row))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(copy)
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder = copy
        for step in way:
            holder = holder[step]
        if draw(st.booleans()):
            holder[last] = copy_of(draw(_WRONG))
        else:
            del holder[last]
    return copy


@pytest.mark.parametrize("name", sorted(_ROWS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_row_is_read_or_named(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Anything may stand anywhere in a row: it comes out as entries that can be stored, or as a problem."""
    row = data.draw(_damaged(_ROWS[name]))
    path = tmp_path / "log.jsonl"
    if name == "inspect":
        kept = cast("dict[str, object]", row) if isinstance(row, dict) else {}
        path = tmp_path / "log.json"
        path.write_text(json.dumps({"version": 2, "eval": {}, "samples": [kept, row]}), encoding="utf-8")
    else:
        write_lines(path, [row])
    columns = _COLUMNS if name == "columns" else None
    for entry in open_log(path, format=cast("Format", name), columns=columns).entries():
        if isinstance(entry, Problem):
            assert "\n" not in entry.what
            continue
        assert isinstance(entry, LogEntry)
        assert entry.repeat >= 0
        assert all(message.content.encode("utf-8") is not None for message in entry.messages)
        reply = entry.reply
        for text in (reply.text, reply.error, reply.refusal, reply.finish_reason, reply.model):
            assert text is None or isinstance(text, str)
        for count in (reply.prompt_tokens, reply.completion_tokens):
            assert count is None or 0 <= count < 2**63


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from([".eval", ".json", ".jsonl", ".csv", ".parquet", ".log"]))
def test_any_bytes_at_all(tmp_path: Path, content: bytes, suffix: str) -> None:
    """A file of any bytes is refused in one line or read with its problems."""
    path = tmp_path / f"log{suffix}"
    path.write_bytes(content)
    try:
        log = open_log(path, format=cast("Format | None", recognised(path)), columns=None)
        list(log.entries())
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    try:
        found = list(open_log(path, columns=Columns(prompt="a", response="b")).entries())
        assert all(isinstance(one, LogEntry | Problem) for one in found)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 - as above


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_of_an_archive(tmp_path: Path, place: int, change: int) -> None:
    """One wrong byte anywhere in an archive is a problem or an error, and never another text."""
    path = inspect_archive(
        tmp_path / "log.eval", [inspect_sample(f"q{i}", 1, f"Case {i}", "yes") for i in range(2)]
    )
    body = bytearray(path.read_bytes())
    body[place % len(body)] ^= change
    path.write_bytes(body)
    try:
        found = list(open_log(path, format="inspect").entries())
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
        return
    assert {one.reply.text for one in found if isinstance(one, LogEntry)} <= {"yes"}
