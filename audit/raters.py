"""Models that analyzers ask: their calls are collections of their own, each with a store of its own.

So they are retried, paced, limited, screened and kept exactly as the calls to what is audited, and
wherever scoring is stopped or killed, what was answered is not asked again. A book is such a store: one
folder under the run's `raters/`.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from audit.analyzers.base import AnalyzerContext
from audit.collection.budget import Spending
from audit.collection.progress import Progress
from audit.collection.retry import RetryPolicy
from audit.collection.runner import CollectionPlan, CollectionResult, collect
from audit.collection.spread import spread
from audit.errors import AuditError, BudgetReachedError, IncompleteError, InputError, StoreError
from audit.limits import GivenPrice, Limits
from audit.plugins import build_target, secret_names
from audit.records import Output, RaterUse
from audit.spec import TargetSpec
from audit.store.file import connected, failures, holds_tables
from audit.store.store import STORE_FILE, Store
from audit.targets.base import Target, TargetContext, TargetInfo
from probes.records import Expectation, Message, Prompt

__all__ = ["TargetRater", "TargetRaters", "rater_context", "rater_uses"]

_PASSES = 2
"""How often what errored is asked within one scoring, each time with all the tries of a collection."""
_BOOK = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")


def _unscreened(text: str) -> str | None:  # noqa: ARG001 - the default of a seam
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRaters:
    """Makes raters out of targets; see `audit.analyzers.base.Raters`."""

    root: Path
    """Folder that relative paths of the spec are relative to."""
    keep: Path | None = None
    """Folder of the books; None where nothing will be asked, as in a plan."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment variables; a target reads only those that its options name."""
    seed: int = 0
    """Root seed."""
    screen: Callable[[str], str | None] = _unscreened
    """Gives the marker to store in place of a text, or None to store it."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    """When a failed call is sent again."""
    progress: Callable[[Progress], None] | None = None
    """Told how far a rater is, at most five times a second and once at the end of each batch."""
    resume: str = "type the same command again"
    """What to do next after a stop."""

    def of_spec(self, section: TargetSpec, limits: Limits, *, name: str) -> "TargetRater":
        """The rater that a part of the spec describes.

        Raises:
            SpecError: The type is unknown, an option is wrong, or there is a limit in money and no price.
        """
        options = {"type": section.type, **section.options()}
        context = TargetContext(name=name, root=self.root, secrets=self.secrets)
        target = spread(build_target(options, context, where="target"), section, context, where="target")
        return TargetRater(target, limits, self, secret_names(options, where="target"), section.price)

    def of_target(
        self, make: Callable[[TargetContext], Target], limits: Limits, *, name: str
    ) -> "TargetRater":
        """A rater made of a target that the analyzer makes itself; its texts are kept unscreened.

        Raises:
            SpecError: There is a limit in money and no price.
        """
        target = make(TargetContext(name=name, root=self.root, secrets=self.secrets))
        return TargetRater(target, limits, replace(self, screen=_unscreened), ())


class TargetRater:
    """One model with its spending; see `audit.analyzers.base.Rater`."""

    def __init__(
        self,
        target: Target,
        limits: Limits,
        raters: TargetRaters,
        names: tuple[str, ...],
        price: GivenPrice | None = None,
    ) -> None:
        """Look the price up if there is a limit in money; nothing is contacted.

        Args:
            target: The model.
            limits: Where its spending ends, for as long as this object lives.
            raters: Where its answers are kept, and what else raters share.
            names: Environment variables that its options name.
            price: What the spec says its tokens cost.

        Raises:
            SpecError: There is a limit in money and no price.
        """
        if limits.usd is not None:
            Spending(limits, {target.info.name: target.info}, lambda: 0.0, {target.info.name: price})
        self._target = target
        self._limits = limits
        self._raters = raters
        self._names = names
        self._price = price
        self._used: list[Progress] = []

    @property
    def info(self) -> TargetInfo:
        """What the model is."""
        return self._target.info

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Environment variables that its part of the spec names."""
        return self._names

    def ask(self, conversations: Sequence[tuple[Message, ...]], *, book: str) -> list[Output]:
        """One output a conversation, in order; see `audit.analyzers.base.Rater.ask`.

        Raises:
            IncompleteError: The model fails; what it answered is kept.
            BudgetReachedError: A limit is reached; what was answered is kept.
            KeyboardInterrupt: A person stopped it; what was answered is kept.
        """
        prompts = [_prompt(messages) for messages in conversations]
        if not prompts:
            return []
        with self._opened(book) as store:
            store.add_prompts(_new(store, prompts))
            for _ in range(_PASSES):
                if next(store.pending([self.info.name], 1, 0), None) is None:
                    break
                self._collect(store)
            return [store.outputs(self.info.name, prompt.id)[0][1] for prompt in prompts]

    @contextmanager
    def _opened(self, book: str) -> Iterator[Store]:
        if _BOOK.fullmatch(book) is None:
            raise ValueError(f"book must be letters, digits and '-'; got {book!r}")
        if self._raters.keep is None:
            raise ValueError(f"rater {self.info.name} was made for a plan; it cannot be asked")
        folder = self._raters.keep / book
        with Store.open(folder) if holds_tables(folder / STORE_FILE) else Store.create(folder) as store:
            yield store

    def _collect(self, store: Store) -> None:
        name, last = self.info.name, list[Progress]()
        plan = CollectionPlan(
            repeats=1,
            seed=self._raters.seed,
            limits=self._left(),
            prices={name: self._price},
            progress=lambda now: self._told(now, last),
            screen=self._raters.screen,
            retry=self._raters.retry,
        )
        try:
            result = _run(lambda: self._collected(store, plan))
        except BudgetReachedError as error:
            raise self._budget_error() from error
        except StoreError:
            raise
        except AuditError as error:
            raise IncompleteError(
                f"analyzer {name}: {error}; what it was answered is kept", next_step=self._raters.resume
            ) from error
        finally:
            self._used += last[-1:]
        if result.interrupted:
            raise KeyboardInterrupt

    def _told(self, now: Progress, last: list[Progress]) -> None:
        last[:] = [now]
        if self._raters.progress is not None:
            self._raters.progress(now)

    async def _collected(self, store: Store, plan: CollectionPlan) -> CollectionResult:
        try:
            return await collect(store, {self.info.name: self._target}, plan)
        finally:
            # Its connections belong to this event loop.
            await self._target.aclose()

    def _left(self) -> Limits:
        """What is left of the limits.

        Raises:
            BudgetReachedError: Nothing is.
        """
        used, limits = self._used, self._limits
        spent: dict[str, float] = {
            "requests": sum(one.requests for one in used),
            "tokens": sum(one.tokens for one in used),
            "usd": sum(one.usd or 0.0 for one in used),
            "minutes": sum(one.elapsed_s for one in used) / 60,
            "kwh": sum(one.kwh_high or 0.0 for one in used),
        }
        left: dict[str, object] = {"error_rate": limits.error_rate}
        for key, value in spent.items():
            limit = getattr(limits, key)
            if limit is not None and limit - value <= 0:
                raise self._budget_error()
            left[key] = None if limit is None else limit - value
        return Limits.model_validate(left)

    def _budget_error(self) -> BudgetReachedError:
        given = self._limits.model_dump(exclude_none=True, exclude={"error_rate"})
        shown = ", ".join(f"{key}: {value:g}" for key, value in sorted(given.items()))
        return BudgetReachedError(
            f"analyzer {self.info.name}: its limits ({shown}) are reached; what it was answered is kept",
            next_step=f"{self._raters.resume}; the limits hold for one scoring",
        )


@contextmanager
def rater_context(keep: Path | None, secrets: Mapping[str, str]) -> Iterator[AnalyzerContext]:
    """What an analyzer is given outside a run, relative to the current folder.

    Args:
        keep: Folder of what models answer, made when first used; None forgets it all afterwards.
        secrets: Environment variables; an analyzer reads only those that its options name.
    """
    root = Path()
    if keep is not None:
        raters = TargetRaters(root=root, keep=keep, secrets=secrets)
        yield AnalyzerContext(root=root, secrets=secrets, raters=raters)
        return
    with TemporaryDirectory() as folder:
        resume = "type it again with --keep DIR, so that nothing is asked twice"
        raters = TargetRaters(root=root, keep=Path(folder), secrets=secrets, resume=resume)
        yield AnalyzerContext(root=root, secrets=secrets, raters=raters)


def rater_uses(keep: Path) -> dict[str, RaterUse]:
    """What was asked of raters so far, by book; empty if nothing was."""
    found = {}
    for folder in sorted(path.parent for path in keep.glob(f"*/{STORE_FILE}") if holds_tables(path)):
        with Store.open(folder, read_only=True) as store:
            for name in store.targets():
                found[folder.name] = _use(store, name)
    return found


def _use(store: Store, name: str) -> RaterUse:
    with failures(store.path), closing(connected(store.path, "ro")) as connection:
        # Every attempt: those that were superseded have been paid for too.
        sent, answered, models = connection.execute(
            "SELECT total(prompt_tokens), total(completion_tokens), group_concat(DISTINCT model) "
            "FROM outputs WHERE target = ?",
            (name,),
        ).fetchone()
    return RaterUse(
        model=str(models or "unnamed"),
        counts=store.counts(name, 1),
        prompt_tokens=int(sent),
        completion_tokens=int(answered),
    )


def _prompt(messages: tuple[Message, ...]) -> Prompt:
    return Prompt.make(
        messages=messages,
        probe="rating",
        template="rating",
        domain="rating",
        expectation=Expectation(kind="open"),
    )


def _new(store: Store, prompts: Sequence[Prompt]) -> Iterator[Prompt]:
    """Those that the book does not hold yet, each once."""
    for prompt in {prompt.id: prompt for prompt in prompts}.values():
        try:
            store.prompt(prompt.id)
        except InputError:
            yield prompt


def _run(collecting: Callable[[], Coroutine[object, object, CollectionResult]]) -> CollectionResult:
    """Run a collection to its end, also from inside a running event loop, such as a notebook's."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(collecting())
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(lambda: asyncio.run(collecting())).result()
