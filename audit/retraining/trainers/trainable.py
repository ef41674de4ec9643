"""Trainer of the `trainable` target: goes on learning from retraining files, held near what it was.

Members of a counterfactual set are held together: a log loss alone is content once each member falls on the
right side, however far apart they lie.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from audit.atomic import write_text
from audit.errors import InputError
from audit.retraining.layouts.table import layout
from audit.retraining.reading import counterfactual_sets, said, valid_rows
from audit.retraining.records import Format, RetrainingFiles, Shape
from audit.retraining.staging import staged
from audit.retraining.trainers.base import TrainerContext, TrainerInfo
from audit.retraining.trainers.checks import base_options, check_files, training_file
from audit.targets.question import read_answer, read_question
from audit.targets.trainable.decision_model import MODEL, fit_more, load, save
from audit.targets.trainable.target import TrainableOptions
from probes.base import Options
from probes.data import file_sha256

__all__ = ["TrainableTrainer", "TrainableTrainerOptions", "decisions"]

_TRAINING = "training.json"
_LOGGER = logging.getLogger(__name__)


class TrainableTrainerOptions(Options):
    """Options of the `trainable` trainer."""

    format: Literal[Format.TRL_SFT, Format.OPENAI_SFT] = Format.TRL_SFT
    """Which of the files to learn from."""
    pull: Annotated[float, Field(gt=0, le=1000)] = 0.01
    """How strongly weights are held at their present values; larger keeps more and repairs less."""
    pairing: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """How strongly the members of a counterfactual set are held together; 0 learns from each row alone."""


class TrainableTrainer:
    """Starts at the present weights; minimises log loss on the files, a pull to them and one within sets."""

    Options = TrainableTrainerOptions
    info: ClassVar[TrainerInfo] = TrainerInfo(
        name="trainable",
        version="2",
        trains=("trainable",),
        reads=(Format.TRL_SFT, Format.OPENAI_SFT),
        method="Logistic regression continued from the present weights, with a squared pull towards them and "
        "another of the log-odds of each counterfactual set towards their mean.",
    )

    def __init__(self, options: TrainableTrainerOptions, context: TrainerContext) -> None:
        """Keep options and folders; nothing is read yet."""
        self._options = options
        self._context = context

    def train(self, base: Mapping[str, object], files: RetrainingFiles, *, seed: int) -> dict[str, object]:  # noqa: ARG002 - nothing is drawn: the minimum is unique
        """A `trainable` target that learned from the training split, saved in the context's `out`.

        Every file is checked against the manifest, and every preference file for its direction,
        before anything is learned, though preferences are not learned from. Rows whose question
        offers no two options are left out, and their number is logged.

        Args:
            base: `type: trainable` with its `path`; other options pass on.
            files: What `write_retraining_files` wrote.
            seed: Not used: the objective has one minimum.

        Returns:
            The base with the new `path`.

        Raises:
            InputError: Wrong target type; a file missing, changed, or with chosen and rejected
                swapped; no row to learn from.
        """
        options = base_options(base, "trainable", TrainableOptions, trainer=self.info.name)
        check_files(files)
        wanted = training_file(files, (self._options.format,), Shape.SFT)
        path = files.folder / wanted.path
        pairs = [
            (said(row), row.answer.content) for row in valid_rows(path, layout(wanted.format, wanted.shape))
        ]
        sets = counterfactual_sets(files.folder / wanted.provenance)
        texts, favourable, places = decisions(pairs)
        if not texts:
            raise InputError(f"{path}: no row offers two options; a trainable target learns decisions only")
        _LOGGER.info("learning from %d of %d rows", len(texts), len(pairs))
        begun = time.monotonic()
        model = fit_more(
            load(self._context.root / options.path),
            texts,
            favourable,
            pull=self._options.pull,
            sets=[sets[place] for place in places],
            pairing=self._options.pairing,
        )
        seconds = time.monotonic() - begun
        note = {
            "schema_version": 1,
            "trainer": {"name": self.info.name, "version": self.info.version},
            "base": dict(base),
            "options": self._options.model_dump(mode="json"),
            "files": [{"path": path.name, "sha256": file_sha256(path)}],
            "rows": len(texts),
            "seconds": round(seconds, 3),
            "energy_kwh": None,
        }
        with staged(self._context.out, last=MODEL) as folder:
            save(model, folder)
            write_text(folder / _TRAINING, json.dumps(note, indent=2, ensure_ascii=False) + "\n")
        return {**base, "path": str(self._context.out)}


def decisions(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[bool], list[int]]:
    """Prompts that offer two options, whether the answer to each takes the favourable one, and their places.

    Args:
        pairs: Prompt and answer; those that decide nothing are left out.
    """
    texts, favourable, places = [], [], []
    for place, (prompt, answer) in enumerate(pairs):
        question = read_question(prompt)
        decision = None if question is None else read_answer(answer, question)
        if decision is not None:
            texts.append(prompt)
            favourable.append(decision)
            places.append(place)
    return texts, favourable, places
