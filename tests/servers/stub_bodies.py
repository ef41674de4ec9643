"""Bodies that an OpenAI-compatible server sends and receives."""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

__all__ = ["Body", "completion", "error", "last_user"]

Body = Mapping[str, object]
LIMITS = MappingProxyType(
    {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-remaining-tokens": "-1",
    }
)
"""Rate limits as OpenAI words them; Azure sends -1 for what it does not tell."""


def completion(body: Body, message: Body, finish: str = "stop", further: Body | None = None) -> web.Response:
    """A chat completion with one choice."""
    return web.json_response(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": f"{body['model']}-0001",
            "system_fingerprint": "fp_stub",
            "choices": [{"index": 0, "message": message, "finish_reason": finish, **(further or {})}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
        },
        headers={"x-request-id": "req-1", **LIMITS},
    )


def error(status: int, message: str, headers: Mapping[str, str] | None = None, **keys: str) -> web.Response:
    """An error with a status, as OpenAI words it."""
    return web.json_response({"error": {"message": message, **keys}}, status=status, headers=headers)


def last_user(body: Body) -> str:
    """The last message of the user."""
    messages = body["messages"]
    contents = [m["content"] for m in messages if m["role"] == "user"] if isinstance(messages, list) else []
    return str(contents[-1]) if contents else ""
