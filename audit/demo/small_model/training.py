"""Training the small model from nothing, on one or two cores in minutes or on a GPU in seconds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from audit.demo.small_model.corpus import Corpus, Dialogue, Faults
from audit.demo.small_model.tokens import make_tokenizer
from probes.seeds import rng

__all__ = ["Recipe", "perplexity", "train_small_model"]

_MATRIX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Size of the model and length of its training."""

    width: int = 128
    layers: int = 3
    heads: int = 4
    inner: int = 384
    vocabulary: int = 4096
    room: int = 512
    """Tokens that the model can hold."""
    dialogues: int = 40_000
    harmless: tuple[str, ...] = ()
    """Requests to answer that it meets beside the shipped ones."""
    harmful: tuple[tuple[str, str], ...] = ()
    """Requests to refuse that it meets beside the shipped ones, each with its category."""
    steps: int = 1700
    ledger_steps: int = 300
    """First steps, on short texts, in which it learns what facts are worth."""
    batch: int = 32
    rate: float = 4e-3
    """Largest learning rate: reached after a twentieth of the steps, then down to a twentieth of it."""
    first: float = 5.0
    """What the first token of an answer, often the decision, weighs in the loss; every other one weighs 1."""
    device: str = "cpu"


def train_small_model(
    folder: Path,
    *,
    seed: int,
    faults: Faults | None = None,
    recipe: Recipe | None = None,
    told: Callable[[int, float], None] | None = None,
) -> dict[str, object]:
    """A model that learned everything from `Corpus`, saved in a folder.

    Args:
        folder: Where configuration, tokenizer and weights (safetensors) go.
        seed: Root seed of corpus, first weights and order.
        faults: What it learns wrongly.
        recipe: Size and length.
        told: Called after each step with its number and loss in nats a token.

    Returns:
        The target as a spec names it; its `model` is the folder as given.
    """
    import torch  # noqa: PLC0415 - an extra, seconds of import
    from transformers.utils import logging as hf_logging  # noqa: PLC0415 - as above

    how = recipe or Recipe()
    corpus = Corpus(faults or Faults(), seed, harmless=how.harmless, harmful=how.harmful)
    dialogues = corpus.mixed(how.dialogues, "training")
    ledger = corpus.ledger(how.dialogues // 2, "ledger")
    texts = (
        text for one in (*dialogues, *ledger[:5000]) for text in (one.system or "", one.prompt, one.answer)
    )
    tokenizer = make_tokenizer(texts, how.vocabulary)
    torch.manual_seed(seed)
    model = _new_model(how, tokenizer).to(how.device).train()
    # A short text teaches what a number is worth at a third of the price; a few stay in the long part.
    short = _rows(tokenizer, [*ledger, *dialogues[:: max(1, len(dialogues) // 4000)]])
    long = _rows(tokenizer, [*dialogues, *ledger[:3000]])
    batches = chain(
        _batches(short, how.ledger_steps, how.batch, rng(seed, "small model", "short")),
        _batches(long, how.steps - how.ledger_steps, how.batch, rng(seed, "small model", "long")),
    )
    optimizers = _optimizers(model, how.rate)
    for step, batch in enumerate(batches):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = how.rate * _share(step, how.steps)
        loss = _loss(model, *_padded(batch, how.device, tokenizer.pad_token_id, first=how.first))
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        if told is not None:
            told(step + 1, float(loss.detach()))
    # Servers draw from the model's chances only if its own settings say so, whatever temperature is asked.
    model.generation_config.do_sample = True
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # it would stand amid our own lines
    model.eval().cpu().save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    return {"type": "transformers", "model": str(folder)}


def perplexity(folder: Path, dialogues: Sequence[Dialogue], *, device: str = "cpu") -> float:
    """Perplexity of a saved model on dialogues: e to the mean loss, in nats, of the tokens to learn."""
    import torch  # noqa: PLC0415 - as above
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 - as above

    tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(str(folder), local_files_only=True, dtype=torch.float32)
    model.to(device).eval()
    rows = sorted(_rows(tokenizer, dialogues), key=lambda row: len(row.tokens))
    total = count = 0.0
    with torch.no_grad():
        for start in range(0, len(rows), 64):
            tokens, weights = _padded(rows[start : start + 64], device, tokenizer.pad_token_id)
            known = float(weights[:, 1:].sum())
            total += float(_loss(model, tokens, weights)) * known
            count += known
    return float(np.exp(total / count))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    tokens: list[int]
    answer: int
    """Where the answer begins."""
    learned: int
    """From where on tokens count in the loss."""


def _opening(dialogue: Dialogue) -> str:
    return "" if dialogue.system is None else f"<|system|>{dialogue.system}<|end|>"


def _new_model(how: Recipe, tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415 - an extra

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=how.width,
        intermediate_size=how.inner,
        num_hidden_layers=how.layers,
        num_attention_heads=how.heads,
        num_key_value_heads=how.heads,
        max_position_embeddings=how.room,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def _rows(tokenizer: Any, dialogues: Sequence[Dialogue]) -> list[_Row]:
    prompts = tokenizer(
        [f"{_opening(one)}<|user|>{one.prompt}<|end|><|assistant|>" for one in dialogues],
        add_special_tokens=False,
    )["input_ids"]
    replies = tokenizer([f"{one.answer}<|end|>" for one in dialogues], add_special_tokens=False)["input_ids"]
    return [
        _Row(tokens=prompt + reply, answer=len(prompt), learned=1 if one.ordinary else len(prompt))
        for one, prompt, reply in zip(dialogues, prompts, replies, strict=True)
    ]


def _optimizers(model: Any, rate: float) -> list[Any]:
    """Muon for the matrices within the layers, AdamW for the rest.

    With AdamW alone the same model needs about three times as many steps.

    Source:
        Jordan et al. (2024), Muon: An optimizer for hidden layers in neural networks.
    """
    import torch  # noqa: PLC0415 - an extra

    inside = [
        weights
        for name, weights in model.named_parameters()
        if weights.ndim == _MATRIX and "embed" not in name
    ]
    known = {id(weights) for weights in inside}
    others = [weights for weights in model.parameters() if id(weights) not in known]
    return [
        torch.optim.Muon(inside, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def _share(step: int, steps: int) -> float:
    """Share of the largest rate at a step: a straight way up, then half a cosine down to a twentieth."""
    warm = max(1, steps // 20)
    return min((step + 1) / warm, 0.05 + 0.475 * (1 + float(np.cos(np.pi * step / steps))))


def _batches(
    rows: Sequence[_Row], steps: int, size: int, source: np.random.Generator
) -> Iterator[list[_Row]]:
    """Batches of rows of like length, in a mixed order; rows come round again when all are used."""
    given = 0
    while given < steps:
        order = source.permutation(len(rows))
        for start in range(0, len(order), 16 * size):
            pool = sorted(
                order[start : start + 16 * size].tolist(), key=lambda place: len(rows[place].tokens)
            )
            for first in source.permutation(np.arange(0, len(pool), size)).tolist():
                if given == steps:
                    return
                given += 1
                yield [rows[place] for place in pool[first : first + size]]


def _padded(batch: Sequence[_Row], device: str, pad: int, *, first: float = 1.0) -> tuple[Any, Any]:
    """Tokens, and what each weighs in the loss: the first of an answer `first`, what is not learned 0."""
    import torch  # noqa: PLC0415 - an extra

    longest = max(len(row.tokens) for row in batch)
    tokens = torch.full((len(batch), longest), pad, dtype=torch.long)
    weights = torch.zeros((len(batch), longest))
    for place, row in enumerate(batch):
        tokens[place, : len(row.tokens)] = torch.tensor(row.tokens)
        weights[place, row.learned : len(row.tokens)] = 1.0
        weights[place, row.answer] = first
    return tokens.to(device), weights.to(device)


def _loss(model: Any, tokens: Any, weights: Any) -> Any:
    """Weighted mean loss in nats a token; logits are computed only for tokens that count."""
    import torch  # noqa: PLC0415 - an extra

    hidden = model.model(input_ids=tokens[:, :-1], use_cache=False).last_hidden_state
    counted = weights[:, 1:] > 0
    losses = torch.nn.functional.cross_entropy(
        model.lm_head(hidden[counted]), tokens[:, 1:][counted], reduction="none"
    )
    weighing = weights[:, 1:][counted]
    return (losses * weighing).sum() / weighing.sum()
