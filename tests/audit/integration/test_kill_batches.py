"""A process that submits or gathers batches may be killed at any moment; another one goes on."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from audit.store.store import Store
from probes.seeds import rng
from tests.audit.questions import open_questions
from tests.servers.processes import fetch_json, stub_server

ROOT = Path(__file__).parents[3]
PROMPTS = 150
PLANNED = PROMPTS * 2 * 2
KILLS = 8


def state(folder: Path) -> Counter[str]:
    """Batches by state, and outputs, read without the code under test."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        found = Counter(dict(connection.execute("SELECT state, count(*) FROM batches GROUP BY state")))
        found["outputs"] = connection.execute("SELECT count(*) FROM outputs").fetchone()[0]
    return found


def kill_after(command: list[str], folder: Path, events: int, pause_s: float) -> bool:
    """Start a process and kill it once the store has changed so often, and a pause later.

    Returns:
        Whether it was still running.
    """
    before = state(folder)
    running = subprocess.Popen(command, cwd=ROOT)
    until = time.monotonic() + 30
    while running.poll() is None and time.monotonic() < until:
        now = state(folder)
        if sum((now - before).values()) + sum((before - now).values()) >= events:
            break
        time.sleep(0.002)
    time.sleep(pause_s)
    running.send_signal(signal.SIGKILL)
    return running.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_batches_are_submitted_and_collected_once_whatever_is_killed(tmp_path: Path) -> None:
    """Kills at seeded moments on both sides of submitting and gathering: no request twice, none lost."""
    folder = tmp_path / "run"
    with Store.create(folder) as store:
        store.add_prompts(open_questions(PROMPTS, templates=5))
    draws = rng(7, "kill", "batches")
    with stub_server("--polls", "2", "--pause", "0.02", module="stub_batches") as url:
        command = [sys.executable, "-m", "tests.audit.integration.collect_batches", str(folder), url]
        kills = [
            kill_after(command, folder, int(draws.integers(1, 7)), float(draws.uniform(0, 0.06)))
            for _ in range(KILLS)
        ]
        for _ in range(4):
            subprocess.run(command, check=True, cwd=ROOT)
        log = fetch_json(url, "/log")
    assert sum(kills) > KILLS // 2, "the kills came too late to show anything"
    assert isinstance(log, list)
    submitted = Counter(line["custom_id"] for batch in log for line in batch["lines"])
    assert set(submitted.values()) == {2}, (
        "each prompt and repeat goes once to the target and once to the baseline"
    )
    assert sum(submitted.values()) == PLANNED
    assert len({batch["tag"]["evenhand"] for batch in log}) == len(log)
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        rows = connection.execute(
            "SELECT count(*), count(DISTINCT target || prompt_id || repeat), max(attempt), min(outcome), "
            "max(outcome) FROM outputs"
        ).fetchone()
        assert rows == (PLANNED, PLANNED, 0, "answered", "answered")
        assert connection.execute("SELECT count(*) FROM batch_requests").fetchone() == (0,)
