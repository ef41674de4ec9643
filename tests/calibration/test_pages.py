"""The command that writes the calibration pages keeps the tables that it is not asked to make."""

import shutil
from pathlib import Path

import pytest

from benchmarks.calibration import run
from benchmarks.calibration.pages import PAGES

DOCS = Path(__file__).resolve().parents[2] / "docs" / "explanation"
TITLE = "False alarms with one pair a template"


def test_one_table_is_made_anew_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--only` changes that table alone; every other line of the published pages is as it was."""
    for page in PAGES:
        shutil.copy(DOCS / page.file, tmp_path / page.file)
    arguments = ["--only", TITLE, "--simulations", "7", "--workers", "1", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["run", *arguments])
    run.main()
    for page in PAGES:
        before, after = ((folder / page.file).read_text(encoding="utf-8") for folder in (DOCS, tmp_path))
        start = before.find(f"## {TITLE}\n")
        if start < 0:
            assert after == before
            continue
        end = before.index("\n## ", start)
        assert after.startswith(before[:start])
        assert after.endswith(before[end:])
        assert "\n7 simulations a cell.\n" in after
