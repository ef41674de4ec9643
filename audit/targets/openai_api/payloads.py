"""What is sent to an OpenAI-compatible server: the same request as chat completions and Responses want it.

No tools are offered: what a model may call is part of what is audited, so a spec has to ask for it
(`params.extra_body`). Settings that the spec leaves out are not sent.
"""

from pydantic import JsonValue

from audit.records import Request
from audit.targets.openai_api.options import OpenAIOptions, TokenParameter
from audit.targets.request_template import request_seed

__all__ = ["chat_payload", "payload_for", "responses_payload"]

_OWN = ("extra_body", "seed", "max_tokens", "max_completion_tokens")


def payload_for(
    options: OpenAIOptions, request: Request, seed: int, token_parameter: TokenParameter
) -> dict[str, JsonValue]:
    """The body of a request by the interface that the options name.

    Args:
        options: Of the target.
        request: What is asked.
        seed: The run's root seed.
        token_parameter: Name of the limit of tokens in a chat completion.
    """
    if options.api == "responses":
        return responses_payload(options, request)
    return chat_payload(options, request, seed, token_parameter)


def chat_payload(
    options: OpenAIOptions, request: Request, seed: int, token_parameter: TokenParameter
) -> dict[str, JsonValue]:
    """The body of a chat completion, with a seed of its own for every prompt, turn and repeat."""
    messages = _messages(request)
    if options.system is not None:
        messages.insert(0, {"role": "system", "content": options.system})
    payload: dict[str, JsonValue] = {"model": options.model, "messages": messages}
    payload.update(options.params.model_dump(mode="json", exclude_none=True, exclude=set(_OWN)))
    if options.params.limit is not None:
        payload[token_parameter] = options.params.limit
    if options.params.seed is not None:
        payload["seed"] = options.params.seed
    elif options.send_seed:
        payload["seed"] = request_seed(seed, request)
    if options.logprobs:
        payload["logprobs"] = True
    return {**payload, **options.params.extra_body}


def responses_payload(options: OpenAIOptions, request: Request) -> dict[str, JsonValue]:
    """The body of a response; this interface knows no seed, and the server is told to keep nothing."""
    payload: dict[str, JsonValue] = {"model": options.model, "input": _messages(request), "store": False}
    if options.system is not None:
        payload["instructions"] = options.system
    params = options.params
    for name in ("temperature", "top_p"):
        if (value := getattr(params, name)) is not None:
            payload[name] = value
    if params.limit is not None:
        payload["max_output_tokens"] = params.limit
    if params.reasoning_effort is not None:
        payload["reasoning"] = {"effort": params.reasoning_effort}
    if options.logprobs:
        payload["include"] = ["message.output_text.logprobs"]
    return {**payload, **params.extra_body}


def _messages(request: Request) -> list[JsonValue]:
    return [{"role": message.role, "content": message.content} for message in request.messages]
