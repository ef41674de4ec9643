"""An OpenAI-compatible server whose replies never end, or unpack to very much."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from audit.targets.openai_api.bodies import LONGEST_BODY

__all__ = ["MOST_UNREAD", "Server", "serving"]

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
