"""A two-layer classifier with random weights in Detoxify's own format, made in a second."""

import json
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification

__all__ = ["CLASSES", "write_tiny"]

CLASSES = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
WORDS = ["you", "are", "a", "kind", "rude", "person", "the", "sea", "is", "blue", "and", "cold", "today"]


def write_tiny(base: Path) -> dict[str, object]:
    """Write `tiny.ckpt` and its configuration folder `bert`; the checkpoint's content."""
    config_folder = base / "bert"
    config_folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (config_folder / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    (config_folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer"}), "utf-8"
    )
    config = BertConfig.from_dict(
        {
            "vocab_size": len(vocabulary),
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "max_position_embeddings": 24,
            "num_labels": len(CLASSES),
        }
    )
    config.save_pretrained(config_folder)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = BertForSequenceClassification(config)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    arch = {
        "model_type": str(config_folder),
        "model_name": "BertForSequenceClassification",
        "tokenizer_name": "BertTokenizer",
        "num_classes": len(CLASSES),
    }
    checkpoint: dict[str, object] = {
        "config": {"arch": {"args": arch}, "dataset": {"args": {"classes": CLASSES}}},
        "state_dict": model.state_dict(),
    }
    torch.save(checkpoint, base / "tiny.ckpt")
    return checkpoint
