"""Lines of results, in the shapes that OpenAI's Batch API and `vllm run-batch` write.

The shapes of vLLM are those of `BatchRequestOutput` and `make_error_request_output` in
`vllm/entrypoints/openai/run_batch.py`, and of `ErrorResponse` in its protocol; those of OpenAI are of the
Batch API reference.
"""

import io
import json

import pytest

from audit.records import Outcome, Output, Request
from audit.targets.batching.lines import LONGEST_LINE, read_result, request_line, result_lines
from audit.targets.openai_api.replies import read_chat
from probes.records import Message

KEY = "p1.2.0.1"
SAID = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}]
}
VLLM_ERROR = {"error": {"message": "too long", "type": "BadRequestError", "param": None, "code": 400}}


def read(**line: object) -> Output | None:
    """The output of a line."""
    given = json.dumps({"id": "vllm-1", "custom_id": KEY, **line}).encode()
    return read_result(given, read_chat, "target", "h")


def test_a_line_holds_what_both_readers_need() -> None:
    """VLLM and OpenAI want custom_id, method, url and body, and the id names turn and attempt."""
    request = Request(prompt_id="p1", messages=(Message(role="user", content="a\u2028b"),), turn=2, attempt=1)
    line = request_line(request, "/v1/chat/completions", {"model": "m", "messages": []})
    assert line.count(b"\n") == 1
    assert set(json.loads(line)) == {"custom_id", "method", "url", "body"}
    assert json.loads(line)["custom_id"] == KEY


def test_an_answer_of_either_is_read() -> None:
    """Status, id of the request and body stand under response."""
    output = read(response={"status_code": 200, "request_id": "r", "body": SAID}, error=None)
    assert output is not None
    assert (output.text, output.request_id, output.turn, output.attempt) == ("Yes.", "r", 2, 1)


@pytest.mark.parametrize(
    ("response", "error", "said"),
    [
        ({"status_code": 400, "request_id": "r", "body": None}, "no chat", "no chat"),
        ({"status_code": 400, "request_id": "r", "body": None}, VLLM_ERROR, "too long"),
        ({"status_code": 400, "request_id": "r", "body": VLLM_ERROR}, None, "too long"),
        (
            {"status_code": 404, "request_id": "r"},
            {"object": "error", "message": "none", "code": 404},
            "none",
        ),
        (None, {"code": "batch_expired", "message": "not in time"}, "batch_expired: not in time"),
        (None, None, "the batch holds no answer"),
    ],
)
def test_what_went_wrong_is_said_wherever_it_stands(response: object, error: object, said: str) -> None:
    """VLLM puts its reason beside a response without a body, OpenAI into the body or in place of it."""
    output = read(response=response, error=error)
    assert output is not None
    assert output.outcome is Outcome.ERRORED
    assert said in str(output.error)


def test_a_filter_is_a_refusal_in_both_places() -> None:
    """A code that says so counts in the body and beside it."""
    filtered = {"error": {"code": "content_filter", "message": "filtered"}}
    for line in (
        {"response": {"status_code": 400, "request_id": "r", "body": filtered}, "error": None},
        {"response": {"status_code": 400, "request_id": "r", "body": None}, "error": filtered},
    ):
        output = read(**line)
        assert output is not None
        assert output.outcome is Outcome.REFUSED


def test_half_a_character_costs_that_character() -> None:
    """A reply that was cut within an emoji is read with all that came before."""
    line = json.dumps({"custom_id": KEY, "response": {"status_code": 200, "body": SAID}, "error": None})
    output = read_result(line.replace("Yes.", "Yes \\ud83d").encode(), read_chat, "target", "h")
    assert output is not None
    assert output.text == "Yes \ufffd"


def test_a_line_that_names_no_request_is_none_of_ours() -> None:
    """Neither broken JSON nor a foreign id, however deep it is, stops the reading."""
    assert read_result(b"{", read_chat, "target", "h") is None
    assert read_result(b'{"custom_id": "other"}', read_chat, "target", "h") is None
    assert read_result(b'{"custom_id":' + b"[" * 100_000, read_chat, "target", "h") is None


def test_a_line_has_a_longest_length() -> None:
    """A line without end is cut, the ones after it are read, and its request gets an error that says why."""
    endless = json.dumps(
        {"id": "v", "custom_id": KEY, "response": {"status_code": 200, "body": "x"}}
    ).encode()
    endless = endless.replace(b'"x"', b'"' + b"x" * (3 * LONGEST_LINE) + b'"')
    short = json.dumps({"custom_id": KEY, "response": {"status_code": 200, "body": SAID}}).encode()
    first, second, last = result_lines(io.BytesIO(b"\n".join([short, endless, short])))
    assert len(second) == LONGEST_LINE + 1
    for line in (first, last):
        output = read_result(line, read_chat, "target", "h")
        assert output is not None
        assert output.text == "Yes."
    output = read_result(second, read_chat, "target", "h")
    assert output is not None
    assert (output.prompt_id, output.turn, output.attempt) == ("p1", 2, 1)
    assert output.error == f"h: the line of its result is longer than {LONGEST_LINE} bytes"
    assert read_result(b"x" * (LONGEST_LINE + 1), read_chat, "target", "h") is None
