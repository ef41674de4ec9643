"""What comes of one request of a batch, as a line of the output or of the error file."""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from audit.serving.api_errors import ApiError, ConnectionCutError, own_fault
from audit.serving.batch_lines import JournalLine, Line
from audit.serving.batch_records import Endpoint
from audit.serving.inference import Reply

__all__ = ["Answerer", "Answerers", "answered_line", "expired_line", "usage_of"]

_LOGGER = logging.getLogger(__name__)
_FAILING = 400
Answerer: TypeAlias = Callable[[bytes], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerers:
    """Who answers the requests of batches."""

    by_endpoint: Mapping[Endpoint, Answerer]
    check_model: Callable[[str], object]
    """Raises an `ApiError` if a name stands for no model."""


def _request_name(batch: str, number: int) -> str:
    return f"batch_req_{hashlib.sha256(f'{batch} {number}'.encode()).hexdigest()[:24]}"


async def answered_line(batch: str, number: int, line: Line, answerer: Answerer) -> JournalLine:
    """What comes of a request.

    Args:
        batch: Id of the batch.
        number: Line of the input, from 1.
        line: The request.
        answerer: Of its endpoint.
    """
    name = _request_name(batch, number)
    try:
        reply = await answerer(json.dumps({**line.body, "stream": False}).encode())
    except ApiError as error:
        return _failed(number, line.custom_id, name, error)
    except ConnectionCutError:
        cut: dict[str, JsonValue] = {"code": "server_error", "message": "The connection was closed."}
        return _without_response(number, line.custom_id, name, cut)
    except Exception as error:
        # A target is a plug-in: its fault is the answer to one line, and the batch goes on to its end.
        _LOGGER.exception("batch %s, line %d", batch, number)
        return _failed(number, line.custom_id, name, own_fault(error))
    return _with_response(number, line.custom_id, name, (200, reply.body))


def expired_line(batch: str, number: int, line: Line) -> JournalLine:
    """What comes of a request that the completion window left no time for.

    Args:
        batch: Id of the batch.
        number: Line of the input, from 1.
        line: The request.
    """
    error: dict[str, JsonValue] = {
        "code": "batch_expired",
        "message": "This request could not be executed before the completion window expired.",
    }
    return _without_response(number, line.custom_id, _request_name(batch, number), error)


def _failed(number: int, custom_id: str, name: str, error: ApiError) -> JournalLine:
    return _with_response(number, custom_id, name, (error.status, json.dumps(error.body).encode()))


def _with_response(number: int, custom_id: str, name: str, response: tuple[int, bytes]) -> JournalLine:
    status, body = response
    head = json.dumps({"id": name, "custom_id": custom_id})[:-1]
    # The body as it is: a malformed one makes a malformed line, as a broken provider would.
    shown = f'{head}, "response": {{"status_code": {status}, "request_id": "{name}", "body": '.encode()
    whole = shown + body.replace(b"\n", b" ") + b'}, "error": null}'
    given, said, thought = _tokens(body)
    return JournalLine(
        line=number,
        file="output" if status < _FAILING else "error",
        text=whole.decode("latin-1"),
        input_tokens=given,
        output_tokens=said,
        reasoning_tokens=thought,
    )


def _without_response(number: int, custom_id: str, name: str, error: dict[str, JsonValue]) -> JournalLine:
    text = json.dumps({"id": name, "custom_id": custom_id, "response": None, "error": error})
    return JournalLine(line=number, file="error", text=text)


def _tokens(body: bytes) -> tuple[int, int, int]:
    """Tokens in, out and of reasoning, as far as a body says so."""
    try:
        usage = json.loads(body)["usage"]
        given = usage.get("prompt_tokens", usage.get("input_tokens", 0))
        said = usage.get("completion_tokens", usage.get("output_tokens", 0))
        details = usage.get("completion_tokens_details", usage.get("output_tokens_details", {}))
        return int(given), int(said), int(details.get("reasoning_tokens", 0))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return 0, 0, 0


def usage_of(entries: Sequence[JournalLine]) -> dict[str, JsonValue]:
    """Tokens of a batch."""
    given = sum(entry.input_tokens for entry in entries)
    said = sum(entry.output_tokens for entry in entries)
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": sum(entry.reasoning_tokens for entry in entries)},
        "total_tokens": given + said,
    }
