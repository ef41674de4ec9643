"""What a user may set of the `openai` trainer."""

from typing import Annotated, Literal

from pydantic import Field

from probes.base import Options

__all__ = ["OpenAITrainerOptions"]

_Count = Annotated[int, Field(ge=1)]


class OpenAITrainerOptions(Options):
    """Options of the `openai` trainer."""

    method: Literal["supervised", "dpo"] = "supervised"
    n_epochs: _Count | None = None
    """None: as the service decides."""
    batch_size: _Count | None = None
    learning_rate_multiplier: Annotated[float, Field(gt=0)] | None = None
    beta: Annotated[float, Field(gt=0, le=2)] | None = None
    """Of `dpo`."""
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    """Part of the new model's name."""
    validation: bool = True
    """Whether the validation file goes along."""
    usd_per_million_tokens: Annotated[float, Field(ge=0)] | None = None
    """Price of training; None: the cost is not known, and said to be so."""
    poll_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    """Seconds between two looks at the job."""

    def hyperparameters(self) -> dict[str, object]:
        """Those that were given."""
        names = ("n_epochs", "batch_size", "learning_rate_multiplier", "beta")
        return {name: value for name in names if (value := getattr(self, name)) is not None}
