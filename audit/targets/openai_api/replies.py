"""Reading a chat completion as servers really send it: fields missing, null, or in other shapes.

Only what an output needs is read, and everything but the list of choices may be absent. A field beside
the text that has an impossible shape counts as absent: the text is what was paid for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from audit.records import Output, Request, Usage
from audit.targets.base import RetryableTargetError, TargetError, output_for
from audit.targets.finish import broke_off, finish_reason, split_reasoning
from audit.targets.half_characters import whole_characters

__all__ = [
    "Count",
    "ErrorBody",
    "Loose",
    "Part",
    "Reply",
    "Token",
    "lenient",
    "logprobs_of",
    "output_of",
    "read_body",
    "read_chat",
    "usage_of",
]


_Body = TypeVar("_Body", bound=BaseModel)


def _or_none(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - any value may come
    try:
        return validate(given)
    except ValidationError:
        return None


lenient = WrapValidator(_or_none)
"""Makes a field of an impossible shape None."""
Count = Annotated[Annotated[int, Field(ge=0)] | None, lenient]
"""Tokens; some gateways send -1 for unknown."""
_Text = Annotated[str | None, lenient]


class Loose(BaseModel):
    """Unknown keys are ignored: every server adds some."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _InnerError(Loose):
    code: _Text = None


class ErrorBody(Loose):
    """The error object of a response, as far as anything is done with it."""

    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    param: str | None = None
    innererror: Annotated[_InnerError | None, lenient] = None
    """What Azure adds: which of its own services refused."""


class Part(Loose):
    """A part of a content; parts of other kinds, such as thinking, have no text of the answer."""

    type: _Text = None
    text: _Text = None
    refusal: _Text = None
    thinking: Annotated["str | list[Part] | None", lenient] = None
    """What a part of thinking holds: a text, or parts of its own."""

    def thought(self) -> str:
        """The text of a part of thinking; empty for all others."""
        if isinstance(self.thinking, str):
            return self.thinking
        return "".join(part.text or "" for part in self.thinking or ())


class _Message(Loose):
    content: str | list[Part | str] | None = None
    refusal: _Text = None
    reasoning_content: _Text = None
    reasoning: _Text = None

    def text(self) -> str | None:
        """The content as one text; some servers send it in parts. Reasoning is not content."""
        if not isinstance(self.content, list):
            return self.content
        return "".join(part if isinstance(part, str) else part.text or "" for part in self.content)

    def thought(self) -> str | None:
        """The reasoning, in a field of its own or among the parts."""
        parts = self.content if isinstance(self.content, list) else ()
        among = "".join(part.thought() for part in parts if isinstance(part, Part))
        return self.reasoning_content or self.reasoning or among or None

    def refused(self) -> str | None:
        """The refusal, in its own field or among the parts."""
        if self.refusal or not isinstance(self.content, list):
            return self.refusal
        said = [part.refusal for part in self.content if isinstance(part, Part) and part.refusal]
        return " ".join(said) or None


class Token(Loose):
    """One token of the answer."""

    logprob: float


class _Logprobs(Loose):
    content: list[Token] | None = None


class _Choice(Loose):
    message: _Message | None = None
    finish_reason: _Text = None
    logprobs: Annotated[_Logprobs | None, lenient] = None


class _Details(Loose):
    reasoning_tokens: Count = None


class _Usage(Loose):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    completion_tokens_details: Annotated[_Details | None, lenient] = None


class _Completion(Loose):
    choices: list[_Choice] | None = None
    usage: Annotated[_Usage | None, lenient] = None
    model: _Text = None
    system_fingerprint: _Text = None
    id: _Text = None
    error: ErrorBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a response says, whichever interface it came by."""

    text: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    refusal: str | None = None
    usage: Usage | None = None
    logprobs: tuple[float, ...] | None = None
    request_id: str | None = None
    model: str | None = None
    fingerprint: str | None = None
    error: ErrorBody | None = None
    """The error that some gateways send with status 200, in place of an answer."""


def read_chat(body: bytes, place: str) -> Reply:
    """The reply in a chat completion.

    Args:
        body: The bytes of the response.
        place: Host and model, for messages.

    Returns:
        Text (None if the content is null), reasoning, finish reason, refusal, usage and
        log-probabilities as far as the server sent them; or the error that it sent as if all were well.

    Raises:
        RetryableTargetError: The body is no completion; a proxy or an overloaded server may have cut it.
        TargetError: There is no choice in it.
    """
    completion = read_body(_Completion, body, place)
    if not completion.choices:
        if completion.error is None:
            raise TargetError(f"{place}: the response holds no choices")
        return Reply(error=completion.error)
    choice, usage = completion.choices[0], completion.usage
    message = choice.message or _Message()
    text, inline = split_reasoning(message.text())
    reasoning = message.thought()
    if reasoning and text is not None:
        text = text.lstrip("\n")  # parsers of reasoning leave the empty lines that followed it
    details = usage.completion_tokens_details if usage is not None else None
    return Reply(
        text=text,
        reasoning=reasoning or inline,
        finish_reason=choice.finish_reason,
        refusal=message.refused(),
        usage=None
        if usage is None
        else usage_of(
            usage.prompt_tokens,
            usage.completion_tokens,
            None if details is None else details.reasoning_tokens,
        ),
        logprobs=logprobs_of(choice.logprobs.content) if choice.logprobs is not None else None,
        request_id=completion.id,
        model=completion.model,
        fingerprint=completion.system_fingerprint,
    )


def output_of(
    reply: Reply,
    request: Request,
    target: str,
    place: str,
    *,
    latency_s: float | None = None,
    request_id: str | None = None,
) -> Output:
    """The output that a reply gives for its request.

    Args:
        reply: As read.
        request: The request it answers.
        target: Name under which the output is stored.
        place: Host and model, for messages.
        latency_s: Seconds it took, where that is known.
        request_id: The server's name for the call, where it gave one beside the reply.

    Raises:
        RetryableTargetError: The server says that it broke the answer off.
    """
    if broke_off(reply.finish_reason):
        raise RetryableTargetError(
            f"{place}: the server broke the answer off (finish_reason {reply.finish_reason!r})"
        )
    return output_for(
        request,
        target,
        text=reply.text,
        finish_reason=finish_reason(reply.finish_reason),
        refusal=reply.refusal,
        reasoning=reply.reasoning or None,
        usage=reply.usage,
        logprobs=reply.logprobs,
        latency_s=latency_s,
        request_id=request_id or reply.request_id,
        model=reply.model,
        fingerprint=reply.fingerprint,
    )


def read_body(kind: type[_Body], body: bytes, place: str) -> _Body:
    """A response body as a model.

    Raises:
        RetryableTargetError: It has another shape.
    """
    try:
        return kind.model_validate_json(whole_characters(body))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the body"
        raise RetryableTargetError(
            f"{place}: malformed response of {len(body)} bytes: {where}: {problem['msg']}"
        ) from error


def usage_of(prompt: int | None, completion: int | None, reasoning: int | None) -> Usage | None:
    """The tokens, None if none of them is known; those of reasoning are among those of the completion."""
    if completion is None:
        completion = reasoning
    if prompt is None and completion is None:
        return None
    return Usage(prompt_tokens=prompt, completion_tokens=completion)


def logprobs_of(tokens: Sequence[Token] | None) -> tuple[float, ...] | None:
    """The log-probabilities of the answered tokens."""
    return None if tokens is None else tuple(token.logprob for token in tokens)
