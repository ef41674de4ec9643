"""Collection from all targets of a run: those that answer at once, and those that take batches."""

from collections.abc import Mapping

from audit.collection.batches import collect_batches
from audit.collection.runner import CollectionPlan, CollectionResult, collect
from audit.errors import SpecError
from audit.store.store import Store
from audit.targets.base import Target
from audit.targets.batching.base import BatchTarget

__all__ = ["collect_all", "refuse_rounds_of_batches"]


async def collect_all(
    store: Store, targets: Mapping[str, Target], plan: CollectionPlan, *, wait: bool
) -> CollectionResult:
    """Submit batches, ask the other targets, and gather what has come back.

    Args:
        store: The run's store, open for writing.
        targets: Targets by the name under which their outputs are stored.
        plan: How to collect.
        wait: Stay until batches have ended.

    Returns:
        The last progress, with `interrupted` true after Ctrl-C.

    Raises:
        SpecError: The run looks at its answers to stop early, which batches cannot serve.
        BatchesWaitingError: Outputs wait in batches.
        AuditError: As for `collect` and `collect_batches`.
    """
    batched = {name: target for name, target in targets.items() if isinstance(target, BatchTarget)}
    at_once = {name: target for name, target in targets.items() if name not in batched}
    if not batched:
        return await collect(store, at_once, plan)
    refuse_rounds_of_batches(targets, plan.rounds)
    gathered = await collect_batches(store, batched, plan, wait=wait and not at_once)
    result = CollectionResult(progress=gathered.progress, interrupted=False)
    if at_once:
        result = await collect(store, at_once, plan)
        if wait and not result.interrupted:
            gathered = await collect_batches(store, batched, plan, wait=True)
    if gathered.error is not None and not result.interrupted:
        raise gathered.error
    return result


def refuse_rounds_of_batches(targets: Mapping[str, Target], rounds: object) -> None:
    """Refuse to ask batches round by round.

    Args:
        targets: What is asked, by name.
        rounds: Says what to ask when; None if everything is asked.

    Raises:
        SpecError: Names the targets that take batches.
    """
    names = ", ".join(name for name, target in targets.items() if isinstance(target, BatchTarget))
    if names and rounds is not None:
        raise SpecError(
            f"{names}: a run --until-decided asks in rounds, and batches are answered in hours",
            next_step="leave --until-decided out, or use a target that answers at once",
        )
