"""Whether waiting has grown, for servers that send no headers about their limits."""

from collections import deque
from statistics import median

__all__ = ["LatencyWatch"]

_WINDOW = 20
"""Fewest answers that a look is made of."""
_RECENT_S = 300.0
"""How long the smallest waiting time is remembered, in seconds."""
_TOLERANCE = 2.0
"""How many times the smallest recent waiting time is no growth yet."""
_DEEPEST = 0.5
"""Smallest share of the limit that one look asks for, before damping."""
_DAMPING = 0.5
_LOST = 0.9
"""Share of the earlier throughput below which a cut is taken back."""


class LatencyWatch:
    """Proposes fewer calls in flight when waiting grows and nothing is gained by it.

    Answers are looked at in windows of as many as the limit is high. When a window's median waiting time
    exceeds twice the smallest one of the last five minutes, the limit is cut towards the ratio of the two,
    by half of the way. A server that works on many requests together answers each more slowly and all of
    them faster, so every cut is on trial: if the next window brings fewer than nine tenths of the answers a
    second, the cut is taken back and as much growth is tolerated from then on.

    Source: the gradient of Netflix' concurrency-limits (`Gradient2Limit`), smallest against present waiting
    time with a tolerance and damping; the trial by throughput is ours.
    """

    def __init__(self) -> None:
        """Nothing seen."""
        self.grown = False
        """True while the last window was slower than tolerated: the limit should not be raised then."""
        self._window: list[float] = []
        self._opened: float | None = None
        self._smallest: deque[tuple[float, float]] = deque()
        self._tolerance = _TOLERANCE
        self._trial: tuple[int, float, float] | None = None
        self._skip = 0

    def note(self, latency_s: float, now: float, limit: int) -> int | None:
        """Note an answer.

        Args:
            latency_s: Seconds it took.
            now: Seconds that only grow.
            limit: Calls that may be in flight.

        Returns:
            The limit to take instead; None to leave it.
        """
        if self._skip:  # Answers to calls of before a change say nothing of the time after it.
            self._skip -= 1
            return None
        if self._opened is None:
            self._opened = now
            return None
        self._window.append(latency_s)
        if len(self._window) < max(_WINDOW, limit) or now <= self._opened:
            return None
        middle, rate = median(self._window), len(self._window) / (now - self._opened)
        self._window, self._opened = [], None
        return self._look(middle, rate, now, limit)

    def _look(self, middle: float, rate: float, now: float, limit: int) -> int | None:
        while self._smallest and now - self._smallest[0][0] > _RECENT_S:
            self._smallest.popleft()
        self._smallest.append((now, middle))
        base = min(value for _, value in self._smallest)
        self.grown = middle > self._tolerance * base
        trial, self._trial = self._trial, None
        if trial is not None and rate < _LOST * trial[1]:
            self._tolerance = max(self._tolerance, trial[2])
            self.grown = False
            return self._changed(trial[0], limit)
        if not self.grown or limit == 1:
            return None
        gradient = max(_DEEPEST, self._tolerance * base / middle)
        self._trial = (limit, rate, 1.1 * middle / base)
        return self._changed(max(1, int(limit * (1 - _DAMPING * (1 - gradient)))), limit)

    def _changed(self, wanted: int, limit: int) -> int | None:
        self._skip = max(wanted, limit)
        return wanted if wanted != limit else None
