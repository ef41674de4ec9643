"""A causal language model of this machine, loaded once, that answers batches of conversations.

Only safetensors are loaded, never a pickled checkpoint, and no code that comes with a model is run.
"""

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.utils import logging as hf_logging

from audit.targets.local_model.options import TransformersOptions
from audit.targets.local_model.sampling import RowDraws, warpers

__all__ = ["Answered", "LocalModel"]

_AUTO = "auto"
_PLAIN, _TEMPLATE = "plain", "template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a model says to one conversation."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    logprobs: tuple[float, ...] | None


class LocalModel:
    """Weights and tokenizer, ready to answer; one thread at a time may use it."""

    def __init__(self, options: TransformersOptions, model: str, adapter: Path | None) -> None:
        """Load it.

        Args:
            options: Of the target.
            model: Folder, or name on the hub.
            adapter: Folder of a PEFT adapter.

        Raises:
            OSError: A file is missing or damaged.
            ValueError: The architecture is unknown, there is no chat template, or the files do not fit.
            ImportError: The adapter needs `peft`.
        """
        where: dict[str, Any] = {"local_files_only": not options.download, "trust_remote_code": False}
        if options.revision is not None:
            where["revision"] = options.revision
        self._options = options
        self.device = torch.device(_device(options.device))
        # The library's own types of these two leave out much of what they take.
        self._tokenizer: Any = AutoTokenizer.from_pretrained(model, **where)
        self._tokenizer.padding_side = "left"  # what is written continues the last token of every row
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self.chat = self._uses_template()
        with _without_bars():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                model, dtype=_dtype(options.dtype, self.device), use_safetensors=True, **where
            )
        if adapter is not None:
            from peft import PeftModel  # noqa: PLC0415 - only adapters need it

            with warnings.catch_warnings():
                # peft asks transformers for what the next version will call otherwise.
                warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
                loaded = PeftModel.from_pretrained(loaded, str(adapter)).merge_and_unload()
        self._model = loaded.to(self.device).eval()
        self._config = self._decoding()
        self.dtype = str(self._model.dtype).removeprefix("torch.")

    def tokens(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """A conversation as the model reads it, up to where it answers."""
        options = self._options
        if self.chat:
            text = self._tokenizer.apply_chat_template(
                list(messages), tokenize=False, add_generation_prompt=True, **options.template_options
            )
            found = self._tokenizer(text, add_special_tokens=False)
        else:
            found = self._tokenizer("\n\n".join(message["content"] for message in messages))
        return [int(token) for token in found["input_ids"]]

    def room(self) -> int | None:
        """Tokens that the model can hold, the answer included; None if it does not say."""
        found = getattr(self._model.config, "max_position_embeddings", None)
        return found if isinstance(found, int) and found > 0 else None

    def answer(
        self,
        rows: Sequence[Sequence[int]],
        draws: Sequence[np.random.Generator],
        stopped: Callable[[], bool],
    ) -> list[Answered]:
        """One answer for each row of tokens, in order.

        Args:
            rows: At least one row, none of them empty.
            draws: A generator a row; as much is drawn from it as there are steps.
            stopped: Asked at every step; True ends the answers where they are.

        Raises:
            torch.OutOfMemoryError: The batch does not fit; or a RuntimeError that says so, on the CPU.
        """
        options = self._options
        padded = self._tokenizer.pad({"input_ids": [list(row) for row in rows]}, return_tensors="pt")
        chooser = RowDraws(draws if self._draws else None, self._narrow, keep=options.logprobs)
        with torch.inference_mode():
            written = self._model.generate(
                input_ids=padded["input_ids"].to(self.device),
                attention_mask=padded["attention_mask"].to(self.device),
                generation_config=self._config,
                logits_processor=LogitsProcessorList([chooser]),
                stopping_criteria=StoppingCriteriaList([_Stopped(stopped)]),
                tokenizer=self._tokenizer,
            )
        length = padded["input_ids"].shape[1]
        return [
            self._read(new, len(row), chooser, place)
            for place, (row, new) in enumerate(zip(rows, written[:, length:].tolist(), strict=True))
        ]

    def _read(self, new: list[int], asked: int, chooser: RowDraws, place: int) -> Answered:
        ends = self._config.eos_token_id
        closing = set(ends) if isinstance(ends, list) else {ends}
        end = next((at for at, token in enumerate(new) if token in closing), None)
        kept = new if end is None else new[:end]
        text = str(self._tokenizer.decode(kept, skip_special_tokens=True))
        cut = min((at for stop in self._options.params.stop if (at := text.find(stop)) >= 0), default=None)
        if cut is not None:
            text = text[:cut]
            # Rows that ended by a text go on as padding until the longest ends.
            kept = _unpadded(kept, self._tokenizer.pad_token_id)
        count = len(kept) + (end is not None)
        return Answered(
            text=text,
            finish_reason="stop" if end is not None or cut is not None else "length",
            prompt_tokens=asked,
            completion_tokens=count,
            logprobs=chooser.logprobs(place, count) if self._options.logprobs else None,
        )

    def _uses_template(self) -> bool:
        chat, there = self._options.chat, bool(self._tokenizer.chat_template)
        if chat == _TEMPLATE and not there:
            raise ValueError("the tokenizer has no chat template; set chat: plain")
        return there and chat != _PLAIN

    def _decoding(self) -> GenerationConfig:
        """The model's own decoding settings with those of the spec, drawing left to `RowDraws`."""
        params = self._options.params
        config: GenerationConfig = copy.deepcopy(self._model.generation_config)
        own = config.temperature if config.do_sample else 0.0
        temperature = params.temperature if params.temperature is not None else own
        self._draws = temperature is None or temperature > 0
        top_p = config.top_p if params.top_p is None else params.top_p
        top_k = config.top_k if params.top_k is None else params.top_k
        self._narrow = warpers(temperature or 1.0, top_p, top_k)
        if params.repetition_penalty is not None:
            config.repetition_penalty = params.repetition_penalty
        config.do_sample, config.num_beams = False, 1
        config.temperature = config.top_p = config.top_k = config.min_p = config.typical_p = None
        config.max_length, config.max_new_tokens = None, params.max_tokens
        config.pad_token_id = self._tokenizer.pad_token_id
        if config.eos_token_id is None:
            config.eos_token_id = self._tokenizer.eos_token_id
        config.stop_strings = list(params.stop) or None
        return config


class _Stopped(StoppingCriteria):
    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped

    def __call__(
        self,
        input_ids: torch.LongTensor,
        scores: torch.FloatTensor,  # noqa: ARG002 - the library passes it
        **_: object,
    ) -> torch.BoolTensor:
        """Whether each row is to end, shape (rows,)."""
        shape = (input_ids.shape[0],)
        return torch.full(shape, self._stopped(), dtype=torch.bool, device=input_ids.device)  # type: ignore[return-value] # of bools


def _unpadded(tokens: list[int], padding: int | None) -> list[int]:
    end = len(tokens)
    while end and tokens[end - 1] == padding:
        end -= 1
    return tokens[:end]


@contextmanager
def _without_bars() -> Iterator[None]:
    """Without the library's own progress bars, which would stand in the middle of ours."""
    shown = hf_logging.is_progress_bar_enabled()
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # as the library has it
    try:
        yield
    finally:
        if shown:
            hf_logging.enable_progress_bar()  # type: ignore[no-untyped-call] # as above


def _device(name: str) -> str:
    if name != _AUTO:
        return name
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _dtype(name: str, device: torch.device) -> str | torch.dtype:
    if name != _AUTO:
        return getattr(torch, name)  # type: ignore[no-any-return] # one of three names of the options
    return torch.float32 if device.type == "cpu" else _AUTO
