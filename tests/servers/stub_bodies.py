"""Bodies that an OpenAI-compatible server sends and receives."""

from collections.abc import Mapping

from aiohttp import web

__all__ = ["Body", "completion", "error", "last_user"]

Body = Mapping[str, object]


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
        headers={"x-request-id": "req-1"},
    )


def error(status: int, message: str, headers: Mapping[str, str] | None = None, **keys: str) -> web.Response:
    """An error with a status, as OpenAI words it."""
    return web.json_response({"error": {"message": message, **keys}}, status=status, headers=headers)


def last_user(body: Body) -> str:
    """The last message of the user."""
    messages = body["messages"]
    contents = [m["content"] for m in messages if m["role"] == "user"] if isinstance(messages, list) else []
    return str(contents[-1]) if contents else ""
