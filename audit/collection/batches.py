"""Collecting in batches: submit what is pending and leave, gather what has ended, in any process.

Order of things for one batch, each step durable before the next:
    1. the store holds the batch's tag and its requests, which are pending no more;
    2. the target takes the batch, under that tag;
    3. the store holds the id the target gave it;
    4. results are stored, each in one transaction with the end of its wait.
Of a conversation each turn is in a batch of its own, submitted once the turn before it was answered.
A process killed after 1 leaves a tag without an id: the next one asks the target whether it knows the
tag, and submits the same requests only if it does not. A process killed in 4 leaves some results
stored; the next one fetches the file again and stores the others.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, TypeVar

from audit.collection.batch_allowance import Allowance
from audit.collection.budget import ErrorShare, Spending
from audit.collection.progress import Progress, Tracker
from audit.collection.retry import ask_with_retry
from audit.collection.runner import CollectionPlan
from audit.collection.writing import screened
from audit.errors import (
    AuditError,
    BatchesWaitingError,
    BudgetReachedError,
    IncompleteError,
    StoreError,
    TargetUnreachableError,
)
from audit.records import Output, Request
from audit.store.batches import BatchBook, OpenBatch, RequestKey
from audit.store.order import order_seed
from audit.store.store import Store
from audit.targets.base import FatalTargetError, RetryableTargetError, TargetError
from audit.targets.batching.base import BatchTarget, NotTakenError
from audit.targets.batching.lines import result_lines
from audit.targets.batching.unusable import Unusable
from probes.seeds import rng

__all__ = ["Gathered", "collect_batches"]

_LOG = logging.getLogger(__name__)
_FOLDER = "batches"
_STORED_AT_A_TIME = 500
_TOLD = 3
"""Batches of which is told what is said of them."""
_FIRST_WAIT_S, _LONGEST_WAIT_S, _LONGER = 2.0, 120.0, 1.5
Answer = TypeVar("Answer")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What an invocation came to."""

    progress: Progress
    """The last state."""
    error: AuditError | None
    """Why the run is not complete; None if every output is had."""


async def collect_batches(
    store: Store,
    targets: Mapping[str, BatchTarget],
    plan: CollectionPlan,
    *,
    wait: bool = False,
    now: Callable[[], float] = time.time,
) -> Gathered:
    """Gather what has ended, and submit what is pending.

    What errored is submitted again only by an invocation that finds no batch waiting, so a request that
    can never be answered does not keep the run waiting for ever. Under a limit of requests, tokens or money
    what waits in batches counts by estimate, and what was gathered as it was.

    Args:
        store: The run's store, open for writing; nobody else may use it meanwhile.
        targets: Targets by the name under which their outputs are stored.
        plan: How to collect.
        wait: Stay until every batch has ended, or the limit in minutes is reached.
        now: Seconds since 1970.

    Raises:
        SpecError: There is a limit in money and no known price.
        TargetUnreachableError: A target cannot be reached, or rejects the credentials or the batch.
        IncompleteError: A target cannot say how far its batches are.
        StoreError: The disk refuses.
    """
    collecting = _Batches(store, targets, plan, now)
    try:
        return await collecting.collect(wait=wait)
    except OSError as error:  # Files of requests and results; what the network does comes as other errors.
        raise StoreError(
            f"{error.filename or store.path.parent}: {error.strerror}; what was submitted is kept",
            next_step=f"mend it, then: evenhand resume {store.path.parent}",
        ) from error


class _Batches:
    """One invocation's side of all batches of a run."""

    def __init__(
        self, store: Store, targets: Mapping[str, BatchTarget], plan: CollectionPlan, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._book = BatchBook(store)
        self._targets = targets
        self._plan = plan
        self._now = now
        self._folder = store.path.parent / _FOLDER
        counts = {name: store.counts(name, plan.repeats) for name in targets}
        infos = {name: target.info for name, target in targets.items()}
        self._spending = Spending(plan.limits, infos, plan.clock, plan.prices)
        self._allowance = Allowance(plan.limits, targets, plan.prices)
        self._tracker = Tracker(counts, self._spending, plan.clock)
        self._errors = {name: ErrorShare(plan.limits.error_rate) for name in targets}
        self._draws = rng(plan.seed, "retry", "batches")
        self._reached: str | None = None
        self._words: dict[str, str] = {}
        """What is said of each batch that waits, by tag."""

    async def collect(self, *, wait: bool) -> Gathered:
        """See `collect_batches`."""
        waited = self._open()
        self._folder.mkdir(exist_ok=True)
        for left in self._folder.iterdir():
            left.unlink()  # Of a process that was killed; all of it can be made again from the store.
        await self._settle(batch for batch in waited if batch.batch is None)
        await self._gather()
        if self._allowance.limited:
            self._allowance.begin(self._spending, self._waiting())
        await self._submit_pending(again=not waited)
        pause = _FIRST_WAIT_S
        while wait and self._open() and self._spending.seconds_left() != 0.0:
            await asyncio.sleep(pause)
            pause = min(_LONGEST_WAIT_S, pause * _LONGER)
            await self._gather()
            if not self._open() and self._reached is None:
                await self._submit_pending(again=False)  # The next turns of conversations.
                pause = _FIRST_WAIT_S
        if not any(self._folder.iterdir()):
            self._folder.rmdir()
        return Gathered(progress=self._report(), error=self._problem())

    def _open(self) -> list[OpenBatch]:
        return [batch for name in self._targets for batch in self._book.open(name)]

    def _waiting(self) -> Iterator[tuple[str, Request]]:
        for batch in self._open():
            for request in self._book.requests(batch.tag):
                yield batch.target, request

    def _problem(self) -> AuditError | None:
        waiting = self._open()
        told = ""
        if waiting:
            outputs = sum(batch.waiting for batch in waiting)
            plural = "batch" if len(waiting) == 1 else "batches"
            words = dict.fromkeys(self._words.get(batch.tag, "not yet looked at") for batch in waiting)
            told = f"{outputs} outputs wait in {len(waiting)} {plural}; {'; '.join(list(words)[:_TOLD])}"
            told += f"; and {len(words) - _TOLD} more" if len(words) > _TOLD else ""
        if waiting:  # What waits comes first: only when it is had is it known what the limit leaves.
            told = "; ".join(filter(None, (told, self._reached)))
            return BatchesWaitingError(told, next_step=f"evenhand resume {self._store.path.parent}")
        if self._reached is not None:
            return BudgetReachedError(self._reached)
        for name, errors in self._errors.items():
            problem = errors.exceeded_at_end()
            if problem is not None:
                return IncompleteError(f"{name}: {problem}")
        return None

    async def _settle(self, unknown: Iterable[OpenBatch]) -> None:
        """Find out what became of batches that a killed process was submitting."""
        by_target: dict[str, list[OpenBatch]] = {}
        for batch in unknown:
            by_target.setdefault(batch.target, []).append(batch)
        for name, batches in by_target.items():
            target = self._targets[name]
            tags = {batch.tag: batch.intended_at for batch in batches}
            found = await self._asked(name, partial(target.find, tags))
            for batch in batches:
                if batch.tag in found:
                    self._book.submitted(batch.tag, found[batch.tag])
                    continue
                with self._requests(batch.tag).open("wb") as file:
                    for request in self._book.requests(batch.tag):
                        file.write(target.line(request, seed=self._plan.seed))
                await self._hand_over(name, batch.tag)

    async def _submit_pending(self, *, again: bool) -> None:
        """Submit what is pending, in batches as large as their targets take."""
        filling: dict[str, _Filling] = {}
        order = order_seed(self._plan.seed)
        with closing(self._store.pending(list(self._targets), self._plan.repeats, order)) as pending:
            for name, request in pending:
                if request.attempt and not again:
                    continue
                line = self._targets[name].line(request, seed=self._plan.seed)
                if name in filling and not filling[name].fits(line):
                    await self._submit(name, filling.pop(name))
                self._reached = self._allowance.take(name, request)
                if self._reached is not None:
                    break
                if name not in filling:
                    filling[name] = _Filling(self._folder, self._targets[name])
                filling[name].add(request, line)
        for name, full in filling.items():
            await self._submit(name, full)

    async def _submit(self, name: str, full: "_Filling") -> None:
        full.file.close()
        self._book.intend(full.tag, name, full.keys, self._now())
        await self._hand_over(name, full.tag)

    async def _hand_over(self, name: str, tag: str) -> None:
        """Submit the file of a batch that is written down, and keep the id it gets."""
        target, file = self._targets[name], self._requests(tag)

        async def wait(error: RetryableTargetError, seconds: float) -> None:
            if not isinstance(error, NotTakenError):
                raise error
            await asyncio.sleep(seconds)

        try:
            batch = await ask_with_retry(
                lambda: target.submit(file, tag),
                self._plan.retry,
                lambda: self._draws,
                clock=self._plan.clock,
                wait=wait,
            )
        except RetryableTargetError as error:
            raise IncompleteError(
                f"{name}: {error}; whether the batch {tag} was taken is found out by going on",
                next_step=f"evenhand resume {self._store.path.parent}",
            ) from error
        except TargetError as error:
            self._book.close(tag, f"not taken: {error}")
            raise TargetUnreachableError(f"{name}: the batch was not taken: {error}") from error
        finally:
            file.unlink(missing_ok=True)
        self._book.submitted(tag, batch)
        self._words[tag] = target.submitted_words(batch)
        self._report()

    async def _gather(self) -> None:
        """Store the results of every batch that has some, and close those that have ended."""
        for batch in self._open():
            if batch.batch is None:
                continue
            target, id_ = self._targets[batch.target], batch.batch
            state = await self._asked(batch.target, partial(target.state, id_))
            self._words[batch.tag] = state.words
            if state.readable:
                into = self._folder / f"{batch.tag}.results.jsonl"
                results = await self._asked(batch.target, partial(target.fetch, id_, into))
                said = self._store_results(batch, results, ended=state.ended)
                if said is not None:
                    self._words[batch.tag] = f"{state.words}; {said}"
                into.unlink(missing_ok=True)
            if state.ended:
                words = self._words[batch.tag]
                self._give_up(batch, f"{words}; it holds no result for this request")
                self._book.close(batch.tag, words)
            self._report()

    def _store_results(self, batch: OpenBatch, results: Path, *, ended: bool) -> str | None:
        """Store what a file of results holds; what to say of lines that are of no use, None if all are."""
        target, unusable = self._targets[batch.target], Unusable()

        def outputs(file: BinaryIO) -> Iterator[Output]:
            for number, line in enumerate(result_lines(file), start=1):
                output = target.read(line)
                if output is not None:
                    yield output
                elif ended or line.endswith(b"\n"):  # Else it is being written.
                    unusable.note(number, line)

        with results.open("rb") as file:
            for some in _pages(outputs(file)):
                self._keep(batch, some)
        said = unusable.words(results.name)
        if said is not None:
            _LOG.warning("%s", said)
        return said

    def _give_up(self, batch: OpenBatch, reason: str) -> None:
        """Count what a batch that has ended did not answer as errored attempts."""
        for some in _pages(self._book.requests(batch.tag)):
            self._keep(batch, [_errored(batch.target, request, reason) for request in some])

    def _keep(self, batch: OpenBatch, outputs: list[Output]) -> None:
        taken = self._book.gather(batch.tag, [screened(output, self._plan.screen) for output in outputs])
        self._tracker.stored(taken)
        self._spending.came(len(taken))
        self._errors[batch.target].add(taken)
        for output in taken:
            self._spending.spent(self._asked_for(output), output)

    def _asked_for(self, output: Output) -> Request:
        """The request of an output; its text only where tokens must be estimated from it."""
        known = output.error is not None or (
            output.usage is not None and output.usage.prompt_tokens is not None
        )
        messages = () if known else self._store.conversation(output)
        return Request(prompt_id=output.prompt_id, messages=messages)

    async def _asked(self, name: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """What a target says, after as many tries as the policy allows."""

        async def wait(_: RetryableTargetError, seconds: float) -> None:
            await asyncio.sleep(seconds)

        try:
            return await ask_with_retry(
                ask, self._plan.retry, lambda: self._draws, clock=self._plan.clock, wait=wait
            )
        except FatalTargetError as error:
            raise TargetUnreachableError(f"{name}: {error}") from error
        except TargetError as error:
            raise IncompleteError(f"{name}: {error}; what was submitted is kept") from error

    def _requests(self, tag: str) -> Path:
        return self._folder / f"{tag}.jsonl"

    def _report(self) -> Progress:
        progress = self._tracker.progress(0)
        if self._plan.progress is not None:
            self._plan.progress(progress)
        return progress


class _Filling:
    """A batch that is being filled, its lines in a file."""

    def __init__(self, folder: Path, target: BatchTarget) -> None:
        self.tag = token_hex(12)
        self.keys: list[RequestKey] = []
        self.file: BinaryIO = (folder / f"{self.tag}.jsonl").open("wb")
        self._limits = target.batch_limits
        self._size = 0

    def fits(self, line: bytes) -> bool:
        """Whether there is room for one more."""
        return len(self.keys) < self._limits.requests and self._size + len(line) <= self._limits.size

    def add(self, request: Request, line: bytes) -> None:
        """Put a request in."""
        self.keys.append((request.prompt_id, request.turn, request.repeat, request.attempt))
        self.file.write(line)
        self._size += len(line)


def _pages(of: Iterable[Item]) -> Iterator[list[Item]]:
    """What is given, some at a time."""
    left = iter(of)
    while page := list(islice(left, _STORED_AT_A_TIME)):
        yield page


def _errored(target: str, request: Request, reason: str) -> Output:
    return Output(
        target=target,
        prompt_id=request.prompt_id,
        turn=request.turn,
        repeat=request.repeat,
        attempt=request.attempt,
        error=reason,
    )
