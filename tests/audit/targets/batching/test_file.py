"""What a check of a folder of requests and results says."""

import json
from pathlib import Path

import pytest

from audit.targets.base import TargetContext
from audit.targets.batching.file import BatchFileOptions, BatchFileTarget


@pytest.fixture
def target(tmp_path: Path) -> BatchFileTarget:
    """A target of a folder that is there."""
    (tmp_path / "files").mkdir()
    options = BatchFileOptions(folder="files", model="m")
    return BatchFileTarget(options, TargetContext(name="target", root=tmp_path))


def test_a_check_names_the_results_that_are_of_no_use(target: BatchFileTarget, tmp_path: Path) -> None:
    """The first few lines are named with the reason, the rest is counted, and a line being written is not."""
    (tmp_path / "files" / "a.jsonl").write_text("{}\n")
    assert target.held() == {
        "folder": str(tmp_path / "files"),
        "model": "m",
        "request files": "1, 1 of them without results",
    }
    good = json.dumps({"custom_id": "p.0.0.0", "response": None})
    lines = [good, "", "[1]", '{"custom_id": 7}', '{"response": {}}', "x", good]
    (tmp_path / "files" / "a.results.jsonl").write_text("\n".join(lines) + '\n{"custom')
    held = target.held()
    assert held["request files"] == "1, 0 of them without results"
    assert held["unusable results"] == (
        "a.results.jsonl: 4 lines name no request: line 3 (Input should be an object), "
        "line 4 (custom_id: Input should be a valid string), line 5 (custom_id: Field required) and 1 more"
    )
