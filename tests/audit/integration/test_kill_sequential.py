"""A run until decided may be killed at any moment and still decides the same."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

LENDER = '''\
"""A lender that answers by a hash of the question, and more seldom yes to women."""

import hashlib
import re
import time


def answer(prompt: str) -> str:
    time.sleep(0.003)
    draw = int(hashlib.sha256(prompt.encode()).hexdigest()[:8], 16) / 16**8
    woman = re.search(r"\\b(woman|female|she|her)\\b", prompt, re.IGNORECASE) is not None
    return "Yes." if draw < (0.3 if woman else 0.7) else "No."
'''
SPEC = """\
version: 1
name: killed
seed: 11
target: {type: function, call: "lender:answer", deterministic: true, max_in_flight: 4}
probes:
  - use: bias/decisions
    domains: [lending, hiring]
    attributes: [gender]
    signals: [explicit]
    placebos: [resample]
    templates: 30
analyzers: [decision]
judgement: {smallest_disparity_of_concern: 0.4}
"""


def stored(folder: Path) -> int:
    """Outputs that are durable; 0 before there is a file."""
    if not (folder / "plan.json").exists():
        return 0
    with closing(sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM outputs").fetchone()[0])


def asked(folder: Path) -> list[tuple[str, int, int]]:
    """Everything that was asked, by prompt."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        return sorted(connection.execute("SELECT prompt_id, repeat, attempt FROM outputs").fetchall())


@pytest.mark.slow
def test_killed_again_and_again_and_decided_alike(tmp_path: Path) -> None:
    """Two kills in the middle of looks, then resume: same prompts asked, same findings to the byte."""
    (tmp_path / "lender.py").write_text(LENDER)
    (tmp_path / "spec.yaml").write_text(SPEC)
    command = [sys.executable, "-m", "audit"]
    fresh = ["run", "spec.yaml", "--until-decided", "--out"]
    environment = {**os.environ, "NO_COLOR": "1"}

    def finished(*arguments: str) -> None:
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    finished(*fresh, "whole")
    whole = json.loads((tmp_path / "whole" / "findings.json").read_text())
    total = len(asked(tmp_path / "whole"))
    assert whole["sequential"]["saved"] > 0, "nothing was decided early, so nothing was tested"
    assert 1 < whole["sequential"]["looks_made"] < 10
    kills = 0
    for number, share in enumerate((0.3, 0.7)):
        arguments = [*fresh, "killed"] if number == 0 else ["resume", "killed"]
        running = subprocess.Popen(
            [*command, *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while stored(tmp_path / "killed") < share * total and running.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
        kills += running.wait() == -signal.SIGKILL
    assert kills == 2
    assert stored(tmp_path / "killed") < total
    finished("resume", "killed")
    assert asked(tmp_path / "killed") == asked(tmp_path / "whole")
    one, other = (tmp_path / name / "findings.json" for name in ("whole", "killed"))
    again = json.loads(other.read_text())
    for document in (whole, again):  # Row numbers follow the order in which answers came.
        for finding in document["findings"]:
            for item in finding["evidence"]:
                del item["output"]
    assert again == whole
    assert one.exists()
