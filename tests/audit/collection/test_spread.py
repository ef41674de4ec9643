"""Several processes ask as one does: what limits, stops and stores stays in one, and none outlives it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit import api
from audit.collection import CollectionPlan, CollectionResult, Progress, RetryPolicy, collect
from audit.collection.spread import SpreadTarget, processes_of, spread
from audit.errors import AuditError, BudgetReachedError, IncompleteError, SpecError, TargetUnreachableError
from audit.limits import Limits
from audit.plugins import build_target
from audit.spec import TargetSpec
from audit.store.store import Store
from audit.targets.base import TargetContext
from tests.audit.questions import open_questions
from tests.servers.processes import fetch_json, post, stub_server

QUICK = RetryPolicy(base_s=0.001, longest_s=0.002)
COUNT = 120


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with some prompts."""
    with Store.create(tmp_path / "run") as made:
        made.add_prompts(open_questions(COUNT, templates=5))
        yield made


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A server that takes a while."""
    with stub_server("--latency", "0.02") as address:
        yield address


@pytest.fixture
def server(base_url: str) -> str:
    """The server with nothing seen."""
    post(base_url, "/reset")
    return base_url


def spread_of(root: Path, **options: object) -> SpreadTarget:
    """A target that two processes ask."""
    section = TargetSpec.model_validate({"max_in_flight": 8, "processes": 2, **options})
    context = TargetContext(name="target", root=root, secrets={"STUB_KEY": "k-123", "OTHER": "unnamed"})
    plain = build_target({"type": section.type, **section.options()}, context, where="spec.yaml: target")
    made = spread(plain, section, context, where="spec.yaml: target")
    assert isinstance(made, SpreadTarget)
    return made


def openai(server: str, **options: object) -> SpreadTarget:
    """The server asked by two processes."""
    return spread_of(Path(), type="openai", base_url=server, **{"model": "any", **options})


def run(store: Store, target: SpreadTarget, **plan: object) -> CollectionResult:
    """Collect, and see that no process is left."""

    async def collected() -> CollectionResult:
        try:
            return await collect(store, {"target": target}, made)
        finally:
            await target.aclose()
            assert target.process_ids == []

    made = CollectionPlan(repeats=1, seed=7, **{"retry": QUICK, **plan})  # type: ignore[arg-type] # tests say which fields
    return asyncio.run(collected())


def asked(server: str) -> list[dict[str, object]]:
    """What the server was asked."""
    log = fetch_json(server, "/log")
    assert isinstance(log, list)
    return log


def test_everything_is_asked_once_with_the_key(store: Store, server: str) -> None:
    """Two processes ask each prompt once, with the secret that the spec names, and within the limit."""
    target = openai(server, api_key_env="STUB_KEY")
    seen: set[int] = set()
    result = run(store, target, progress=lambda _: seen.update(target.process_ids))
    assert (result.progress.answered, result.progress.requests) == (COUNT, COUNT)
    log = asked(server)
    assert len({json.dumps(one["body"]) for one in log}) == len(log) == COUNT
    assert {one["authorization"] for one in log} == {"Bearer k-123"}
    assert len(seen) == 2
    assert 4 < int(str(fetch_json(server, "/most"))) <= 8


def test_a_killed_process_loses_nothing(store: Store, server: str) -> None:
    """When one is killed, its calls are made again by another, and everything is answered."""
    target = openai(server)
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if progress.in_flight and not killed:
            killed.append(target.process_ids[0])
            os.kill(killed[0], signal.SIGKILL)

    result = run(store, target, progress=kill_one)
    assert killed
    assert (result.progress.answered, result.progress.errored) == (COUNT, 0)
    assert 0 < result.progress.retries == result.progress.requests - COUNT
    assert store.counts("target", 1).answered == COUNT


def failing(root: Path, body: str) -> SpreadTarget:
    """A function of the user's that two processes call."""
    module = f"failing_{len(body)}"  # A module of one name is loaded once in this process.
    (root / f"{module}.py").write_text(f"import asyncio, os\n\ndef answer(prompt: str) -> str:\n    {body}\n")
    return spread_of(root, type="function", call=f"{module}:answer", max_in_flight=4)


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("os._exit(3)", TargetUnreachableError, "the process that asks ended with exit code 3"),
        ("raise LookupError('odd')", IncompleteError, "raised LookupError: odd"),
        ("raise asyncio.CancelledError", IncompleteError, "CancelledError"),
    ],
)
def test_a_target_that_fails_in_its_process_ends_the_run(
    store: Store, tmp_path: Path, body: str, kind: type[AuditError], message: str
) -> None:
    """What a target does to its process, or raises there, is said in one line, and nothing hangs."""
    with pytest.raises(kind) as raised:
        run(store, failing(tmp_path, body), breaker=4)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_limit_holds_over_all_processes(store: Store, server: str) -> None:
    """A limit in requests is kept to the request, and what was answered is stored."""
    with pytest.raises(BudgetReachedError, match=r"limits\.requests: 50 reached"):
        run(store, openai(server), limits=Limits(requests=50))
    assert len(asked(server)) == 50
    assert store.counts("target", 1).answered == 50


def test_a_wrong_key_stops_all_processes(store: Store, server: str) -> None:
    """A rejected key stops the run at once and names no secret."""
    with pytest.raises(TargetUnreachableError, match="401") as raised:
        run(store, openai(server, model="bad-key", api_key_env="STUB_KEY"))
    assert "k-123" not in str(raised.value)
    assert len(asked(server)) < 30
    assert store.counts("target", 1).not_asked == COUNT


def test_a_second_stop_gives_up_what_hangs(store: Store, server: str) -> None:
    """Stopping twice ends at once, though every call of every process hangs."""
    target = openai(server, model="hang")
    stops: list[float] = []

    def stop(progress: Progress) -> None:
        if progress.elapsed_s > 0.3 and len(stops) < 2 and progress.in_flight == 8:
            stops.append(progress.elapsed_s)
            os.kill(os.getpid(), signal.SIGTERM)

    result = run(store, target, progress=stop)
    assert result.interrupted
    assert result.progress.elapsed_s < stops[1] + 2
    assert store.counts("target", 1).not_asked == COUNT


SPEC = """\
version: 1
name: spread
seed: 7
target: {{type: openai, base_url: "{server}", model: any, max_in_flight: 8, processes: 2}}
probes: [{{use: public/table, path: asked.csv, prompt: prompt, options: options, answer: right}}]
analyzers: [decision]
"""


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def until(true: Callable[[], bool]) -> bool:
    """Whether it comes true within a minute: a busy machine takes long to start processes."""
    end = time.monotonic() + 60
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_the_run(tmp_path: Path, number: signal.Signals) -> None:
    """However the process that collects ends, the others end and ask nothing more; the run goes on later."""
    rows = "".join(f"Question {place}?,yes|no,yes\n" for place in range(COUNT))
    (tmp_path / "asked.csv").write_text(f"prompt,options,right\n{rows}")
    with stub_server("--latency", "0.2") as server:
        (tmp_path / "spec.yaml").write_text(SPEC.format(server=server))
        command = [sys.executable, "-m", "audit", "run", "spec.yaml", "--out", "run"]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
        try:
            assert until(lambda: len(asked(server)) > 48)
            others = children(process.pid)
            assert len(others) == 2
        finally:
            process.send_signal(number)
            code = process.wait(20)
        assert code == (130 if number == signal.SIGTERM else -signal.SIGKILL)
        assert until(lambda: not any(Path(f"/proc/{one}").exists() for one in others))
        count = len(asked(server))
        time.sleep(0.5)
        assert len(asked(server)) == count < COUNT
        with Store.open(tmp_path / "run", read_only=True) as store:
            kept = store.counts("target", 1).answered
        result = asyncio.run(api.collect(api.open_run(tmp_path / "run"), secrets={}))
        assert result.progress.answered == COUNT
        # What was stored before is not asked again, and nothing else is left out.
        assert len(asked(server)) - count == COUNT - kept > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"type": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m", "max_in_flight": 600},
            "got 2; accepted with 600 calls in flight: 3 to 600, since each holds 1 to 256",
        ),
        ({"type": "specimen"}, "got 2; accepted with 1 calls in flight: 1, since each holds 1 to 256"),
        (
            {"type": "openai_batch", "base_url": "http://127.0.0.1:9/v1", "model": "m"},
            "accepted with 16 calls in flight: 1, since batches are submitted by one",
        ),
    ],
)
def test_too_many_or_too_few_processes_are_refused(options: dict[str, object], said: str) -> None:
    """The spec may not name more processes than calls, nor fewer than hold them, nor several for batches."""
    section = TargetSpec.model_validate({**options, "processes": 2})
    target = build_target(options, TargetContext(name="target", root=Path()), where="target")
    with pytest.raises(SpecError, match=r"spec\.yaml: target\.processes: ") as raised:
        processes_of(section, target, "spec.yaml: target")
    assert said in str(raised.value)


def test_more_calls_take_more_processes() -> None:
    """One process asks up to 256 calls; beyond, there is another for every 256."""
    found = []
    for calls in (256, 257, 1024):
        options = {
            "type": "openai",
            "base_url": "http://127.0.0.1:9/v1",
            "model": "m",
            "max_in_flight": calls,
        }
        context = TargetContext(name="target", root=Path())
        target = build_target(options, context, where="target")
        found.append(processes_of(TargetSpec.model_validate(options), target, "target"))
    assert found == [1, 2, 4]
