"""The trainer of local language models, on real tiny models and TRL's own trainers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from audit.errors import InputError
from audit.records import Finding, Request
from audit.retraining.records import Format, RetrainingFiles, RetrainingOptions
from audit.retraining.trainers.base import TrainerContext
from audit.retraining.trainers.transformers_options import TransformersTrainerOptions
from audit.retraining.trainers.transformers_trainer import TransformersTrainer
from audit.retraining.writing import write_retraining_files
from audit.targets.base import TargetContext
from audit.targets.local_model.options import TransformersOptions
from audit.targets.local_model.target import TransformersTarget
from probes.records import Message, Prompt
from tests.audit.targets.openai_asking import outputs_of
from tests.servers.one_thread import one_thread
from tests.servers.tiny_model import build_tiny_model

__all__ = ["one_thread"]

_FAST = {"device": "cpu", "max_steps": 2, "batch_size": 2, "rank": 2}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model in it."""
    folder = tmp_path_factory.mktemp("root")
    build_tiny_model(folder / "tiny")
    return folder


@pytest.fixture(scope="module")
def every(
    make_finding: Callable[..., Finding],
    audit_prompts: list[Prompt],
    tmp_path_factory: pytest.TempPathFactory,
) -> RetrainingFiles:
    """A few rows in every shape that TRL reads, also those of `hf`."""
    formats = (Format.TRL_SFT, Format.TRL_DPO, Format.TRL_KTO, Format.HF)
    options = RetrainingOptions(max_examples=12, seed=1, formats=formats)
    return write_retraining_files([make_finding()], audit_prompts, tmp_path_factory.mktemp("files"), options)


def _train(
    root: Path, out: Path, files: RetrainingFiles, base: dict[str, object], **options: object
) -> dict[str, object]:
    made = TransformersTrainer(
        TransformersTrainerOptions.model_validate({**_FAST, **options}), TrainerContext(root=root, out=out)
    )
    return made.train(base, files, seed=1)


_BASE: dict[str, object] = {"type": "transformers", "model": "tiny", "params": {"max_tokens": 4}}


@pytest.mark.parametrize("method", ["sft", "dpo", "kto"])
def test_a_trl_trainer_takes_each_file_and_the_result_is_a_target(
    root: Path, every: RetrainingFiles, tmp_path: Path, method: str
) -> None:
    """Two steps on each file move the adapter, and the target that comes back answers."""
    target = _train(root, tmp_path / "out", every, _BASE, methods=[method])
    assert target == {**_BASE, "adapter": str(tmp_path / "out")}
    options = {key: value for key, value in target.items() if key != "type"}
    made = TransformersTarget(
        TransformersOptions.model_validate({**options, "device": "cpu"}),
        TargetContext(name="target", root=root),
    )
    (output,) = outputs_of(made, [_request()])
    assert output.text is not None
    said = json.loads((tmp_path / "out" / "training.json").read_text(encoding="utf-8"))
    (phase,) = said["phases"]
    assert (phase["method"], phase["steps"]) == (method, 2)
    assert said["energy_kwh"] > 0
    assert said["energy_source"].startswith("codecarbon ")
    read = every.find(Format(f"trl-{method}"))
    assert read is not None
    assert phase["rows"] == read.rows
    moved = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert any(float(weights.abs().max()) > 0 for name, weights in moved.items() if "lora_B" in name)


def test_all_weights_learn_alike_under_one_seed_and_the_base_stays(
    root: Path, every: RetrainingFiles, tmp_path: Path
) -> None:
    """On a CPU the same seed gives the same weights, methods follow each other, and the base stays."""
    before = (root / "tiny" / "model.safetensors").read_bytes()
    options = {"adapter": "none", "methods": ["sft", "dpo"], "sft_weight": 0.5, "learning_rate": 1e-3}
    for name in ("a", "b"):
        target = _train(root, tmp_path / name, every, _BASE, **options)
        assert target == {**_BASE, "model": str(tmp_path / name)}
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second
    assert first != before
    assert (root / "tiny" / "model.safetensors").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_an_adapter_is_trained_on_and_ordinary_rows_are_mixed_in(
    root: Path, every: RetrainingFiles, tmp_path: Path
) -> None:
    """A target with an adapter gets it back, further trained, with as many ordinary rows as asked for."""
    row = {"messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Good day."}]}
    (root / "ordinary.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    first = _train(root, tmp_path / "first", every, _BASE)
    again = _train(
        root, tmp_path / "again", every, first, ordinary={"path": "ordinary.jsonl", "share": 0.5}, rank=7
    )
    assert again["adapter"] == str(tmp_path / "again")
    shapes = [
        {
            name: tuple(one.shape)
            for name, one in load_file(tmp_path / at / "adapter_model.safetensors").items()
        }
        for at in ("first", "again")
    ]
    assert shapes[0] == shapes[1]
    said = json.loads((tmp_path / "again" / "training.json").read_text(encoding="utf-8"))
    assert [file["path"] for file in said["files"]] == ["train.trl-sft.jsonl", "ordinary.jsonl"]
    assert said["phases"][0]["ordinary_rows"] == said["phases"][0]["rows"] > 0


def test_swapped_files_missing_files_and_long_rows_are_refused(
    root: Path, every: RetrainingFiles, tmp_path: Path
) -> None:
    """What would teach the fault, or half an answer, is refused by name, and nothing is left behind."""
    copy = RetrainingFiles(folder=tmp_path / "files", manifest=every.manifest)
    shutil.copytree(every.folder, copy.folder)
    path = copy.folder / "train.trl-dpo.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    turned = [{"prompt": r["prompt"], "chosen": r["rejected"], "rejected": r["chosen"]} for r in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in turned), encoding="utf-8")
    with pytest.raises(InputError, match=r"train\.trl-dpo\.jsonl: chosen and rejected are swapped"):
        _train(root, tmp_path / "out", copy, _BASE, methods=["dpo"])
    with pytest.raises(InputError, match=r"row 1: has \d+ tokens; max_length accepts up to 16"):
        _train(root, tmp_path / "out", every, _BASE, max_length=16)
    with pytest.raises(InputError, match="type is 'openai'; the trainer transformers accepts: transformers"):
        _train(root, tmp_path / "out", every, {"type": "openai"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="is not empty and holds no trained model"):
        _train(root, tmp_path / "mine", every, _BASE)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*unfinished"))


def test_the_base_is_never_overwritten_and_its_adapter_never_ignored(
    root: Path, every: RetrainingFiles, tmp_path: Path
) -> None:
    """A model is not put where its base lies, and what cannot be done with a target is one line."""
    made = _train(root, tmp_path / "made", every, _BASE, adapter="none")
    again = {**made, "model": str(tmp_path / "made")}
    before = (tmp_path / "made" / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match="holds the model that is to be trained"):
        _train(root, tmp_path / "made", every, again, adapter="none")
    assert (tmp_path / "made" / "model.safetensors").read_bytes() == before
    adapted = _train(root, tmp_path / "adapted", every, _BASE)
    with pytest.raises(InputError, match="holds the adapter that is to be trained"):
        _train(root, tmp_path / "adapted", every, adapted)
    with pytest.raises(InputError, match="but the target has an adapter"):
        _train(root, tmp_path / "x", every, adapted, adapter="none")
    with pytest.raises(InputError, match="no folder of an adapter"):
        _train(root, tmp_path / "x", every, {**_BASE, "adapter": "nowhere"})
    with pytest.raises(InputError, match="target_modules: "):
        _train(root, tmp_path / "x", every, _BASE, target_modules="nosuch")
    assert not list(tmp_path.glob(".*unfinished"))


def test_a_method_without_its_file_says_which_formats_hold_one(
    root: Path, files: RetrainingFiles, tmp_path: Path
) -> None:
    """The default files hold no KTO rows; the message names the formats that would."""
    with pytest.raises(InputError, match="no training file of the shape kto; accepted formats: trl-kto, hf"):
        _train(root, tmp_path / "out", files, _BASE, methods=["kto"])


def _request() -> Request:
    return Request(prompt_id="p", messages=(Message(role="user", content="Approve? yes or no"),))
