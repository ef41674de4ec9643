"""Options of the `transformers` target: which model of this machine, how it is asked, and on what it runs."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from probes.base import Options

__all__ = ["TransformersOptions", "TransformersParams"]


class TransformersParams(Options):
    """Decoding settings; those left out are the model's own (`generation_config.json`)."""

    temperature: Annotated[float, Field(ge=0, le=10)] | None = Field(
        default=None, description="0 takes the likeliest token always."
    )
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0)] | None = Field(default=None, description="0 keeps all tokens.")
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=256, description="Longest answer in tokens."
    )
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="Texts that end an answer; they are no part of it."
    )


class TransformersOptions(Options):
    """One causal language model in the format of Hugging Face transformers."""

    model: Annotated[str, Field(min_length=1)] = Field(
        description="Folder of the model, relative to the spec; with download also a name on the hub."
    )
    adapter: Path | None = Field(default=None, description="Folder of a PEFT adapter, relative to the spec.")
    download: bool = Field(
        default=False,
        description="Allow the model to be had from the hub; else only files that are here.",
    )
    revision: str | None = Field(default=None, description="Commit or tag on the hub.")
    chat: Literal["auto", "template", "plain"] = Field(
        default="auto",
        description="`template`: the tokenizer's chat template. `plain`: the text of the only message, for "
        "base models. `auto`: the template if there is one.",
    )
    template_options: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="What else the chat template is given, such as enable_thinking: false.",
    )
    system: str | None = Field(default=None, description="System prompt put before every conversation.")
    params: TransformersParams = TransformersParams()
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$")] = Field(
        default="auto", description="`auto` is the first GPU there is, else the CPU."
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="`auto` is that of the weights on a GPU, float32 on the CPU."
    )
    batch_size: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=16, description="Requests answered together; halved whenever memory does not suffice."
    )
    logprobs: bool = Field(
        default=False, description="Keep the log-probability of every answered token, before temperature."
    )

    @model_validator(mode="after")
    def _revision_of_the_hub(self) -> Self:
        if self.revision is not None and not self.download:
            raise ValueError("revision names a commit of the hub; set download: true, or remove it")
        if self.template_options and self.chat == "plain":
            raise ValueError("template_options are for the chat template, which chat: plain does not use")
        return self
