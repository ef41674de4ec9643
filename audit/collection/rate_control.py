"""How many calls run at once: fewer when the target says it is too much, more when all goes well."""

import asyncio
from collections import deque
from collections.abc import Callable

from audit.collection.ended import EndedCalls
from audit.collection.latency import LatencyWatch
from audit.targets.base import RateRoom

__all__ = ["LimitChange", "RateControl"]

_SLOWER = 0.75
_BURST_S = 1.0
_TOLERATED_REFUSALS = 0.15
"""Share of calls refused as too much that cuts nothing: five tries in a row fail of one in 13,000. Of the
calls of a server that refuses a twelfth whatever the load, one hundred in 117 holds more."""
_TOLERATED_FAILURES = 0.35
"""Likewise of failures of every kind: of a server that fails a fifth, one hundred in 6,800 holds more."""
_LONGEST_PAUSE_S = 120.0
"""Longest pause that headers may ask for, in seconds."""
_KEPT_CHANGES = 512

LimitChange = tuple[float, int]
"""Seconds since the start, and the limit from then on."""


class RateControl:
    """A limit of calls in flight that follows what one model at one address can take.

    It learns from four things:

    - The first refusal of a burst cuts the limit to three quarters, where of the hundred calls sent nearest
      to it more than .15 were refused as too much, or more than .35 failed in whatever way; as many successes
      since as the limit is high raise it by one, never above the maximum. Rarer failures cost a retry each,
      and a limit that gave way to each of them would be held down by what no load causes.
    - A wait that the provider asks for holds back every call.
    - Headers that say how many requests are left keep the calls in flight to that number, and hold calls
      back until the reset when nothing is left.
    - Without such headers, waiting that has grown to a multiple of the smallest recent one cuts the limit,
      for as long as no throughput is lost by it; see `LatencyWatch`.

    Source: additive increase, multiplicative decrease, Chiu and Jain (1989), Computer Networks and
    ISDN Systems 17:1-14.
    """

    def __init__(self, maximum: int, clock: Callable[[], float], *, watch_latency: bool = False) -> None:
        """Start at the maximum.

        Args:
            maximum: Most calls in flight, at least 1.
            clock: Seconds that only grow.
            watch_latency: True to learn from waiting times as long as no header tells of limits.
        """
        self.limit = maximum
        self.in_flight = 0
        self.changes: list[LimitChange] = [(0.0, maximum)]
        """How the limit went; when there are too many changes, every other one of the older is left out."""
        self._maximum = maximum
        self._clock = clock
        self._start = clock()
        self._streak = 0
        self._ended = EndedCalls()
        self._cut_at: float | None = None
        self._quiet_until = self._start
        self._room: int | None = None
        self._latency = LatencyWatch() if watch_latency else None
        self._waiting: deque[asyncio.Future[None]] = deque()

    def allow(self, maximum: int) -> None:
        """Another target asks the same model: the larger of both maxima holds for them together."""
        if maximum > self._maximum:
            self._maximum = maximum
            self._set(maximum)

    async def enter(self) -> None:
        """Take room for one call; waits until there is some and no pause is asked for. Then `leave`.

        First come, first served: who leaves and comes back at once does not pass those who wait.
        """
        while True:
            pause = self._quiet_until - self._clock()
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            if self.in_flight < self._allowed and not self._awaited:
                self.in_flight += 1
                return
            await self._turn()
            if self._quiet_until <= self._clock():
                return
            self.leave()

    def leave(self) -> None:
        """Give back the room of one call."""
        self.in_flight -= 1
        self._wake()

    def succeeded(self, latency_s: float | None = None, room: RateRoom | None = None) -> None:
        """Note a call that the target answered.

        Args:
            latency_s: Seconds it took; None to learn nothing from them.
            room: What the provider said it still takes, if it did.
        """
        self._streak += 1
        self._ended.note(self._clock() - (latency_s or 0.0), "served")
        if room is not None:
            self._latency = None
            self._heed(room)
        watch = self._latency
        if watch is not None and latency_s is not None:
            wanted = watch.note(latency_s, self._clock(), self.limit)
            if wanted is not None:
                self._set(min(wanted, self._maximum))
                return
        if self._streak >= self.limit < self._maximum and not (watch is not None and watch.grown):
            self._streak = 0
            self._set(self.limit + 1)

    def refused(self, pause_s: float | None, *, too_much: bool = True, waited_s: float = 0.0) -> None:
        """Note a call that the target refused as too much or failed to serve.

        Args:
            pause_s: Seconds it asked everybody to wait, if it did.
            too_much: False where the failure does not say that there was too much.
            waited_s: Seconds from sending the call to this.
        """
        now = self._clock()
        self._ended.note(now - waited_s, "refused" if too_much else "failed")
        burst = self._cut_at is not None and now - self._cut_at <= _BURST_S
        if not burst and self._overloaded(now - waited_s):
            # Within a burst the streak goes on: failures that no load causes must not hold the limit down.
            self._cut_at, self._streak = now, 0
            self._set(max(1, int(self.limit * _SLOWER)))
        if pause_s is not None:
            self._quiet_until = max(self._quiet_until, now + pause_s)

    def _overloaded(self, sent: float) -> bool:
        """Whether so many calls of that time came to nothing that the load may be the reason."""
        shares = self._ended.around(sent)
        return shares.refused > _TOLERATED_REFUSALS or shares.lost > _TOLERATED_FAILURES

    @property
    def _allowed(self) -> int:
        return self.limit if self._room is None else max(1, min(self.limit, self._room))

    def _heed(self, room: RateRoom) -> None:
        """Keep within what headers say is left."""
        left, reset = room.tightest(self.limit)
        self._room = left if left < self.limit else None
        if left == 0 and reset is not None:
            until = self._clock() + min(reset, _LONGEST_PAUSE_S)
            self._quiet_until = max(self._quiet_until, until)
            self._room = None  # After the reset there is room again, how much the next answer says.
        self._wake()

    def _set(self, limit: int) -> None:
        if limit == self.limit:
            return
        self.limit = limit
        self.changes.append((self._clock() - self._start, limit))
        if len(self.changes) > _KEPT_CHANGES:
            half = _KEPT_CHANGES // 2
            self.changes = [self.changes[0], *self.changes[1:half:2], *self.changes[half:]]
        self._wake()

    @property
    def _awaited(self) -> bool:
        """Whether somebody waits for room."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()  # It was cancelled.
        return bool(self._waiting)

    async def _turn(self) -> None:
        """Wait for room, which is taken already when this returns."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # The room that was taken for this one goes to another.
            raise
        finally:
            turn.cancel()

    def _wake(self) -> None:
        """Take room for as many as there is room for, in the order they came, and wake them."""
        while self._awaited and self.in_flight < self._allowed:
            self.in_flight += 1
            self._waiting.popleft().set_result(None)
