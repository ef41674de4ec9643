"""The ledger is kept beside a collection without holding it up, and nothing of it is lost at the end."""

import threading
from pathlib import Path

import pytest

from audit.atomic import write_text
from audit.collection.progress import Progress
from audit.collection.use import TargetUse
from audit.errors import InputError
from audit.ledger import Invocation, Keeper, Ledger, _rounded_up, read_ledger
from audit.run_folder import RunFolder


def progress(second: float) -> Progress:
    """A collection after some seconds, with a request a second."""
    return Progress(planned=100, done=int(second), requests=int(second), elapsed_s=second)


def use(*, outputs: int, errored: int) -> TargetUse:
    """What a target's outputs took, as far as they are counted."""
    nothing = {"prompt_tokens": 0, "completion_tokens": 0, "estimated": 0, "usd": None, "price_source": None}
    energy = {"kwh_low": None, "kwh_high": None, "energy_source": None}
    return TargetUse.model_validate(
        {"outputs": outputs, "errored": errored, "cached": 0, **nothing, **energy}
    )


def go_on(keeper: Keeper) -> None:
    """Tell it of an hour."""
    for second in range(12, 3600, 6):
        keeper.told(progress(second))


def test_a_slow_disk_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger is being written, the collection goes on; its end is written whole all the same."""
    begun, free = threading.Event(), threading.Event()

    def slowly(path: Path, text: str) -> None:
        begun.set()
        assert free.wait(30)
        write_text(path, text)

    monkeypatch.setattr("audit.ledger.write_text", slowly)
    folder = RunFolder(tmp_path)
    keeper = Keeper(folder, Ledger())
    keeper.told(progress(6))
    assert begun.wait(30)
    keeper.told(progress(12))  # It would hang here if it wrote, or waited for the writing, itself.
    assert not folder.collection.exists()
    free.set()
    keeper.end("finished", {})
    assert [(one.ended, one.requests) for one in read_ledger(folder).invocations] == [("finished", 12)]


def test_a_full_disk_is_told_at_the_next_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that could not be written stops the collection, and its end is tried once more."""
    refused = threading.Event()

    def full(path: Path, text: str) -> None:
        assert text
        refused.set()
        raise InputError(f"{path}: cannot be written: No space left on device")

    monkeypatch.setattr("audit.ledger.write_text", full)
    keeper = Keeper(RunFolder(tmp_path), Ledger())
    keeper.told(progress(6))
    assert refused.wait(30)
    with pytest.raises(InputError, match="No space left"):
        go_on(keeper)
    monkeypatch.setattr("audit.ledger.write_text", write_text)
    keeper.end("stopped", {})
    assert read_ledger(RunFolder(tmp_path)).invocations[0].ended == "stopped"


def test_what_a_killed_process_stored_counts_on_top_of_its_retries() -> None:
    """Of a killed process each output after its last note is a request, whatever it had retried before."""
    killed = Invocation(ended="running", seconds=5, requests=100, stored=80, retries=20)
    went_on = Invocation(ended="finished", seconds=5, requests=30, stored=30, retries=0)
    ledger = Ledger(invocations=(killed, went_on), use={"target": use(outputs=155, errored=5)})
    assert ledger.requests == 130 + 50
    of_old = killed.model_copy(update={"stored": None})
    assert ledger.model_copy(update={"invocations": (of_old, went_on)}).requests == 160


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0.0100036, 0.0101),
        (0.01, 0.01),
        (1.0, 1.0),
        (20.0, 20.0),
        (1234567.0, 1240000.0),
        (10.004, 10.1),
        (5e-7, 5e-7),
    ],
)
def test_what_is_proposed_is_a_number_that_people_type(amount: float, told: float) -> None:
    """Three digits, never less than what is needed."""
    assert _rounded_up(amount) == pytest.approx(told, rel=1e-12)
    assert _rounded_up(amount) >= amount
