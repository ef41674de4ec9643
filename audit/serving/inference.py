"""The endpoints that models answer: each call is counted, answered and given its shape.

The HTTP routes and the lines of a batch go through the same functions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import JsonValue

from audit.serving.answering import Answered, Answering
from audit.serving.api_errors import ApiError, ConnectionCutError
from audit.serving.calls import Call
from audit.serving.chat import chat_body, chat_call, chat_chunks
from audit.serving.counting import Counting
from audit.serving.hostile import spoiled
from audit.serving.moderations import Moderations, moderation_call
from audit.serving.response_events import response_events
from audit.serving.responses import Responses, response_body

__all__ = ["Inference", "Reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a call in the shape of its endpoint."""

    body: bytes
    headers: dict[str, str]
    events: Iterator[bytes] | None = None
    """Given instead of the body if the client asked for a stream."""


@dataclass(slots=True)
class _Outcome:
    failure: str | None = None
    """What a call that was let through came to, if not to an answer."""


class Inference:
    """Serves chat completions, responses and moderations."""

    def __init__(self, answering: Answering, moderations: Moderations, counting: Counting) -> None:
        """Keep the parts.

        Args:
            answering: Answers calls.
            moderations: Answers moderation requests.
            counting: Counts both.
        """
        self._moderations = moderations
        self._answering = answering
        self._counting = counting
        self.responses = Responses()

    async def chat(self, raw: bytes) -> Reply:
        """A chat completion.

        Raises:
            ApiError: The request is answered with a failing status.
            ConnectionCutError: It is not answered.
        """
        call, body = chat_call(raw)
        answered = await self._answered(call)
        if call.streamed and answered.spoiled is None:
            with_usage = body.stream_options is not None and body.stream_options.include_usage
            return _stream(answered, chat_chunks(answered, with_usage=with_usage))
        return _reply(answered, chat_body(answered))

    async def response(self, raw: bytes) -> Reply:
        """A response.

        Raises:
            ApiError: The request is answered with a failing status.
            ConnectionCutError: It is not answered.
        """
        call, request = self.responses.call(raw)
        answered = await self._answered(call)
        body = response_body(answered, request)
        self.responses.keep(answered, request, body)
        if call.streamed and answered.spoiled is None:
            return _stream(answered, response_events(body))
        return _reply(answered, body)

    async def moderation(self, raw: bytes) -> Reply:
        """A moderation.

        Raises:
            ApiError: The request is answered with a failing status.
            ConnectionCutError: It is not answered.
        """
        call, texts = moderation_call(raw)
        with self._counted(call) as outcome:
            body, kind, headers = await self._moderations.moderate(call, texts)
            outcome.failure = kind
        return Reply(body=spoiled(kind, body), headers=headers)

    async def _answered(self, call: Call) -> Answered:
        with self._counted(call) as outcome:
            answered = await self._answering.answer(call)
            outcome.failure = "dropped" if answered.cut else answered.spoiled
        return answered

    @contextmanager
    def _counted(self, call: Call) -> Iterator[_Outcome]:
        """Count a call and what becomes of it."""
        outcome = _Outcome()
        self._counting.asked(call.model, call.key)
        try:
            yield outcome
        except ApiError as error:
            self._counting.failed(call.model, f"{error.status} {error.code}")
            raise
        except ConnectionCutError:
            self._counting.failed(call.model, "dropped")
            raise
        if outcome.failure is None:
            self._counting.answered(call.model, call.key)
        else:
            self._counting.failed(call.model, outcome.failure)


def _stream(answered: Answered, events: Iterator[bytes]) -> Reply:
    return Reply(body=b"", headers=_headers(answered), events=_first_half(events) if answered.cut else events)


def _first_half(events: Iterator[bytes]) -> Iterator[bytes]:
    """The beginning of a stream, and then the end of the connection."""
    whole = list(events)
    yield from whole[: len(whole) // 2]
    raise ConnectionCutError


def _reply(answered: Answered, body: dict[str, JsonValue]) -> Reply:
    return Reply(body=spoiled(answered.spoiled, body), headers=_headers(answered))


def _headers(answered: Answered) -> dict[str, str]:
    return {"x-request-id": f"req_{answered.id}", **answered.headers}
