"""The transformers target in batches against one request at a time: speed, and how often the texts agree.

    python -m benchmarks.collection.local [--model FOLDER] [--device auto] [--requests 256] [--tokens 64]

Without `--model` it makes one on the spot: a Llama with random weights, by default of 8 layers of width
512 on the CPU and 24 layers of width 2048 (about 1.2 billion weights) on a GPU. Random weights answer
nonsense, but every token is computed as a trained model's is; their near ties make disagreement likelier
than a trained model's would. The table has a row for each data type, way of decoding and size of batch:
tokens a second (best of the rounds), the ratio to one at a time, and the share of requests whose text is
the very one that was had alone, with a Wilson interval.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, __version__

from audit.records import Output, Request
from audit.statistics.rates import wilson_interval
from audit.targets.base import TargetContext
from audit.targets.local_model.options import TransformersOptions
from audit.targets.local_model.target import TransformersTarget
from probes.records import Message
from probes.seeds import rng

_SEED = 7
_WORDS = ("the", "bank", "reads", "a", "file", "of", "income", "and", "loan", "before", "it", "decides")
_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
_VOCABULARY = 32_000
_SHOWN = ("dtype", "temperature", "batch", "tokens_s", "alone_tokens_s", "ratio")


@dataclass(frozen=True, slots=True)
class _Size:
    layers: int
    width: int


_SMALL, _LARGE = _Size(8, 512), _Size(24, 2048)


@dataclass(frozen=True, slots=True)
class _Setting:
    dtype: str
    temperature: float
    batch: int


@dataclass(frozen=True, slots=True)
class _Answers:
    texts: list[str | None]
    tokens: int
    seconds: float


def _make_model(folder: Path, size: _Size, dtype: torch.dtype) -> Path:
    """A model with random weights, and a tokenizer with a word for each of its tokens."""
    known = ["<pad>", "<end>", "<unk>", "system", "user", "assistant", ":", *_WORDS]
    words = known + [f"w{number}" for number in range(_VOCABULARY - len(known))]
    made = Tokenizer(WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))  # noqa: S106 - a token of text
    made.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # as the library has it
        tokenizer_object=made,
        eos_token="<end>",  # noqa: S106 - a token of text
        pad_token="<pad>",  # noqa: S106 - as above
    )
    tokenizer.chat_template = _TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(_SEED)
    config = LlamaConfig(
        vocab_size=_VOCABULARY,
        hidden_size=size.width,
        intermediate_size=size.width * 11 // 4,
        num_hidden_layers=size.layers,
        num_attention_heads=size.width // 64,
        max_position_embeddings=2048,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
    )
    model: Any = LlamaForCausalLM(config)
    model.to(dtype).save_pretrained(folder)
    return folder


def _requests(count: int) -> list[Request]:
    """Prompts of 8 to 160 words, so that batches have padding."""
    draws = rng(_SEED, "prompts")
    made = []
    for number in range(count):
        words = draws.choice(_WORDS, size=int(draws.integers(8, 161)))
        message = Message(role="user", content=" ".join(words))
        made.append(Request(prompt_id=f"p{number}", messages=(message,)))
    return made


async def _answered(target: TransformersTarget, requests: Sequence[Request]) -> list[Output]:
    size = target.info.batch_size
    found: list[Output] = []
    for start in range(0, len(requests), size):
        found += await target.generate(requests[start : start + size], seed=_SEED)
    return found


def _measure(
    model: Path, setting: _Setting, requests: Sequence[Request], given: argparse.Namespace
) -> _Answers:
    params = {"max_tokens": given.tokens, "temperature": setting.temperature, "top_k": 0, "top_p": 1.0}
    options = TransformersOptions.model_validate(
        {
            "model": str(model),
            "device": given.device,
            "dtype": setting.dtype,
            "batch_size": setting.batch,
            "params": params,
        }
    )
    target = TransformersTarget(options, TargetContext(name="target", root=Path()))

    async def run() -> tuple[list[Output], float]:
        try:
            await target.generate(requests[:1], seed=_SEED)  # loads the model
            best, outputs = float("inf"), []
            for _ in range(given.rounds if setting.batch > 1 else 1):
                begun = time.perf_counter()
                outputs = await _answered(target, requests)
                best = min(best, time.perf_counter() - begun)
            return outputs, best
        finally:
            await target.aclose()

    outputs, seconds = asyncio.run(run())
    failed = [output.error for output in outputs if output.error is not None]
    if failed:
        raise SystemExit(f"{len(failed)} requests failed: {failed[0]}")
    counted = sum((output.usage.completion_tokens or 0) for output in outputs if output.usage is not None)
    return _Answers([output.text for output in outputs], counted, seconds)


def _rows(model: Path, requests: Sequence[Request], given: argparse.Namespace) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for dtype in given.dtypes.split(","):
        for temperature in (0.0, 1.0):
            alone = _measure(model, _Setting(dtype, temperature, 1), requests[: given.alone], given)
            for batch in [int(size) for size in given.batches.split(",")]:
                together = _measure(model, _Setting(dtype, temperature, batch), requests, given)
                pairs = list(zip(alone.texts, together.texts, strict=False))
                same = sum(one == other for one, other in pairs)
                share = wilson_interval(same, len(pairs))
                speed, slow = together.tokens / together.seconds, alone.tokens / alone.seconds
                rows.append(
                    {
                        "dtype": dtype,
                        "temperature": temperature,
                        "batch": batch,
                        "tokens_s": round(speed, 1),
                        "alone_tokens_s": round(slow, 1),
                        "ratio": round(speed / slow, 2),
                        "same_text": same,
                        "of": len(pairs),
                        "ci": [round(share.low, 4), round(share.high, 4)],
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    """Read the command line, measure, and print a line of JSON a row and then the table."""
    there = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description="the transformers target, batched against one by one")
    parser.add_argument("--model", type=Path, help="folder of a model; by default one is made")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtypes", default="float32,bfloat16" if there else "float32")
    parser.add_argument("--batches", default="16,64,256" if there else "16")
    parser.add_argument("--requests", type=int, default=512 if there else 64)
    parser.add_argument("--alone", type=int, default=64 if there else 32, help="requests asked one by one")
    parser.add_argument("--tokens", type=int, default=64 if there else 24)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size, dtype = (_LARGE, torch.bfloat16) if there else (_SMALL, torch.float32)
        model = given.model or _make_model(Path(folder), size, dtype)
        rows = _rows(model.absolute(), _requests(given.requests), given)
    device = torch.cuda.get_device_name() if there else f"CPU, {torch.get_num_threads()} threads"
    print(f"\n{device}; torch {torch.__version__}, transformers {__version__}")
    print("| dtype | temperature | batch | tokens/s | alone | ratio | same text as alone |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        same = f"{row['same_text']} of {row['of']} {row['ci']}"
        values = [
            row[key] for key in ("dtype", "temperature", "batch", "tokens_s", "alone_tokens_s", "ratio")
        ]
        print("| " + " | ".join(str(value) for value in [*values, same]) + " |")


if __name__ == "__main__":
    main()
