"""What 8-bit integers do to scores of a trained classifier: `python -m benchmarks.detoxify.trained`.

Weights that were never trained answer to nothing, so that rounding moves their scores as much as words do.
This trains a small BERT on the spot to find made-up words, one set a head, and compares the scores of the
backends on texts that it has not seen.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import BertForSequenceClassification, BertTokenizer

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.detoxify import DetoxifyAnalyzer
from audit.analyzers.detoxify_convert import convert_checkpoint
from benchmarks.detoxify.model import (
    CLASSES,
    Size,
    checkpoint_of,
    new_model,
    texts_of,
    words,
    write_vocabulary,
)
from benchmarks.detoxify.run import BACKENDS, analyzer_scores
from probes.seeds import rng

SEED = 11
VOCABULARY, A_HEAD = 1200, 25
BATCH, RATE = 64, 1e-3
SHARE = 0.3


def labelled(
    count: int, vocabulary: list[str], marked: list[list[str]], drawn: np.random.Generator
) -> tuple[list[str], np.ndarray]:
    """Texts of 4 to 40 words, and for each head whether one of its words stands in the text."""
    texts = texts_of(drawn.integers(4, 41, size=count), vocabulary, drawn)
    labels = drawn.random((count, len(marked))) < SHARE
    found = []
    for text, row in zip(texts, labels, strict=True):
        parts = text.split()
        for head in np.flatnonzero(row):
            parts.insert(int(drawn.integers(len(parts) + 1)), str(drawn.choice(marked[head])))
        found.append(" ".join(parts))
    return found, labels


def train(
    model: BertForSequenceClassification,
    tokenizer: BertTokenizer,
    steps: int,
    data: tuple[list[str], np.ndarray],
) -> None:
    """Fit all weights, a fresh part of the texts a step."""
    texts, labels = data
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)
    model.train(mode=True)
    for step in range(steps):
        part = slice(step * BATCH, (step + 1) * BATCH)
        inputs = tokenizer(texts[part], return_tensors="pt", padding=True, truncation=True)
        logits = model(**inputs).logits
        wanted = torch.from_numpy(labels[part].astype(np.float32))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    model.train(mode=False)


def main() -> int:
    """Train, convert, and print the differences of scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=900, help="steps of training")
    parser.add_argument("--layers", type=int, default=4, help="layers of the encoder")
    parser.add_argument("--width", type=int, default=192, help="width of the encoder")
    parser.add_argument("--texts", type=int, default=1000, help="texts that are scored")
    arguments = parser.parse_args()
    drawn = rng(SEED, "benchmark", "detoxify trained")
    every = words(VOCABULARY + A_HEAD * len(CLASSES), drawn)
    marked = [every[place * A_HEAD : (place + 1) * A_HEAD] for place in range(len(CLASSES))]
    vocabulary = every[A_HEAD * len(CLASSES) :]
    size = Size(layers=arguments.layers, width=arguments.width, positions=64)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_vocabulary(folder / "bert", every, size)
        model, tokenizer = new_model(config, drawn), BertTokenizer.from_pretrained(folder / "bert")
        start = time.perf_counter()
        train(model, tokenizer, arguments.steps, labelled(arguments.steps * BATCH, vocabulary, marked, drawn))
        print(f"trained {arguments.steps} steps in {time.perf_counter() - start:.0f} s")
        path = checkpoint_of(model, folder)
        convert_checkpoint(path, folder / "safe", config=folder / "bert", backends=BACKENDS)
        texts, labels = labelled(arguments.texts, vocabulary, marked, drawn)
        scores = {}
        for backend in BACKENDS:
            options = DetoxifyAnalyzer.Options(checkpoint="safe", backend=backend)
            scores[backend] = analyzer_scores(DetoxifyAnalyzer(options, AnalyzerContext(root=folder)), texts)
    right = (scores["torch"] >= 0.5) == labels
    print(
        f"{size.layers} layers x {size.width}; right on {right.mean():.1%} of {right.size:,} unseen labels\n"
    )
    print("| backend | largest difference | 99th percentile | median | within 0.01 | sides of 0.5 changed |")
    print("|---|---|---|---|---|---|")
    for backend in BACKENDS[1:]:
        gap = np.abs(scores[backend] - scores["torch"])
        moved = ((scores[backend] >= 0.5) != (scores["torch"] >= 0.5)).sum()
        cells = (f"{gap.max():.1e}", f"{np.quantile(gap, 0.99):.1e}", f"{np.median(gap):.1e}")
        print(f"| {backend} | {' | '.join(cells)} | {(gap <= 0.01).mean():.1%} | {moved} of {gap.size:,} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
