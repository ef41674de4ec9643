"""Answers of a Responses interface, and odd chat completions of single servers, by the model's name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from aiohttp import web

from tests.servers.stub_bodies import Body, completion, error

__all__ = ["ODD_COMPLETIONS", "RESPONSES", "responded"]


def responded(body: Body, items: list[Body] | None = None, **further: object) -> web.Response:
    """A response; without items it repeats the last input."""
    asked = body["input"]
    last = asked[-1]["content"] if isinstance(asked, list) else asked
    usage = {"input_tokens": 7, "output_tokens": 3, "output_tokens_details": {"reasoning_tokens": 2}}
    tokens: list[Body] = [{"token": "a", "logprob": -0.5}] if "include" in body else []
    return web.json_response(
        {
            "id": "resp_1",
            "object": "response",
            "status": "completed",
            "model": f"{body['model']}-0001",
            "error": None,
            "incomplete_details": None,
            "usage": usage,
            "output": [_said(f"echo: {last}", tokens)] if items is None else items,
            **further,
        }
    )


def _said(text: str, logprobs: list[Body] | None = None) -> Body:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs or []}
    return {"type": "message", "role": "assistant", "content": [part]}


def _reasoned(body: Body) -> web.Response:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "I weigh the file."}]}
    return responded(body, [thought, _said("Yes.")])


def _refused(body: Body) -> web.Response:
    refusal = {"type": "refusal", "refusal": "I can't help with that."}
    return responded(body, [{"type": "message", "content": [refusal]}])


def _cut(reason: str, items: list[Body]) -> Callable[[Body], web.Response]:
    return lambda body: responded(
        body, items, status="incomplete", incomplete_details={"reason": reason}, usage=None
    )


def _failed(body: Body) -> web.Response:
    return responded(body, [], status="failed", error={"code": "rate_limit_exceeded", "message": "slow down"})


def _unknown_key(_: Body) -> web.Response:
    return error(
        400, "Unsupported parameter: 'temperature'", param="temperature", code="unsupported_parameter"
    )


RESPONSES: Mapping[str, Callable[[Body], web.Response]] = MappingProxyType(
    {
        "reasoned": _reasoned,
        "refused": _refused,
        "cut": _cut("max_output_tokens", [_said("It is")]),
        "thought-only": _cut("max_output_tokens", [{"type": "reasoning", "summary": []}]),
        "filtered": _cut("content_filter", [_said("It is")]),
        "failed": _failed,
        "no-output": lambda body: web.json_response({"id": "resp_1", "model": body["model"]}),
        "cut-body": lambda _: web.Response(text='{"output": [', content_type="application/json"),
        "unknown-key": _unknown_key,
    }
)
"""What `/v1/responses` answers; every other model echoes."""


def _thinks(text: str, finish: str = "stop") -> Callable[[Body], web.Response]:
    return lambda body: completion(body, {"role": "assistant", "content": text}, finish)


def _azure_filtered(_: Body) -> web.Response:
    """As Azure words it; older deployments give the reason in `innererror` alone."""
    body = {
        "message": "The response was filtered due to the prompt triggering a policy.",
        "type": None,
        "param": "prompt",
        "code": None,
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
    }
    return web.json_response({"error": body}, status=400)


def _odd_numbers(_: Body) -> web.Response:
    choice = {
        "message": {"content": "odd"},
        "finish_reason": "stop",
        "logprobs": {"content": [{"token": "a", "logprob": None}]},
    }
    usage = {"prompt_tokens": -1, "completion_tokens": "many"}
    return web.json_response({"choices": [choice], "usage": usage, "id": 7, "model": ["m"]})


def _fastapi(body: Body) -> web.Response:
    if "max_completion_tokens" in body:
        detail = [{"loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"}]
        return web.json_response({"detail": detail}, status=422)
    return completion(body, {"content": "by the older name"})


ODD_COMPLETIONS: Mapping[str, Callable[[Body], web.Response]] = MappingProxyType(
    {
        "think-tags": _thinks("<think>\nI weigh the file.\n</think>\n\nYes."),
        "think-tag-closed": _thinks("I weigh the file.</think>Yes."),
        "think-tag-open": _thinks("<think>I weigh the", "length"),
        "gemini-filter": _thinks("It is", "content_filter: SAFETY"),
        "mistral-cut": _thinks("It is", "model_length"),
        "engine-abort": _thinks("It is", "abort"),
        "azure-filtered": _azure_filtered,
        "flagged": lambda _: error(400, "Flagged under our usage policy.", code="invalid_prompt"),
        "invalid": lambda _: error(400, "Missing role.", code="invalid_prompt"),
        "no-seed": lambda _: error(
            400, "Unsupported parameter: seed", param="seed", code="unsupported_parameter"
        ),
        "no-system": lambda _: error(
            400, "No such role.", param="messages[0].role", code="unsupported_value"
        ),
        "odd-numbers": _odd_numbers,
        "fastapi": _fastapi,
        "null-message": lambda _: web.json_response({"choices": [{"message": None}]}),
        "thinking-parts": lambda body: completion(
            body, {"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Yes."}]}
        ),
        "refusal-part": lambda body: completion(
            body, {"content": [{"type": "refusal", "refusal": "I can't help with that."}]}
        ),
    }
)
"""What single servers send instead of a plain chat completion."""
