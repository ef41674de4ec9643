"""A process that asks for another one: it builds the target and makes the calls it is told to.

It decides nothing. Limits, retries, pace, stops and the store are with the process that collects, so they
hold over all processes. When that one ends, however it ends, this one gives up its calls and ends too.
"""

import asyncio
import os
import socket
from pathlib import Path

from audit.collection.channel import Channel, Failure, Order, Recipe, Reply
from audit.errors import AuditError
from audit.plugins import build_target
from audit.targets.base import FatalTargetError, RetryableTargetError, Target, TargetContext, TargetError
from probes.records import storable

__all__ = ["main"]

_CLOSING_S = 5.0
"""Longest time a target may take to give back what it holds, in seconds."""


class _Asking:
    """The calls of this process."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        """Set when the process that collects is gone."""
        self.target: Target | None = None
        self._broken: Failure | None = None
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._channel = Channel(self._told, self.over.set)

    @property
    def channel(self) -> Channel:
        return self._channel

    def _told(self, line: bytes) -> None:
        if self.target is None and self._broken is None:
            self._build(Recipe.model_validate_json(line))
            return
        order = Order.model_validate_json(line)
        if order.requests:
            self._calls[order.call] = asyncio.create_task(self._answer(order))
        elif (given_up := self._calls.pop(order.call, None)) is not None:
            given_up.cancel()

    def _build(self, recipe: Recipe) -> None:
        context = TargetContext(name=recipe.name, root=Path(recipe.root), secrets=recipe.secrets)
        try:
            self.target = build_target(recipe.options, context, where=recipe.where)
        except AuditError as error:  # It was built before, so this needs a file that has changed since.
            self._broken = Failure(kind="fatal", message=str(error))

    async def _answer(self, order: Order) -> None:
        reply = Reply(call=order.call, failure=self._broken)
        if self.target is not None:
            reply = await self._asked(self.target, order)
        if self._calls.pop(order.call, None) is not None:
            self._channel.send(reply)

    async def _asked(self, target: Target, order: Order) -> Reply:
        try:
            outputs = await target.generate(order.requests, seed=order.seed)
            return Reply(call=order.call, outputs=tuple(outputs), room=getattr(target, "room", None))
        except RetryableTargetError as error:
            failure = Failure(
                kind="passing",
                message=storable(str(error)),
                retry_after_s=error.retry_after_s,
                unreachable=error.unreachable,
            )
        except TargetError as error:
            kind = "fatal" if isinstance(error, FatalTargetError) else "final"
            failure = Failure(kind=kind, message=storable(str(error)))
        except asyncio.CancelledError:
            if order.call not in self._calls or self.over.is_set():
                raise
            failure = Failure(kind="final", message="the target ended the task that asked it")
        except Exception as error:  # noqa: BLE001 - a plug-in's own fault becomes a record with its cause
            failure = Failure(kind="final", message=storable(f"{type(error).__name__}: {error}"))
        return Reply(call=order.call, failure=failure)

    async def give_up(self) -> None:
        """End all calls and give back what the target holds."""
        for call in self._calls.values():
            call.cancel()
        await asyncio.gather(*self._calls.values(), return_exceptions=True)
        if self.target is not None:
            await self.target.aclose()


async def _serve(handle: int) -> None:
    asking = _Asking()
    connection = socket.socket(fileno=handle)
    connection.set_inheritable(False)
    await asyncio.get_running_loop().create_unix_connection(lambda: asking.channel, sock=connection)
    await asking.over.wait()
    try:
        async with asyncio.timeout(_CLOSING_S):
            await asking.give_up()
    finally:
        # A plug-in's threads must not go on asking for a run that is over.
        os._exit(0)


def main(handle: int) -> None:
    """Ask until the other side of a socket is closed.

    Args:
        handle: Number of the open socket.
    """
    asyncio.run(_serve(handle))
