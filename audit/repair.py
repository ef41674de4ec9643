"""From findings to retraining files, and from files to a retrained target."""

from pathlib import Path

from audit.errors import InputError
from audit.findings.document import RunDocument
from audit.planned_run import Run
from audit.plugins import TRAINERS, load_plugin, validated_options
from audit.retraining.records import RetrainingFiles, RetrainingOptions
from audit.retraining.trainers.base import Trainer, TrainerContext
from audit.retraining.writing import write_retraining_files

__all__ = ["retrain", "train"]


def retrain(run: Run, document: RunDocument, out: Path, options: RetrainingOptions) -> RetrainingFiles:
    """Write retraining files from the findings of a run.

    Args:
        run: The run; its prompts are kept out of the files.
        document: What the run found.
        out: Folder of the files.
        options: How many examples, which formats, which seed.

    Raises:
        InputError: Nothing was found, or nothing that may be repaired.
    """
    if not document.findings:
        raise InputError(
            f"{run.folder.path}: has no finding, so there is nothing to repair",
            next_step=f"evenhand findings {run.folder.path} --all",
        )
    with run.store(read_only=True) as store:
        return write_retraining_files(document.findings, store.prompts(), out, options)


def train(name: str, run: Run, files: RetrainingFiles, out: Path, *, seed: int) -> dict[str, object]:
    """Train the target of a run on retraining files.

    Args:
        name: Name of the trainer.
        run: The run whose target to start from.
        files: What `retrain` wrote.
        out: Folder of the trained model.
        seed: Root seed of training.

    Returns:
        The new target as a spec names it.

    Raises:
        SpecError: There is no such trainer.
        InputError: The trainer cannot train this target, or refuses the files.
    """
    plugin = load_plugin(TRAINERS, name, where="--train")
    context = TrainerContext(root=run.root, out=out)
    trainer: Trainer = plugin(validated_options(plugin, {}, where="--train"), context)
    base = {"type": run.spec.target.type, **run.spec.target.options()}
    return trainer.train(base, files, seed=seed)
