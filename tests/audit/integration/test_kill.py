"""A collecting process may be killed at any moment, again and again."""

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

SCRIPT = Path(__file__).with_name("collect_slowly.py")
PROMPTS = 1200
REPEATS = 2
PLANNED = PROMPTS * REPEATS * 2
Key = tuple[str, str, int]
"""Target, prompt and repeat."""


def make_run(folder: Path) -> Path:
    """A planned run, and nothing asked yet."""
    with Store.create(folder) as store:
        store.add_prompts(open_questions(PROMPTS, templates=5, members=3))
    return folder


def texts(folder: Path) -> dict[Key, str]:
    """Every stored text, read without the code under test."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        rows = connection.execute("SELECT target, prompt_id, repeat, attempt, text FROM outputs").fetchall()
    assert all(attempt == 0 for _, _, _, attempt, _ in rows)
    found = {(target, prompt_id, repeat): text for target, prompt_id, repeat, _, text in rows}
    assert len(found) == len(rows)
    return found


def asked(log: Path, start: int) -> Counter[Key]:
    """What the target was asked, as it logged from a byte on; a kill may have torn the last line."""
    lines = log.read_bytes()[start:].decode().split("\n")[:-1] if log.exists() else []
    parts = [line.split(" ") for line in lines]
    return Counter((target, prompt_id, int(repeat)) for target, prompt_id, repeat, _ in parts)


def size(log: Path) -> int:
    """Bytes logged so far."""
    return log.stat().st_size if log.exists() else 0


@pytest.mark.slow
def test_killed_ten_times_and_still_whole(tmp_path: Path) -> None:
    """Ten kills at random moments lose no stored output, ask none again, and change no text."""
    folder, log = make_run(tmp_path / "killed"), tmp_path / "killed.log"
    command = [sys.executable, str(SCRIPT), str(folder), str(log)]
    draws = rng(7, "kill")
    stored: dict[Key, str] = {}
    kills = 0
    for _ in range(10):
        start = size(log)
        running = subprocess.Popen(command)
        wait_for_bytes(log, start + int(draws.integers(1, 20_000)), running)
        running.send_signal(signal.SIGKILL)
        kills += running.wait() == -signal.SIGKILL
        once = asked(log, start)
        assert not set(once) & set(stored), "asked again although it was stored"
        assert set(once.values()) <= {1}, "asked twice by one process"
        now = texts(folder)
        assert stored.items() <= now.items(), "a stored output was lost"
        stored = now
    assert kills == 10
    assert 0 < len(stored) < PLANNED, "the kills came too early or too late to show anything"
    start = size(log)
    subprocess.run(command, check=True)
    assert not set(asked(log, start)) & set(stored)
    in_flight_at_most = 2 * 4 * 2 + 1024  # Calls of both targets, and answers on their way to the disk.
    assert max(asked(log, 0).values()) <= 11
    assert sum(asked(log, 0).values()) - PLANNED <= 10 * in_flight_at_most

    unbroken = make_run(tmp_path / "unbroken")
    subprocess.run([sys.executable, str(SCRIPT), str(unbroken), str(tmp_path / "unbroken.log")], check=True)
    assert texts(folder) == texts(unbroken)
    assert len(texts(folder)) == PLANNED


def wait_for_bytes(log: Path, least: int, running: "subprocess.Popen[bytes]") -> None:
    """Wait until the process has logged so much: a moment that does not depend on the machine's speed."""
    until = time.monotonic() + 30
    while size(log) < least and running.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
