"""A run's ledger: what all its invocations have used, and what is left of the limits.

Limits hold over the whole run, however often it is stopped and resumed; a person raises them knowingly.
Tokens, money and energy are read from what is stored, so that a killed process loses nothing of them.
Requests, minutes, retries and the limit over time are in `collection.json`, written every few seconds. Of
what a killed process sent since then, every stored output counts as a request; its retries are missing, and
what was still on its way.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from math import ceil, floor, log10
from typing import Literal

from pydantic import Field, ValidationError

from audit.atomic import write_text
from audit.audited import prices_of
from audit.collection.canaries import CANARY_FILE, read_canaries
from audit.collection.progress import Progress
from audit.collection.use import TargetUse, UseCounter, target_uses
from audit.errors import (
    AuditError,
    BudgetReachedError,
    IncompleteError,
    InputError,
    StoreError,
    TargetUnreachableError,
)
from audit.limits import LIMITED, Limits, ReachedLimit
from audit.planned_run import Run
from audit.run_folder import RunFolder
from audit.targets.base import TargetInfo
from probes.records import Record

__all__ = ["Invocation", "Keeper", "Ledger", "Moment", "keeping", "read_ledger"]

_WRITTEN_EVERY_S = 5.0
_MOST_MOMENTS = 240
"""Of one invocation; when there are more, every second one goes."""

Ending = Literal["running", "finished", "limit reached", "interrupted", "stopped"]


class Moment(Record):
    """The pace of a collection at one moment."""

    at_s: float = Field(ge=0)
    """Seconds since the invocation began."""
    limit: int = Field(ge=0)
    """Calls that might wait at once."""
    in_flight: int = Field(ge=0)
    done: int = Field(ge=0)
    """Outputs of the run that had ended in an outcome."""
    retries: int = Field(default=0, ge=0)
    """Calls sent again since the invocation began."""


class Invocation(Record):
    """One `run` or `resume`."""

    ended: Ending
    """`running` in one that is going on, or that was killed."""
    reason: str | None = None
    """What stopped it, in one line, such as the limit that was reached with its value; None where it
    finished, was interrupted or killed, and in ledgers of old."""
    seconds: float = Field(ge=0)
    requests: int = Field(ge=0)
    """Sent, retries included."""
    stored: int | None = Field(default=None, ge=0)
    """Outputs, not from a cache, and answers to canaries that were stored when `requests` was noted; None in
    ledgers of old."""
    retries: int = Field(ge=0)
    retry_reasons: dict[str, int] = Field(default_factory=dict)
    """How many retries had which reason."""
    moments: tuple[Moment, ...] = ()
    """At even distances of time, at most 240."""

    @property
    def ending(self) -> str | None:
        """How it ended, to stand after "the last collection"; None where nothing stopped it."""
        told = {
            "interrupted": "was interrupted by a person",
            "running": "is going on, or its process was killed",
        }
        return told.get(self.ended) if self.reason is None else f"was stopped: {self.reason}"


class Ledger(Record):
    """What a run's collection took, over all invocations (`collection.json`)."""

    schema_version: int = 1
    invocations: tuple[Invocation, ...] = ()
    raised: dict[str, float] = Field(default_factory=dict)
    """What a person added to the limits of the spec."""
    use: dict[str, TargetUse] = Field(default_factory=dict)
    """By role, as of the last invocation that ended; empty before that."""
    canaries: dict[str, TargetUse] = Field(default_factory=dict)
    """Likewise, of the canaries, which are no outputs of the plan."""

    @property
    def _uses(self) -> list[TargetUse]:
        return [*self.use.values(), *self.canaries.values()]

    @property
    def seconds(self) -> float:
        """Time spent collecting."""
        return sum(one.seconds for one in self.invocations)

    @property
    def requests(self) -> int:
        """Requests sent: those noted, and one for each output that was stored after the last note."""
        noted = sum(one.requests for one in self.invocations)
        came = sum(one.outputs + one.errored for one in self._uses)
        stored = [one.stored for one in self.invocations if one.stored is not None]
        if len(stored) < len(self.invocations):
            return max(noted, came)
        return noted + max(0, came - sum(stored))

    @property
    def used(self) -> dict[str, float]:
        """What counts against each limit; what is not known counts nothing."""
        uses = self._uses
        return {
            "usd": sum(one.usd or 0.0 for one in uses),
            "tokens": sum(one.prompt_tokens + one.completion_tokens for one in uses),
            "requests": self.requests,
            "minutes": self.seconds / 60,
            "kwh": sum(one.kwh_high or 0.0 for one in uses),
        }


def read_ledger(folder: RunFolder) -> Ledger:
    """The ledger of a run; an empty one if nothing was collected yet.

    Raises:
        StoreError: The file is damaged or of another version.
    """
    try:
        return Ledger.model_validate_json(folder.collection.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Ledger()
    except (ValidationError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{folder.collection}: is damaged or of another version: {str(error).splitlines()[0]}",
            next_step="put an earlier copy back; without it minutes and raised limits are lost",
        ) from error


class Keeper:
    """Keeps the ledger of one invocation while it runs."""

    def __init__(self, folder: RunFolder, ledger: Ledger) -> None:
        """Add an invocation to the ledger; nothing is written yet.

        Args:
            folder: The run's folder.
            ledger: What there was before.
        """
        self._folder = folder
        self._before = ledger
        self._last: Progress | None = None
        self._moments: list[Moment] = []
        self._apart_s = 1.0
        self._written_s = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._writing: Future[None] | None = None

    def told(self, progress: Progress) -> None:
        """Note how far the collection is, and write it down now and then, in a thread.

        A slow disk must not hold up whoever asks; while it is still writing, a turn is left out.

        Raises:
            InputError: The disk refused the last time.
        """
        self._last = progress
        if not self._moments or progress.elapsed_s - self._moments[-1].at_s >= self._apart_s:
            self._moments.append(
                Moment(
                    at_s=round(progress.elapsed_s, 2),
                    limit=progress.limit,
                    in_flight=progress.in_flight,
                    done=progress.done,
                    retries=progress.retries,
                )
            )
        if len(self._moments) > _MOST_MOMENTS:
            self._moments, self._apart_s = self._moments[::2], 2 * self._apart_s
        if progress.elapsed_s - self._written_s >= _WRITTEN_EVERY_S:
            self._written_s = progress.elapsed_s
            if self._writing is None or self._writing.done():
                if self._writing is not None:
                    self._writing.result()
                self._writing = self._thread.submit(self._write, self._with("running"))

    def end(
        self, ended: Ending, uses: Mapping[str, Mapping[str, TargetUse]], *, reason: str | None = None
    ) -> Ledger:
        """Write down how the invocation ended and what the run has used.

        Args:
            ended: How.
            uses: What the outputs and the canaries took.
            reason: What stopped it, in one line.

        Raises:
            InputError: The disk refuses.
        """
        self._thread.shutdown()  # What it could not write, the whole ledger below tells of.
        ledger = self._with(ended, reason).model_copy(update=uses)
        self._write(ledger)
        return ledger

    def _with(self, ended: Ending, reason: str | None = None) -> Ledger:
        last = self._last
        if last is None or not (last.requests or last.cached):
            return self._with_nothing_asked(ended, reason)
        mine = Invocation(
            ended=ended,
            reason=reason,
            seconds=round(last.elapsed_s, 3),
            requests=last.requests,
            stored=last.stored - last.cached + last.canaries,
            retries=last.retries,
            retry_reasons=last.retry_reasons,
            moments=tuple(self._moments),
        )
        return self._before.model_copy(update={"invocations": (*self._before.invocations, mine)})

    def _with_nothing_asked(self, ended: Ending, reason: str | None) -> Ledger:
        """What kept an invocation from asking is told, unless the one before ended so already."""
        earlier = self._before.invocations
        if reason is None or (earlier and earlier[-1].ended == ended):
            return self._before
        seconds = 0.0 if self._last is None else round(self._last.elapsed_s, 3)
        mine = Invocation(ended=ended, reason=reason, seconds=seconds, requests=0, stored=0, retries=0)
        return self._before.model_copy(update={"invocations": (*earlier, mine)})

    def _write(self, ledger: Ledger) -> None:
        write_text(self._folder.collection, ledger.model_dump_json(indent=1) + "\n")


class _Kept:
    """What a collection is given by its ledger."""

    def __init__(self, limits: Limits, told: Callable[[Progress], None]) -> None:
        self.limits = limits
        """What is left."""
        self.told = told
        self.interrupted = False
        """To be set if a person stopped the collection."""


@contextmanager
def keeping(
    run: Run,
    targets: Mapping[str, TargetInfo],
    *,
    more: Mapping[str, float],
    pending: bool,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[_Kept]:
    """A collection with its ledger: limits left over, use written down however it ends.

    Args:
        run: The run; its store is locked by this process.
        targets: What is asked.
        more: What a person adds to limits of the spec.
        pending: Whether anything is still to be asked; if not, no limit can be in the way.
        progress: Who else is told.

    Yields:
        The limits left, and who is to be told of progress.

    Raises:
        InputError: `more` names no limit of the spec, or the disk refuses.
        BudgetReachedError: A limit was reached, now or before.
    """
    ledger = read_ledger(run.folder)
    limits = run.spec.limits
    if more:
        ledger = _raised(ledger, limits, more)
        write_text(run.folder.collection, ledger.model_dump_json(indent=1) + "\n")
    before = ledger
    if limits.given:
        before = ledger.model_copy(update=_uses(run, targets))
    left = _left(run, before) if pending else limits.model_copy(update=dict.fromkeys(LIMITED))
    keeper = Keeper(run.folder, before)

    def told(now: Progress) -> None:
        keeper.told(now)
        if progress is not None:
            progress(now)

    kept = _Kept(left, told)
    try:
        yield kept
    except BaseException as error:
        over = isinstance(error, BudgetReachedError)
        with suppress(AuditError):  # The first fault is the one to tell; a full disk would hide it.
            ending: Ending = "limit reached" if over else "stopped"
            keeper.end(ending, _uses(run, targets), reason=_reason(error, run, before))
        if isinstance(error, BudgetReachedError):
            raise _over_the_run(error, run, before) from error
        raise
    keeper.end("interrupted" if kept.interrupted else "finished", _uses(run, targets))


def _uses(run: Run, targets: Mapping[str, TargetInfo]) -> dict[str, dict[str, TargetUse]]:
    """What the outputs took, and what the canaries did, by role: fields of a ledger."""
    counter = UseCounter(targets, prices_of(run.spec))
    return {
        "use": target_uses(run.folder.database, counter),
        "canaries": counter.canary_uses(read_canaries(run.folder.path / CANARY_FILE)),
    }


def _raised(ledger: Ledger, limits: Limits, more: Mapping[str, float]) -> Ledger:
    """The ledger with limits raised.

    Raises:
        InputError: The spec has no such limit.
    """
    for name in more:
        if name not in limits.given:
            there = ", ".join(limits.given) or "none, so nothing has to be raised"
            raise InputError(f"--more {name}: the spec has no limits.{name}; it has: {there}")
    raised = {**ledger.raised, **{name: ledger.raised.get(name, 0.0) + more[name] for name in more}}
    return ledger.model_copy(update={"raised": dict(sorted(raised.items()))})


def _left(run: Run, ledger: Ledger) -> Limits:
    """The limits less what was used, down to 0: then nothing is asked, and what is in batches is gathered."""
    left = {
        name: max(0.0, limit + ledger.raised.get(name, 0.0) - ledger.used[name])
        for name, limit in run.spec.limits.given.items()
    }
    whole = {name: ceil(value) if name in {"tokens", "requests"} else value for name, value in left.items()}
    return run.spec.limits.model_copy(update=whole)


def _reason(error: BaseException, run: Run, before: Ledger) -> str | None:
    """What stopped a collection, in one line that holds nothing a server said."""
    if isinstance(error, BudgetReachedError):
        name = _limit_of(error, run)
        return str(error) if name is None else _said(error, name, run, before)
    if isinstance(error, IncompleteError):
        said = str(error).splitlines()[0].partition("; the last error: ")[0]
        return "".join(said.partition("in the same error")[:2])
    return "the target cannot be reached or refuses" if isinstance(error, TargetUnreachableError) else None


def _limit_of(error: BudgetReachedError, run: Run) -> str | None:
    """Which limit of the run was reached; None of those of a model that an analyzer asks."""
    names = (name for name in run.spec.limits.given if str(error).startswith(f"limits.{name}:"))
    return next(names, None)


def _said(error: BudgetReachedError, name: str, run: Run, before: Ledger) -> str:
    """The limit in terms of the whole run."""
    used, limit = before.used[name], run.spec.limits.given[name] + before.raised.get(name, 0.0)
    said = str(error)
    if used >= limit:
        said = f"limits.{name}: {limit:g} reached over the whole run ({used:.6g} used)"
    elif used and isinstance(error.reached, ReachedLimit):
        whole = replace(error.reached, limit=limit, used=used + error.reached.used)
        said = f"{whole}, earlier invocations used {used:.6g} of it; what was answered is kept"
    return said


def _over_the_run(error: BudgetReachedError, run: Run, before: Ledger) -> BudgetReachedError:
    """The error in terms of the whole run, with the command that raises the limit."""
    name = _limit_of(error, run)
    if name is None:
        return error
    said = _said(error, name, run, before)
    limit = run.spec.limits.given[name] + before.raised.get(name, 0.0)
    beyond = read_ledger(run.folder).used[name] - limit
    return BudgetReachedError(said, next_step=_next_step(run, name, beyond), reached=error.reached)


def _next_step(run: Run, name: str, beyond: float) -> str:
    """The command that goes on: with as much again as the spec allows, beyond what was used too much."""
    more = _rounded_up(run.spec.limits.given[name] + max(0.0, beyond))
    whole = ceil(more) if name in {"tokens", "requests"} else more
    return f"evenhand resume {run.folder.path} --more {name}={whole:.12g}"


def _rounded_up(amount: float) -> float:
    """The next number of three digits: people type it."""
    step = 10.0 ** (floor(log10(amount)) - 2)
    return round(ceil(round(amount / step, 6)) * step, 12)
