"""What a repair took, read from what trainers note."""

import json
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.repaired.cost import RepairCost, read_repair_cost


def _noted(folder: Path, said: object) -> Path:
    (folder / "training.json").write_text(json.dumps(said))
    return folder


def test_what_nobody_noted_is_unknown_and_never_nothing(tmp_path: Path) -> None:
    """Tokens of phases add up, and money and energy that the file does not hold are None."""
    said = {"trainer": {"name": "transformers"}, "seconds": 3.5, "energy_kwh": None}
    phases = [{"tokens": 10, "steps": 1}, {"tokens": 5, "steps": 1}]
    found = read_repair_cost(_noted(tmp_path, said | {"phases": phases}))
    assert found == RepairCost(trainer="transformers", seconds=3.5, tokens=15, usd=None, energy_kwh=None)
    metered = said | {"energy_kwh": 0.002, "energy_source": "a meter, an estimate"}
    found = read_repair_cost(_noted(tmp_path, metered))
    assert (found.energy_kwh, found.energy_source) == (0.002, "a meter, an estimate")
    job = {"trainer": {"name": "openai"}, "trained_tokens": 900, "usd": 0.25}
    found = read_repair_cost(_noted(tmp_path, job))
    assert found == RepairCost(trainer="openai", seconds=None, tokens=900, usd=0.25, energy_kwh=None)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ([], "trainer: missing"),
        ({"trainer": "x"}, "trainer: missing"),
        ({"trainer": {"name": "x"}, "usd": -1}, "usd"),
    ],
)
def test_a_malformed_note_is_one_line(tmp_path: Path, said: object, problem: str) -> None:
    """What no trainer writes is refused with the file and the key."""
    with pytest.raises(InputError, match=problem) as caught:
        read_repair_cost(_noted(tmp_path, said))
    assert "training.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_note_is_named(tmp_path: Path) -> None:
    """A model whose trainer noted nothing is told by its path."""
    with pytest.raises(InputError, match=r"training\.json: cannot be read"):
        read_repair_cost(tmp_path)
