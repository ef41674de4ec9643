"""What the process that collects and the processes that ask say to each other: lines of JSON over a socket.

The one that collects sends a `Recipe` first and then an `Order` a call; the one that asks sends a `Reply` a
call, in any order. Either notices at once when the other has died, since the system closes the socket.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

from audit.records import Output, Request
from audit.targets.base import RateRoom
from probes.records import Record

__all__ = ["Channel", "Failure", "Order", "Recipe", "Reply"]


class Recipe(Record):
    """How to build the target; its secrets go no other way, so that no list of processes shows them."""

    options: dict[str, object]
    """`type` and the options of that type."""
    name: str
    root: str
    secrets: dict[str, str]
    """Only those that the options name."""
    where: str
    """File and key of the spec, for messages."""


class Order(Record):
    """A call to make, or without requests one to give up."""

    call: int
    seed: int = 0
    requests: tuple[Request, ...] = ()


class Failure(Record):
    """The error of a call."""

    kind: Literal["fatal", "passing", "final"]
    """Nothing more can be asked; asking again may help; this call failed for good."""
    message: str
    retry_after_s: float | None = None
    unreachable: bool = False


class Reply(Record):
    """What came of a call."""

    call: int
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    """None if there are outputs."""
    room: RateRoom | None = None
    """What the provider said it still takes, if it did."""


class Channel(asyncio.Protocol):
    """Lines both ways; those of one turn of the event loop go out together."""

    def __init__(self, came: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Keep whom to tell.

        Args:
            came: Told each line.
            lost: Told once, when the other side is gone or this one has closed.
        """
        self._came = came
        self._lost = lost
        self._unfinished: list[bytes] = []
        self._leaving: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError(f"a channel needs a transport that writes; got {type(transport).__name__}")
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Tell the lines that are whole."""
        if b"\n" not in data:
            self._unfinished.append(data)
            return
        *lines, rest = b"".join([*self._unfinished, data]).split(b"\n")
        self._unfinished = [rest]
        for line in lines:
            self._came(line)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Tell that nothing more will come."""
        self._transport = None
        self._lost()

    def send(self, record: Record) -> None:
        """Send one line; it goes nowhere if the other side is gone, which `lost` has told or will tell."""
        if not self._leaving:
            asyncio.get_running_loop().call_soon(self._flush)
        self._leaving.append(record.model_dump_json().encode())

    def close(self) -> None:
        """Send what waits, and close."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        lines, self._leaving = self._leaving, []
        if lines and self._transport is not None:
            self._transport.write(b"\n".join([*lines, b""]))
