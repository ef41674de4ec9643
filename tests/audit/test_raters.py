"""What the books of models that analyzers ask promise."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from audit.raters import TargetRaters, rater_uses
from audit.spec import Limits, TargetSpec
from audit.store.store import STORE_FILE
from probes.records import Message


@pytest.mark.parametrize("journal", [None, "wal"])
def test_a_book_that_was_never_finished_is_made_anew(tmp_path: Path, journal: str | None) -> None:
    """A process killed while it makes the file leaves it without tables, and that stops nothing later."""
    book = tmp_path / "books" / "one"
    book.mkdir(parents=True)
    with closing(sqlite3.connect(book / STORE_FILE)) as connection:
        if journal is not None:
            connection.execute(f"PRAGMA journal_mode={journal}")
    (book / STORE_FILE).touch()
    assert rater_uses(tmp_path / "books") == {}
    (tmp_path / "said.jsonl").write_text('{"prompt_id": "Well?", "text": "yes"}\n', encoding="utf-8")
    section = TargetSpec.model_validate({"type": "recorded", "path": "said.jsonl", "by": "prompt_text"})
    raters = TargetRaters(root=tmp_path, keep=tmp_path / "books")
    rater = raters.of_spec(section, Limits(), name="judge")
    (output,) = rater.ask([(Message(role="user", content="Well?"),)], book="one")
    assert output.text == "yes"
    assert rater_uses(tmp_path / "books")["one"].counts.answered == 1
