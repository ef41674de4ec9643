"""How many calls run at once: fewer when the target says it is too much, more when all goes well."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

__all__ = ["RateControl"]

_SLOWER = 0.75
_BURST_S = 1.0


class RateControl:
    """A limit of calls in flight that follows what the target can take.

    The first rate-limit failure of a burst cuts the limit to three quarters; a streak of as many
    successes as the limit is high raises it by one, never above the target's own maximum.

    Source: additive increase, multiplicative decrease, Chiu and Jain (1989), Computer Networks and
    ISDN Systems 17:1-14.
    """

    def __init__(self, maximum: int, clock: Callable[[], float]) -> None:
        """Start at the maximum.

        Args:
            maximum: Most calls in flight, at least 1.
            clock: Seconds that only grow.
        """
        self.limit = maximum
        self.in_flight = 0
        self._maximum = maximum
        self._clock = clock
        self._streak = 0
        self._cut_at: float | None = None
        self._quiet_until = clock()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Room for one call; waits until there is some and no pause is asked for."""
        while True:
            pause = self._quiet_until - self._clock()
            if pause > 0:
                await asyncio.sleep(pause)
            elif self.in_flight >= self.limit:
                self._changed.clear()
                await self._changed.wait()
            else:
                break
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._changed.set()

    def succeeded(self) -> None:
        """Note a call that the target answered."""
        self._streak += 1
        if self._streak >= self.limit < self._maximum:
            self._streak = 0
            self.limit += 1
            self._changed.set()

    def refused(self, pause_s: float | None) -> None:
        """Note a call that the target refused as too much or failed to serve.

        Args:
            pause_s: Seconds it asked everybody to wait, if it did.
        """
        now = self._clock()
        self._streak = 0
        if self._cut_at is None or now - self._cut_at > _BURST_S:
            self._cut_at = now
            self.limit = max(1, int(self.limit * _SLOWER))
        if pause_s is not None:
            self._quiet_until = max(self._quiet_until, now + pause_s)
