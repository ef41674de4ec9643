"""Answers of other runs before collection, and this run's answers for others after it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from audit.collection.every_target import collect_all
from audit.collection.progress import Progress
from audit.collection.runner import CollectionPlan, CollectionResult
from audit.records import Output, Request
from audit.response_cache import ResponseCache, cache_key
from audit.store.order import order_seed
from audit.store.store import Store
from audit.targets.base import Target

__all__ = ["collect_cached", "keep_answers", "take_answers"]

_PAGE = 256
Item = TypeVar("Item")


async def collect_cached(
    store: Store, targets: Mapping[str, Target], plan: CollectionPlan, folder: Path | None, *, wait: bool
) -> CollectionResult:
    """Collect what a cache does not hold, and keep in it what comes.

    Args:
        store: The run's store, open for writing.
        targets: Targets by the name under which their outputs are stored.
        plan: How to collect.
        folder: Of the cache; None for none.
        wait: Stay until batches have ended.

    Returns:
        As `collect_all`; its progress counts what the cache held.

    Raises:
        AuditError: As for `collect_all`.
        StoreError: The cache cannot be read or written.
    """
    if folder is None:
        return await collect_all(store, targets, plan, wait=wait)
    tell = plan.progress
    with ResponseCache.open(folder) as cache:
        found = take_answers(store, targets, plan, cache)

        def counted(progress: Progress) -> Progress:
            known = {"cached": progress.cached + found, "stored": progress.stored + found}
            return progress.model_copy(update=known)

        told = replace(plan, progress=None if tell is None else lambda progress: tell(counted(progress)))
        try:
            result = await collect_all(store, targets, told, wait=wait)
        finally:
            keep_answers(store, targets, plan, cache)
    return replace(result, progress=counted(result.progress))


def take_answers(
    store: Store, targets: Mapping[str, Target], plan: CollectionPlan, cache: ResponseCache
) -> int:
    """Store, as cached, every pending answer that the cache holds.

    Only targets that contact a host take part: what runs here may have changed without saying so.

    Args:
        store: The run's store, open for writing.
        targets: Targets by the name under which their outputs are stored.
        plan: How the run collects.
        cache: Where answers are looked for.

    Returns:
        How many were found.
    """
    remote = _remote(targets)
    found = 0
    while new := _take_turns(store, remote, plan, cache):
        found += new  # A turn that was found opens the next one of its conversation.
    return found


def _take_turns(
    store: Store, remote: Mapping[str, Target], plan: CollectionPlan, cache: ResponseCache
) -> int:
    found = 0
    pending = store.pending(list(remote), plan.repeats, order_seed(plan.seed))
    for page in _pages(pending):
        keys = [cache_key(remote[name].info, request, plan.seed) for name, request in page]
        known = cache.find(keys)
        outputs = [
            _again(known[key], name, request)
            for key, (name, request) in zip(keys, page, strict=True)
            if key in known
        ]
        store.add_outputs(outputs)
        found += len(outputs)
    return found


def keep_answers(
    store: Store, targets: Mapping[str, Target], plan: CollectionPlan, cache: ResponseCache
) -> None:
    """Put the answers of this run into the cache: the latest of each output, none that errored.

    Args:
        store: The run's store.
        targets: Targets by the name under which their outputs are stored.
        plan: How the run collects.
        cache: Where answers are kept.
    """
    remote = _remote(targets)
    for page in _pages(store.answers(list(remote))):
        cache.add(
            (cache_key(remote[output.target].info, request, plan.seed), output) for request, output in page
        )


def _remote(targets: Mapping[str, Target]) -> dict[str, Target]:
    return {name: target for name, target in targets.items() if target.info.hosts}


def _again(known: Output, target: str, request: Request) -> Output:
    """An answer of another run as an output of this one; it took no time and no tokens now."""
    return known.model_copy(
        update={
            "target": target,
            "prompt_id": request.prompt_id,
            "turn": request.turn,
            "repeat": request.repeat,
            "attempt": request.attempt,
            "latency_s": None,
            "cached": True,
        }
    )


def _pages(of: Iterable[Item]) -> Iterator[list[Item]]:
    left = iter(of)
    while page := list(islice(left, _PAGE)):
        yield page
