"""Batches through the real SDK: states, files, errors, cancelling, expiry, and a server that is killed."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

import openai
import pytest
from openai.types import Batch

from audit.serving.batch_answers import Answerers
from audit.serving.batch_lines import Journal, JournalLine, checked_lines
from audit.serving.batch_records import BatchRecord, BatchRequest
from audit.serving.batches import Batches
from audit.serving.files import Files
from audit.serving.inference import Reply
from audit.serving.pacing import Pace
from tests.audit.serving.conftest import ASKED, jsonl, sdk, until
from tests.servers.processes import fetch_json, specimen_server, started

_OVER = ("completed", "failed", "expired", "cancelled")
_Endpoint = Literal["/v1/chat/completions", "/v1/responses", "/v1/moderations"]


def _line(name: str, model: str = "specimen", **changes: object) -> dict[str, object]:
    body = {"model": model, "messages": [{"role": "user", "content": f"{ASKED} ({name})"}], "seed": 1}
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body, **changes}


def _begin(
    client: openai.OpenAI, lines: Sequence[object], endpoint: _Endpoint = "/v1/chat/completions"
) -> Batch:
    file = client.files.create(file=("in.jsonl", jsonl(lines)), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, endpoint=endpoint, completion_window="24h", metadata={"run": "a"}
    )


def _end(client: openai.OpenAI, batch: Batch) -> Batch:
    until(lambda: client.batches.retrieve(batch.id).status, _OVER)
    return client.batches.retrieve(batch.id)


class _Row(TypedDict):
    custom_id: str
    response: dict[str, Any] | None
    error: dict[str, Any] | None


def _rows(client: openai.OpenAI, file: str | None) -> list[_Row]:
    if file is None:
        return []
    return [json.loads(line) for line in client.files.content(file).text.splitlines()]


def test_a_batch_goes_through_its_states_and_answers_each_line_once(client: openai.OpenAI) -> None:
    """Every request comes back under its own id, with the answer that it gets without a batch."""
    batch = _begin(client, [_line(f"r{n}") for n in range(20)])
    assert (batch.status, batch.metadata) == ("validating", {"run": "a"})
    seen = until(lambda: client.batches.retrieve(batch.id).status, _OVER)
    assert [status for status in seen if status != "finalizing"] == ["validating", "in_progress", "completed"]
    done = client.batches.retrieve(batch.id)
    assert done.request_counts is not None
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (
        20,
        20,
        0,
    )
    assert done.error_file_id is None
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens > 0
    rows = _rows(client, done.output_file_id)
    assert [row["custom_id"] for row in rows] == [f"r{n}" for n in range(20)]
    response = rows[3]["response"]
    assert response is not None
    single = client.chat.completions.create(
        model="specimen", messages=[{"role": "user", "content": f"{ASKED} (r3)"}], seed=1
    )
    assert response["status_code"] == 200
    assert response["body"]["choices"][0]["message"]["content"] == single.choices[0].message.content
    assert batch.id in [one.id for one in client.batches.list(limit=5)]


def test_responses_and_moderations_go_through_batches_too(client: openai.OpenAI) -> None:
    """A batch may ask each endpoint that takes batches."""
    asked: list[tuple[_Endpoint, dict[str, object]]] = [
        ("/v1/responses", {"model": "specimen", "input": ASKED}),
        ("/v1/moderations", {"model": "omni-moderation-latest", "input": "hello"}),
    ]
    for endpoint, body in asked:
        done = _end(client, _begin(client, [_line("a", url=endpoint, body=body)], endpoint))
        assert len(_rows(client, done.output_file_id)) == 1


@pytest.mark.parametrize(
    ("lines", "code", "place"),
    [
        ([], "empty_file", None),
        ([_line("a"), _line("a")], "duplicate_custom_id", 2),
        ([_line("a"), _line("b", url="/v1/responses")], "invalid_url", 2),
        ([_line("a", method="GET")], "invalid_method", 1),
        ([_line("a"), _line("b", "specimen-unbiased")], "mismatched_model", 2),
        ([_line("a", "absent")], "model_not_found", 1),
        (
            [{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}],
            "missing_required_parameter",
            1,
        ),
        (["no object"], "invalid_line", 1),
    ],
)
def test_a_wrong_input_fails_the_batch_before_it_begins(
    client: openai.OpenAI, lines: list[object], code: str, place: int | None
) -> None:
    """The batch says which line is wrong, and why; nothing is asked."""
    done = _end(client, _begin(client, lines))
    assert done.status == "failed"
    assert done.errors is not None
    assert done.errors.data is not None
    assert (done.errors.data[0].code, done.errors.data[0].line) == (code, place)
    assert done.output_file_id is None


def test_a_line_that_is_no_json_is_named(client: openai.OpenAI) -> None:
    """Half a line fails the batch with its number."""
    content = json.dumps(_line("a")).encode() + b'\n{"custom_id": "b"\n'
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    done = _end(client, batch)
    assert done.errors is not None
    assert done.errors.data is not None
    assert (done.errors.data[0].code, done.errors.data[0].line) == ("invalid_json_line", 2)


def test_a_batch_that_cannot_be_made_is_refused(client: openai.OpenAI) -> None:
    """A missing file, a wrong purpose, a wrong endpoint or window get an error at once."""
    other = client.files.create(file=("a.jsonl", jsonl([1])), purpose="evals")
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id="file-absent", endpoint="/v1/responses", completion_window="24h")
    wrong: list[dict[str, object]] = [
        {"input_file_id": other.id, "endpoint": "/v1/responses", "completion_window": "24h"},
        {"input_file_id": other.id, "endpoint": "/v1/cakes", "completion_window": "24h"},
        {"input_file_id": other.id, "endpoint": "/v1/responses", "completion_window": "1h"},
        {"endpoint": "/v1/responses", "completion_window": "24h"},
    ]
    for body in wrong:
        with pytest.raises(openai.BadRequestError):
            client.post("/batches", body=body, cast_to=object)


def test_failed_lines_stand_in_the_error_file(client: openai.OpenAI) -> None:
    """Each line is in one of the two files, with the status or the error that it got."""
    model = "faulty?server_error=0.3&dropped=0.3"
    done = _end(client, _begin(client, [_line(f"r{n}", model) for n in range(40)]))
    good, bad = _rows(client, done.output_file_id), _rows(client, done.error_file_id)
    assert {row["custom_id"] for row in (*good, *bad)} == {f"r{n}" for n in range(40)}
    assert len(good) + len(bad) == 40
    assert {row["response"]["status_code"] for row in bad if row["response"]} == {500}
    assert {row["error"]["code"] for row in bad if row["error"]} == {"server_error"}
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (len(good), len(bad))


def test_a_hostile_batch_has_lines_that_are_no_json(client: openai.OpenAI) -> None:
    """A malformed body makes a malformed line, and the others stay whole."""
    done = _end(client, _begin(client, [_line(f"r{n}", "hostile-malformed-json") for n in range(3)]))
    assert done.output_file_id is not None
    lines = client.files.content(done.output_file_id).text.splitlines()
    assert len(lines) == 3
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[0])


def test_a_cancelled_batch_keeps_what_was_answered(client: openai.OpenAI) -> None:
    """Cancelling goes through its state and ends, and what is over cannot be cancelled."""
    batch = _begin(client, [_line(f"r{n}", "faulty?latency_s=0.05") for n in range(2000)])
    until(lambda: client.batches.retrieve(batch.id).status, ["in_progress"])
    assert client.batches.cancel(batch.id).status == "cancelling"
    done = _end(client, batch)
    assert done.status == "cancelled"
    assert done.request_counts is not None
    assert done.request_counts.completed == len(_rows(client, done.output_file_id)) < 2000
    with pytest.raises(openai.BadRequestError, match="cancelled"):
        client.batches.cancel(batch.id)


def test_a_batch_expires_with_every_line_accounted_for() -> None:
    """What the window left no time for stands in the error file as expired."""
    with (
        specimen_server("--job-seconds", "0", "--batch-window-seconds", "2") as base_url,
        sdk(base_url) as client,
    ):
        done = _end(client, _begin(client, [_line(f"r{n}", "faulty?latency_s=1") for n in range(60)]))
        assert done.status == "expired"
        good, bad = _rows(client, done.output_file_id), _rows(client, done.error_file_id)
        assert len(good) + len(bad) == 60
        assert {row["error"]["code"] for row in bad if row["error"]} == {"batch_expired"}


def test_a_killed_server_goes_on_and_answers_nothing_twice(tmp_path: Path) -> None:
    """After SIGKILL in the middle of a batch another server over the folder ends it, each line once."""
    options = ("--data", str(tmp_path), "--job-seconds", "0")
    lines = [_line(f"r{n}", "faulty?latency_s=0.02") for n in range(300)]
    process, base_url = started(*options)
    with sdk(base_url) as client:
        batch = _begin(client, lines)
        until(lambda: str((_completed(client, batch) or 0) > 40), ["True"])
    process.kill()
    process.wait(10)
    with specimen_server(*options) as again, sdk(again) as client:
        before = _completed(client, batch)
        assert 0 < before < 300
        done = _end(client, batch)
        assert done.status == "completed"
        names = [row["custom_id"] for row in _rows(client, done.output_file_id)]
        assert names == [f"r{n}" for n in range(300)]
        shown = fetch_json(again, "/evenhand/requests")
        assert isinstance(shown, dict)
        # What was in the journal of the killed server was not asked of the new one.
        assert shown["models"]["faulty?latency_s=0.02"]["requests"] <= 300 - 40


def _completed(client: openai.OpenAI, batch: Batch) -> int:
    counts = client.batches.retrieve(batch.id).request_counts
    return 0 if counts is None else counts.completed


def test_a_journal_keeps_whole_lines_only(tmp_path: Path) -> None:
    """A line that was cut by a kill is dropped, and what is appended later stands on a line of its own."""
    journal = Journal(path=tmp_path / "a.journal")
    journal.append(JournalLine(line=1, file="output", text="\xff"))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[:20])
    assert list(journal.read()) == [1]
    journal.append(JournalLine(line=2, file="error", text="b"))
    assert {line: entry.text for line, entry in journal.read().items()} == {1: "\xff", 2: "b"}


def test_a_moderation_need_not_name_its_model(tmp_path: Path) -> None:
    """Lines without a model ask for the endpoint's own; of chat completions each must name one."""
    path = tmp_path / "a.jsonl"

    def found(url: str, *bodies: dict[str, str]) -> tuple[str | None, list[str]]:
        lines = [
            json.dumps({"custom_id": str(number), "method": "POST", "url": url, "body": body})
            for number, body in enumerate(bodies)
        ]
        path.write_text("\n".join(lines), encoding="utf-8")
        _, model, errors = checked_lines(path, url)
        return model, [error.code for error in errors]

    named = {"input": "Hi", "model": "omni-moderation-latest"}
    assert found("/v1/moderations", {"input": "Hi"}, named) == ("omni-moderation-latest", [])
    assert found("/v1/chat/completions", {}) == (None, ["missing_required_parameter"])


def test_a_fault_of_a_target_is_one_line_s_answer(tmp_path: Path) -> None:
    """A line whose answerer breaks stands in the error file, and the batch ends all the same."""
    asked: list[bytes] = []

    async def answer(raw: bytes) -> Reply:
        asked.append(raw)
        if len(asked) == 3:
            raise ValueError("a fault of a target")
        return Reply(body=b"{}", headers={})

    async def scene() -> BatchRecord:
        files = Files(tmp_path / "files", time.time)
        lines = [(json.dumps(_line(f"r{n}")) + "\n").encode() for n in range(20)]
        given = files.write(lines, "a.jsonl", "batch")
        answerers = Answerers(by_endpoint={"/v1/chat/completions": answer}, check_model=lambda _: None)
        pace = Pace(least_s=0.01, window_s=60, now=time.time)
        batches = Batches(tmp_path / "batches", files, answerers, pace)
        wanted = BatchRequest(
            input_file_id=given.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        made = batches.create(wanted)
        await asyncio.to_thread(until, lambda: batches.find(made.id).status, _OVER)
        await batches.aclose()
        return batches.find(made.id)

    done = asyncio.run(scene())
    assert (done.request_counts.completed, done.request_counts.failed) == (19, 1)
    assert done.error_file_id is not None
    fault = (tmp_path / "files" / f"{done.error_file_id}.bin").read_text("utf-8")
    assert "ValueError" in fault
    assert "a fault of a target" not in fault
