"""A run whose disk is full, from the command line."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.audit.cli.conftest import Command

_LETTERS = 60_000


def stored(run: Path) -> dict[str, str]:
    """Every stored text by its prompt, read without the code under test."""
    with closing(sqlite3.connect(run / "run.sqlite")) as connection:
        return dict(connection.execute("SELECT prompt_id, text FROM outputs WHERE text IS NOT NULL"))


def test_a_full_disk_ends_a_run_in_one_line_and_loses_nothing(
    evenhand: Command, home: Path, small_disk: Path
) -> None:
    """The command says that the disk is full and what to do; with room the run ends with every answer."""
    rows = [{"prompt_id": str(n + 1), "text": "yes " + "x" * _LETTERS} for n in range(24)]
    (home / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = small_disk / "run"
    ended = evenhand("run", "spec.yaml", "--out", run)
    said = [line for line in ended.err.splitlines() if "the disk is full" in line]
    assert (ended.code, len(said), "Traceback" in ended.err) == (2, 1, False)
    assert "everything stored before is kept" in said[0]
    before = stored(run)
    assert len(before) < 24
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    again = evenhand("resume", run)
    assert again.code == 0, again.err
    after = stored(run)
    assert len(after) == 24
    assert {prompt: after[prompt] for prompt in before} == before
