"""What a user may set of the `transformers` trainer."""

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from probes.base import Options

__all__ = ["Method", "Ordinary", "TransformersTrainerOptions"]

Method: TypeAlias = Literal["sft", "dpo", "kto"]


class Ordinary(Options):
    """Ordinary dialogues of the user's own, learned beside the repair so that what worked is kept."""

    path: Path
    """JSONL file, one `{"messages": [...]}` a line, the last message the answer."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Their share among the rows that are learned; rows are drawn, again where there are too few."""


class TransformersTrainerOptions(Options):
    """Options of the `transformers` trainer."""

    methods: Annotated[tuple[Method, ...], Field(min_length=1, max_length=3)] = ("sft",)
    """What is done, in this order: supervised fine-tuning, direct preference optimisation, or KTO."""
    adapter: Literal["lora", "none"] = "lora"
    """`lora`: low-rank weights beside the model's own, in a folder by themselves; `none`: all move."""
    rank: Annotated[int, Field(ge=1, le=1024)] = 16
    """Rank of the adapter; its alpha is twice as large."""
    target_modules: str | tuple[str, ...] = "all-linear"
    """Layers that get an adapter."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    """None: 2e-4 for an adapter and 2e-5 for all weights, a twentieth of that for `dpo` and `kto`."""
    epochs: Annotated[float, Field(gt=0, le=1000)] = 3.0
    max_steps: Annotated[int, Field(ge=1)] | None = None
    """Of each method; None: as `epochs` says."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 8
    accumulate: Annotated[int, Field(ge=1, le=4096)] = 1
    """Batches that make one step."""
    beta: Annotated[float, Field(gt=0, le=10)] = 0.1
    """How strongly `dpo` and `kto` hold the model at what it was."""
    sft_weight: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Weight of the likelihood of chosen answers beside the loss of `dpo`."""
    pairing: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Of `sft`: how strongly the members of a counterfactual set are held together."""
    max_length: Annotated[int, Field(ge=8)] = 1024
    """Tokens of a row, prompt and answer; a longer row is refused."""
    ordinary: Ordinary | None = None
    """Only for `sft`."""
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if len(set(self.methods)) != len(self.methods):
            raise ValueError(f"methods must differ; got {', '.join(self.methods)}")
        if self.ordinary is not None and "sft" not in self.methods:
            raise ValueError("ordinary rows are learned by the method sft, which is not among methods")
        return self

    def rate(self, method: Method) -> float:
        """The learning rate of a method."""
        if self.learning_rate is not None:
            return self.learning_rate
        usual = 2e-4 if self.adapter == "lora" else 2e-5
        return usual if method == "sft" else usual / 20
