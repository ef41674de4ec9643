"""The endpoints that models answer: each call is counted, answered and given its shape.

The HTTP routes and the lines of a batch go through the same functions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from audit.serving.answering import Answered, Answering
from audit.serving.api_errors import ApiError, ConnectionCutError
from audit.serving.calls import Call
from audit.serving.chat import chat_body, chat_call, chat_chunks
from audit.serving.counting import Counting
from audit.serving.hostile import spoiled
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


class Inference:
    """Serves chat completions and responses."""

    def __init__(self, answering: Answering, counting: Counting) -> None:
        """Keep the parts.

        Args:
            answering: Answers calls.
            counting: Counts them.
        """
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
        answered = await self.answered(call)
        if call.streamed and answered.spoiled is None:
            with_usage = body.stream_options is not None and body.stream_options.include_usage
            return Reply(
                body=b"", headers=_headers(answered), events=chat_chunks(answered, with_usage=with_usage)
            )
        return _reply(answered, chat_body(answered))

    async def response(self, raw: bytes) -> Reply:
        """A response.

        Raises:
            ApiError: The request is answered with a failing status.
            ConnectionCutError: It is not answered.
        """
        call, request = self.responses.call(raw)
        answered = await self.answered(call)
        body = response_body(answered, request)
        self.responses.keep(answered, request, body)
        if call.streamed and answered.spoiled is None:
            return Reply(body=b"", headers=_headers(answered), events=response_events(body))
        return _reply(answered, body)

    async def answered(self, call: Call) -> Answered:
        """What a model says, counted."""
        self._counting.asked(call.model, call.key)
        try:
            answered = await self._answering.answer(call)
        except ApiError as error:
            self._counting.failed(call.model, f"{error.status} {error.code}")
            raise
        except ConnectionCutError:
            self._counting.failed(call.model, "dropped")
            raise
        if answered.spoiled is None:
            self._counting.answered(call.model, call.key)
        else:
            self._counting.failed(call.model, answered.spoiled)
        return answered


def _reply(answered: Answered, body: dict[str, JsonValue]) -> Reply:
    return Reply(body=spoiled(answered.spoiled, body), headers=_headers(answered))


def _headers(answered: Answered) -> dict[str, str]:
    return {"x-request-id": f"req_{answered.id}", **answered.headers}
