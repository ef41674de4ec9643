"""`/v1/chat/completions`: reading a request, and the completion or the stream that answers it."""

import json
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, JsonValue, field_validator

from audit.serving.answering import Answered
from audit.serving.bodies import Body, Metadata, Role, TextPart, message_of, parsed
from audit.serving.calls import Answer, Call, LimitName, split_tokens
from audit.serving.quirks import reshaped

__all__ = ["ChatBody", "chat_body", "chat_call", "chat_chunks"]

_MOST_CHOICES = 128


class _Message(Body):
    role: Role
    content: str | tuple[TextPart, ...] | None = None


class _StreamOptions(Body):
    include_usage: bool = False


class ChatBody(Body):
    """What of a request is heeded; tools and response formats are taken and change nothing."""

    model: str
    messages: Annotated[tuple[_Message, ...], Field(min_length=1)]
    n: Annotated[int, Field(ge=1, le=_MOST_CHOICES)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    stop: Annotated[tuple[str, ...], Field(max_length=4)] | None = None
    seed: int | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    metadata: Metadata | None = None

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_more(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    @property
    def limit_name(self) -> LimitName | None:
        """Under which name the limit of tokens was sent."""
        if self.max_completion_tokens is not None:
            return "max_completion_tokens"
        return None if self.max_tokens is None else "max_tokens"


def chat_call(raw: bytes) -> tuple[Call, ChatBody]:
    """The call of a request, and the request.

    Raises:
        ApiError: 400; it is not as documented.
    """
    body = parsed(ChatBody, raw)
    call = Call(
        model=body.model,
        messages=tuple(message_of(message.role, message.content) for message in body.messages),
        choices=body.n or 1,
        limit=body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens,
        limit_name=body.limit_name,
        stop=body.stop or (),
        temperature=body.temperature,
        seed=body.seed,
        streamed=bool(body.stream),
    )
    return call, body


def chat_body(answered: Answered) -> dict[str, JsonValue]:
    """The completion that answers a call."""
    body = {
        **_head(answered, "chat.completion"),
        "choices": [_choice(answer, place) for place, answer in enumerate(answered.answers)],
        "usage": _usage(answered),
    }
    return reshaped(answered.quirk, body)


def chat_chunks(answered: Answered, *, with_usage: bool) -> Iterator[bytes]:
    """The events of a stream, a piece of text each, with the end mark.

    Args:
        answered: The call with its answers.
        with_usage: Whether a last chunk holds the usage.
    """
    head = _head(answered, "chat.completion.chunk")
    for place, answer in enumerate(answered.answers):
        for delta in _deltas(answer):
            yield _event({**head, "choices": [_delta(place, delta, None)]})
        yield _event({**head, "choices": [_delta(place, {}, answer.finish)]})
    if with_usage:
        yield _event({**head, "choices": [], "usage": _usage(answered)})
    yield b"data: [DONE]\n\n"


def _usage(answered: Answered) -> JsonValue:
    """Tokens of a call, by this server's own count."""
    prompt = answered.call.prompt_tokens()
    said = sum(answer.completion_tokens() for answer in answered.answers)
    thought = sum(len(split_tokens(answer.reasoning or "")) for answer in answered.answers)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _head(answered: Answered, kind: str) -> dict[str, JsonValue]:
    return {
        "id": f"chatcmpl-{answered.id}",
        "object": kind,
        "created": answered.created,
        "model": answered.call.model,
        "service_tier": "default",
        "system_fingerprint": answered.fingerprint,
    }


def _choice(answer: Answer, place: int) -> JsonValue:
    message: dict[str, JsonValue] = {
        "role": "assistant",
        "content": answer.text,
        "refusal": answer.refusal,
        "annotations": [],
    }
    if answer.reasoning is not None:
        message["reasoning_content"] = answer.reasoning
    return {
        "index": place,
        "message": message,
        # No model of this server has any.
        "logprobs": None,
        "finish_reason": answer.finish,
    }


def _deltas(answer: Answer) -> Iterator[dict[str, JsonValue]]:
    yield {"role": "assistant", "content": None if answer.text is None else "", "refusal": None}
    for token in split_tokens(answer.reasoning or ""):
        yield {"reasoning_content": token}
    for token in split_tokens(answer.refusal or ""):
        yield {"refusal": token}
    for token in split_tokens(answer.text or ""):
        yield {"content": token}


def _delta(place: int, delta: dict[str, JsonValue], finish: str | None) -> JsonValue:
    return {"index": place, "delta": delta, "logprobs": None, "finish_reason": finish}


def _event(chunk: dict[str, JsonValue]) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()
