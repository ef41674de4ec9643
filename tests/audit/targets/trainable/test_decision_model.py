"""The learned decision model and what it sees of a text."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import InputError
from audit.targets.trainable.decision_model import DecisionModel, _Apart, fit, fit_more, load, save
from audit.targets.trainable.features import WIDTH, matrix, read


def _cases(n: int = 300) -> tuple[list[str], list[bool]]:
    """Scores from 500 to 800, favourable from 650, and a word that says nothing."""
    scores = [500 + (37 * i) % 301 for i in range(n)]
    texts = [
        f"A {'tall' if i % 3 else 'short'} person has a credit score of {s}." for i, s in enumerate(scores)
    ]
    return texts, [score >= 650 for score in scores]


@pytest.fixture(scope="module")
def model() -> DecisionModel:
    """A model that learned the cases."""
    return fit(*_cases())


def test_numbers_generalise(model: DecisionModel) -> None:
    """A score never seen in training is judged by its neighbours, rising with the score."""
    chances = model.probability(
        [f"A person has a credit score of {s}." for s in (501, 575, 641, 659, 725, 799)]
    )
    assert np.all(np.diff(chances) > 0)
    assert chances[0] < 0.1
    assert chances[-1] > 0.9


def test_numbers_belong_to_their_own_words() -> None:
    """Two facts of one sentence are not mixed up, and dollars are another thing than percent."""
    _, numbers = read("A score of 655, an income of $48,000 and debts at 41% of income.")
    assert numbers == [("score", 655.0), ("income$", 48000.0), ("debts%", 41.0), ("income%", 41.0)]


@given(st.text(max_size=200))
@settings(max_examples=50)
def test_any_text_can_be_read(text: str) -> None:
    """No text makes reading fail, and features stay inside the matrix."""
    columns = matrix([read(text)], {"score": (650.0, 80.0)})
    assert columns.shape == (1, WIDTH + 1)
    assert np.all(np.isfinite(columns.data))


def test_saving_keeps_every_probability(model: DecisionModel, tmp_path: Path) -> None:
    """A saved and loaded model answers exactly alike, and the same model makes the same bytes."""
    save(model, tmp_path / "a")
    save(load(tmp_path / "a"), tmp_path / "b")
    texts, _ = _cases()
    assert np.array_equal(load(tmp_path / "a").probability(texts), model.probability(texts))
    for name in ("model.json", "weights.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_training_further_learns_and_keeps(model: DecisionModel) -> None:
    """New examples move what they speak of; a strong pull keeps the model where it was."""
    texts, favourable = _cases(60)
    turned = [not decision for decision in favourable]
    free = fit_more(model, texts, turned, pull=0.01)
    held = fit_more(model, texts, turned, pull=1000.0)
    before = model.probability(texts)
    assert np.mean((free.probability(texts) > 0.5) == turned) > 0.9
    assert np.abs(held.probability(texts) - before).max() < 0.2
    assert np.array_equal(model.probability(texts), before)


def _biased() -> tuple[DecisionModel, list[str], list[bool], list[str]]:
    """A model that takes much from tall people, and fair decisions in pairs of a tall and a short one."""
    texts, favourable = _cases(200)
    biased = fit(texts, [right and "tall" not in text for text, right in zip(texts, favourable, strict=True)])
    scores = [500 + (53 * i) % 301 for i in range(20)]
    pairs = [f"A {who} person has a credit score of {s}." for s in scores for who in ("tall", "short")]
    return (
        biased,
        pairs,
        [s >= 650 for s in scores for _ in range(2)],
        [str(s) for s in scores for _ in range(2)],
    )


def _apart(model: DecisionModel) -> float:
    """How far height moves the log-odds, at scores that were in no pair."""
    texts = [
        f"A {who} person has a credit score of {s}." for s in (555, 655, 755) for who in ("tall", "short")
    ]
    return float(np.abs(np.diff(model.log_odds(texts).reshape(-1, 2))).mean())


def test_sets_held_together_are_told_the_same() -> None:
    """Rows alone leave a gap in log-odds once every decision is right; held together it is nearly gone."""
    biased, texts, favourable, sets = _biased()
    alone = fit_more(biased, texts, favourable, pull=0.01)
    together = fit_more(biased, texts, favourable, pull=0.01, sets=sets, pairing=1.0)
    assert np.mean((together.probability(texts) > 0.5) == favourable) > 0.9
    assert _apart(together) < 0.1 * _apart(alone) < _apart(biased)


def test_a_row_of_no_set_is_held_to_nothing() -> None:
    """Without a single set, or with sets of one, the result is that of rows alone."""
    biased, texts, favourable, _ = _biased()
    alone = fit_more(biased, texts, favourable, pull=0.01)
    for sets in ([None] * len(texts), [str(place) for place in range(len(texts))], []):
        same = fit_more(biased, texts, favourable, pull=0.01, sets=sets, pairing=1.0)
        assert np.allclose(same.weights, alone.weights, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=12), st.integers(0, 2**32 - 1))
def test_the_slopes_of_what_holds_sets_together_are_right(members: list[int], seed: int) -> None:
    """The gradient is that of the cost, by differences."""
    cost = _Apart([None if one == 3 else str(one) for one in members], 0.7)
    at = np.random.default_rng(seed).normal(size=len(members))
    value, slopes = cost.of(at)
    for place in range(len(members)):
        step = np.zeros(len(members))
        step[place] = 1e-6
        assert abs((cost.of(at + step)[0] - value) / 1e-6 - slopes[place]) < 1e-4


def test_words_not_spoken_of_stay(model: DecisionModel) -> None:
    """Training further leaves the weight of every word that no new text has as it was."""
    more = fit_more(model, ["granted", "refused"], [True, False], pull=0.01)
    moved = np.flatnonzero(more.weights != model.weights)
    seen = matrix([read("granted"), read("refused")], model.scales).indices
    assert set(moved) <= set(seen)


def test_one_kind_of_decision_cannot_be_learned() -> None:
    """Training on decisions that are all alike is refused, with the counts."""
    with pytest.raises(InputError, match="2 favourable of 2"):
        fit(["a", "b"], [True, True])


def test_a_damaged_model_is_refused(model: DecisionModel, tmp_path: Path) -> None:
    """A missing, changed or foreign file is one clear error that names the file."""
    with pytest.raises(InputError, match=r"model\.json: no such file"):
        load(tmp_path)
    save(model, tmp_path)
    facts = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "weights.npz").write_bytes(b"x")
    with pytest.raises(InputError, match=r"weights\.npz: checksum"):
        load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({**facts, "format": "other"}))
    with pytest.raises(InputError, match="format is 'other'"):
        load(tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(InputError, match="not a trainable model"):
        load(tmp_path)


def test_lengths_must_agree() -> None:
    """Texts without a decision each are a mistake of the caller."""
    with pytest.raises(ValueError, match="2 texts but 1"):
        fit(["a", "b"], [True])


def test_no_text_no_probability(model: DecisionModel) -> None:
    """No text gives no probability, not an error."""
    assert model.probability([]).shape == (0,)
