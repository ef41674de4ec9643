"""Threads that call a user's plain function, and that never keep the process from ending.

The pools of the standard library are joined when the interpreter ends, so one call that hangs would
hold the command for ever after it was interrupted; and they cannot hand on a `StopIteration`.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import NamedTuple

__all__ = ["CallThreads", "Outcome"]


class Outcome(NamedTuple):
    """What a call came to: an answer, or what was raised instead."""

    answer: object
    error: BaseException | None


class _Call(NamedTuple):
    function: Callable[[object], object]
    argument: object
    outcome: "Future[Outcome]"


class CallThreads:
    """A fixed number of daemon threads that take calls in turn."""

    def __init__(self, count: int) -> None:
        """Start the threads.

        Args:
            count: Calls at the same time, at least 1.
        """
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._count = count
        for number in range(count):
            threading.Thread(
                target=_work, args=(self._calls,), name=f"function-target-{number}", daemon=True
            ).start()

    async def call(self, function: Callable[[object], object], argument: object) -> Outcome:
        """Call a function in one of the threads; whatever it raises comes back and is not raised."""
        outcome: Future[Outcome] = Future()
        self._calls.put(_Call(function, argument, outcome))
        return await asyncio.wrap_future(outcome)

    def close(self) -> None:
        """Let idle threads end; a call that is still running is not waited for."""
        for _ in range(self._count):
            self._calls.put(None)


def _work(calls: "SimpleQueue[_Call | None]") -> None:
    while (call := calls.get()) is not None:
        # Refused when nobody waits for the outcome any more.
        if call.outcome.set_running_or_notify_cancel():
            call.outcome.set_result(_called(call))


def _called(call: _Call) -> Outcome:
    try:
        return Outcome(call.function(call.argument), None)
    except BaseException as error:  # noqa: BLE001 - the thread must live on, and whoever waits must be told
        return Outcome(None, error)
