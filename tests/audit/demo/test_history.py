"""The biased history and the lender that learns from it."""

from pathlib import Path

import numpy as np
import pytest

from audit.demo.history import Application, Past, lending_history, train_lender
from audit.targets.trainable.decision_model import load
from probes.grammar import lint


@pytest.fixture(scope="module")
def history() -> list[Application]:
    """A history long enough to count."""
    return lending_history(3000, seed=1)


def _rate(history: list[Application], attribute: str, group: str) -> float:
    return float(np.mean([past.approved for past in history if past.groups[attribute] == group]))


def test_same_seed_same_history() -> None:
    """The same seed gives the same applications; another gives others."""
    assert lending_history(50, seed=4) == lending_history(50, seed=4)
    assert lending_history(50, seed=4) != lending_history(50, seed=5)


def test_decisions_follow_merit_with_noise(history: list[Application]) -> None:
    """Past decisions agree with the rule far more often than not, but not always."""
    agreed = np.mean([past.approved == past.deserved for past in history])
    assert 0.75 < agreed < 0.98


@pytest.mark.parametrize(
    ("attribute", "group", "reference"),
    [("gender", "female", "male"), ("race_ethnicity", "black", "white"), ("age", "older", "middle")],
)
def test_planted_bias_shows(history: list[Application], attribute: str, group: str, reference: str) -> None:
    """A group with a penalty was approved less often than the group without."""
    assert _rate(history, attribute, group) < _rate(history, attribute, reference) - 0.03


def test_without_penalties_decisions_change_and_texts_stay() -> None:
    """Penalties act on decisions only: the applications themselves are the same."""
    fair = lending_history(400, 1, Past(penalties={}))
    biased = lending_history(400, seed=1)
    assert [past.text for past in fair] == [past.text for past in biased]
    assert sum(past.approved for past in fair) > sum(past.approved for past in biased)
    lost = [a.approved and not b.approved for a, b in zip(biased, fair, strict=True)]
    assert not any(lost)


def test_texts_are_clean(history: list[Application]) -> None:
    """Every application reads without a leftover slot or a wrong article."""
    assert [found for past in history[:300] for found in lint(past.text)] == []


def test_wrong_arguments_are_refused() -> None:
    """An empty history and an unknown group are refused, with what is accepted."""
    with pytest.raises(ValueError, match="at least 1; got 0"):
        lending_history(0, seed=1)
    with pytest.raises(ValueError, match="unknown groups: martian"):
        lending_history(1, 1, Past(penalties={"martian": -1.0}))


def test_the_lender_learns_merit(tmp_path: Path) -> None:
    """A lender trained on a fair history decides fresh applications as the rule does, mostly."""
    spec = train_lender(tmp_path / "m", seed=2, n=1500, penalties={})
    assert spec["type"] == "trainable"
    fresh = lending_history(400, 8, Past(penalties={}))
    chances = load(Path(str(spec["path"]))).probability([past.text for past in fresh])
    assert np.mean((chances > 0.5) == [past.deserved for past in fresh]) > 0.88
