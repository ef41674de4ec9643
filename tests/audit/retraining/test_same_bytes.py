"""Files do not hang on the process that wrote them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.records import Finding
from audit.retraining.records import Format
from audit.retraining.writing import read_retraining_files
from probes.data import file_sha256
from probes.records import Prompt

MakeFinding = Callable[..., Finding]

WRITE = """
import json, sys
from pathlib import Path

import pytest
from audit.records import Finding
from audit.retraining.records import Format, RetrainingOptions
from audit.retraining.writing import write_retraining_files
from probes.records import Prompt

findings, prompts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
write_retraining_files(
    [Finding.model_validate(row) for row in findings],
    [Prompt.model_validate(row) for row in prompts],
    Path(sys.argv[2]),
    RetrainingOptions(max_examples=120, seed=1, formats=tuple(Format)),
)
"""


def _written(inputs: Path, folder: Path, hash_seed: str) -> dict[str, str]:
    """Checksum of each file that a process of its own wrote under one seed of Python's hashes."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", WRITE, str(inputs), str(folder)]
    subprocess.run(command, env=environment, check=True, timeout=60)
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in paths}


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(
    make_finding: MakeFinding,
    rate_finding: MakeFinding,
    audit_prompts: list[Prompt],
    tmp_path: Path,
) -> None:
    """Processes that order sets differently write the same folder, byte by byte, in all nine formats."""
    findings = [make_finding(), rate_finding("h", "safety/harmful")]
    inputs = tmp_path / "inputs.json"
    rows = [[row.model_dump(mode="json") for row in part] for part in (findings, audit_prompts)]
    inputs.write_text(json.dumps(rows), encoding="utf-8")
    first = _written(inputs, tmp_path / "first", "1")
    assert {file.format for file in read_retraining_files(tmp_path / "first").manifest.files} == set(Format)
    assert _written(inputs, tmp_path / "second", "2") == first
