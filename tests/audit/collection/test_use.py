"""What a run has used: kept sums and the outputs since give what all outputs give."""

import datetime as dt
from pathlib import Path

import pytest

from audit.collection.use import TargetUse, UseCounter, target_uses
from audit.limits import GivenPrice
from audit.records import Output, Usage
from audit.store.store import Store
from audit.targets.base import TargetInfo
from probes.seeds import rng
from tests.audit.questions import open_questions

INFOS = {"target": TargetInfo(name="target", deterministic=False, facts={"model": "m"})}
PROMPTS = open_questions(60)


def price(usd: float) -> dict[str, GivenPrice | None]:
    """A price that a spec gives."""
    given = GivenPrice(input_per_million=usd, output_per_million=usd, as_of=dt.date(2026, 11, int(usd)))
    return {"target": given}


def outputs(start: int, end: int) -> list[Output]:
    """Outputs of every kind: counted, estimated, cached, errored."""
    draws = rng(2, "outputs", start)
    made = []
    for number, prompt in enumerate(PROMPTS[start:end], start):
        usage = Usage(prompt_tokens=int(draws.integers(1, 50)), completion_tokens=int(draws.integers(1, 50)))
        kind = number % 5
        made.append(
            Output(
                target="target",
                prompt_id=prompt.id,
                text=None if kind == 0 else "a reply",
                error="busy" if kind == 0 else None,
                usage=None if kind in {0, 1} else usage,
                latency_s=None if kind == 2 else 0.5,
                cached=kind == 3,
            )
        )
    return made


def of_all(store: Store, given: dict[str, GivenPrice | None]) -> TargetUse:
    """The use without anything kept."""
    with store.transaction() as connection:
        connection.execute("DELETE FROM meta WHERE key LIKE 'use.%'")
    return target_uses(store.path, UseCounter(INFOS, given))["target"]


def test_kept_sums_and_what_came_since_are_the_whole(tmp_path: Path) -> None:
    """The use is the same whether it was kept now and then or is added up at the end, to the last digit."""
    with Store.create(tmp_path) as store:
        store.add_prompts(PROMPTS)
        for start in (0, 20, 40):
            store.add_outputs(outputs(start, start + 20))
            counted = target_uses(store.path, UseCounter(INFOS, price(3)))["target"]
            if start < 40:
                with store.transaction() as connection:
                    UseCounter(INFOS, price(3)).keep(connection)
            assert (counted.outputs, counted.cached, counted.errored) == tuple(
                (start + 20) * share // 5 for share in (3, 1, 1)
            )
        assert counted == of_all(store, price(3))
        assert counted.usd == pytest.approx(3e-6 * (counted.prompt_tokens + counted.completion_tokens))


def test_another_price_is_taken_for_all(tmp_path: Path) -> None:
    """A price of another source holds for what was asked before, too."""
    with Store.create(tmp_path) as store:
        store.add_prompts(PROMPTS)
        store.add_outputs(outputs(0, 60))
        with store.transaction() as connection:
            UseCounter(INFOS, price(3)).keep(connection)
        dearer = target_uses(store.path, UseCounter(INFOS, price(4)))["target"]
        assert dearer.usd == pytest.approx(4e-6 * (dearer.prompt_tokens + dearer.completion_tokens))
        assert target_uses(store.path, UseCounter(INFOS, {}))["target"].usd is None
