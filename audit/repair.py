"""From findings to retraining files, and from files to a retrained target."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from audit.atomic import write_text
from audit.audited import TARGET
from audit.errors import NothingToRepairError
from audit.findings.document import RunDocument
from audit.planned_run import Run
from audit.plugins import TRAINERS, load_plugin, validated_options
from audit.retraining.own_answers import OwnAnswers
from audit.retraining.records import RetrainingFiles, RetrainingOptions
from audit.retraining.trainers.base import Trainer, TrainerContext
from audit.retraining.writing import write_retraining_files
from audit.spec import TargetSpec, dump_target

__all__ = ["Trained", "Training", "retrain", "train"]


def retrain(
    run: Run,
    document: RunDocument,
    out: Path,
    options: RetrainingOptions,
    *,
    kept_out: Sequence[Run] = (),
    own_answers: Run | None = None,
) -> RetrainingFiles:
    """Write retraining files from the findings of a run.

    Args:
        run: The run; its prompts are kept out of the files.
        document: What the run found.
        out: Folder of the files.
        options: How many examples, which formats, which seed.
        kept_out: Further runs whose prompts are kept out, such as one that is to judge the repair.
        own_answers: Run in which the same target was asked cases set aside for retraining.

    Raises:
        NothingToRepairError: Nothing was found, nothing that may be repaired, or no repair passed the gates.
        InputError: The folder cannot be written.
    """
    if not document.findings:
        raise NothingToRepairError(
            f"{run.folder.path}: has no finding, so there is nothing to repair",
            next_step=f"evenhand findings {run.folder.path} --all",
        )
    with ExitStack() as stack:
        stores = [stack.enter_context(one.store(read_only=True)) for one in (run, *kept_out)]
        prompts = chain.from_iterable(store.prompts() for store in stores)
        own = None if own_answers is None else _own(own_answers, stack)
        return write_retraining_files(document.findings, prompts, out, options, own)


def _own(asked: Run, stack: ExitStack) -> OwnAnswers:
    store, target = stack.enter_context(asked.store(read_only=True)), asked.spec.target
    named = str(target.options().get("model") or target.options().get("path") or "")
    # Of a folder the name: where it lies is nobody's business who reads the files.
    shown = Path(named).name if named and (asked.root / named).exists() else named
    model = f"{target.type} {shown}".strip()
    outputs = (output for _, output in store.answers([TARGET]))
    return OwnAnswers(store.prompts(), outputs, model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A target that learned from retraining files."""

    target: Mapping[str, object]
    """As a spec names it; paths are relative to the root of the run."""
    file: Path
    """The same as YAML, for `evenhand run SPEC --target`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How to train."""

    trainer: str
    """Name of a trainer."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Of the trainer."""
    base: TargetSpec | None = None
    """The target to train, where the run asked it in another way, such as over HTTP; None: the run's."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables, of which a trainer reads those that the target names."""
    told: Callable[[str], None] | None = None
    """Called with a line on how training goes."""
    agreed: Callable[[str], bool] | None = None
    """Asked before something is spent; None: it is agreed to."""


def train(how: Training, run: Run, files: RetrainingFiles, out: Path, *, seed: int) -> Trained:
    """Train the target of a run on retraining files.

    Args:
        how: Trainer, its options and what to start from.
        run: The run whose target to start from.
        files: What `retrain` wrote.
        out: Folder of the trained model.
        seed: Root seed of training.

    Raises:
        SpecError: There is no such trainer, or an option is not one of its own.
        InputError: The trainer cannot train this target, or refuses the files.
    """
    plugin = load_plugin(TRAINERS, how.trainer, where="--train")
    # A spec's paths are relative to where it stands, not to where the command is given.
    relative = Path(os.path.relpath(out.resolve(), run.root.resolve()))
    context = TrainerContext(root=run.root, out=run.root / relative, secrets=how.secrets)
    context = context if how.told is None else replace(context, told=how.told)
    context = context if how.agreed is None else replace(context, agreed=how.agreed)
    trainer: Trainer = plugin(
        validated_options(plugin, how.options, where=f"--train {how.trainer}"),
        context,
    )
    start = how.base or run.spec.target
    trained = trainer.train({"type": start.type, **start.options()}, files, seed=seed)
    target = {key: _from_root(value, run.root) for key, value in trained.items()}
    file = out / "target.yaml"
    write_text(file, dump_target(target))
    return Trained(target=target, file=file)


def _from_root(value: object, root: Path) -> object:
    """A path beneath the root as a spec would give it; anything else as it is."""
    if isinstance(value, str) and root != Path() and value.startswith(f"{root}{os.sep}"):
        return os.path.relpath(value, root)
    return value
