"""Collection: ask every target all that is pending, and store every answer durably.

How it flows: the store says what is pending, in a balanced order; it goes as batches into one bounded
queue a target; a fixed number of workers a target ask, slow down and retry; one writer stores what
comes back. Only the writer touches the store. Wherever it is stopped or killed, what was stored is
not asked again, and a request that was in flight is asked once more.
"""

import asyncio
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from audit.collection.asking import Asker, Surroundings
from audit.collection.budget import Spending
from audit.collection.canaries import Canaries, CanaryPlan
from audit.collection.progress import Progress, Tracker
from audit.collection.retry import RetryPolicy
from audit.collection.rounds import Rounds
from audit.collection.stopping import Stop, interruptible
from audit.collection.upkeep import Upkeep
from audit.collection.writing import Outbox
from audit.errors import AuditError, IncompleteError
from audit.limits import GivenPrice, Limits
from audit.records import Request
from audit.store.order import order_seed
from audit.store.store import Store
from audit.targets.base import Target

__all__ = ["CollectionPlan", "CollectionResult", "collect"]

_TICK_S = 0.2
"""Time between two progress reports, in seconds."""
_READ_AHEAD = 256
"""Requests read from the store at a time."""


def _unscreened(text: str) -> str | None:  # noqa: ARG001 - the default of a seam
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPlan:
    """How to collect; everything but the first two has a sensible value."""

    repeats: int
    """Outputs a prompt."""
    seed: int
    """Root seed: given to targets, and the source of the order and of the jitter of retries."""
    limits: Limits = field(default_factory=Limits)
    prices: Mapping[str, GivenPrice | None] = field(default_factory=dict)
    """Prices that the spec gives, by target; the others are looked up."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: int = 10
    """Failures to connect in a row, with no success before, after which the target counts as absent; and
    calls in a row that ended in the same error, retries included, after which asking on is given up."""
    grace_s: float = 10.0
    """Longest time calls in flight are waited for when stopping, in seconds."""
    progress: Callable[[Progress], None] | None = None
    """Told at most five times a second, and once at the end."""
    screen: Callable[[str], str | None] = _unscreened
    """Gives the marker to store in place of a text (see `audit.screening`), or None to store it."""
    canaries: CanaryPlan | None = None
    """Fixed prompts that are asked beside the plan, to see whether an endpoint changes; None for none."""
    rounds: Rounds | None = None
    """Says what to ask round by round; None asks everything."""
    clock: Callable[[], float] = time.monotonic
    """Seconds that only grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionResult:
    """What a collection came to."""

    progress: Progress
    """The last state."""
    interrupted: bool
    """True if a person stopped it; the run can be resumed (exit 130)."""


async def collect(store: Store, targets: Mapping[str, Target], plan: CollectionPlan) -> CollectionResult:
    """Ask what is pending and store the answers; call it again to go on.

    Ctrl-C stops taking new work, waits a little for what is in flight and stores it; a second one ends
    at once. However it ends, finished outputs are stored before this returns or raises.

    Args:
        store: The run's store, open for writing; nobody else may use it meanwhile.
        targets: Targets by the name under which their outputs are stored (their `info.name`).
        plan: How to collect.

    Returns:
        The last progress, with `interrupted` true after Ctrl-C.

    Raises:
        SpecError: There is a limit in money and no known price.
        TargetUnreachableError: A target cannot be reached or rejects the credentials.
        BudgetReachedError: A limit was reached.
        IncompleteError: Too many outputs errored.
        StoreError: The disk refuses.
    """
    infos = {name: target.info for name, target in targets.items()}
    spending = Spending(plan.limits, infos, plan.clock, plan.prices)
    counts = {name: store.counts(name, plan.repeats) for name in targets}
    around = Surroundings(
        seed=plan.seed,
        retry=plan.retry,
        breaker=plan.breaker,
        error_rate=plan.limits.error_rate,
        clock=plan.clock,
        stop=Stop(),
        spending=spending,
        tracker=Tracker(counts, spending, plan.clock),
        outbox=Outbox(),
        screen=plan.screen,
    )
    askers = {name: Asker(name, target, around) for name, target in targets.items()}
    with interruptible(around.stop):
        await _run(store, askers, targets, plan, around)
    last = _report(plan, around)
    # A stop that came when there was nothing left to stop is none.
    reason = around.stop.reason if around.tracker.left else None
    error = _at_end(askers, around.tracker.left) if reason is None else reason.error
    if error is not None:
        raise error
    return CollectionResult(progress=last, interrupted=reason is not None)


async def _run(
    store: Store,
    askers: Mapping[str, Asker],
    targets: Mapping[str, Target],
    plan: CollectionPlan,
    around: Surroundings,
) -> None:
    """Run all tasks until everything is asked, a stop is asked for or one fails; store what is had."""
    infos = {name: target.info for name, target in targets.items()}
    upkeep = Upkeep(store, infos, plan.prices, repeats=plan.repeats, seed=plan.seed)
    writer = asyncio.create_task(around.outbox.write(store, around.tracker.stored, plan.screen, upkeep))
    workers = [
        asyncio.create_task(asker.work())
        for name, asker in askers.items()
        for _ in range(targets[name].info.max_in_flight)
    ]
    others = [
        asyncio.create_task(_feed_watched(store, askers, targets, plan, around)),
        asyncio.create_task(_tick(plan, around)),
        asyncio.create_task(around.stop.soon()),
    ]
    try:
        # The feeder ends when all is asked, the others only by a stop or a fault, which must not hang us.
        await asyncio.wait({writer, *workers, *others}, return_when=asyncio.FIRST_COMPLETED)
        if around.stop.asked:
            await _wind_down(plan, around)
    finally:
        for task in (*workers, *others):
            task.cancel()
        ended = await asyncio.gather(*workers, *others, return_exceptions=True)
        around.outbox.close()
        await writer
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise outcome


async def _wind_down(plan: CollectionPlan, around: Surroundings) -> None:
    """Wait for calls in flight, but no longer than the grace, nor after a stop at once."""
    until = asyncio.get_running_loop().time() + plan.grace_s
    while around.tracker.in_flight and asyncio.get_running_loop().time() < until:
        with suppress(TimeoutError):
            await asyncio.wait_for(around.stop.now(), _TICK_S / 4)
            return


async def _feed_watched(
    store: Store,
    askers: Mapping[str, Asker],
    targets: Mapping[str, Target],
    plan: CollectionPlan,
    around: Surroundings,
) -> None:
    """Feed all there is, with canaries before, beside and after it if they are wanted."""
    if plan.canaries is None or not around.tracker.left:
        await _feed_all(store, askers, targets, plan, around)
        return
    tracker = around.tracker
    canaries = Canaries(plan.canaries, askers, lambda: (tracker.planned - tracker.left, tracker.planned))
    await canaries.begin()
    watching = asyncio.create_task(canaries.watch())
    try:
        await _feed_all(store, askers, targets, plan, around)
        await around.outbox.empty()
        canaries.over()
        await watching
    finally:
        watching.cancel()
    await canaries.ask()


async def _feed_all(
    store: Store,
    askers: Mapping[str, Asker],
    targets: Mapping[str, Target],
    plan: CollectionPlan,
    around: Surroundings,
) -> None:
    """Feed all there is, or round by round what may be asked; return when all of it was dealt with."""
    if plan.rounds is None:
        await _feed(store, askers, targets, plan, None)
        return
    while True:
        await around.outbox.empty()
        asked = asyncio.ensure_future(asyncio.to_thread(plan.rounds.following))
        try:
            following = await asyncio.shield(asked)
        finally:
            await asyncio.wait({asked})  # It uses the store, which must not be closed beneath it.
        around.tracker.skipped = following.skipped
        if not following.prompts:
            return
        await _feed(store, askers, targets, plan, frozenset(following.prompts))


async def _feed(
    store: Store,
    askers: Mapping[str, Asker],
    targets: Mapping[str, Target],
    plan: CollectionPlan,
    among: frozenset[str] | None,
) -> None:
    """Put what is pending into the targets' queues, and return when all of it was dealt with."""
    pending = store.pending(list(askers), plan.repeats, order_seed(plan.seed), among=among)
    batches: dict[str, list[Request]] = {name: [] for name in askers}
    reading = asyncio.ensure_future(asyncio.to_thread(_page, pending))
    try:
        while page := await asyncio.shield(reading):
            for name, request in page:
                batches[name].append(request)
                if len(batches[name]) >= targets[name].info.batch_size:
                    await askers[name].batches.put(batches[name])
                    batches[name] = []
            reading = asyncio.ensure_future(asyncio.to_thread(_page, pending))
    finally:
        await asyncio.wait({reading})  # A generator cannot be closed while another thread is in it.
        pending.close()
    for name, batch in batches.items():
        if batch:
            await askers[name].batches.put(batch)
    for asker in askers.values():
        await asker.batches.join()


def _page(pending: Generator[tuple[str, Request], None, None]) -> list[tuple[str, Request]]:
    return list(islice(pending, _READ_AHEAD))


async def _tick(plan: CollectionPlan, around: Surroundings) -> None:
    """Report progress, and stop when the minutes are over, until cancelled."""
    while True:
        await asyncio.sleep(_TICK_S)
        _report(plan, around)
        if around.spending.seconds_left() == 0.0:
            around.stop_for_budget()


def _report(plan: CollectionPlan, around: Surroundings) -> Progress:
    progress = around.tracker.progress(sum(pace.limit for pace in around.paces.values()))
    if plan.progress is not None:
        plan.progress(progress)
    return progress


def _at_end(askers: Mapping[str, Asker], left: int) -> AuditError | None:
    """What is wrong although nobody stopped the collection; None if nothing is."""
    for name, asker in askers.items():
        unreachable = asker.unreachable_error()
        if unreachable is not None:
            return unreachable
        problem = asker.errors.exceeded_at_end()
        if problem is not None:
            return IncompleteError(f"{name}: {problem}")
    if left:
        # Only a target that cancels the task it runs in gets here.
        return IncompleteError(f"{left} outputs were not asked: a target ended the task that asked it")
    return None
