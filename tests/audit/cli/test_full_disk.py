"""A run whose disk is full, as a process of its own."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.audit.cli.conftest import Command

_LETTERS = 60_000


def stored(run: Path) -> dict[str, str]:
    """Every stored text by its prompt, read without the code under test."""
    if not (run / "run.sqlite").exists():
        return {}
    with closing(sqlite3.connect(run / "run.sqlite")) as connection:
        try:
            return dict(connection.execute("SELECT prompt_id, text FROM outputs WHERE text IS NOT NULL"))
        except sqlite3.OperationalError:  # There was no room for the tables.
            return {}


@pytest.mark.parametrize(
    ("small_disk", "planned"),
    [("100k", False), ("1m", True)],
    indirect=["small_disk"],
    ids=["plan", "answers"],
)
def test_a_full_disk_ends_a_run_in_one_line_and_loses_nothing(
    process: Command, home: Path, small_disk: Path, *, planned: bool
) -> None:
    """Whether plan or answers fill the disk, one line says so, and with room the run ends with all."""
    rows = [{"prompt_id": str(n + 1), "text": "yes " + "x" * _LETTERS} for n in range(24)]
    (home / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = small_disk / "run"
    ended = process("run", "spec.yaml", "--out", run)
    said = [line for line in ended.err.splitlines() if "disk is full" in line or "No space left" in line]
    assert (ended.code, len(said), "Traceback" in ended.err) == (2, 1, False), ended.err
    before = stored(run)
    assert len(before) < 24
    assert (run / "plan.json").exists() == planned
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    again = process("resume", run) if planned else process("run", "spec.yaml", "--out", run)
    assert again.code == 0, again.err
    after = stored(run)
    assert len(after) == 24
    assert {prompt: after[prompt] for prompt in before} == before
