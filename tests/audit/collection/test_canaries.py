"""Canaries are asked over the whole of a run, and what was not asked is not noted."""

import asyncio
from itertools import groupby
from pathlib import Path

import pytest

from audit.collection import CollectionPlan, collect
from audit.collection.canaries import CanaryPlan, read_canaries
from audit.errors import BudgetReachedError
from audit.records.canaries import CANARY_PROMPTS
from audit.spec import Limits
from audit.store.store import Store
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
        limits=Limits.model_validate(limits),
        canaries=CanaryPlan(rounds=6, path=tmp_path / "canaries.jsonl"),
    )
    with Store.create(tmp_path / "run") as store:
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
    assert len(found) == len(places(made)) >= 2 * EACH
