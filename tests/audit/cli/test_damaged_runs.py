"""No command ends in a traceback over a run that somebody damaged."""

from pathlib import Path

import pytest

from tests.audit.cli.conftest import Command
from tests.audit.test_damage import CHANGES, changed, finished

__all__ = ["finished"]

COMMANDS = (
    ("resume", "run"),
    ("score", "run"),
    ("findings", "run", "--all"),
    ("report", "run"),
    ("export", "run", "--to", "tables", "--format", "parquet"),
    ("review", "run", "--export", "labels.jsonl", "--analyzer", "decision"),
    ("retrain", "run", "--out", "files"),
    ("compare", "run", "whole"),
)


@pytest.mark.parametrize("change", [change for change, _ in CHANGES])
def test_a_damaged_run_is_one_line_in_every_command(
    finished: Path, home: Path, evenhand: Command, change: str
) -> None:
    """Whatever was changed: a command that meets it ends with 2 or 3 and says so; no other is disturbed."""
    changed(finished, home / "run", change)
    changed(finished, home / "whole", "DELETE FROM meta WHERE key = 'nothing'")
    for command in COMMANDS:
        ended = evenhand(*command)
        assert ended.code in {0, 2, 3}, command
        assert ended.code != 2 or ended.err.count("error: ") == 1, command
        assert "Traceback" not in ended.err
