"""How a fine-tuning job really trains: the learned lender goes on learning, held near what it was.

Supervised rows are decisions to be imitated. Preferences are learned by DPO, which for a model of two options
has a closed shape: with the log-odds x of the favourable option, log p(preferred) - log p(rejected) is s x,
where s is 1 if the favourable option is the preferred one and -1 else, so the loss of a row is
log(1 + exp(-beta s (x - x0))), x0 being the log-odds before. That is logistic regression of the preferred
options on what changes.

Source:
    Rafailov et al. (2023), Direct Preference Optimization, arXiv 2305.18290, equation 7.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from audit.errors import InputError
from audit.retraining.layouts.table import layout
from audit.retraining.reading import said, valid_rows
from audit.retraining.records import Format, Shape
from audit.retraining.trainers.trainable import decisions
from audit.serving.calls import count_tokens
from audit.serving.lessons import Learned, Lesson
from audit.targets.trainable.decision_model import DecisionModel, fit_more, load, save

__all__ = ["PULL", "keep", "learn"]

_OPENAI = MappingProxyType(
    {
        "supervised": layout(Format.OPENAI_SFT, Shape.SFT),
        "dpo": layout(Format.OPENAI_DPO, Shape.DPO),
    }
)
PULL = 0.01
"""How strongly weights are held at what they were, at one epoch and a learning rate multiplier of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    texts: Sequence[str]
    favourable: Sequence[bool]
    """Whether the favourable option is the one to learn."""
    rows: int
    tokens: int


def learn(folder: Path, lesson: Lesson) -> Learned:
    """A model that learned from files.

    Args:
        folder: Of the model to start from; it stays as it is.
        lesson: What is to be learned.

    Returns:
        The new model; the same files give the same one, since the loss has one minimum.

    Raises:
        InputError: A file is malformed, has too few rows, or none that this model can learn.
    """
    before = load(folder)
    training = _read(lesson.training, lesson.method)
    validation = None if lesson.validation is None else _read(lesson.validation, lesson.method)
    pull = PULL / lesson.weight
    if lesson.method == "supervised":
        after = fit_more(before, training.texts, training.favourable, pull=pull)
    else:
        after = _preferring(before, training, pull, lesson.beta)

    def loss(rows: _Rows) -> tuple[float, float]:
        return _loss(rows, before, before, lesson), _loss(rows, after, before, lesson)

    return Learned(
        model=after,
        rows=training.rows,
        used=len(training.texts),
        tokens=training.tokens,
        training_loss=loss(training),
        validation_loss=None if validation is None else loss(validation),
    )


def keep(learned: Learned, folder: Path) -> None:
    """Save a model that has learned.

    Raises:
        InputError: The folder cannot be written.
    """
    save(learned.model, folder)


def _preferring(before: DecisionModel, rows: _Rows, pull: float, beta: float) -> DecisionModel:
    """The minimum of the DPO loss plus pull / 2 times the squared distance from before."""
    # With what changes scaled by beta it is a plain logistic regression that starts from nothing.
    nothing = replace(before, weights=np.zeros_like(before.weights), intercept=0.0)
    change = fit_more(nothing, rows.texts, rows.favourable, pull=pull / beta**2)
    return replace(
        before,
        weights=before.weights + change.weights / beta,
        intercept=before.intercept + change.intercept / beta,
    )


def _loss(rows: _Rows, model: DecisionModel, before: DecisionModel, lesson: Lesson) -> float:
    odds = model.log_odds(rows.texts)
    if lesson.method == "dpo":
        odds = lesson.beta * (odds - before.log_odds(rows.texts))
    signs = np.where(np.asarray(rows.favourable), 1.0, -1.0)
    return float(np.logaddexp(0.0, -signs * odds).mean())


def _read(path: Path, method: Literal["supervised", "dpo"]) -> _Rows:
    pairs: list[tuple[str, str]] = []
    rows = tokens = 0
    for row in valid_rows(path, _OPENAI[method]):
        prompt, answers = said(row), [row.answer.content]
        if row.rejected is not None:
            answers.append(row.rejected.content)
        rows += 1
        tokens += count_tokens(" ".join([prompt, *answers]))
        if row.rejected is None or _differ(prompt, answers):
            pairs.append((prompt, answers[0]))
    texts, favourable, _ = decisions(pairs)
    if not texts:
        raise InputError(f"{path}: no row decides between two options; this model learns decisions only")
    return _Rows(texts=texts, favourable=favourable, rows=rows, tokens=tokens)


def _differ(prompt: str, answers: Sequence[str]) -> bool:
    """Whether the two answers take different options: else nothing can be learned from preferring one."""
    _, taken, _ = decisions([(prompt, answer) for answer in answers])
    return len(set(taken)) > 1
