"""A folder with a small audit that needs no network, and ways to run the command in it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from audit.cli.main import main

SPEC = """\
version: 1
name: own questions
seed: 7
target: {type: recorded, path: said.jsonl, by: source_id}
probes: [{use: public/table, path: asked.csv, prompt: prompt, options: options, answer: right}]
analyzers: [decision]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a table of 24 questions, recorded answers and their spec."""
    questions = "".join(f"Lend to client {n}?,yes|no,yes\n" for n in range(24))
    (tmp_path / "asked.csv").write_text(f"prompt,options,right\n{questions}")
    rows = [{"prompt_id": str(n + 1), "text": "no" if n % 4 else "yes"} for n in range(24)]
    (tmp_path / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def evenhand(home: Path) -> Command:
    """Run the command in this process, errors and exit codes as in its own."""

    def run(*arguments: object) -> Ended:
        assert Path.cwd() == home
        runner = CliRunner()
        with runner.isolation() as (out, err, _):
            try:
                main([str(argument) for argument in arguments])
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
            else:
                code = -1
            return Ended(code=code, out=out.getvalue().decode(), err=err.getvalue().decode())

    return run


@pytest.fixture
def locked(home: Path) -> Iterator[Path]:
    """A folder in the working folder that may not be written; for root, a read-only disk."""
    folder = home / "locked"
    folder.mkdir(mode=0o500)
    if os.geteuid() != 0:
        yield folder
        return
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("root may write anywhere, and mounting a read-only disk is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def process(home: Path) -> Command:
    """Run the command as a process of its own."""

    def run(*arguments: object) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "audit", *map(str, arguments)],
            cwd=home,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "NO_COLOR": "1"},
            check=False,
        )
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)

    return run
