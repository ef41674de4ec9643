"""Quirks of real servers, each behind a model name: refusals as fields and filters, reasoning, odd shapes."""

from dataclasses import replace
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field, JsonValue

from audit.serving.api_errors import ApiError, invalid
from audit.serving.calls import Answer, Call
from probes.base import Options
from probes.seeds import derive

__all__ = ["QUIRKS", "Quirk", "QuirkyOptions", "check_limit_name", "drawn_quirk", "quirky", "reshaped"]

Quirk: TypeAlias = Literal[
    "refusal_field",
    "filter_openai",
    "filter_azure",
    "filter_azure_answer",
    "reasoning",
    "content_parts",
    "no_usage",
    "error_in_200",
    "max_tokens_only",
    "max_completion_tokens_only",
]
QUIRKS: tuple[Quirk, ...] = get_args(Quirk)

_REFUSAL = "I'm sorry, but I can't help with that."
_REASONING = "The user asks for an answer. I read what is given, weigh it, and say what I think."
_SEVERITIES = ("hate", "self_harm", "sexual", "violence")
_FILTERED = "It is"


class QuirkyOptions(Options):
    """Which quirk, and how often."""

    quirk: Quirk
    share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0, description="Share of the replies that have it; the others are plain."
    )


def drawn_quirk(options: QuirkyOptions, seed: int, key: str, place: int) -> Quirk | None:
    """The quirk of one reply, None if it is one of the plain ones.

    Args:
        options: Which quirk and how often.
        seed: The root seed of the call.
        key: What is asked.
        place: Which of several answers to the same, from 0.
    """
    drawn = derive(seed, "quirk", key, place) / 2**64
    return options.quirk if drawn < options.share else None


def check_limit_name(quirk: Quirk, call: Call) -> None:
    """Refuse a limit of tokens under the name that the server does not know.

    Raises:
        ApiError: 400, in the words of OpenAI, or of a server that knows the older name only.
    """
    if quirk == "max_completion_tokens_only" and call.limit_name == "max_tokens":
        raise invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    if quirk == "max_tokens_only" and call.limit_name == "max_completion_tokens":
        raise invalid("max_completion_tokens: extra fields not permitted", code=None)


def quirky(quirk: Quirk | None, answer: Answer) -> Answer:
    """The answer with the quirk, as far as it shows in what is said.

    Raises:
        ApiError: 400, Azure's filter on the prompt.
    """
    if quirk == "filter_azure":
        raise _azure_filter()
    if quirk == "refusal_field":
        return replace(answer, text=None, refusal=_REFUSAL)
    if quirk in ("filter_openai", "filter_azure_answer"):
        return replace(answer, text=_FILTERED, finish="content_filter")
    if quirk == "reasoning":
        return replace(answer, reasoning=_REASONING)
    return answer


def reshaped(quirk: Quirk | None, body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """A chat completion with the quirk, as far as it shows in the shape."""
    if quirk == "no_usage":
        return {key: value for key, value in body.items() if key != "usage"}
    if quirk == "error_in_200":
        return {"error": {"message": "upstream is overloaded", "code": 503}}
    choices = body.get("choices")
    if quirk == "content_parts" and isinstance(choices, list):
        return {**body, "choices": [_in_parts(choice) for choice in choices]}
    if quirk == "filter_azure_answer" and isinstance(choices, list):
        results: dict[str, JsonValue] = {"content_filter_results": _filter_results(stopped=True)}
        prompt: JsonValue = [{"prompt_index": 0, "content_filter_results": _filter_results(stopped=False)}]
        marked = [{**choice, **results} for choice in choices if isinstance(choice, dict)]
        return {**body, "choices": list(marked), "prompt_filter_results": prompt}
    return body


def _in_parts(choice: JsonValue) -> JsonValue:
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return choice
    message = choice["message"]
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(text, str):
        return choice
    half = len(text) // 2
    parts: JsonValue = [{"type": "text", "text": part} for part in (text[:half], text[half:])]
    return {**choice, "message": {**message, "content": parts}}


def _filter_results(*, stopped: bool) -> JsonValue:
    return {
        name: {"filtered": stopped and name == "violence", "severity": "high" if stopped else "safe"}
        for name in _SEVERITIES
    }


def _azure_filter() -> ApiError:
    return ApiError(
        400,
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry.",
        kind="",
        code="content_filter",
        param="prompt",
        further={
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": _filter_results(stopped=True),
            },
        },
    )
