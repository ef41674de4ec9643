"""An OpenAI-compatible stub for measuring who asks how fast; runs as a script, pinned to one core.

    python -m benchmarks.collection.server --latency 0.05 --core 1

prints one line, `{"base_url": "http://127.0.0.1:PORT/v1"}`, and serves until it is killed.
Its answer is yes or no, by a hash of the request, so that every run gets the same ones.
`GET /seen` gives how many requests came, when the first came and the last was answered (seconds of the
machine's monotonic clock, which its processes share), and the most that were in flight; `GET /asked` how
often each last user message was answered with a text, with `--remember`; `POST /reset` forgets all.
With `--faults 0.2` that share of requests gets a 429, a 500, a dropped connection, a malformed body or a
stall of `--stall` seconds, one of the five at equal odds, drawn from the number of the request. With
`--room 40` what comes while 40 others are being answered gets a 429.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
import time
from collections import Counter

from aiohttp import web

__all__ = ["Stub", "main"]

_WORDS = ("Yes. There is room, and the request meets every criterion.", "No. The places are kept for others.")
_KINDS = 5
_TOO_MUCH = 0


class Stub:
    """The server's state: how slow and faulty it is, and what it has seen."""

    def __init__(
        self, latency: float, faults: float, stall: float, *, room: int | None, remember: bool
    ) -> None:
        """Keep what it is.

        Args:
            latency: Seconds before an answer.
            faults: Share of requests that get no good answer.
            stall: Seconds a stalled request takes.
            room: Requests that are answered at once; None for any number.
            remember: True to count the answers of every message.
        """
        self._latency = latency
        self._faults = faults
        self._stall = stall
        self._room = room
        self._remember = remember
        self._tails = [_completion(words) for words in _WORDS]
        self._forget()

    def _forget(self) -> None:
        self._count = self._in_flight = self._most = 0
        self._first = self._last = 0.0
        self._answered: Counter[str] = Counter()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer whatever comes."""
        if request.path.endswith("/chat/completions"):
            return await self._complete(request)
        if request.path == "/seen":
            return web.json_response(
                {"count": self._count, "first": self._first, "last": self._last, "most": self._most}
            )
        if request.path == "/asked":
            return web.json_response(self._answered)
        if request.path == "/reset":
            self._forget()
            return web.Response()
        model = {"id": "stub", "object": "model", "created": 1, "owned_by": "stub"}
        return web.json_response({"object": "list", "data": [model]})

    async def _complete(self, request: web.BaseRequest) -> web.StreamResponse:
        number = self._count
        self._count += 1
        if not number:
            self._first = time.monotonic()
        self._in_flight += 1
        self._most = max(self._most, self._in_flight)
        try:
            body = await request.read()
            if self._room is not None and self._in_flight > self._room:
                return await self._faulty(_TOO_MUCH, request)
            await asyncio.sleep(self._latency)
            if self._faults and (kind := self._fault(number)) is not None:
                return await self._faulty(kind, request)
            if self._remember:
                self._answered[str(json.loads(body)["messages"][-1]["content"])] += 1
            tail = self._tails[hashlib.blake2b(body, digest_size=1).digest()[0] % 2]
            return web.Response(text=f'{{"id": "chatcmpl-{number}", {tail}', content_type="application/json")
        finally:
            self._in_flight -= 1
            self._last = time.monotonic()

    def _fault(self, number: int) -> int | None:
        """Which fault this request gets; None for a good answer."""
        digest = hashlib.blake2b(str(number).encode(), digest_size=8).digest()
        point = int.from_bytes(digest, "big") / 2**64
        return int(point / self._faults * _KINDS) if point < self._faults else None

    async def _faulty(self, kind: int, request: web.BaseRequest) -> web.StreamResponse:
        if kind == _TOO_MUCH:
            error = {"error": {"message": "slow down", "type": "rate_limit"}}
            return web.json_response(error, status=429, headers={"retry-after": "0.2"})
        if kind == 1:
            return web.json_response({"error": {"message": "internal"}}, status=500)
        if kind == 2:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if kind == 3:
            return web.Response(text='{"choices": [{"mess', content_type="application/json")
        await asyncio.sleep(self._stall)
        return web.json_response({"error": {"message": "too late"}}, status=503)


def _completion(words: str) -> str:
    """A completion without its opening brace and id, which every answer has its own."""
    usage = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}
    message = {"role": "assistant", "content": words}
    body = {
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "system_fingerprint": "fp_stub",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }
    return json.dumps(body)[1:]


async def _serve(stub: Stub) -> None:
    # The low-level server: no routing, so that the stub costs as little as an aiohttp server can.
    runner = web.ServerRunner(web.Server(stub.serve, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    sys.stdout.write(json.dumps({"base_url": address}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--stall", type=float, default=30.0)
    parser.add_argument("--room", type=int, default=None)
    parser.add_argument("--remember", action="store_true")
    parser.add_argument("--core", type=int, default=None)
    chosen = parser.parse_args()
    if chosen.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {chosen.core})
    stub = Stub(chosen.latency, chosen.faults, chosen.stall, room=chosen.room, remember=chosen.remember)
    asyncio.run(_serve(stub))


if __name__ == "__main__":
    main()
