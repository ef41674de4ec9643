"""Reading an answer of the Responses interface (`/v1/responses`)."""

from typing import Annotated

from audit.targets.base import TargetError
from audit.targets.finish import LENGTH, split_reasoning
from audit.targets.openai_api.replies import (
    Count,
    ErrorBody,
    Loose,
    Reply,
    Token,
    lenient,
    logprobs_of,
    read_body,
    usage_of,
)

__all__ = ["read_response"]

_FAILED = ("failed", "cancelled")
_INCOMPLETE = "incomplete"


class _Content(Loose):
    type: str = ""
    text: Annotated[str | None, lenient] = None
    refusal: Annotated[str | None, lenient] = None
    logprobs: Annotated[list[Token] | None, lenient] = None


class _Item(Loose):
    type: str = ""
    content: Annotated[list[_Content] | None, lenient] = None
    summary: Annotated[list[_Content] | None, lenient] = None


class _Details(Loose):
    reasoning_tokens: Count = None


class _Usage(Loose):
    input_tokens: Count = None
    output_tokens: Count = None
    output_tokens_details: Annotated[_Details | None, lenient] = None


class _Why(Loose):
    reason: Annotated[str | None, lenient] = None


class _Response(Loose):
    output: list[_Item] | None = None
    status: str | None = None
    incomplete_details: Annotated[_Why | None, lenient] = None
    usage: Annotated[_Usage | None, lenient] = None
    model: Annotated[str | None, lenient] = None
    id: Annotated[str | None, lenient] = None
    error: ErrorBody | None = None


def read_response(body: bytes, place: str) -> Reply:
    """The reply in a response.

    Args:
        body: The bytes of the response.
        place: Host and model, for messages.

    Returns:
        The texts of its messages as one, the reasoning apart from them, and why it ended: `stop` if it is
        complete. A response that failed gives its error.

    Raises:
        RetryableTargetError: The body is no response; a proxy or an overloaded server may have cut it.
        TargetError: It holds no output.
    """
    response = read_body(_Response, body, place)
    if response.error is not None or response.status in _FAILED:
        return Reply(error=response.error or ErrorBody(message=f"the response is {response.status}"))
    if response.output is None:
        raise TargetError(f"{place}: the response holds no output")
    said = [part for item in response.output if item.type == "message" for part in item.content or ()]
    texts = [part for part in said if part.type in {"output_text", "text"} and part.text is not None]
    text, inline = split_reasoning("".join(part.text or "" for part in texts) if texts else None)
    thought = [
        part.text
        for item in response.output
        if item.type == "reasoning"
        for part in (*(item.content or ()), *(item.summary or ()))
        if part.text
    ]
    usage = response.usage
    details = usage.output_tokens_details if usage is not None else None
    known = [part.logprobs for part in texts if part.logprobs]
    return Reply(
        text=text,
        reasoning="\n".join(thought) or inline,
        finish_reason=_ended(response),
        refusal=" ".join(part.refusal for part in said if part.refusal) or None,
        usage=None
        if usage is None
        else usage_of(
            usage.input_tokens, usage.output_tokens, None if details is None else details.reasoning_tokens
        ),
        logprobs=logprobs_of([token for part in known for token in part]) if known else None,
        request_id=response.id,
        model=response.model,
    )


def _ended(response: _Response) -> str | None:
    if response.status != _INCOMPLETE:
        return "stop" if response.status == "completed" else response.status
    why = response.incomplete_details
    return (why.reason if why is not None else None) or LENGTH
