"""A copy of a store follows the run it is of, and the run never notices."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from audit.errors import StoreError
from audit.records import Output, Score
from audit.store.snapshot import Snapshot
from audit.store.store import Store
from probes.records import Prompt


def prompt(number: int) -> Prompt:
    """A prompt of its own number."""
    return Prompt.make(
        messages=[{"role": "user", "content": f"Question {number}"}],
        probe="bias/decisions",
        template="t",
        domain="lending",
        expectation={"kind": "choice", "options": ("yes", "no"), "favourable": "yes"},
    )


PROMPTS = [prompt(number) for number in range(6)]


def answer(number: int, *, attempt: int = 0, error: str | None = None) -> Output:
    """What came for a prompt: a text, or an error."""
    text = "yes" if error is None else None
    return Output(target="target", prompt_id=PROMPTS[number].id, attempt=attempt, text=text, error=error)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Store]:
    """A store that is being written, with an answer and a failure."""
    with Store.create(tmp_path / "run") as made:
        made.add_prompts(PROMPTS)
        made.add_outputs([answer(0), answer(1, error="status 500")])
        yield made


@pytest.fixture
def snapshot(run: Store, tmp_path: Path) -> Iterator[Snapshot]:
    """A copy of it."""
    (tmp_path / "copy").mkdir()
    with closing(Snapshot(run.path.parent, tmp_path / "copy")) as made:
        yield made


def unread(store: Store) -> list[int]:
    """Row numbers that the analyzer has not read."""
    return [exchange.output for batch in store.exchanges("decision", "1") for exchange in batch]


def test_a_refresh_brings_what_was_added(run: Store, snapshot: Snapshot) -> None:
    """New answers come with their row numbers, a second attempt takes the place of the first, once each."""
    assert snapshot.refresh() == 2
    run.add_outputs([answer(2), answer(1, attempt=1)])
    assert snapshot.refresh() == 4
    assert snapshot.refresh() == 4
    assert snapshot.store.counts("target", 1) == run.counts("target", 1)
    assert snapshot.store.frame("target").equals(run.frame("target"))


def test_scores_of_the_copy_stay_and_the_run_has_none(run: Store, snapshot: Snapshot) -> None:
    """What was read once is not read again, and nothing is written where the run is."""
    first = unread(snapshot.store)
    score = Score(output=first[0], analyzer="decision", version="1", measure="parsed", value=1.0, label="yes")
    snapshot.store.add_scores("decision", "1", first, [score])
    run.add_outputs([answer(3)])
    snapshot.refresh()
    assert len(unread(snapshot.store)) == 1
    assert len(unread(run)) == 2


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    """One line, not a traceback of the database."""
    (tmp_path / "copy").mkdir()
    with pytest.raises(StoreError):
        Snapshot(tmp_path, tmp_path / "copy")
