"""How far a collection is: one record for every display, and the counting behind it."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Self

from pydantic import Field

from audit.collection.budget import Spending
from audit.records import Counts, Estimate, Outcome, Output
from probes.records import Record

__all__ = ["Progress", "Tracker", "Widest"]

_RATE_WINDOW_S = 30.0
_ENOUGH = 20
_MANY = 0.05


class Widest(Record):
    """The comparison that is known least so far; a thing to watch, and no verdict."""

    measure: str
    unit: str
    attribute: str
    signal: str | None
    group: str
    reference_group: str
    point: float
    """Group minus reference, not corrected for the analyzer's errors."""
    ci_low: float
    ci_high: float
    level: float
    margin: float
    """Smallest disparity of concern, in the same unit."""
    templates: int = Field(ge=0)
    outputs: int = Field(ge=0)

    @classmethod
    def of(cls, estimate: Estimate) -> Self:
        """What is shown of an estimate.

        Args:
            estimate: A disparity with an interval and a margin.
        """
        return cls.model_validate(
            {
                **{
                    name: getattr(estimate, name) for name in set(cls.model_fields) - {"templates", "outputs"}
                },
                "templates": estimate.n_clusters,
                "outputs": estimate.n_outputs,
            }
        )


class Progress(Record):
    """How far a collection is, at one moment."""

    planned: int = Field(ge=0)
    """Outputs planned, over all targets."""
    done: int = Field(ge=0)
    """Outputs that ended in an outcome: answered + refused + truncated + empty + errored."""
    answered: int = 0
    refused: int = 0
    truncated: int = 0
    empty: int = 0
    errored: int = 0
    not_needed: int = 0
    """Outputs of the plan that are not asked for, since what needs them is decided."""
    broken_off: int = 0
    """Later turns of conversations in which a turn brought no text; they are not asked."""
    stored: int = 0
    """Outputs stored in this invocation, errors and those from a cache too."""
    canaries: int = 0
    """Answers to canaries in this invocation, errors too; they are no outputs of the plan."""
    cached: int = 0
    """Outputs of this invocation that came from a cache."""
    in_flight: int = 0
    """Calls waiting for an answer."""
    limit: int = 0
    """Calls that may wait at once, at the moment."""
    requests: int = 0
    """Requests sent in this invocation, retries included."""
    retries: int = 0
    retry_reasons: dict[str, int] = Field(default_factory=dict)
    """How many of the retries had which reason: `no connection`, `connection lost`, `status NNN`,
    `timeout` or `other`."""
    tokens: int = 0
    """Prompt and completion tokens of this invocation."""
    tokens_estimated: bool = False
    """True if some of `tokens` (and of `usd`) are estimates, for want of the provider's count."""
    usd: float | None = None
    """Price of this invocation's outputs in US dollars; None if a price is not known."""
    kwh_low: float | None = None
    """Low end of the energy of this invocation's replies in kWh, an estimate; None if it is not known."""
    kwh_high: float | None = None
    elapsed_s: float = 0.0
    left_s: float | None = None
    """Estimate of the seconds left, from the last half minute; None before there is a rate."""
    oldest_waiting_s: float | None = None
    """Seconds the longest running call has waited; None if none is running."""
    widest: Widest | None = None
    """The comparison with the longest interval so far, in margins of concern; None before one is known."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the answers as they come, in words, though nothing failed.

        Said once 20 outputs are done, of more than a twentieth of them.
        """
        said = (
            (self.truncated, "cut at the limit of tokens: what they would have said is missing; raise it"),
            (self.empty, "empty: look at one, since a model that thinks may use up the limit of tokens"),
        )
        return tuple(
            f"{count} of {self.done} outputs are {what}"
            for count, what in said
            if self.done >= _ENOUGH and count > _MANY * self.done
        )


class Tracker:
    """Counts what happens, and tells it as `Progress`."""

    def __init__(self, counts: Mapping[str, Counts], spending: Spending, clock: Callable[[], float]) -> None:
        """Start from what the store holds.

        Args:
            counts: Each target's funnel before this invocation.
            spending: Counts requests, tokens and money.
            clock: Seconds that only grow.
        """
        self._clock = clock
        self._start = clock()
        self._spending = spending
        self.planned = sum(count.planned for count in counts.values())
        """Outputs of the whole run."""
        self._outcomes = {
            outcome: sum(getattr(count, outcome.value) for count in counts.values()) for outcome in Outcome
        }
        self._to_ask = sum(count.not_asked - count.broken_off + count.errored for count in counts.values())
        self._broken_off = sum(count.broken_off for count in counts.values())
        self._finished = 0
        self._cached = 0
        self._recent: deque[tuple[float, int]] = deque([(self._start, 0)])
        self._calls: dict[tuple[str, int], float] = {}
        self._retries: Counter[str] = Counter()
        self.canaries = 0
        """Answers to canaries, errors too."""
        self.skipped = 0
        """Outputs never asked for that will not be, since what needs them is decided."""

    def broke_off(self, turns: int, *, again: bool) -> None:
        """Note that later turns of a conversation are not asked now, since one brought no text.

        Args:
            turns: How many.
            again: Whether another invocation may still ask them, as after an error.
        """
        self._to_ask -= turns
        if not again:
            self._broken_off += turns

    def call_started(self, call: tuple[str, int]) -> None:
        """Note that a call was sent."""
        self._calls[call] = self._clock()

    def call_ended(self, call: tuple[str, int]) -> None:
        """Note that a call came back or was given up."""
        self._calls.pop(call, None)

    def retried(self, reason: str) -> None:
        """Note that a call is sent again."""
        self._retries[reason] += 1

    def stored(self, outputs: Sequence[Output]) -> None:
        """Count outputs that are durable now."""
        for output in outputs:
            self._outcomes[output.outcome] += 1
            if output.attempt:  # It supersedes an errored one, which was counted at the start.
                self._outcomes[Outcome.ERRORED] -= 1
            self._cached += output.cached
        self._finished += len(outputs)
        now = self._clock()
        self._recent.append((now, self._finished))
        while now - self._recent[0][0] > _RATE_WINDOW_S:
            self._recent.popleft()  # Never the one just added.

    @property
    def in_flight(self) -> int:
        """Calls waiting for an answer."""
        return len(self._calls)

    @property
    def left(self) -> int:
        """Outputs still to be had in this invocation."""
        return self._to_ask - self._finished - self.skipped

    def progress(self, limit: int) -> Progress:
        """How far it is now.

        Args:
            limit: Calls that may wait at once, over all targets.
        """
        now = self._clock()
        usd: Decimal | None = self._spending.usd
        kwh = self._spending.kwh
        return Progress(
            planned=self.planned,
            done=sum(self._outcomes.values()),
            **{outcome.value: count for outcome, count in self._outcomes.items()},
            not_needed=self.skipped,
            broken_off=self._broken_off,
            stored=self._finished,
            canaries=self.canaries,
            cached=self._cached,
            in_flight=self.in_flight,
            limit=limit,
            requests=self._spending.requests,
            retries=self._retries.total(),
            retry_reasons=dict(sorted(self._retries.items())),
            tokens=self._spending.tokens,
            tokens_estimated=self._spending.estimated,
            usd=None if usd is None else float(usd),
            kwh_low=None if kwh is None else kwh[0],
            kwh_high=None if kwh is None else kwh[1],
            elapsed_s=now - self._start,
            left_s=self._left_s(now),
            oldest_waiting_s=now - min(self._calls.values()) if self._calls else None,
        )

    def _left_s(self, now: float) -> float | None:
        then, finished = self._recent[0]
        if self._finished == finished or now <= then:
            return None
        return self.left * (now - then) / (self._finished - finished)
