"""Who answers behind a model name: built-in models, declared targets and fine-tuned ones."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.errors import AuditError
from audit.plugins import build_target
from audit.serving.api_errors import model_not_found
from audit.serving.catalogue import BUILT_IN, TRAINABLE, Served, built_in
from audit.serving.faults import Budget
from audit.targets.base import Target, TargetContext

__all__ = ["Asked", "Models", "ModelsOptions"]

_LOGGER = logging.getLogger(__name__)
_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsOptions:
    """What is served, and what the world gives it."""

    root: Path
    """Folder that relative paths of declared targets are relative to."""
    lender: Path
    """Folder of the model behind `trainable`; made at the first use if absent."""
    train_lender: Callable[[Path], None]
    """Makes a model in that folder."""
    clock: Callable[[], float]
    """Seconds, monotonic."""
    names: tuple[str, ...] = ()
    """Built-in models that are served; all of them if none is named and nothing is declared."""
    declared: Mapping[str, Mapping[str, object]]
    """Name to target, as a spec names one."""
    secrets: Mapping[str, str]
    """Environment variables; a declared target reads only those that it names."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """A target that is ready, and how many calls it takes at the same time."""

    target: Target
    free: asyncio.Semaphore
    users: int = 0
    """Calls that hold it; it is closed when there are none."""


class Models:
    """Finds what a name stands for, and keeps what was built."""

    def __init__(self, options: ModelsOptions) -> None:
        """Check the names and the declared targets; nothing is contacted.

        Raises:
            SpecError: A declared target is wrong.
            InputError: A file that one names is missing or malformed.
        """
        self._options = options
        self._tuned: dict[str, Served] = {}
        self._asked: dict[str, Asked] = {}
        """Those used last stand last."""
        self._retired: list[Asked] = []
        """Dropped, and not yet closed."""
        self._budgets: dict[str, Budget] = {}
        self._lending = asyncio.Lock()
        self._declared = {
            name: Served(name=name, about=f"Declared target of type {target.get('type')}.", target=target)
            for name, target in options.declared.items()
        }
        for served in self._declared.values():
            self._build(served.target)

    def listed(self) -> list[Served]:
        """Every model that is served, without the variants that options make."""
        shown = [BUILT_IN[name] if name in BUILT_IN else self.find(name) for name in self._names()]
        return [*shown, *self._declared.values(), *self._tuned.values()]

    def find(self, name: str) -> Served:
        """What a name stands for.

        Raises:
            ApiError: 404; nothing, or an option in the name is wrong.
        """
        own = self._declared.get(name) or self._tuned.get(name)
        if own is not None:
            return own
        try:
            found = built_in(name)
            if found is not None and self._allowed(name):
                if found.target:
                    self._kept(found.target)
                return found
        except (ValueError, AuditError) as error:
            raise model_not_found(name, str(error)) from error
        raise model_not_found(name)

    def add_tuned(self, name: str, folder: Path, created: int) -> None:
        """Serve a fine-tuned model."""
        target = {"type": TRAINABLE, "path": str(folder)}
        about = "Fine-tuned on this server."
        self._tuned[name] = Served(name=name, about=about, target=target, created=created, owned_by="user")

    def remove_tuned(self, name: str) -> bool:
        """Serve a fine-tuned model no more; False if there is none of that name."""
        return self._tuned.pop(name, None) is not None

    async def folder_of(self, name: str) -> Path | None:
        """Folder of the learned model behind a name; None if what is behind it does not learn."""
        if name == TRAINABLE:
            await self._lender()
            return self._options.lender
        served = self._tuned.get(name) or self._declared.get(name)
        if served is None or served.target.get("type") != TRAINABLE:
            return None
        return self._options.root / str(served.target["path"])

    @asynccontextmanager
    async def asked(self, served: Served, temperature: float | None) -> AsyncIterator[Asked]:
        """The target behind a model, ready to be asked, and kept open as long as it is held.

        Args:
            served: The model.
            temperature: As the client sent it; only learned models heed it.
        """
        target = served.target
        if not target:
            await self._lender()
            target = {"type": TRAINABLE, "path": str(self._options.lender)}
        if target.get("type") == TRAINABLE and temperature is not None:
            target = {**target, "temperature": temperature}
        held = self._kept(target)
        held.users += 1
        try:
            yield held
        finally:
            held.users -= 1
            await self._close_retired()

    def budget(self, served: Served) -> Budget:
        """The allowance of a model, one for each name."""
        budget = self._budgets.pop(served.name, None) or Budget(served.faults, self._options.clock)
        if budget.limited:
            self._budgets[served.name] = budget
            if len(self._budgets) > _KEPT:
                self._budgets.pop(next(iter(self._budgets)))
        return budget

    async def aclose(self) -> None:
        """Give back what targets hold open."""
        self._retired += self._asked.values()
        self._asked.clear()
        for asked in self._retired:
            asked.users = 0
        await self._close_retired()

    def _names(self) -> tuple[str, ...]:
        if self._options.names or self._declared:
            return self._options.names
        return tuple(BUILT_IN)

    def _allowed(self, name: str) -> bool:
        served = self._names()
        return name in served or name.partition("?")[0] in served

    async def _lender(self) -> None:
        async with self._lending:
            if not (self._options.lender / "model.json").exists():
                await asyncio.to_thread(self._options.train_lender, self._options.lender)

    def _kept(self, target: Mapping[str, object]) -> Asked:
        key = json.dumps(target, sort_keys=True, default=str)
        # Clients choose the names: the one not asked for longest makes room.
        asked = self._asked.pop(key, None) or self._build(target)
        self._asked[key] = asked
        if len(self._asked) > _KEPT:
            self._retired.append(self._asked.pop(next(iter(self._asked))))
        return asked

    async def _close_retired(self) -> None:
        """Close what was dropped and is held by no call."""
        unused = [one for one in self._retired if not one.users]
        self._retired = [one for one in self._retired if one.users]
        for one in unused:
            try:
                await one.target.aclose()
            except Exception:  # A plug-in's fault; nobody waits for it any more.
                _LOGGER.exception("closing the target %s", one.target.info.name)

    def _build(self, target: Mapping[str, object]) -> Asked:
        context = TargetContext(name="served", root=self._options.root, secrets=self._options.secrets)
        built = build_target(target, context, where="model")
        return Asked(target=built, free=asyncio.Semaphore(built.info.max_in_flight))
