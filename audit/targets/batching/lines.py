"""The lines of batch files: requests as OpenAI's Batch API and `vllm run-batch` read them, and their results.

    {"custom_id": "…", "method": "POST", "url": "/v1/chat/completions", "body": {…}}
    {"custom_id": "…", "response": {"status_code": 200, "request_id": "…", "body": {…}}, "error": null}

Source: OpenAI's Batch API reference; `vllm/entrypoints/openai/run_batch.py`.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from audit.records import Output, Request
from audit.targets.base import TargetError, output_for
from audit.targets.finish import CONTENT_FILTER
from audit.targets.half_characters import whole_characters
from audit.targets.openai_api.errors import error_body, is_filtered, without_secrets
from audit.targets.openai_api.replies import ErrorBody, Reply, output_of

__all__ = ["ReadReply", "read_result", "request_line"]

ReadReply = Callable[[bytes, str], Reply]
"""Reads a body as one of the interfaces gives it; see `read_chat`."""
_ID = re.compile(r"(?P<prompt_id>.+)\.(?P<turn>\d{1,9})\.(?P<repeat>\d{1,9})\.(?P<attempt>\d{1,9})")
_OK = 200


class _Loose(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Response(_Loose):
    status_code: int = _OK
    request_id: str | None = None
    body: JsonValue = None


class _Result(_Loose):
    custom_id: Annotated[str, Field(max_length=512)]
    response: _Response | None = None
    error: JsonValue = None
    """OpenAI: an object or null. `vllm run-batch`: also a text, or what its server would have answered."""


def request_line(request: Request, url: str, body: dict[str, JsonValue]) -> bytes:
    """A request as a line of a batch's file.

    Args:
        request: Names the line: its key is the `custom_id`.
        url: Path that the body is meant for.
        body: What would be posted there.
    """
    key = f"{request.prompt_id}.{request.turn}.{request.repeat}.{request.attempt}"
    line = {"custom_id": key, "method": "POST", "url": url, "body": body}
    # ASCII, since a line separator of Unicode within a text would be taken for the end of the line.
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def read_result(
    line: bytes, reader: ReadReply, target: str, place: str, secrets: Sequence[str] = ()
) -> Output | None:
    """The output in a line of results, whatever the server put there.

    Args:
        line: The line.
        reader: Of the interface that the requests were meant for.
        target: Name under which the output is stored.
        place: Host and model, for messages.
        secrets: Keys that were sent, which no message may hold.

    Returns:
        The output; one with an error if the line holds no completion; None if it names no request.
    """
    try:
        result = _Result.model_validate_json(whole_characters(line))
    except ValidationError:
        return None
    named = _ID.fullmatch(result.custom_id)
    if named is None:
        return None
    request = Request(
        prompt_id=named["prompt_id"],
        messages=(),
        turn=int(named["turn"]),
        repeat=int(named["repeat"]),
        attempt=int(named["attempt"]),
    )
    try:
        return _answer(result, request, reader, (target, place))
    except TargetError as error:
        return output_for(request, target, error=without_secrets(str(error), secrets))


def _answer(result: _Result, request: Request, reader: ReadReply, names: tuple[str, str]) -> Output:
    target, place = names
    response = result.response
    if response is None or response.status_code != _OK:
        given = None if response is None else response.body
        failure = _failure(result.error if given is None else given)
        if is_filtered(failure):
            return output_for(request, target, finish_reason=CONTENT_FILTER)
        status = "" if response is None else f"status {response.status_code}: "
        raise TargetError(f"{place}: {status}{_said(failure)}")
    body = json.dumps(response.body).encode()
    reply = reader(body, place)
    if reply.error is not None:
        raise TargetError(f"{place}: {_said(reply.error)}")
    output = output_of(reply, request, target, place)
    return output.model_copy(update={"request_id": response.request_id or output.request_id})


def _failure(error: JsonValue) -> ErrorBody:
    """What a line says went wrong."""
    if error is None:
        return ErrorBody(message="the batch holds no answer")
    return ErrorBody(message=error) if isinstance(error, str) else error_body(json.dumps(error).encode())


def _said(error: ErrorBody) -> str:
    said = ": ".join(str(part) for part in (error.code, error.message) if part)
    return said or "an error without words"
