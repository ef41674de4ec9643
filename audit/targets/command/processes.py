"""A subprocess that is asked, with bounds on its time and on all it may write.

Each process leads a group of its own, and whoever ends it ends the group: a program's own children do not
outlive the answer. Its output is read while it is written, never beyond a limit, so it can neither fill the
memory nor block on a full pipe.
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process, SubprocessStreamProtocol
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["LONGEST_OUTPUT", "Running", "TooMuchError", "read_tail", "read_up_to", "started"]

LONGEST_OUTPUT = 4 * 2**20
"""Bytes of an answer that are read; a process that writes more is ended."""
_TAIL = 2000
"""Bytes of the error output that are kept, the last ones."""
_BLOCK = 65_536


class TooMuchError(Exception):
    """The process wrote more than `LONGEST_OUTPUT` bytes for one answer."""


class _Protocol(SubprocessStreamProtocol):
    """Tells when the process itself has ended; asyncio waits for its children too, while they hold a pipe."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=LONGEST_OUTPUT, loop=loop)
        self.ended = asyncio.Event()

    def process_exited(self) -> None:
        self.ended.set()
        super().process_exited()


class Running:
    """A running process with pipes to all three of its streams."""

    def __init__(self, transport: asyncio.SubprocessTransport, protocol: _Protocol) -> None:
        """Use `started` instead."""
        self._transport = transport
        self._ended = protocol.ended
        process = Process(transport, protocol, asyncio.get_running_loop())
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("the process must have three pipes")
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._transport.get_returncode()

    async def wait(self) -> None:
        """Wait until the process itself has ended, whatever its children do."""
        await self._ended.wait()

    async def end_group(self) -> None:
        """Kill the process, if it still runs, and all of its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), signal.SIGKILL)
        await self.wait()

    def close(self) -> None:
        """Give the pipes back."""
        self._transport.close()


async def started(argv: Sequence[str], folder: Path) -> Running:
    """A running process.

    Args:
        argv: Program and arguments; no shell reads them.
        folder: Where it runs.

    Raises:
        OSError: There is no such program, or it may not be run.
    """
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(
        lambda: _Protocol(loop),
        *argv,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        start_new_session=True,
    )
    return Running(transport, protocol)


async def read_up_to(stream: asyncio.StreamReader) -> bytes:
    """All that a stream gives until it ends.

    Raises:
        TooMuchError: It is more than `LONGEST_OUTPUT` bytes.
    """
    parts: list[bytes] = []
    length = 0
    while block := await stream.read(_BLOCK):
        parts.append(block)
        length += len(block)
        if length > LONGEST_OUTPUT:
            raise TooMuchError
    return b"".join(parts)


async def read_tail(stream: asyncio.StreamReader, tail: bytearray) -> None:
    """Read a stream to its end and keep the last of it.

    Args:
        stream: Such as the error output.
        tail: Where the last bytes are kept, while it still runs too.
    """
    while block := await stream.read(_BLOCK):
        tail += block
        del tail[:-_TAIL]
