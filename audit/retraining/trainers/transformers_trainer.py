"""The `transformers` trainer: a local model learns from retraining files by TRL, in part or in whole."""

import errno
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from audit.atomic import NEXT_STEP, write_text
from audit.errors import ExtraMissingError, InputError
from audit.retraining.layouts.table import layout
from audit.retraining.records import Format, RetrainingFiles, Shape
from audit.retraining.trainers.base import TrainerContext, TrainerInfo
from audit.retraining.trainers.checks import base_options, check_files, training_file
from audit.retraining.trainers.energy import metered
from audit.retraining.trainers.transformers_options import Method, TransformersTrainerOptions
from audit.targets.installed import missing_packages
from audit.targets.local_model.options import TransformersOptions
from probes.base import Options
from probes.data import file_sha256

if TYPE_CHECKING:
    from audit.retraining.trainers.transformers_learning import Learned

__all__ = ["TRAINING", "TransformersTrainer"]

TRAINING = "training.json"
"""What a trained folder says of its training."""
_FORMATS: Mapping[Method, tuple[Format, ...]] = {
    "sft": (Format.TRL_SFT, Format.HF, Format.OPENAI_SFT),
    "dpo": (Format.TRL_DPO, Format.HF, Format.OPENAI_DPO),
    "kto": (Format.TRL_KTO, Format.HF),
}


class TransformersTrainer:
    """Fine-tunes a causal language model of this machine."""

    Options: ClassVar[type[Options]] = TransformersTrainerOptions
    info: ClassVar[TrainerInfo] = TrainerInfo(
        name="transformers",
        version="1",
        trains=("transformers",),
        reads=tuple(dict.fromkeys(one for formats in _FORMATS.values() for one in formats)),
        method="Supervised fine-tuning, DPO or KTO by TRL, on low-rank adapters or on all weights.",
    )

    def __init__(self, options: TransformersTrainerOptions, context: TrainerContext) -> None:
        """Keep options and folders; no library is imported.

        Raises:
            ExtraMissingError: torch, transformers, TRL, datasets or peft is not installed.
        """
        missing = missing_packages("torch", "transformers", "trl", "datasets", "peft")
        if missing:
            raise ExtraMissingError(
                f"trainer transformers needs {', '.join(missing)}",
                next_step='pip install "evenhand[training]"',
            )
        self._options = options
        self._context = context

    def train(self, base: Mapping[str, object], files: RetrainingFiles, *, seed: int) -> dict[str, object]:
        """A `transformers` target that learned from the training split, saved in the context's `out`.

        Every file is checked against the manifest, and every preference file for its direction, before
        anything is learned. The model is written to a folder beside `out` that takes its place at the end:
        a training that was killed leaves nothing that looks whole, and is begun anew.

        Args:
            base: `type: transformers` with its `model`, with or without an `adapter`; other options pass on.
            files: What `write_retraining_files` wrote.
            seed: Root seed of new weights, order and draws; on a CPU the same seed gives the same weights.

        Returns:
            The base with the new `adapter`, or the new `model`.

        Raises:
            InputError: Wrong target type; a file missing, changed, or with chosen and rejected swapped; a
                method without its file; a row longer than `max_length`; the folder cannot be written.
        """
        target = base_options(base, "transformers", TransformersOptions, trainer=self.info.name)
        check_files(files)
        chosen = {one: training_file(files, _FORMATS[one], Shape(one)) for one in self._options.methods}
        out = self._context.out
        _refuse_own_folder(out, target, self._context.root)
        if self._options.adapter == "none" and target.adapter is not None:
            raise InputError(
                "--train transformers: adapter: none moves all weights, but the target has an adapter, which "
                "is trained on; leave adapter out, or merge the target's adapter into its model first"
            )
        if out.exists() and any(out.iterdir()) and not (out / TRAINING).is_file():
            raise InputError(f"{out}: is not empty and holds no trained model; name another folder")
        unfinished, before = (out.with_name(f".{out.name}.{word}") for word in ("unfinished", "before"))
        if before.exists() and not out.exists():
            before.rename(out)  # a training was killed while it put the new model in the old one's place
        shutil.rmtree(unfinished, ignore_errors=True)

        from audit.retraining.trainers.transformers_learning import (  # noqa: PLC0415 - takes seconds
            Material,
            learn,
        )

        read = {
            one: Material(
                path=files.folder / file.path,
                layout=layout(file.format, file.shape),
                sidecar=files.folder / file.provenance,
            )
            for one, file in chosen.items()
        }
        begun = time.monotonic()
        try:
            unfinished.mkdir(parents=True)
            with metered() as energy:
                learned = learn(target, self._options, read, self._context.root, unfinished, seed)
            took = {
                "seconds": round(time.monotonic() - begun, 1),
                "energy_kwh": energy.kwh,
                "energy_source": energy.source,
            }
            learned_from = [material.path for material in read.values()]
            if self._options.ordinary is not None:
                learned_from.append(self._context.root / self._options.ordinary.path)
            said = {**self._said(base, learned, learned_from, seed), **took}
            write_text(unfinished / TRAINING, json.dumps(said, indent=2, ensure_ascii=False) + "\n")
        except BaseException as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            refused = _refused_by_the_system(error)
            if refused is None:
                raise
            kept = "the model that lay there is kept" if out.exists() else "nothing was left there"
            raise InputError(f"{out}: cannot be written: {refused}; {kept}", next_step=NEXT_STEP) from error
        if out.exists():
            shutil.rmtree(before, ignore_errors=True)
            out.rename(before)
        unfinished.rename(out)
        shutil.rmtree(before, ignore_errors=True)
        key = "adapter" if self._options.adapter == "lora" else "model"
        return {**base, key: str(out)}

    def _said(
        self, base: Mapping[str, object], learned: "Learned", paths: list[Path], seed: int
    ) -> dict[str, object]:
        return {
            "schema_version": 1,
            "trainer": {"name": self.info.name, "version": self.info.version},
            "base": dict(base),
            "options": self._options.model_dump(mode="json"),
            "seed": seed,
            "files": [{"path": path.name, "sha256": file_sha256(path)} for path in paths],
            "phases": [phase.said() for phase in learned.phases],
            "device": learned.device,
            "versions": learned.versions,
        }


def _refused_by_the_system(error: BaseException) -> str | None:
    """What the system said to a write; None if something else went wrong, such as a file that is not there.

    The library that writes weights has an error of its own, which says it in words only.
    """
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return os.strerror(errno.ENOSPC) if f"(os error {errno.ENOSPC})" in str(error) else None


def _refuse_own_folder(out: Path, target: TransformersOptions, root: Path) -> None:
    """Refuses to put the new model where the one lies that it starts from, which must stay as it is."""
    for key, given in (("model", target.model), ("adapter", target.adapter)):
        folder = None if given is None else (root / given).resolve()
        if folder is not None and folder.is_dir() and out.resolve() in (folder, *folder.parents):
            raise InputError(f"{out}: holds the {key} that is to be trained; name another folder")
