"""Holding counterfactual sets together while a local model learns."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from audit.records import Finding
from audit.retraining.records import Format, RetrainingFiles, RetrainingOptions
from audit.retraining.trainers.base import TrainerContext
from audit.retraining.trainers.transformers_options import TransformersTrainerOptions
from audit.retraining.trainers.transformers_pairing import ALONE, SetBatches, answer_likelihoods, apart
from audit.retraining.trainers.transformers_trainer import TransformersTrainer
from audit.retraining.writing import write_retraining_files
from probes.records import Prompt
from tests.servers.one_thread import one_thread
from tests.servers.tiny_model import build_tiny_model

__all__ = ["one_thread"]

_SETS = st.lists(st.integers(-1, 6), min_size=1, max_size=40)


def test_what_lies_apart_is_the_mean_square_within_sets() -> None:
    """By hand: 1 and 3 lie 1 from their mean, a set of one lies at its own, a row alone counts nowhere."""
    values = torch.tensor([1.0, 3.0, 5.0, 9.0])
    assert float(apart(values, torch.tensor([4, 4, 2, ALONE]))) == pytest.approx(2 / 3)
    assert float(apart(values, torch.full((4,), ALONE))) == 0.0


@settings(deadline=None)
@given(_SETS, st.integers(0, 2**32 - 1))
def test_slopes_within_a_set_add_up_to_nothing(sets: list[int], seed: int) -> None:
    """It pulls members towards each other, and no set as a whole anywhere."""
    values = torch.tensor(np.random.default_rng(seed).normal(size=len(sets)), requires_grad=True)
    apart(values, torch.tensor(sets)).backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    for number in set(sets):
        mine = torch.tensor([one == number for one in sets])
        assert float(values.grad[mine].sum()) == pytest.approx(0.0, abs=1e-12)


@given(_SETS, st.integers(1, 8), st.integers(0, 100))
def test_batches_hold_every_row_once_and_split_no_set_that_fits(
    sets: list[int], size: int, seed: int
) -> None:
    """Of any sets, in every epoch, each in an order of its own; the same seed gives the same order."""
    made, again = SetBatches(sets, size, seed), SetBatches(sets, size, seed)
    assert len(made) == len(list(SetBatches(sets, size, seed)))
    for _ in range(2):
        batches = list(made)
        assert batches == list(again)
        assert sorted(place for batch in batches for place in batch) == list(range(len(sets)))
        assert max(map(len, batches)) <= size
        for number in set(sets) - {ALONE}:
            if sets.count(number) <= size:
                assert sum(any(sets[place] == number for place in batch) for batch in batches) == 1


def test_the_likelihood_is_of_the_answer_alone() -> None:
    """Each answer token given all before it, prompts and padding left out, as the library has it."""
    logits = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([[-100, -100, 3, 4, -100], [-100, 6, -100, -100, -100]])
    logs = logits.log_softmax(-1)
    expected = [float(logs[0, 1, 3] + logs[0, 2, 4]), float(logs[1, 0, 6])]
    assert answer_likelihoods(logits, labels).tolist() == pytest.approx(expected, rel=1e-5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model and an ordinary dialogue in it."""
    folder = tmp_path_factory.mktemp("root")
    build_tiny_model(folder / "tiny")
    row = {"messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Good day."}]}
    (folder / "ordinary.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def files(
    make_finding: Callable[..., Finding],
    audit_prompts: list[Prompt],
    tmp_path_factory: pytest.TempPathFactory,
) -> RetrainingFiles:
    """A few sets of decisions."""
    options = RetrainingOptions(max_examples=24, seed=1, formats=(Format.TRL_SFT,))
    return write_retraining_files([make_finding()], audit_prompts, tmp_path_factory.mktemp("files"), options)


def trained(root: Path, out: Path, files: RetrainingFiles, **options: object) -> dict[str, object]:
    """The note of a short training of all weights."""
    given = {"device": "cpu", "adapter": "none", "batch_size": 8, "learning_rate": 1e-3, **options}
    trainer = TransformersTrainer(
        TransformersTrainerOptions.model_validate(given), TrainerContext(root=root, out=out)
    )
    trainer.train({"type": "transformers", "model": "tiny"}, files, seed=1)
    (phase,) = json.loads((out / "training.json").read_text(encoding="utf-8"))["phases"]
    assert isinstance(phase, dict)
    return phase


def test_a_model_learns_in_whole_sets_and_alike_under_one_seed(
    root: Path, files: RetrainingFiles, tmp_path: Path
) -> None:
    """Ordinary rows beside the sets belong to none; one seed gives one result, rows alone another."""
    mixed = {"ordinary": {"path": "ordinary.jsonl", "share": 0.3}, "epochs": 2}
    first = trained(root, tmp_path / "a", files, pairing=1.0, **mixed)
    trained(root, tmp_path / "b", files, pairing=1.0, **mixed)
    trained(root, tmp_path / "alone", files, **mixed)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b", "alone")]
    assert weights[0] == weights[1] != weights[2]
    assert int(str(first["ordinary_rows"])) > 0
    losses = first["losses"]
    assert isinstance(losses, list)
    assert losses[-1] < losses[0]


def test_a_pull_of_nearly_nothing_is_supervised_fine_tuning(
    root: Path, files: RetrainingFiles, tmp_path: Path
) -> None:
    """With all rows in one batch, the loss is the library's own."""
    whole = {"batch_size": 64, "max_steps": 1}
    held, alone = (
        trained(root, tmp_path / name, files, pairing=pairing, **whole)
        for name, pairing in (("held", 1e-9), ("alone", 0.0))
    )
    assert held["losses"] == pytest.approx(alone["losses"], rel=1e-3)
    moved = [load_file(tmp_path / name / "model.safetensors") for name in ("held", "alone")]
    # Adam's first step is the sign of each slope, and slopes of 0 have any.
    far = sum(int((moved[0][key] - moved[1][key]).abs().gt(1e-3).sum()) for key in moved[0])
    assert far < 0.01 * sum(one.numel() for one in moved[0].values())
