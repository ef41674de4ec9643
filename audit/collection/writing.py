"""The one writer of a collection: outputs go to the store in durable batches."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from audit.collection.upkeep import Upkeep
from audit.records import Output
from audit.store.store import Store

__all__ = ["Outbox", "screened"]

_BATCH = 64
"""Outputs that are stored without waiting for more."""
_APART_S = 0.05
"""Time from the end of one write to the start of the next, in seconds, unless enough is waiting: an output
that comes after a pause is stored at once, and a kill loses what came in this time and while writing."""
_UNSTORED = 1024
"""Outputs that may wait for the disk before asking pauses."""


class Outbox:
    """Outputs on their way to the disk."""

    def __init__(self) -> None:
        """Empty and open."""
        self._waiting: list[Output] = []
        self._closed = False
        self._came = asyncio.Event()
        self._enough = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, outputs: Sequence[Output]) -> None:
        """Hand over outputs. It never waits, so that no answer is lost to a cancelled wait."""
        self._waiting.extend(outputs)
        self._empty.clear()
        self._came.set()
        if len(self._waiting) >= _BATCH:
            self._enough.set()
        if len(self._waiting) >= _UNSTORED:
            self._room.clear()

    async def room(self) -> None:
        """Wait, before asking for more, until the disk has caught up."""
        await self._room.wait()

    async def empty(self) -> None:
        """Wait until all that was handed over is durable."""
        if self._waiting:
            self._enough.set()
        await self._empty.wait()

    def close(self) -> None:
        """Say that nothing more will come."""
        self._closed = True
        self._came.set()
        self._enough.set()

    async def write(
        self,
        store: Store,
        stored: Callable[[Sequence[Output]], None],
        screen: Callable[[str], str | None],
        upkeep: Upkeep,
    ) -> None:
        """Store what comes until the box is closed and empty.

        Args:
            store: Where to; nobody else uses it meanwhile.
            stored: Told of outputs once they are durable.
            screen: Gives the marker to store in place of a text, or None if the text may be stored.
            upkeep: Told of outputs too, by the thread that writes them.

        Raises:
            StoreError: The disk refuses; what `stored` was told of is kept.
        """
        loop = asyncio.get_running_loop()
        next_write = loop.time()
        while True:
            await self._came.wait()
            if (pause := next_write - loop.time()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._enough.wait(), pause)
            batch, self._waiting = self._waiting, []
            self._room.set()
            if not self._closed:
                self._came.clear()
                self._enough.clear()
            if batch:
                await asyncio.to_thread(_store, store, batch, screen)
                stored(batch)
                await asyncio.to_thread(upkeep.stored, len(batch))
                next_write = loop.time() + _APART_S
            if not self._waiting:
                self._empty.set()
            if not batch and self._closed:
                await asyncio.to_thread(upkeep.finish)
                return


def _store(store: Store, batch: Sequence[Output], screen: Callable[[str], str | None]) -> None:
    store.add_outputs([screened(output, screen) for output in batch])


def screened(output: Output, screen: Callable[[str], str | None]) -> Output:
    """The output, or what may be kept of it: without its text it counts as stopped by a content filter, ours.

    Reasoning is screened apart, so that what a model only thought does not count as its answer.
    """
    thought = None if output.reasoning is None else screen(output.reasoning)
    if thought is not None:
        output = output.model_copy(update={"reasoning": thought})
    if output.text is None:
        return output
    marker = screen(output.text)
    if marker is None:
        return output
    return output.model_copy(update={"text": None, "refusal": marker, "finish_reason": "content_filter"})
