"""How calls ended that were sent at about the same time."""

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import Literal

__all__ = ["Ended", "EndedCalls", "Shares"]

Ended = Literal["served", "refused", "failed"]
_FEWEST = 100
"""Calls of which a share is taken, as far as there are so many."""
_WIDTH_S = 0.25
"""Calls sent within one such span are not told apart."""
_KEPT = 4096
"""Spans in which something was sent that are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of calls, 0 to 1."""

    refused: float
    """As too much."""
    lost: float
    """As too much, or failed in whatever way."""


class EndedCalls:
    """Counts how calls ended, by when they were sent.

    What comes back together was not sent together: a server that lets one call in a hundred hang answers the
    others long before. Had it failed them all at the end, the last hundred calls to come back would be all
    failures, and of those sent at any one time one in a hundred is.
    """

    def __init__(self) -> None:
        """Nothing was sent."""
        self._spans: list[int] = []
        self._counts: dict[int, dict[Ended, int]] = {}

    def note(self, sent: float, ended: Ended) -> None:
        """Count a call.

        Args:
            sent: When, in seconds of one clock.
            ended: How.
        """
        span = int(sent // _WIDTH_S)
        counts = self._counts.get(span)
        if counts is None:
            counts = self._counts[span] = {"served": 0, "refused": 0, "failed": 0}
            insort(self._spans, span)
            if len(self._spans) > _KEPT:
                del self._counts[self._spans.pop(0)]
        counts[ended] += 1

    def around(self, sent: float) -> Shares:
        """Shares of the hundred or more calls that were sent nearest to a moment; of all, if there are fewer.

        Args:
            sent: The moment, of a call that was noted.
        """
        after = bisect_left(self._spans, int(sent // _WIDTH_S))
        before = after - 1
        calls = refused = lost = 0
        while calls < _FEWEST and (before >= 0 or after < len(self._spans)):
            for place in (after, before):
                if 0 <= place < len(self._spans):
                    counts = self._counts[self._spans[place]]
                    calls += sum(counts.values())
                    refused += counts["refused"]
                    lost += counts["refused"] + counts["failed"]
            before, after = before - 1, after + 1
        return Shares(refused=refused / calls, lost=lost / calls)
