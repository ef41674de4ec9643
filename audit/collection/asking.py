"""One target's side of a collection: its workers, its pace, its retries and its circuit breaker."""

import asyncio
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from audit.collection.budget import ErrorShare, Spending
from audit.collection.progress import Tracker
from audit.collection.rate_control import RateControl
from audit.collection.reasons import reason_of, says_too_much
from audit.collection.retry import RetryPolicy, ask_with_retry
from audit.collection.stopping import Stop, StopReason
from audit.collection.writing import Outbox, screened
from audit.errors import BudgetReachedError, IncompleteError, TargetUnreachableError
from audit.records import Outcome, Output, Request
from audit.targets.base import FatalTargetError, RetryableTargetError, Target, TargetError, TargetInfo
from probes.conversation import Ask, Scripted
from probes.seeds import rng

__all__ = ["Asker", "Surroundings"]

_LONGEST_MESSAGE = 300
_KEPT = "what was answered is kept, the rest can be resumed"
_NUMBER = re.compile(r"\b[0-9a-f]{8,}\b|\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the workers of all targets share."""

    seed: int
    retry: RetryPolicy
    breaker: int
    error_rate: float
    clock: Callable[[], float]
    stop: Stop
    spending: Spending
    tracker: Tracker
    outbox: Outbox
    screen: Callable[[str], str | None]
    paces: dict[tuple[str, ...], RateControl] = field(default_factory=dict)
    """By what is asked: targets of one model at one address share one."""

    def pace(self, info: TargetInfo) -> RateControl:
        """The limit of calls in flight for a target."""
        place = (info.facts.get("base_url", ""), info.facts.get("model", ""))
        shared = bool(info.hosts) and all(place)
        key = place if shared else (info.name,)
        if key not in self.paces:
            # What runs here waits for this machine, which is no server that could be overrun.
            watch = bool(info.hosts)
            self.paces[key] = RateControl(info.max_in_flight, self.clock, watch_latency=watch)
        self.paces[key].allow(info.max_in_flight)
        return self.paces[key]

    def stop_for_budget(self) -> None:
        """Stop because a limit is reached; what is in flight may still come in."""
        reached = self.spending.reached(self.tracker.in_flight)
        said = "limits.requests: no room for another batch" if reached is None else str(reached)
        message = f"{said}; {_KEPT}"
        self.stop.ask(StopReason(error=BudgetReachedError(message, reached=reached)))


class _StoppedError(Exception):
    """The collection stopped before these requests had an answer; they stay unasked."""


class Asker:
    """Asks one target, with a fixed number of workers."""

    def __init__(self, name: str, target: Target, around: Surroundings) -> None:
        """Nothing is asked before `work` runs.

        Args:
            name: Name under which the outputs are stored.
            target: The target.
            around: What the targets share.
        """
        self.name = name
        self.info = target.info
        self.batches: asyncio.Queue[Sequence[Request]] = asyncio.Queue(2 * target.info.max_in_flight)
        self.pace = around.pace(target.info)
        self.errors = ErrorShare(around.error_rate)
        self._target = target
        self._around = around
        self._calls = count()
        self._absent = _Row()
        self._failed = _Row()
        self._answered_at = -math.inf
        """When the last call brought an answer."""
        self._reached = False

    async def work(self) -> None:
        """One worker: take a batch, ask, hand on the outputs, until cancelled or stopped."""
        around = self._around
        while not around.stop.asked:
            await around.outbox.room()
            batch = await self.batches.get()
            try:
                while batch and not around.stop.asked:
                    batch = await self._following(batch, await self._finish(batch))
            except _StoppedError:
                return
            finally:
                self.batches.task_done()

    async def aside(self, request: Request) -> Output | None:
        """Ask something that is not of the plan; it counts towards the limits, and is not stored here.

        Returns:
            The output, or an error if there was none; None if it was not asked, since the collection stops.
        """
        tracker = self._around.tracker
        try:
            (output,) = await self._answers([request])
        except _StoppedError:
            return None
        except TargetError as error:
            tracker.canaries += 1
            return self._errored([request], _one_line(error))[0]
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here must not end the plan
            tracker.canaries += 1
            return self._errored([request], f"{type(error).__name__}: {_one_line(error)}")[0]
        tracker.canaries += 1
        self._around.spending.spent(request, output)
        return output

    async def _following(self, batch: Sequence[Request], outputs: Sequence[Output]) -> Sequence[Request]:
        """The next turns of the conversations of a batch; a conversation that brought no text is over.

        What must not be stored must not be said either: a reply goes on as it is kept.
        """
        if not any(request.further for request in batch):
            return ()
        following = []
        for request, output in zip(batch, outputs, strict=False):
            if not request.further:
                continue
            kept = await asyncio.to_thread(screened, output, self._around.screen)
            asked = Scripted(request.messages, request.further).turn([kept.text or ""])
            if kept.goes_on and isinstance(asked, Ask):
                update = {"messages": asked.messages, "turn": request.turn + 1, "attempt": 0}
                following.append(request.model_copy(update={**update, "further": request.further[1:]}))
            else:
                again = kept.outcome is Outcome.ERRORED
                self._around.tracker.broke_off(len(request.further), again=again)
        return following

    async def _finish(self, batch: Sequence[Request]) -> Sequence[Output]:
        """Ask a batch, hand its outputs on and give them: of its first requests only, at a limit."""
        around = self._around
        left = around.spending.requests_left()
        taken = batch if left is None else batch[:left]
        outputs = await self._outputs(taken) if taken else []
        for request, output in zip(taken, outputs, strict=True):
            around.spending.spent(request, output)
        if outputs:
            around.outbox.put(outputs)
            self.errors.add(outputs)
        if len(taken) < len(batch):
            around.stop_for_budget()
        elif (problem := self.errors.exceeded()) is not None:
            around.stop.ask(StopReason(error=IncompleteError(f"{self.name}: {problem}"), at_once=True))
        return outputs

    async def _outputs(self, batch: Sequence[Request]) -> Sequence[Output]:
        """One output a request: what the target gave, or the error that came instead."""
        around = self._around
        begun = around.clock()
        try:
            given = await self._answers(batch)
        except FatalTargetError as error:
            around.stop.ask(
                StopReason(error=TargetUnreachableError(f"{self.name}: {_one_line(error)}"), at_once=True)
            )
            raise _StoppedError from error
        except TargetError as error:
            if isinstance(error, RetryableTargetError):
                self._note_unreachable(error)
            return self._given_up(batch, _one_line(error), begun)
        except _StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in's own fault becomes a record with its cause
            return self._given_up(batch, f"{type(error).__name__}: {_one_line(error)}", begun)
        self._reached = True
        self._answered_at = around.clock()
        self._failed.over()
        return self._checked(batch, given)

    async def _answers(self, batch: Sequence[Request]) -> Sequence[Output]:
        """What the target gives, after as many tries as the policy allows."""
        first, around = batch[0], self._around
        return await ask_with_retry(
            lambda: self._ask(batch),
            around.retry,
            lambda: rng(around.seed, "retry", self.name, first.prompt_id, first.repeat),
            clock=around.clock,
            wait=self._wait,
        )

    async def _ask(self, batch: Sequence[Request]) -> Sequence[Output]:
        around = self._around
        call = (self.name, next(self._calls))
        await self.pace.enter()
        try:
            if around.stop.asked:
                raise _StoppedError
            waiting = around.tracker.in_flight * len(batch)
            if around.spending.reached(waiting) is not None or not around.spending.take_requests(len(batch)):
                around.stop_for_budget()
                raise _StoppedError
            around.tracker.call_started(call)
            started = around.clock()
            try:
                outputs = await self._target.generate(batch, seed=around.seed)
            except RetryableTargetError as error:
                self._slow_down(error, around.clock() - started)
                raise
            finally:
                around.tracker.call_ended(call)
            self.pace.succeeded(around.clock() - started, getattr(self._target, "room", None))
            return outputs
        finally:
            self.pace.leave()

    async def _wait(self, error: RetryableTargetError, seconds: float) -> None:
        """Before a retry: see whether the target is there at all, and wait unless stopped."""
        around = self._around
        around.tracker.retried(reason_of(error))
        self._note_unreachable(error)
        try:
            await asyncio.wait_for(around.stop.soon(), seconds)
        except TimeoutError:
            return
        raise _StoppedError

    def _slow_down(self, error: RetryableTargetError, waited_s: float) -> None:
        """Let the pace learn from a call that failed; one without a connection tells nothing."""
        if error.unreachable:
            return
        asked = error.retry_after_s
        pause = None if asked is None else min(asked, self._around.retry.longest_asked_s)
        self.pace.refused(pause, too_much=says_too_much(error), waited_s=waited_s)

    def _note_unreachable(self, error: RetryableTargetError) -> None:
        """Stop when nothing but the same failure to connect has come since the start."""
        if self._reached or not error.unreachable:
            self._absent.over()
        elif self._absent.add(_one_line(error)) >= self._around.breaker:
            self._around.stop.ask(StopReason(error=self.unreachable_error(), at_once=True))

    def unreachable_error(self) -> TargetUnreachableError | None:
        """The error to raise if the target was never reached; None if it was, or was not tried."""
        if self._reached or self._absent.last is None:
            return None
        return TargetUnreachableError(f"{self.name}: cannot be reached: {self._absent.last}")

    def _given_up(self, batch: Sequence[Request], message: str, begun: float) -> Sequence[Output]:
        """Errored outputs; stop when call after call ends in the same error, since the next would too.

        Calls that were under way when the last answer came do not count: what fails is tried again and so
        comes last of those that began together, and a row of it tells nothing of the next.
        """
        times = self._failed.add(message) if begun >= self._answered_at else 0
        if times >= self._around.breaker:
            said = f"{self.name}: {times} calls in a row ended in the same error: {message}"
            self._around.stop.ask(StopReason(error=IncompleteError(said), at_once=True))
        return self._errored(batch, message)

    def _checked(self, batch: Sequence[Request], given: Sequence[Output]) -> Sequence[Output]:
        """The outputs, or errors if they are not those that were asked for."""
        wanted = [(self.name, r.prompt_id, r.turn, r.repeat, r.attempt) for r in batch]
        got = [(o.target, o.prompt_id, o.turn, o.repeat, o.attempt) for o in given]
        if wanted == got:
            return given
        return self._errored(
            batch, f"the target gave outputs {got[:2]} … where {wanted[:2]} … were asked of it"
        )

    def _errored(self, batch: Sequence[Request], message: str) -> Sequence[Output]:
        return [
            Output(
                target=self.name,
                prompt_id=request.prompt_id,
                turn=request.turn,
                repeat=request.repeat,
                attempt=request.attempt,
                error=message[:_LONGEST_MESSAGE],
            )
            for request in batch
        ]


class _Row:
    """How often the same message came in a row; numbers in it, such as those of requests, do not count."""

    def __init__(self) -> None:
        self.last: str | None = None
        self._alike: str | None = None
        self._times = 0

    def add(self, message: str) -> int:
        alike = _NUMBER.sub("#", message)
        self._times = self._times + 1 if alike == self._alike else 1
        self._alike, self.last = alike, message
        return self._times

    def over(self) -> None:
        self._times = 0


def _one_line(error: Exception) -> str:
    """The message in one line, without control characters; the kind of error if it has none."""
    text = "".join(character if character.isprintable() else " " for character in str(error))
    return " ".join(text.split())[:_LONGEST_MESSAGE] or type(error).__name__
