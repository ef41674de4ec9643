"""Collecting the outputs of a run: its targets, its ledger, its canaries and its looks put together.

What statistics needs is imported where a run looks at its answers: the first request does not wait for it.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from audit.audited import asking_targets, prices_of
from audit.collection.caching import collect_cached
from audit.collection.canaries import CANARY_FILE, CanaryPlan
from audit.collection.progress import Progress
from audit.collection.rounds import Rounds
from audit.collection.runner import CollectionPlan, CollectionResult
from audit.errors import TargetUnreachableError
from audit.ledger import keeping
from audit.looks import SequentialRule
from audit.planned_run import Run, quarantine_salt
from audit.screening import QuarantineScreen
from audit.store.order import keep_asked, order_seed
from audit.store.store import Store
from audit.watching import watching

__all__ = ["collect"]


async def collect(
    run: Run,
    *,
    secrets: Mapping[str, str],
    progress: Callable[[Progress], None] | None = None,
    wait: bool = False,
    more: Mapping[str, float] | None = None,
    cache: Path | None = None,
) -> CollectionResult:
    """Ask what has no answer yet.

    Args:
        run: The planned run.
        secrets: Environment variables; a target reads only those that its part of the spec names.
        progress: Called a few times a second.
        wait: Stay until batches that were submitted have ended.
        more: What to add to limits of the spec, from now on, by name (`usd`, `tokens`, `requests`,
            `minutes`, `kwh`); they hold over the whole run.
        cache: Folder of answers that runs share: those it holds are not asked for, and new ones are kept.

    Returns:
        What was collected, and why it stopped.

    Raises:
        TargetUnreachableError: The target cannot be reached or rejects the credentials.
        BudgetReachedError: A limit of the spec was reached; the run can be resumed.
        IncompleteError: Too many requests fail.
        BatchesWaitingError: Outputs wait in batches.
        InputError: `more` names no limit of the spec.
    """
    targets = asking_targets(run.spec, run.root, run.where, secrets)
    try:
        with run.store() as store:
            for role, target in targets.items():
                store.set_meta(f"target.{role}", json.dumps(dict(target.info.facts), sort_keys=True))
            infos = {role: target.info for role, target in targets.items()}
            # The order that the plan keeps, so that nothing is worked out anew.
            order = order_seed(run.spec.seed)
            with store.transaction() as connection:  # An older program may not have kept it.
                keep_asked(connection, list(targets), run.spec.repeats, order)
            pending = next(store.pending(list(targets), run.spec.repeats, order), None) is not None
            with (
                watching(run, progress) as shown,
                keeping(run, infos, more=more or {}, pending=pending, progress=shown) as kept,
            ):
                rule = run.plan.sequential
                plan = CollectionPlan(
                    repeats=run.spec.repeats,
                    seed=run.spec.seed,
                    limits=kept.limits,
                    prices=prices_of(run.spec),
                    progress=kept.told,
                    screen=QuarantineScreen(quarantine_salt(store)).quarantine,
                    canaries=_canary_plan(run),
                    rounds=None if rule is None else _rounds(run, rule, store, secrets),
                )
                try:
                    result = await collect_cached(store, targets, plan, cache, wait=wait)
                except TargetUnreachableError as error:
                    # A target knows no run; whoever has mended what is wrong goes on with it.
                    error.next_step = f"evenhand resume {run.folder.path}"
                    raise
                kept.interrupted = result.interrupted
            return result
    finally:
        for target in targets.values():
            await target.aclose()


def _canary_plan(run: Run) -> CanaryPlan | None:
    """How the spec of a run asks canaries; None if it does not."""
    rounds = run.spec.canaries
    return CanaryPlan(rounds=rounds, path=run.folder.path / CANARY_FILE) if rounds else None


def _rounds(run: Run, rule: SequentialRule, store: Store, secrets: Mapping[str, str]) -> Rounds:
    from audit.stating import looking  # noqa: PLC0415 - see above

    return looking(run, rule, store, secrets)
