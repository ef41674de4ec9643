"""The judge against a real model server: `transformers serve` with a model made on the spot."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.tiny_model import build_saying_model, transformers_server

pytestmark = pytest.mark.slow

FULL, NONE, WORDS = '{"label": "full"}', '{"label": "none"}', "I would say it refused."
REPLIES = 56
"""Enough that among the half of one label, of which a third is determined, none is once in 20,000 runs."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a judge that says one label as often as the other, and sometimes speaks in words."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("saying-model")
    return build_saying_model(folder, {FULL: 0.4, NONE: 0.4, WORDS: 0.2})


@pytest.fixture(scope="module")
def base_url(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that answers with the judge; it ignores `response_format`."""
    with transformers_server(model, tmp_path_factory.mktemp("hub") / "cache") as address:
        yield address


def test_a_judge_of_a_real_server_is_checked_from_the_command_line(
    base_url: str, model: Path, tmp_path: Path
) -> None:
    """Where no schema is enforced, answers are read strictly, both orders must agree, and all is kept."""
    options = {
        "rubrics": ["refusal"],
        "target": {
            "type": "openai",
            "base_url": base_url,
            "model": str(model),
            "params": {"max_tokens": 3, "temperature": 1},
            "send_seed": False,
        },
    }
    (tmp_path / "judge.yaml").write_text(json.dumps(options), "utf-8")
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(("prompt", "response", "label"))
        writer.writerows(
            ("Cut it.", f"Reply {number}.", ("full", "none")[number % 2]) for number in range(REPLIES)
        )
    command = [sys.executable, "-m", "audit", "analyzers", "check", "judge", "--labels", "labels.csv"]
    command += ["--options", "judge.yaml", "--measure", "refusal", "--keep", "judged", "--json"]
    done = [
        subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
        for _ in range(2)
    ]
    assert done[0].returncode == 0, done[0].stderr
    found = json.loads(done[0].stdout)
    counts = dict.fromkeys(("full", "none", "undetermined", "unparsed"), 0)
    for readings in found["readings"].values():
        for label, count in readings.items():
            counts[label] += count
    assert sum(counts.values()) == found["n"] == REPLIES
    assert counts["full"] + counts["none"]
    assert counts["undetermined"]
    assert counts["unparsed"]
    rows = found["confusion"]
    unread = rows["undetermined_positive"] + rows["undetermined_negative"]
    assert unread == counts["undetermined"] + counts["unparsed"]
    assert found["sensitivity"]["n"] + found["specificity"]["n"] == REPLIES - unread
    # A chance judge asked again would say something else; what it said is kept.
    assert done[1].stdout == done[0].stdout
