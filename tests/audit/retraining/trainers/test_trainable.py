"""The trainer of the trainable target, and the whole repair."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from audit.demo.history import train_lender
from audit.errors import InputError
from audit.repaired.cost import read_repair_cost
from audit.retraining.records import Format, RetrainingFiles
from audit.retraining.trainers.base import TrainerContext
from audit.retraining.trainers.trainable import TrainableTrainer, TrainableTrainerOptions
from audit.targets.trainable.decision_model import load
from probes.data import file_sha256
from probes.plugins import load as load_plugin
from probes.records import Prompt


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A biased lender."""
    return train_lender(tmp_path_factory.mktemp("base"), seed=5, n=2500)


def _trainer(out: Path, **options: object) -> TrainableTrainer:
    return TrainableTrainer(
        TrainableTrainerOptions.model_validate(options), TrainerContext(root=Path(), out=out)
    )


def _gap(spec: dict[str, object], prompts: list[Prompt]) -> float:
    chosen = [prompt for prompt in prompts if prompt.attribute == "gender"]
    chances = load(Path(str(spec["path"]))).probability([prompt.messages[-1].content for prompt in chosen])
    groups = np.array([prompt.group for prompt in chosen])
    return float(chances[groups == "female"].mean() - chances[groups == "male"].mean())


def test_the_repair_shrinks_the_disparity_on_unseen_templates(
    base: dict[str, object], files: RetrainingFiles, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Trained on the files, the lender's gender gap on audit prompts falls by half or more."""
    before = _gap(base, audit_prompts)
    repaired = _trainer(tmp_path / "new").train(base, files, seed=1)
    assert before < -0.05
    assert abs(_gap(repaired, audit_prompts)) < abs(before) / 2
    assert repaired == {**base, "path": str(tmp_path / "new")}


def test_sets_held_together_leave_less_than_rows_alone(
    base: dict[str, object], files: RetrainingFiles, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """The pull within counterfactual sets reaches audit templates too, and can be turned off."""
    together = _trainer(tmp_path / "together").train(base, files, seed=1)
    alone = _trainer(tmp_path / "alone", pairing=0).train(base, files, seed=1)
    assert abs(_gap(together, audit_prompts)) < 0.5 * abs(_gap(alone, audit_prompts))


def test_what_training_took_lies_beside_the_model(
    base: dict[str, object], files: RetrainingFiles, tmp_path: Path
) -> None:
    """A comparison can read the trainer's note; what was not measured is unknown and not 0."""
    _trainer(tmp_path / "new").train(base, files, seed=1)
    cost = read_repair_cost(tmp_path / "new")
    assert cost.trainer == "trainable"
    assert cost.seconds is not None
    assert (cost.tokens, cost.usd, cost.energy_kwh) == (None, None, None)
    said = json.loads((tmp_path / "new" / "training.json").read_text(encoding="utf-8"))
    (read,) = said["files"]
    assert read["sha256"] == file_sha256(files.folder / read["path"])
    assert 0 < said["rows"] <= sum(files.manifest.kinds.values())


def test_training_is_repeatable_and_leaves_the_base(
    base: dict[str, object], files: RetrainingFiles, tmp_path: Path
) -> None:
    """The same files give the same model, and the base model's files are not touched."""
    base_bytes = (Path(str(base["path"])) / "weights.npz").read_bytes()
    _trainer(tmp_path / "a").train(base, files, seed=1)
    _trainer(tmp_path / "b", format="openai-sft").train(base, files, seed=2)
    assert (Path(str(base["path"])) / "weights.npz").read_bytes() == base_bytes
    assert (tmp_path / "a" / "weights.npz").read_bytes() == (tmp_path / "b" / "weights.npz").read_bytes()


def _copy(files: RetrainingFiles, out: Path) -> RetrainingFiles:
    shutil.copytree(files.folder, out)
    return RetrainingFiles(folder=out, manifest=files.manifest)


def test_swapped_preference_files_are_refused(
    base: dict[str, object], files: RetrainingFiles, tmp_path: Path
) -> None:
    """A folder with a preference file turned round is refused before anything is learned."""
    copy = _copy(files, tmp_path / "files")
    path = copy.folder / "train.trl-dpo.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    turned = [{"prompt": r["prompt"], "chosen": r["rejected"], "rejected": r["chosen"]} for r in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in turned), encoding="utf-8")
    with pytest.raises(InputError, match="chosen and rejected are swapped"):
        _trainer(tmp_path / "new").train(base, copy, seed=1)
    assert not (tmp_path / "new").exists()


def test_changed_and_missing_files_are_refused(
    base: dict[str, object], files: RetrainingFiles, tmp_path: Path
) -> None:
    """A file changed after writing, or gone, is refused by name."""
    copy = _copy(files, tmp_path / "files")
    path = copy.folder / "train.trl-sft.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputError, match=r"train\.trl-sft\.jsonl: checksum differs"):
        _trainer(tmp_path / "new").train(base, copy, seed=1)
    path.unlink()
    with pytest.raises(InputError, match=r"train\.trl-sft\.jsonl: no such file"):
        _trainer(tmp_path / "new").train(base, copy, seed=1)


def test_other_targets_are_refused(files: RetrainingFiles, tmp_path: Path) -> None:
    """A target of another type, or with a wrong option, is refused with what is accepted."""
    with pytest.raises(InputError, match="type is 'openai'; the trainer trainable accepts: trainable"):
        _trainer(tmp_path).train({"type": "openai"}, files, seed=1)
    with pytest.raises(InputError, match=r"target: colour: unknown key"):
        _trainer(tmp_path).train({"type": "trainable", "path": "x", "colour": 1}, files, seed=1)


def test_a_missing_format_is_told(base: dict[str, object], files: RetrainingFiles, tmp_path: Path) -> None:
    """A folder without the wanted format is refused with the format's name."""
    kept = tuple(file for file in files.manifest.files if file.format != Format.TRL_SFT)
    without = RetrainingFiles(folder=files.folder, manifest=files.manifest.model_copy(update={"files": kept}))
    with pytest.raises(InputError, match="no training file of the shape sft; accepted formats: trl-sft"):
        _trainer(tmp_path / "new").train(base, without, seed=1)


def test_it_is_registered_under_its_name() -> None:
    """The trainer is found by the name a user types."""
    assert load_plugin("evenhand.trainers", "trainable") is TrainableTrainer
    assert TrainableTrainer.info.trains == ("trainable",)


def test_files_without_decisions_are_refused(
    base: dict[str, object], refusal_files: RetrainingFiles, tmp_path: Path
) -> None:
    """Files that hold refusals only teach this target nothing, and it says so."""
    with pytest.raises(InputError, match="no row offers two options"):
        _trainer(tmp_path / "new").train(base, refusal_files, seed=1)
