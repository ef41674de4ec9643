"""A target that is asked through several processes, so that no process holds more calls than it serves well.

Everything that decides stays in the process that collects: order, limits, pace, retries, stops, canaries and
the one writer of the store. What goes to other processes is the work of a call alone, which takes more
than half of the processor time: sending, receiving, reading the reply. So whatever holds for one process
holds for several. A call goes to the process with the fewest, which keeps each within its limit and needs no
shards.
"""

import asyncio
import json
import math
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import ClassVar

from audit.collection.channel import Channel, Order, Recipe, Reply
from audit.errors import SpecError
from audit.plugins import secret_names
from audit.records import Output, Request
from audit.spec import TargetSpec
from audit.targets.base import (
    FatalTargetError,
    RateRoom,
    RetryableTargetError,
    Target,
    TargetContext,
    TargetError,
    TargetInfo,
)
from audit.targets.batching.base import BatchTarget
from probes.base import Options as PluginOptions

__all__ = ["MOST_CALLS", "SpreadTarget", "processes_of", "spread"]

MOST_CALLS = 256
"""Calls in flight that one process holds at most."""
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from audit.collection.asking_process import main; main(int(sys.argv[1]))"
)
"""Modules are looked up as they are here, whatever the current folder is."""
_STANDARD_ERROR = 2
_ENDING_S = 10.0
_ENDED_S = 0.5


def processes_of(section: TargetSpec, target: Target, where: str) -> int:
    """How many processes ask a target: as many as its spec says, or as few as hold its calls.

    Raises:
        SpecError: The spec says more than there are calls, or fewer than hold them.
    """
    calls = target.info.max_in_flight
    batched = isinstance(target, BatchTarget)
    fewest, most = (1, 1) if batched else (math.ceil(calls / MOST_CALLS), calls)
    wanted = fewest if section.processes is None else section.processes
    if not fewest <= wanted <= most:
        accepted = f"{fewest} to {most}" if fewest < most else f"{fewest}"
        reason = "batches are submitted by one" if batched else f"each holds 1 to {MOST_CALLS} of its calls"
        raise SpecError(
            f"{where}.processes: got {wanted}; "
            f"accepted with {calls} calls in flight: {accepted}, since {reason}"
        )
    return wanted


def spread(target: Target, section: TargetSpec, context: TargetContext, *, where: str) -> Target:
    """The target itself if one process asks it, else one that asks it through several; nothing is started.

    Args:
        target: As built from the section.
        section: Its part of the spec.
        context: What it was built with.
        where: File and key, such as `spec.yaml: target`, for messages.

    Raises:
        SpecError: As for `processes_of`.
    """
    processes = processes_of(section, target, where)
    if processes == 1:
        return target
    options = {"type": section.type, **section.options()}
    names = secret_names(options, where=where)
    recipe = Recipe(
        options=options,
        name=context.name,
        root=str(context.root.absolute()),
        secrets={name: context.secrets[name] for name in names if name in context.secrets},
        where=where,
    )
    return SpreadTarget(target.info, recipe, processes)


class SpreadTarget:
    """Asks a target through several processes; they start when first needed and end with `aclose`.

    Do not use one object in two event loops without `aclose` between.
    """

    Options: ClassVar[type[PluginOptions]] = PluginOptions

    def __init__(self, info: TargetInfo, recipe: Recipe, processes: int) -> None:
        """Start nothing yet.

        Args:
            info: What the target says of itself.
            recipe: How to build it.
            processes: How many, at least 1.
        """
        self.info = info
        self.room: RateRoom | None = None
        """What the provider said of its limits with the last answer of any process."""
        self._processes = [_Process(recipe) for _ in range(processes)]

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None: they are in the recipe."""
        return ()

    @property
    def process_ids(self) -> list[int]:
        """Numbers of the processes that run."""
        return [number for one in self._processes if (number := one.number) is not None]

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order, by the process with the fewest calls.

        Raises:
            RetryableTargetError: As the target raises it, or the process has ended.
            FatalTargetError: As the target raises it.
            TargetError: As the target raises it, or it failed in a way of its own.
        """
        process = min(self._processes, key=lambda one: one.calls)
        reply = await process.ask(requests, seed)
        self.room = reply.room or self.room
        failure = reply.failure
        if failure is None:
            return reply.outputs
        if failure.kind == "passing":
            raise RetryableTargetError(
                failure.message, retry_after_s=failure.retry_after_s, unreachable=failure.unreachable
            )
        raise FatalTargetError(failure.message) if failure.kind == "fatal" else TargetError(failure.message)

    async def aclose(self) -> None:
        """End the processes; a later `generate` starts new ones."""
        await asyncio.gather(*(process.end() for process in self._processes))


class _Process:
    """One process that asks; when it dies, its calls fail in passing and the next call starts another."""

    def __init__(self, recipe: Recipe) -> None:
        self.calls = 0
        self._recipe = recipe
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._opening: asyncio.Task[Channel] | None = None
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def number(self) -> int | None:
        return None if self._running is None else self._running.pid

    async def ask(self, requests: Sequence[Request], seed: int) -> Reply:
        """What came of one call."""
        self.calls += 1
        try:
            return await self._asked(Order(call=next(self._numbers), seed=seed, requests=tuple(requests)))
        finally:
            self.calls -= 1

    async def _asked(self, order: Order) -> Reply:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        try:
            channel = await asyncio.shield(self._opening)
        except OSError as error:
            self._opening = None
            raise RetryableTargetError(
                f"no process that asks can be started: {error}", unreachable=True
            ) from error
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[order.call] = answer
        channel.send(order)
        try:
            return await answer
        except asyncio.CancelledError:
            channel.send(Order(call=order.call))
            raise
        finally:
            self._waiting.pop(order.call, None)

    async def _open(self) -> Channel:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._running = _started(theirs.fileno())
            except OSError:
                ours.close()
                raise
        channel = Channel(self._came, self._lost)
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=ours)
        channel.send(self._recipe)
        return channel

    def _came(self, line: bytes) -> None:
        reply = Reply.model_validate_json(line)
        answer = self._waiting.pop(reply.call, None)
        if answer is not None and not answer.done():
            answer.set_result(reply)

    def _lost(self) -> None:
        self._opening = None
        process, self._running = self._running, None
        how = "was ended" if process is None else f"ended with {_ending(process)}"
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(RetryableTargetError(f"the process that asks {how}", unreachable=True))

    async def end(self) -> None:
        """Let it end, or end it."""
        opening, process = self._opening, self._running
        self._opening = self._running = None
        if opening is not None:
            with suppress(OSError):
                (await opening).close()
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, _ENDING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)


def _started(handle: int) -> "subprocess.Popen[bytes]":
    """A process that asks, at the other side of an open socket."""
    return subprocess.Popen(  # noqa: S603 - this program itself
        [sys.executable, "-P", "-c", _START, str(handle), json.dumps(sys.path)],
        pass_fds=(handle,),
        stdin=subprocess.DEVNULL,
        stdout=_STANDARD_ERROR,
        process_group=0,  # Ctrl-C is for the process that collects, which then winds down.
    )


def _ending(process: "subprocess.Popen[bytes]") -> str:
    """How a process that has closed its socket ended; it is ended if it has not."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(_ENDED_S)
    process.kill()
    code = process.wait()
    return f"signal {-code}" if code < 0 else f"exit code {code}"
