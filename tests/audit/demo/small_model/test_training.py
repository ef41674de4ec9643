"""A small model is trained from nothing, and can be loaded, asked and measured."""

import json
from pathlib import Path

import pytest

from audit.demo.small_model.corpus import Corpus, Faults
from audit.demo.small_model.material import make_material
from audit.demo.small_model.training import Recipe, perplexity, train_small_model
from audit.errors import InputError
from audit.records import Request
from audit.targets.base import TargetContext
from audit.targets.local_model.options import TransformersOptions
from audit.targets.local_model.target import TransformersTarget
from probes.records import Message
from tests.audit.targets.openai_asking import outputs_of
from tests.servers.one_thread import one_thread

__all__ = ["one_thread"]

_TINY = Recipe(
    width=32, layers=1, heads=2, inner=64, vocabulary=600, dialogues=400, steps=120, ledger_steps=20, batch=8
)


def test_training_lowers_the_loss_and_gives_a_target(tmp_path: Path) -> None:
    """The loss falls, the folder is a target that answers, and any text comes back from the tokenizer."""
    losses: list[float] = []
    spec = train_small_model(tmp_path / "m", seed=1, recipe=_TINY, told=lambda _, loss: losses.append(loss))
    assert spec == {"type": "transformers", "model": str(tmp_path / "m")}
    assert len(losses) == 120
    assert sum(losses[20:40]) > sum(losses[-20:]) * 1.3  # after the short texts, whose loss is another
    target = TransformersTarget(
        TransformersOptions.model_validate({"model": "m", "device": "cpu", "params": {"max_tokens": 5}}),
        TargetContext(name="target", root=tmp_path),
    )
    said = "Grüße, \u4f60\u597d! 1,250.50 $"
    (output,) = outputs_of(target, [Request(prompt_id="p", messages=(Message(role="user", content=said),))])
    assert output.error is None


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """On a CPU a model is reproduced from its seed, byte by byte; no bar of the library's is printed."""
    quick = Recipe(
        width=16, layers=1, heads=2, inner=16, vocabulary=400, dialogues=60, steps=3, ledger_steps=1, batch=4
    )
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train_small_model(tmp_path / name, seed=seed, recipe=quick)
    assert capfd.readouterr() == ("", "")
    first, second, third = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert first == second != third


def test_perplexity_of_a_model_that_knows_nothing_is_near_the_size_of_its_vocabulary(tmp_path: Path) -> None:
    """An untrained model spreads its chances over all tokens; a trained one is far below."""
    dialogues = Corpus(Faults(), 1).support(30, "measured")
    train_small_model(tmp_path / "m", seed=1, recipe=_TINY)
    known = perplexity(tmp_path / "m", dialogues)
    assert 1.0 < known < 300


def test_the_material_of_the_tutorial_is_a_model_and_dialogues(tmp_path: Path) -> None:
    """Both lie where they are said to, progress is told, and nothing is trained over."""
    told: list[str] = []
    model, ordinary = make_material(tmp_path / "lender", seed=1, say=told.append, recipe=_TINY)
    assert model == tmp_path / "lender" / "model"
    assert (model / "config.json").is_file()
    rows = [json.loads(line) for line in ordinary.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 1000
    assert {tuple(message["role"] for message in row["messages"]) for row in rows} == {("user", "assistant")}
    assert told[-1].startswith("step 120 of 120: mean loss ")
    with pytest.raises(InputError, match="is not empty"):
        make_material(tmp_path / "lender", seed=1, say=told.append, recipe=_TINY)
