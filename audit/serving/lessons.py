"""What a fine-tuning job is to learn, and what it has learned."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from audit.targets.trainable.decision_model import DecisionModel

__all__ = ["Learned", "Lesson"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is to be learned, and how much it counts."""

    training: Path
    validation: Path | None
    method: Literal["supervised", "dpo"]
    weight: float
    """Epochs times learning rate multiplier: divides the pull towards what the model was."""
    beta: float
    """Of DPO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A model that has learned, and how."""

    model: "DecisionModel"
    rows: int
    """Of the training file."""
    used: int
    """Rows that hold a decision this model can learn."""
    tokens: int
    """Of the training file, by the server's own count."""
    training_loss: tuple[float, float]
    """Mean loss of a row before and after, in nats."""
    validation_loss: tuple[float, float] | None
