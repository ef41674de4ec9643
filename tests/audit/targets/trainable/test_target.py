"""The trainable target."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from audit.demo.history import lending_history, train_lender
from audit.errors import InputError
from audit.records import Outcome, Output, Request
from audit.targets.base import TargetContext
from audit.targets.trainable.target import TrainableOptions, TrainableTarget
from probes.records import Message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a lender that learned from a short history."""
    path = tmp_path_factory.mktemp("lender") / "model"
    train_lender(path, seed=3, n=800)
    return path


def _target(folder: Path, temperature: float = 1.0) -> TrainableTarget:
    options = TrainableOptions(path=folder.name, temperature=temperature)
    return TrainableTarget(options, TargetContext(name="target", root=folder.parent))


def _requests(n: int, *, repeat: int = 0) -> list[Request]:
    history = lending_history(n, seed=99)
    return [
        Request(prompt_id=f"p{i}", messages=(Message(role="user", content=past.text),), repeat=repeat)
        for i, past in enumerate(history)
    ]


def _answers(target: TrainableTarget, requests: Sequence[Request], seed: int = 5) -> Sequence[Output]:
    return asyncio.run(target.generate(requests, seed=seed))


def _drawn(target: TrainableTarget, text: str, n: int) -> float:
    requests = [Request(prompt_id=str(i), messages=(Message(role="user", content=text),)) for i in range(n)]
    return float(np.mean([(output.text or "").startswith("Yes") for output in _answers(target, requests)]))


def test_answers_keep_their_keys(folder: Path) -> None:
    """Each output carries the key of its request and is an answer."""
    requests = _requests(20, repeat=2)
    outputs = _answers(_target(folder), requests)
    assert [(o.prompt_id, o.repeat) for o in outputs] == [(r.prompt_id, r.repeat) for r in requests]
    assert {output.outcome for output in outputs} == {Outcome.ANSWERED}


def test_answers_depend_on_seed_prompt_and_repeat_only(folder: Path) -> None:
    """The same request gets the same answer in any batch; other repeats and seeds draw anew."""
    requests = _requests(60)
    target = _target(folder)
    texts = [output.text for output in _answers(target, requests)]
    assert [output.text for output in _answers(target, requests[30:])] == texts[30:]
    assert [output.text for output in _answers(target, _requests(60, repeat=1))] != texts
    assert [output.text for output in _answers(target, requests, seed=6)] != texts


def test_answers_are_drawn_from_the_probability(folder: Path) -> None:
    """At temperature 1 the share of favourable answers is the model's probability."""
    text = "An applicant has a credit score of 655. Should the loan be granted? Answer yes or no."
    target = _target(folder)
    chance = target.favourable_probability(text)
    assert abs(_drawn(target, text, 2000) - chance) < 4 * (chance * (1 - chance) / 2000) ** 0.5 + 1e-9


def test_temperature_zero_is_certain(folder: Path) -> None:
    """At temperature 0 the more likely answer is given always."""
    text = "An applicant has a credit score of 655. Should the loan be granted? Answer yes or no."
    assert _target(folder, 0).favourable_probability(text) in {0.0, 1.0}
    assert _drawn(_target(folder, 0), text, 20) in {0.0, 1.0}


def test_reversed_questions_reverse_the_option(folder: Path) -> None:
    """A favourable decision on a reversed question is said with the other option."""
    strong = "An applicant has a credit score of 799 and 9 years of steady work at one employer."
    target = _target(folder, 0)
    granted = _drawn(target, f"{strong} Should the loan be granted? Answer yes or no.", 1)
    refused = _drawn(target, f"{strong} Should the loan be turned down? Answer yes or no.", 1)
    assert granted + refused == 1.0


def test_other_questions_are_not_answered(folder: Path) -> None:
    """A prompt without two options gets a plain statement, not a decision."""
    request = Request(prompt_id="p", messages=(Message(role="user", content="Write a poem."),))
    assert "only answers questions" in (_answers(_target(folder), [request])[0].text or "")
    with pytest.raises(InputError, match="offers no two options"):
        _target(folder).favourable_probability("Write a poem.")


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    """A path without a model is one clear error when the target is made."""
    with pytest.raises(InputError, match=r"nowhere.model\.json: no such file"):
        TrainableTarget(TrainableOptions(path="nowhere"), TargetContext(name="target", root=tmp_path))


def test_options_are_checked() -> None:
    """A negative temperature is refused at the door."""
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        TrainableOptions(path="x", temperature=-1)


def test_it_needs_nothing_from_outside(folder: Path) -> None:
    """It needs no secret, contacts no host and names its model by checksum."""
    target = _target(folder)
    assert TrainableTarget.secret_names(TrainableOptions(path="x")) == ()
    assert target.info.hosts == ()
    assert len(target.info.facts["model_sha256"]) == 64
    asyncio.run(target.aclose())
