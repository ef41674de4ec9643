"""The lines of batch files: requests as OpenAI's Batch API and `vllm run-batch` read them, and their results.

    {"custom_id": "…", "method": "POST", "url": "/v1/chat/completions", "body": {…}}
    {"custom_id": "…", "response": {"status_code": 200, "request_id": "…", "body": {…}}, "error": null}

Source: OpenAI's Batch API reference; `vllm/entrypoints/openai/run_batch.py`.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from audit.records import Output, Request
from audit.targets.base import TargetError, output_for
from audit.targets.finish import CONTENT_FILTER
from audit.targets.half_characters import whole_characters
from audit.targets.openai_api.bodies import LONGEST_BODY
from audit.targets.openai_api.errors import error_body, is_filtered, without_secrets
from audit.targets.openai_api.replies import ErrorBody, Reply, output_of

__all__ = ["LONGEST_LINE", "ReadReply", "read_result", "request_line", "result_lines", "why_no_result"]

LONGEST_LINE = LONGEST_BODY
"""Bytes of a line of results, as of a reply; of a longer one the rest is not read."""

ReadReply = Callable[[bytes, str], Reply]
"""Reads a body as one of the interfaces gives it; see `read_chat`."""
_ID = re.compile(r"(?P<prompt_id>.+)\.(?P<turn>\d{1,9})\.(?P<repeat>\d{1,9})\.(?P<attempt>\d{1,9})")
_ID_IN_A_HEAD = re.compile(rb'"custom_id"\s*:\s*"([^"\\]{1,512})"')
_HEAD = 4096
"""Bytes at the beginning of a line in which its id is looked for if the line is too long to be read."""
_SHOWN = 40
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
    result = _result(line)
    if isinstance(result, str):
        return None
    request = _request(result.custom_id)
    if request is None:
        return None
    if len(line) > LONGEST_LINE:
        said = f"{place}: the line of its result is longer than {LONGEST_LINE} bytes"
        return output_for(request, target, error=said)
    try:
        return _answer(result, request, reader, (target, place))
    except TargetError as error:
        return output_for(request, target, error=without_secrets(str(error), secrets))


def result_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file of results, each as far as it may be long.

    Args:
        file: The file, open for reading.

    Yields:
        Lines with their ends; of one of more than `LONGEST_LINE` bytes one byte more than that.
    """
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE + 1)


def why_no_result(line: bytes) -> str | None:
    """What is wrong with a line that names no request; None if it names one, or is blank."""
    if not line.strip():
        return None
    result = _result(line if len(line) > LONGEST_LINE else line.rstrip())
    if isinstance(result, str):
        return result
    if _request(result.custom_id) is None:
        return f"custom_id {result.custom_id[:_SHOWN]!r} is none that was sent"
    return None


def _result(line: bytes) -> _Result | str:
    """What a line holds, or why that cannot be read; of one that is too long only which request it is of."""
    if len(line) > LONGEST_LINE:
        found = _ID_IN_A_HEAD.search(line[:_HEAD])
        if found is None:
            return f"longer than {LONGEST_LINE} bytes, and without a custom_id at its beginning"
        return _Result(custom_id=found[1].decode("utf-8", "replace"))
    try:
        return _Result.model_validate_json(whole_characters(line))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        said = first["msg"].replace(" at line 1 column ", " at column ")  # Of the file it is another line.
        return f"{where}: {said}" if where else said


def _request(custom_id: str) -> Request | None:
    """The request that an id names; None if it names none."""
    named = _ID.fullmatch(custom_id)
    if named is None:
        return None
    return Request(
        prompt_id=named["prompt_id"],
        messages=(),
        turn=int(named["turn"]),
        repeat=int(named["repeat"]),
        attempt=int(named["attempt"]),
    )


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
