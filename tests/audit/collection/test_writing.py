"""What is written: at once where little comes, in groups where much does; what must not be kept is not."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.collection import writing
from audit.collection.upkeep import Upkeep
from audit.collection.writing import Outbox, screened
from audit.records import Outcome, Output
from audit.store.store import Store
from tests.audit.questions import open_questions

GROUP = 64


def screen(text: str) -> str | None:
    """Replaces what is forbidden."""
    return "[withheld]" if "forbidden" in text else None


def test_reasoning_is_screened_apart_from_the_answer() -> None:
    """A forbidden thought is replaced and its answer stays; a forbidden answer counts as filtered."""
    output = Output(target="target", prompt_id="p", text="fine", reasoning="forbidden")
    kept = screened(output, screen)
    assert (kept.text, kept.reasoning, kept.outcome) == ("fine", "[withheld]", Outcome.ANSWERED)
    kept = screened(output.model_copy(update={"text": "forbidden", "reasoning": "fine"}), screen)
    assert (kept.text, kept.reasoning, kept.outcome) == (None, "fine", Outcome.REFUSED)
    empty = screened(output.model_copy(update={"text": None}), screen)
    assert (empty.text, empty.reasoning, empty.outcome) == (None, "[withheld]", Outcome.EMPTY)


def test_what_comes_alone_is_durable_at_once_and_what_comes_fast_in_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a pause nothing waits for others; right after a write it does, until enough has come."""
    monkeypatch.setattr(writing, "_APART_S", 3600.0)
    prompts = open_questions(1 + GROUP, templates=5)
    outputs = [Output(target="target", prompt_id=prompt.id, text="yes") for prompt in prompts]
    groups: list[int] = []

    async def run(store: Store) -> None:
        outbox, came = Outbox(), asyncio.Event()

        def stored(some: Sequence[Output]) -> None:
            groups.append(len(some))
            came.set()

        upkeep = Upkeep(store, {}, {}, repeats=1, seed=1)
        writer = asyncio.create_task(outbox.write(store, stored, lambda _: None, upkeep))
        for put in (outputs[:1], outputs[1:]):
            for output in put:
                outbox.put([output])
            await asyncio.wait_for(came.wait(), 60)
            came.clear()
        outbox.close()
        await writer

    with Store.create(tmp_path / "run") as store:
        store.add_prompts(prompts)
        asyncio.run(run(store))
        assert store.counts("target", 1).answered == 1 + GROUP
    assert groups == [1, GROUP]
