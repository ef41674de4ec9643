"""A sealed server: an OpenAI-compatible endpoint on loopback whose specimen comes over standard input.

    python -m benchmarks.auditors.server < specimen.json

prints one line, `{"base_url": "http://127.0.0.1:PORT/v1"}`, and serves until it is killed. `GET /calls`
gives how many replies were asked for. What it is stands in no argument and no reply.
"""

import asyncio
import json
import sys
from collections import Counter

from aiohttp import web

from benchmarks.auditors.behaviour import reply
from benchmarks.auditors.sealed import Specimen

__all__ = ["Sealed", "main"]

_MODEL = "sealed"


class Sealed:
    """The server's state: its specimen and how often each prompt was asked."""

    def __init__(self, specimen: Specimen) -> None:
        """Keep the specimen.

        Args:
            specimen: What the replies follow from.
        """
        self._specimen = specimen
        self._asked: Counter[str] = Counter()

    async def complete(self, request: web.Request) -> web.Response:
        """Answer one chat completion, with `n` choices if asked for."""
        body = await request.json()
        text = _last_user_text(body.get("messages", []))
        choices = []
        for index in range(int(body.get("n") or 1)):
            said = reply(self._specimen, text, self._asked[text])
            self._asked[text] += 1
            message = {"role": "assistant", "content": said}
            choices.append({"index": index, "message": message, "finish_reason": "stop"})
        tokens = len(text.split())
        answered = sum(len(str(choice["message"]).split()) for choice in choices)
        return web.json_response(
            {
                "id": f"chatcmpl-{sum(self._asked.values())}",
                "object": "chat.completion",
                "created": 0,
                "model": _MODEL,
                "choices": choices,
                "usage": {
                    "prompt_tokens": tokens,
                    "completion_tokens": answered,
                    "total_tokens": tokens + answered,
                },
            }
        )

    async def models(self, _: web.Request) -> web.Response:
        """The one model there is."""
        model = {"id": _MODEL, "object": "model", "created": 0, "owned_by": "sealed"}
        return web.json_response({"object": "list", "data": [model]})

    async def calls(self, _: web.Request) -> web.Response:
        """How many replies were asked for, a choice counting as one."""
        return web.json_response(sum(self._asked.values()))


def _last_user_text(messages: list[dict[str, object]]) -> str:
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, list):
                return " ".join(str(part.get("text", "")) for part in content)
            return str(content or "")
    return ""


async def _serve(specimen: Specimen) -> None:
    sealed = Sealed(specimen)
    application = web.Application(client_max_size=2**24)
    application.router.add_post("/v1/chat/completions", sealed.complete)
    application.router.add_get("/v1/models", sealed.models)
    application.router.add_get("/calls", sealed.calls)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    sys.stdout.write(json.dumps({"base_url": f"http://127.0.0.1:{port}/v1"}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Read the specimen and serve it."""
    asyncio.run(_serve(Specimen.model_validate_json(sys.stdin.read())))


if __name__ == "__main__":
    main()
