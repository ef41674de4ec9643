"""Canaries are asked over the whole of a run, and what was not asked is not noted."""

import asyncio
from itertools import groupby
from pathlib import Path

import pytest

from audit.collection import CollectionPlan, collect
from audit.collection.canaries import CanaryPlan, read_canaries
from audit.collection.retry import RetryPolicy
from audit.errors import BudgetReachedError
from audit.records import Request
from audit.records.canaries import CANARY_PROMPTS
from audit.spec import Limits
from audit.store.store import Store
from audit.targets.base import RetryableTargetError
from tests.audit.collection.test_runner import PlainTarget, echo
from tests.audit.questions import open_questions

COUNT = 400
EACH = len(CANARY_PROMPTS)


def target() -> PlainTarget:
    """One that takes a while, has a host that could change, and is asked by several workers."""
    return PlainTarget(echo, delay_s=0.02, hosts=("127.0.0.1:9",), max_in_flight=4)


def asked(tmp_path: Path, made: PlainTarget, **limits: float) -> list[int]:
    """How many prompts of the plan had been asked before each canary was; the file is in `tmp_path`."""
    plan = CollectionPlan(
        repeats=1,
        seed=1,
        retry=RetryPolicy(attempts=3, base_s=0.01),
        limits=Limits.model_validate(limits),
        canaries=CanaryPlan(rounds=6, path=tmp_path / "canaries.jsonl"),
    )
    folder = tmp_path / "run"
    there = folder.exists()
    with Store.open(folder) if there else Store.create(folder) as store:
        if not there:
            store.add_prompts(open_questions(COUNT, templates=5))
        asyncio.run(collect(store, {"target": made}, plan))
    return places(made)


def places(made: PlainTarget) -> list[int]:
    """How many prompts of the plan had been asked before each canary was."""
    own = [request.prompt_id.startswith("canary-") for request in made.asked]
    return [sum(not one for one in own[:place]) for place, is_canary in enumerate(own) if is_canary]


def test_rounds_are_spread_over_the_run_though_every_place_is_taken(tmp_path: Path) -> None:
    """Each round goes out when its share of the work is done, not after the last prompt of the plan."""
    found = asked(tmp_path, target())
    assert len(found) == 6 * EACH
    for number in range(6):
        due = COUNT * number / 5
        for place in found[EACH * number : EACH * (number + 1)]:
            assert due <= place <= due + 0.25 * COUNT
    rounds = [
        list(some) for _, some in groupby(read_canaries(tmp_path / "canaries.jsonl"), lambda one: one.round)
    ]
    assert [len(one) for one in rounds] == [EACH] * 6
    assert [one[0].done for one in rounds] == sorted(one[0].done for one in rounds)


def test_what_a_limit_keeps_from_being_asked_is_no_error(tmp_path: Path) -> None:
    """Rounds that were due before the limit are there, and those after it are not there as errors."""
    made = target()
    with pytest.raises(BudgetReachedError):
        asked(tmp_path, made, requests=200)
    found = read_canaries(tmp_path / "canaries.jsonl")
    assert {one.error for one in found} == {None}
    # A round that is on its way when the limit is reached is cut off, and asked again by who goes on.
    assert 2 * EACH <= len(found) <= len(places(made)) <= len(found) + EACH


def test_a_run_in_several_processes_has_the_rounds_of_one(tmp_path: Path) -> None:
    """A process that goes on asks the rounds whose share of the whole run is still to come, and no others."""
    for requests in (100, 60, 120):
        with pytest.raises(BudgetReachedError):
            asked(tmp_path, target(), requests=requests)
    asked(tmp_path, target())
    found = read_canaries(tmp_path / "canaries.jsonl")
    assert [(one.round, one.prompt) for one in found] == [(r, p) for r in range(6) for p in range(EACH)]
    for number in range(6):
        assert COUNT * number / 5 <= found[EACH * number].done <= COUNT * number / 5 + 0.25 * COUNT


def test_a_canary_that_fails_is_asked_again(tmp_path: Path) -> None:
    """A server that is too busy for a moment leaves no hole in a round, and what fails for good says why."""
    failed: list[str] = []

    def busy(request: Request, before: int) -> str:
        if request.prompt_id == "canary-0" and len(failed) < 2:
            failed.append(request.prompt_id)
            raise RetryableTargetError("status 503")
        if request.prompt_id == "canary-1":
            raise RetryableTargetError("status 503: later")
        return echo(request, before)

    asked(tmp_path, PlainTarget(busy, hosts=("127.0.0.1:9",), max_in_flight=4))
    found = read_canaries(tmp_path / "canaries.jsonl")
    assert len(failed) == 2
    assert {one.error for one in found if one.prompt == 0} == {None}
    assert {one.error for one in found if one.prompt == 1} == {"status 503: later"}
