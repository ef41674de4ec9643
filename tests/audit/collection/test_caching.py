"""The cache of answers: found by exactly what was asked, shared by runs, and never wrong."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from audit.collection.caching import keep_answers, take_answers
from audit.collection.runner import CollectionPlan, collect
from audit.records import Output, Request
from audit.response_cache import ResponseCache, cache_key
from audit.spec import Limits
from audit.store.store import Store
from audit.targets.base import TargetContext, TargetInfo
from audit.targets.openai_api.options import OpenAIOptions
from audit.targets.openai_api.target import OpenAITarget
from probes.records import Message
from tests.audit.questions import open_questions
from tests.servers.processes import fetch_json, stub_server


def run(folder: Path, url: str, *, repeats: int = 1, model: str = "m", prompts: int = 4) -> tuple[int, int]:
    """A whole run with the cache beside it: (answers found, requests the server has seen in all)."""
    plan = CollectionPlan(repeats=repeats, seed=7, limits=Limits(error_rate=1))

    async def invoked(store: Store) -> int:
        context = TargetContext(name="target", root=folder)
        target = OpenAITarget(OpenAIOptions(base_url=url, model=model), context)
        with ResponseCache.open(folder.parent / "cache") as cache:
            found = take_answers(store, {"target": target}, plan, cache)
            await collect(store, {"target": target}, plan)
            keep_answers(store, {"target": target}, plan, cache)
        await target.aclose()
        return found

    with Store.create(folder) as store:
        store.add_prompts(open_questions(prompts, templates=prompts))
        found = asyncio.run(invoked(store))
        log = fetch_json(url, "/log")
        assert isinstance(log, list)
        assert found == sum(
            output.cached for prompt in store.prompts() for _, output in store.outputs("target", prompt.id)
        )
    return found, len(log)


def test_a_second_run_asks_only_what_is_new(tmp_path: Path) -> None:
    """The same question of the same target is asked once; another repeat, model or question is asked."""
    with stub_server() as url:
        assert run(tmp_path / "a", url) == (0, 4)
        assert run(tmp_path / "b", url) == (4, 4)
        assert run(tmp_path / "c", url, repeats=2) == (4, 8)
        assert run(tmp_path / "d", url, model="other") == (0, 12)
        assert run(tmp_path / "e", url, prompts=5) == (4, 13)


def test_errors_are_not_kept(tmp_path: Path) -> None:
    """What errored is asked again by the next run."""
    with stub_server() as url:
        assert run(tmp_path / "a", url, model="no-choices")[0] == 0
        assert run(tmp_path / "b", url, model="no-choices")[0] == 0


def test_a_damaged_entry_is_a_miss_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An entry that does not fit its checksum is asked for again and mended."""
    with stub_server() as url:
        run(tmp_path / "a", url)
        with closing(sqlite3.connect(tmp_path / "cache" / "responses.sqlite")) as connection:
            connection.execute("UPDATE responses SET output = replace(output, 'echo', 'ohce')")
            connection.commit()
        with caplog.at_level(logging.WARNING):
            assert run(tmp_path / "b", url) == (0, 8)
        assert sum("damaged answer" in record.message for record in caplog.records) == 1
        assert run(tmp_path / "c", url) == (4, 8)


def test_whoever_writes_at_the_same_time_waits(tmp_path: Path) -> None:
    """Several writers share a folder, and each finds what all of them kept."""
    info = TargetInfo(name="target", deterministic=False, facts={"model": "m"})

    def keys(writer: int) -> list[bytes]:
        asked = [
            Request(prompt_id="p", messages=(Message(role="user", content=f"{writer} {number}"),))
            for number in range(40)
        ]
        return [cache_key(info, request, 7) for request in asked]

    def write(writer: int) -> None:
        with ResponseCache.open(tmp_path) as cache:
            for key in keys(writer):
                cache.add([(key, Output(target="target", prompt_id="p", text=str(writer)))])

    writers = [Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    with ResponseCache.open(tmp_path) as cache:
        for writer in range(4):
            found = cache.find(keys(writer))
            assert [output.text for output in found.values()] == [str(writer)] * 40
