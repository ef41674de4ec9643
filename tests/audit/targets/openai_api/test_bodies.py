"""A reply without end is given up after a known length, and what is packed is measured unpacked."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from audit.records import Request
from audit.targets.base import RetryableTargetError, TargetContext, TargetError
from audit.targets.openai_api.bodies import LONGEST_BODY
from audit.targets.openai_api.client import open_client
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.target import OpenAITarget
from probes.records import Message
from tests.servers.endless import MOST_UNREAD, Server, serving


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
