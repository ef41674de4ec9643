"""What a training took in electricity is metered where it can be, and never costs the training."""

import time
from pathlib import Path

import pytest

from audit.retraining.trainers import energy
from audit.retraining.trainers.energy import metered


def _work(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))


def test_work_takes_energy_and_the_meter_says_how_it_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A second of work takes more than nothing and less than a kilowatt; nothing is printed or written."""
    monkeypatch.chdir(tmp_path)
    with metered() as found:
        _work(1.0)
    assert found.kwh is not None
    assert 0 < found.kwh < 60 / 3600
    assert found.source is not None
    assert found.source.startswith("codecarbon ")
    assert "CPU by " in found.source
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_without_the_library_energy_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown is None, not 0."""
    monkeypatch.setattr(energy, "find_spec", lambda _: None)
    with metered() as found:
        pass
    assert (found.kwh, found.source) == (None, None)


@pytest.mark.parametrize("step", ["start", "stop"])
def test_a_meter_that_fails_costs_no_training(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """What was done in the block stays done, and the energy is unknown."""

    def fails(*_: object) -> None:
        raise RuntimeError("no counter")

    monkeypatch.setattr(f"codecarbon.OfflineEmissionsTracker.{step}", fails)
    done = []
    with metered() as found:
        done.append(1)
    assert (done, found.kwh) == ([1], None)


def test_what_fails_in_the_block_is_raised_as_it_was() -> None:
    """The meter hides no error of the training."""
    with pytest.raises(ZeroDivisionError), metered():
        raise ZeroDivisionError
