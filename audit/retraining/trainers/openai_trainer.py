"""The `openai` trainer: a fine-tuning job on a service with OpenAI's interface, Azure's or a gateway's."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from audit.atomic import write_text
from audit.errors import InputError
from audit.retraining.records import Format, RetrainingFile, RetrainingFiles, Shape
from audit.retraining.trainers.base import TrainerContext, TrainerInfo
from audit.retraining.trainers.checks import base_options, check_files, file_to_read, training_file
from audit.retraining.trainers.openai_job import STATE, Job, Wanted
from audit.retraining.trainers.openai_trainer_options import OpenAITrainerOptions
from audit.targets.openai_api.options import OpenAIOptions
from audit.token_estimates import estimated_tokens
from probes.base import Options

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

__all__ = ["OpenAITrainer"]

_FORMATS: Mapping[Shape, tuple[Format, ...]] = {
    Shape.SFT: (Format.OPENAI_SFT, Format.TOGETHER),
    Shape.DPO: (Format.OPENAI_DPO, Format.TOGETHER),
}
_TRAINING = "training.json"
_MILLION = 1_000_000


class OpenAITrainer:
    """Uploads the files, begins a job, waits for it, and names the model that came out."""

    Options: ClassVar[type[Options]] = OpenAITrainerOptions
    info: ClassVar[TrainerInfo] = TrainerInfo(
        name="openai",
        version="1",
        trains=("openai",),
        reads=tuple(dict.fromkeys(one for formats in _FORMATS.values() for one in formats)),
        method="A fine-tuning job, supervised or by DPO, on a service with OpenAI's interface.",
    )

    def __init__(self, options: OpenAITrainerOptions, context: TrainerContext) -> None:
        """Keep options and folders; nothing is contacted yet."""
        self._options = options
        self._context = context

    def train(self, base: Mapping[str, object], files: RetrainingFiles, *, seed: int) -> dict[str, object]:
        """An `openai` target of the model that the job made.

        A training that was stopped while it waited goes on with its job; nothing is paid twice.

        Args:
            base: `type: openai` with its `model`, address and names of variables; other options pass on.
            files: What `write_retraining_files` wrote.
            seed: Of the job, where the service honours one.

        Returns:
            The base with the new `model`.

        Raises:
            InputError: Wrong target type; a file missing, changed or swapped; the service refuses the files
                or the model, the job failed or was cancelled, or nobody agreed to the cost.
        """
        options = self._options
        target = base_options(base, "openai", OpenAIOptions, trainer=self.info.name)
        check_files(files)
        shape = Shape.SFT if options.method == "supervised" else Shape.DPO
        read = [training_file(files, _FORMATS[shape], shape)]
        held_out = file_to_read(files, _FORMATS[shape], shape, "validation") if options.validation else None
        read += [] if held_out is None else [held_out]
        wanted = Wanted(
            target=target,
            method=options.method,
            hyperparameters=options.hyperparameters(),
            suffix=options.suffix,
            training=files.folder / read[0].path,
            validation=None if held_out is None else files.folder / held_out.path,
            digest=self._digest(target, read, seed),
            seed=seed,
            question=f"{self._cost(files, read[0])} Begin the job?",
            poll_s=options.poll_s,
        )
        job = asyncio.run(Job(wanted, self._context).ended())
        if job.status != "succeeded" or job.fine_tuned_model is None:
            reason = (None if job.error is None else job.error.message) or "no reason was given"
            raise InputError(
                f"{target.base_url}: job {job.id} {job.status}: {' '.join(reason.split())[:500]}",
                next_step=f"mend the cause, remove {self._context.out / STATE}, then give the command again",
            )
        self._note(base, job, read, seed)
        return {**base, "model": job.fine_tuned_model}

    def _cost(self, files: RetrainingFiles, file: RetrainingFile) -> str:
        tokens = estimated_tokens(len((files.folder / file.path).read_text(encoding="utf-8")))
        epochs, price = self._options.n_epochs, self._options.usd_per_million_tokens
        said = f"About {tokens} tokens an epoch, estimated from characters;"
        if price is None or epochs is None:
            missing = "price" if price is None else "number of epochs"
            return f"{said} the cost is not known, as the {missing} is not."
        usd = tokens * epochs * price / _MILLION
        shown = f"{usd:.2f}" if usd >= 1 else f"{usd:.2g}"
        return f"{said} {epochs} epochs at ${price:g} a million are about ${shown}."

    def _digest(self, target: OpenAIOptions, read: list[RetrainingFile], seed: int) -> str:
        parts = {
            "base": [target.base_url, target.model],
            "files": [file.sha256 for file in read],
            "options": self._options.model_dump(mode="json", exclude={"poll_s", "usd_per_million_tokens"}),
            "seed": seed,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _note(
        self, base: Mapping[str, object], job: "FineTuningJob", read: list[RetrainingFile], seed: int
    ) -> None:
        price, tokens = self._options.usd_per_million_tokens, job.trained_tokens
        said = {
            "schema_version": 1,
            "trainer": {"name": self.info.name, "version": self.info.version},
            "base": dict(base),
            "options": self._options.model_dump(mode="json"),
            "seed": seed,
            "files": [{"path": file.path, "sha256": file.sha256} for file in read],
            "job": job.id,
            "model": job.fine_tuned_model,
            "trained_tokens": tokens,
            "usd": None if price is None or tokens is None else tokens * price / _MILLION,
            "seconds": None if job.finished_at is None else job.finished_at - job.created_at,
            "energy_kwh": None,
        }
        write_text(self._context.out / _TRAINING, json.dumps(said, indent=2, ensure_ascii=False) + "\n")
