"""A classifier of BERT's size with made-up words and random weights, in Detoxify's own format."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification

CLASSES = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
VOCABULARY = 30_522
"""As many tokens as bert-base-uncased has."""
SPREAD = 2.0
"""Standard deviation that the logits of the texts are given, so that scores fill (0, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Size of an encoder; the default is bert-base."""

    layers: int = 12
    width: int = 768
    positions: int = 512


def write_model(folder: Path, size: Size, texts: list[str], rng: np.random.Generator) -> Path:
    """Write checkpoint, configuration and vocabulary of a classifier with random weights.

    The heads read the directions in which the pooled output of some texts differs most, as trained heads do,
    with logits of mean 0 and standard deviation `SPREAD`. With heads as drawn all scores are near a half, so
    that equal scores would mean nothing; and merely scaling those up would scale rounding errors with them.

    Args:
        folder: Where to.
        size: Size of the encoder.
        texts: Texts that the heads are fitted to.
        rng: Draws vocabulary and weights.

    Returns:
        The checkpoint; its configuration is in the folder `bert` beside it.
    """
    config = write_vocabulary(folder / "bert", words(VOCABULARY - len(_letters()), rng), size)
    model = new_model(config, rng)
    _spread(model, folder / "bert", texts)
    return checkpoint_of(model, folder)


def write_vocabulary(folder: Path, known: list[str], size: Size) -> BertConfig:
    """Write configuration and tokenizer for some words; other words are read by their letters."""
    folder.mkdir(parents=True)
    tokens = [*_letters(), *known]
    (folder / "vocab.txt").write_text("\n".join(tokens), "utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "model_max_length": size.positions}), "utf-8"
    )
    config = BertConfig.from_dict(
        {
            "vocab_size": len(tokens),
            "hidden_size": size.width,
            "num_hidden_layers": size.layers,
            "num_attention_heads": size.width // 64,
            "intermediate_size": 4 * size.width,
            "max_position_embeddings": size.positions,
            "num_labels": len(CLASSES),
        }
    )
    config.save_pretrained(folder)
    return config


def new_model(config: BertConfig, rng: np.random.Generator) -> BertForSequenceClassification:
    """A classifier with weights as drawn, ready to be asked."""
    with torch.random.fork_rng():
        torch.manual_seed(int(rng.integers(2**31)))
        model = BertForSequenceClassification(config)
    model.train(mode=False)
    return model


def checkpoint_of(model: BertForSequenceClassification, folder: Path) -> Path:
    """Write a classifier in Detoxify's own format, its configuration being in the folder `bert`."""
    arch = {
        "model_type": str(folder / "bert"),
        "model_name": "BertForSequenceClassification",
        "tokenizer_name": "BertTokenizer",
        "num_classes": len(CLASSES),
    }
    path = folder / "model.ckpt"
    torch.save(
        {
            "config": {"arch": {"args": arch}, "dataset": {"args": {"classes": CLASSES}}},
            "state_dict": model.state_dict(),
        },
        path,
    )
    return path


def _letters() -> list[str]:
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz.,!?'"]
    return known + [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]


def _spread(model: BertForSequenceClassification, folder: Path, texts: list[str]) -> None:
    from transformers import BertTokenizer  # noqa: PLC0415 - beside its only use

    tokenizer = BertTokenizer.from_pretrained(folder)
    inputs = tokenizer(texts, return_tensors="pt", truncation=True, padding=True)
    with torch.no_grad():
        pooled = model.bert(**inputs).pooler_output
        mean = pooled.mean(dim=0)
        _, deviations, directions = torch.linalg.svd(pooled - mean, full_matrices=False)
        scale = SPREAD * len(texts) ** 0.5 / deviations[: len(CLASSES)]
        model.classifier.weight.copy_(directions[: len(CLASSES)] * scale[:, None])
        model.classifier.bias.copy_(-(model.classifier.weight @ mean))


def words(count: int, rng: np.random.Generator) -> list[str]:
    """Distinct made-up words of two to four syllables, in the order drawn."""
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = rng.integers(2, 5)
        word = "".join(
            "bcdfghjklmnprstvwz"[rng.integers(18)] + "aeiou"[rng.integers(5)] for _ in range(syllables)
        )
        found.setdefault(word)
    return list(found)


def texts_of(lengths: np.ndarray, vocabulary: list[str], rng: np.random.Generator) -> list[str]:
    """Distinct texts of so many words each, in sentences of about twelve."""
    found = []
    for length in lengths:
        drawn = [vocabulary[place] for place in rng.integers(len(vocabulary), size=int(length))]
        found.append(" ".join(f"{word}." if place % 12 == 11 else word for place, word in enumerate(drawn)))
    return found
