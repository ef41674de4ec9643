"""`/v1/responses`: reading a request, and the response object that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from audit.serving.answering import Answered
from audit.serving.api_errors import invalid
from audit.serving.bodies import Body, Metadata, Role, TextPart, message_of, parsed
from audit.serving.calls import Answer, Call
from probes.records import Message

__all__ = ["Kept", "Responses", "ResponsesBody", "response_body"]

_MOST_KEPT = 1000
_UNKNOWN = ("messages", "seed", "n", "stop", "logprobs", "max_tokens", "max_completion_tokens")
"""Parameters of chat completions that this endpoint rejects, as the real one does."""


class _Item(Body):
    type: Literal["message"] = "message"
    role: Role
    content: str | tuple[TextPart, ...]


class ResponsesBody(Body):
    """What of a request is heeded."""

    model: str
    input: str | Annotated[tuple[_Item, ...], Field(min_length=1)]
    instructions: str | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    metadata: Metadata | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_of_chat(cls, given: object) -> object:
        if isinstance(given, Mapping):
            for name in _UNKNOWN:
                if name in given:
                    raise invalid(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A response that can be fetched and continued."""

    messages: tuple[Message, ...]
    """What was said up to and with the answer, without instructions."""
    body: dict[str, JsonValue]


class Responses:
    """The responses that were asked to be stored, as long as the server runs."""

    def __init__(self) -> None:
        """Start with none."""
        self._kept: dict[str, Kept] = {}

    def call(self, raw: bytes) -> tuple[Call, ResponsesBody]:
        """The call of a request, and the request.

        Raises:
            ApiError: 400 or 404; it is not as documented, or continues what is not kept.
        """
        body = parsed(ResponsesBody, raw)
        earlier: tuple[Message, ...] = ()
        if body.previous_response_id is not None:
            earlier = self.find(body.previous_response_id, "Previous response with id").messages
        instructions = () if body.instructions is None else (message_of("system", body.instructions),)
        call = Call(
            model=body.model,
            messages=(*instructions, *earlier, *_said(body)),
            limit=body.max_output_tokens,
            limit_name=None if body.max_output_tokens is None else "max_output_tokens",
            temperature=body.temperature,
            streamed=bool(body.stream),
        )
        return call, body

    def keep(self, answered: Answered, request: ResponsesBody, body: dict[str, JsonValue]) -> None:
        """Keep a response unless the request said not to."""
        if request.store is False:
            return
        # Instructions hold for one response; what developers say in the input is part of the conversation.
        said = answered.call.messages[0 if request.instructions is None else 1 :]
        text = answered.answers[0].text or answered.answers[0].refusal or ""
        # A hostile model's half characters could not be sent back to it.
        reply = Message(role="assistant", content=text.encode("utf-8", "replace").decode("utf-8"))
        self._kept[str(body["id"])] = Kept(messages=(*said, reply), body=body)
        if len(self._kept) > _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))

    def find(self, name: str, what: str = "Response with id") -> Kept:
        """A kept response.

        Raises:
            ApiError: 404; there is none of that id.
        """
        if name not in self._kept:
            error = invalid(f"{what} '{name}' not found.", code=None)
            error.status = 404
            raise error
        return self._kept[name]

    def delete(self, name: str) -> dict[str, JsonValue]:
        """Forget a response.

        Raises:
            ApiError: 404; there is none of that id.
        """
        self.find(name)
        self._kept.pop(name)
        return {"id": name, "object": "response.deleted", "deleted": True}


def response_body(answered: Answered, request: ResponsesBody) -> dict[str, JsonValue]:
    """The response object that answers a call."""
    answer = answered.answers[0]
    reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
    reason = reasons.get(answer.finish)
    return {
        "id": f"resp_{answered.id}",
        "object": "response",
        "created_at": answered.created,
        "completed_at": None if reason else answered.created,
        "status": "incomplete" if reason else "completed",
        "background": False,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "metadata": dict(request.metadata or {}),
        "model": request.model,
        "output": _output(answer, answered.id, done=not reason),
        "parallel_tool_calls": True,
        "previous_response_id": request.previous_response_id,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": request.store is not False,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "truncation": "disabled",
        "usage": _usage(answered),
        "user": None,
    }


def _output(answer: Answer, name: str, *, done: bool) -> JsonValue:
    status = "completed" if done else "incomplete"
    items: list[JsonValue] = []
    if answer.reasoning is not None:
        thought: JsonValue = [{"type": "summary_text", "text": answer.reasoning}]
        items.append({"id": f"rs_{name}", "type": "reasoning", "summary": thought, "status": status})
    parts: list[JsonValue] = []
    if answer.refusal is not None:
        parts.append({"type": "refusal", "refusal": answer.refusal})
    if answer.text:
        parts.append({"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []})
    if parts:
        items.append(
            {"id": f"msg_{name}", "type": "message", "role": "assistant", "status": status, "content": parts}
        )
    return items


def _usage(answered: Answered) -> JsonValue:
    answer = answered.answers[0]
    given, said = answered.call.prompt_tokens(), answer.completion_tokens()
    thought = Answer(text=answer.reasoning).completion_tokens()
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": given + said,
    }


def _said(body: ResponsesBody) -> tuple[Message, ...]:
    if isinstance(body.input, str):
        return (Message(role="user", content=body.input),)
    return tuple(message_of(item.role, item.content) for item in body.input)
