"""Why a collection ends early, and what Ctrl-C and SIGTERM do to it."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from audit.errors import AuditError

__all__ = ["Stop", "StopReason", "interruptible"]

_STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReason:
    """Why no new work is taken."""

    error: AuditError | None
    """What to raise when all is stored; None if a person interrupted."""
    at_once: bool = False
    """True if calls in flight cannot bring anything and are given up."""


class Stop:
    """A flag that is raised once; the first reason stays."""

    def __init__(self) -> None:
        """Not stopped."""
        self.reason: StopReason | None = None
        self._soon = asyncio.Event()
        self._now = asyncio.Event()

    def ask(self, reason: StopReason) -> None:
        """Take no new work; give up what is in flight too if the reason says so."""
        if self.reason is None:
            self.reason = reason
        self._soon.set()
        if reason.at_once:
            self._now.set()

    @property
    def asked(self) -> bool:
        """True once no new work is to be taken."""
        return self.reason is not None

    async def soon(self) -> None:
        """Wait until no new work is to be taken."""
        await self._soon.wait()

    async def now(self) -> None:
        """Wait until work in flight is to be given up as well."""
        await self._now.wait()


@contextmanager
def interruptible(stop: Stop) -> Iterator[None]:
    """Make Ctrl-C and SIGTERM ask for a stop: once to finish what is in flight, twice to end at once.

    Only the main thread receives signals; elsewhere nothing is installed and the caller of the loop
    decides. The handlers that were there before are put back.
    """

    def interrupt() -> None:
        stop.ask(StopReason(error=None, at_once=stop.asked))

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _STOPPING}
    loop = asyncio.get_running_loop()
    for number in before:
        loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
