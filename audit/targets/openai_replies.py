"""Reading a chat completion as servers really send it: fields missing, null, or in other shapes.

Only what an output needs is read, and everything but the list of choices may be absent.
"""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.records import Output, Request, Usage
from audit.targets.base import RetryableTargetError, TargetError

__all__ = ["Completion", "ErrorBody", "output_fields", "read_completion"]


class _Loose(BaseModel):
    """Unknown keys are ignored: every server adds some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ErrorBody(_Loose):
    """The error object of a response, as far as anything is done with it."""

    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    param: str | None = None


class _Part(_Loose):
    text: str | None = None


class _Message(_Loose):
    content: str | list[_Part] | None = None
    refusal: str | None = None

    def text(self) -> str | None:
        """The content as one text; some servers send it in parts. Reasoning is not content."""
        if not isinstance(self.content, list):
            return self.content
        return "".join(part.text or "" for part in self.content)


class _Token(_Loose):
    logprob: float


class _Logprobs(_Loose):
    content: list[_Token] | None = None


class _Choice(_Loose):
    message: _Message = Field(default_factory=_Message)
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(_Loose):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Completion(_Loose):
    """A chat completion, or the error that some gateways send with status 200."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    id: str | None = None
    error: ErrorBody | None = None


def read_completion(body: bytes, place: str) -> Completion:
    """The completion in a response body.

    Args:
        body: The bytes of the response.
        place: Host and model, for messages.

    Raises:
        RetryableTargetError: The body is no completion; a proxy or an overloaded server may have cut it.
    """
    try:
        return Completion.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the body"
        raise RetryableTargetError(
            f"{place}: malformed response of {len(body)} bytes: {where}: {problem['msg']}"
        ) from error


def output_fields(completion: Completion, request: Request, target: str, place: str) -> Output:
    """The output that a completion gives for its request.

    Args:
        completion: As read.
        request: The request it answers.
        target: Name under which the output is stored.
        place: Host and model, for messages.

    Returns:
        Text (None if the content is null), finish reason, refusal field, usage and log-probabilities
        as far as the server sent them.

    Raises:
        TargetError: There is no choice in it.
    """
    if not completion.choices:
        raise TargetError(f"{place}: the response holds no choices")
    choice = completion.choices[0]
    tokens = choice.logprobs.content if choice.logprobs is not None else None
    usage = completion.usage
    return Output(
        target=target,
        prompt_id=request.prompt_id,
        turn=request.turn,
        repeat=request.repeat,
        attempt=request.attempt,
        text=choice.message.text(),
        finish_reason=choice.finish_reason,
        refusal=choice.message.refusal,
        usage=None
        if usage is None
        else Usage(prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens),
        logprobs=None if tokens is None else tuple(token.logprob for token in tokens),
        request_id=completion.id,
        model=completion.model,
        fingerprint=completion.system_fingerprint,
    )
