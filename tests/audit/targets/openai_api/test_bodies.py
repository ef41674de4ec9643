"""A reply without end is given up after a known length, and what is packed is measured unpacked."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from audit.records import Request
from audit.targets.base import RetryableTargetError, TargetContext, TargetError
from audit.targets.openai_api.bodies import LONGEST_BODY
from audit.targets.openai_api.client import open_client
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.target import OpenAITarget
from probes.records import Message

PLAIN = json.dumps({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}).encode()
BOMB = gzip.compress(b" " * (4 * LONGEST_BODY) + PLAIN)
PACKED = gzip.compress(PLAIN)
MOST_UNREAD = 16 * 2**20
"""What sockets and readers may hold beside what was read."""


class Server:
    """One that answers by the name of the model, and counts what it could send."""

    def __init__(self) -> None:
        """Nothing is sent yet."""
        self.sent = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:-2])
                body = json.loads(await reader.readexactly(int(fields["content-length"])))
                await self._answer(body["model"], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, model: str, writer: asyncio.StreamWriter) -> None:
        status = "500 Broken" if model == "endless-error" else "200 OK"
        packed = {"bomb": BOMB, "packed": PACKED}.get(model)
        writer.write(f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n".encode())
        if not model.startswith("endless"):
            body = PLAIN if packed is None else packed
            encoding = b"" if packed is None else b"content-encoding: gzip\r\n"
            writer.write(encoding + b"content-length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            return
        writer.write(b"transfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
            await writer.drain()
            self.sent += 65536


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[str, Server]]:
    """The server's address, and itself."""
    asked = Server()
    server = await asyncio.start_server(asked, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", asked


def asking(use: Callable[[OpenAITarget, Server], Awaitable[None]], model: str) -> None:
    """Let a coroutine use a target of the server, with the short way learned unless `model` is its first."""

    async def run() -> None:
        async with serving() as (url, server):
            options = OpenAIOptions(base_url=url, model=model, timeout_s=30)
            target = OpenAITarget(options, TargetContext(name="target", root=Path()))
            try:
                await use(target, server)
            finally:
                await target.aclose()

    asyncio.run(run())


QUESTION = Request(prompt_id="p", messages=(Message(role="user", content="?"),))


@pytest.mark.parametrize("model", ["endless", "endless-error", "bomb"])
@pytest.mark.parametrize("calls_before", [0, 1])
def test_a_reply_without_end_is_an_error_after_a_known_length(model: str, calls_before: int) -> None:
    """By the first way and by the short one, plain and packed, it is given up and not asked for again."""

    async def use(target: OpenAITarget, server: Server) -> None:
        for _ in range(calls_before):
            await target.connected().post_plain("/chat/completions", {"model": "plain"}, {})
        with pytest.raises(TargetError, match=f"longer than {LONGEST_BODY} bytes") as raised:
            await target.generate([QUESTION], seed=1)
        assert not isinstance(raised.value, RetryableTargetError)
        assert server.sent <= LONGEST_BODY + MOST_UNREAD

    asking(use, model)


@pytest.mark.parametrize("calls_before", [0, 1])
def test_a_packed_reply_is_read(calls_before: int) -> None:
    """A server that packs its replies is understood by both ways."""

    async def use(target: OpenAITarget, __: Server) -> None:
        for _ in range(calls_before):
            await target.generate([QUESTION], seed=1)
        (output,) = await target.generate([QUESTION], seed=1)
        assert output.text == "yes"

    asking(use, "packed")


def test_what_is_downloaded_as_a_file_has_no_such_limit() -> None:
    """Results of a batch go to the disk as they come, however long they are."""
    length = LONGEST_BODY + 5

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length + b"x" * length)
        await writer.drain()
        writer.close()

    async def run() -> int:
        listening = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        async with (
            listening,
            open_client(url, "k", 30) as client,
            client.files.with_streaming_response.content("f") as got,
        ):
            return sum([len(part) async for part in got.iter_bytes(65536)])

    assert asyncio.run(run()) == length
