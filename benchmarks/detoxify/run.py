"""Texts a second of the detoxify analyzer against Detoxify's own: `python -m benchmarks.detoxify.run`.

Both run the same classifier on the same texts with the same threads of the same process: Detoxify by
`Detoxify.predict` in batches of a fixed size, in the order of the texts; the analyzer through its backends.
The classifier has the size of bert-base, made-up words and random weights; lengths are log-normal, as those
of answers that are sometimes a word and sometimes a page.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from detoxify import Detoxify

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.detoxify.analyzer import DetoxifyAnalyzer
from audit.analyzers.detoxify.convert import Backend, convert_checkpoint
from audit.records import Exchange
from benchmarks.detoxify.model import Size, texts_of, words, write_model
from probes.records import Expectation, Message
from probes.seeds import rng

SEED = 7
MEDIAN_WORDS, SIGMA, MOST_WORDS = 40, 1.0, 480
HEADS = ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
BACKENDS: tuple[Backend, ...] = ("torch", "onnx", "onnx-int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One way to score the texts."""

    name: str
    seconds: float
    scores: np.ndarray
    """Shape (texts, heads)."""


def fixed_batches(model: Detoxify, size: int, texts: Sequence[str]) -> np.ndarray:
    """Scores by `Detoxify.predict` in batches of a fixed size, in the order of the texts."""
    parts = []
    for start in range(0, len(texts), size):
        found = model.predict(list(texts[start : start + size]))
        parts.append(np.array([np.atleast_1d(found[head]) for head in HEADS]).T)
    return np.concatenate(parts)


def analyzer_scores(analyzer: DetoxifyAnalyzer, texts: Sequence[str]) -> np.ndarray:
    """Scores by the analyzer, as a run calls it."""
    asked = [
        Exchange(
            output=place,
            messages=(Message(role="user", content="Go on."),),
            reply=text,
            expectation=Expectation(kind="open"),
        )
        for place, text in enumerate(texts)
    ]
    values = {(score.output, score.measure): score.value for score in analyzer.score(asked)}
    return np.array([[values[place, head] for head in HEADS] for place in range(len(texts))], dtype=float)


def timed(name: str, score: Callable[[Sequence[str]], np.ndarray], texts: Sequence[str]) -> Timed:
    """Seconds of scoring the texts, after a few of them have warmed everything up."""
    score(texts[:4])
    start = time.perf_counter()
    scores = score(texts)
    return Timed(name=name, seconds=time.perf_counter() - start, scores=scores)


def compared(folder: Path, texts: Sequence[str], arguments: argparse.Namespace) -> list[Timed]:
    """Detoxify's own first, then the analyzer by backend."""
    checkpoint, config = folder / "model.ckpt", folder / "bert"
    own = Detoxify(checkpoint=str(checkpoint), huggingface_config_path=str(config))
    rows = [
        timed(f"Detoxify.predict, batches of {size}", partial(fixed_batches, own, size), texts)
        for size in arguments.batches
    ]
    convert_checkpoint(checkpoint, folder / "safe", config=config, backends=BACKENDS)
    for backend in BACKENDS:
        options = DetoxifyAnalyzer.Options(checkpoint="safe", backend=backend)
        analyzer = DetoxifyAnalyzer(options, AnalyzerContext(root=folder))
        rows.append(timed(f"analyzer, {backend}", partial(analyzer_scores, analyzer), texts))
    return rows


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=400, help="how many texts")
    parser.add_argument("--layers", type=int, default=12, help="layers of the encoder")
    parser.add_argument("--width", type=int, default=768, help="width of the encoder")
    parser.add_argument("--sigma", type=float, default=SIGMA, help="spread of the logarithm of lengths")
    parser.add_argument("--batches", type=int, nargs="+", default=[16], help="sizes of the fixed batches")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    size = Size(layers=arguments.layers, width=arguments.width)
    drawn = rng(SEED, "benchmark", "detoxify")
    vocabulary = words(5000, drawn)
    lengths = np.exp(drawn.normal(np.log(MEDIAN_WORDS), arguments.sigma, arguments.texts))
    texts = texts_of(np.clip(lengths.round(), 1, MOST_WORDS), vocabulary, drawn)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder, size, sorted(texts, key=len)[: min(64, len(texts))], drawn)
        rows = compared(folder, texts, arguments)
    first = rows[0]
    counts = sorted(len(text.split()) for text in texts)
    print(
        f"{size.layers} layers x {size.width}, {len(texts)} texts of {counts[0]} to {counts[-1]} words, ",
        end="",
    )
    print(f"median {counts[len(counts) // 2]}; {torch.get_num_threads()} threads")
    print(f"standard deviation of the toxicity scores: {first.scores[:, 0].std():.2f}\n")
    print("| scored by | texts a second | times the first | largest difference | median difference |")
    print("|---|---|---|---|---|")
    for row in rows:
        gap = np.abs(row.scores - first.scores)
        cells = (
            row.name,
            f"{len(texts) / row.seconds:.1f}",
            f"{first.seconds / row.seconds:.2f}",
            f"{gap.max():.1e}",
            f"{np.median(gap):.1e}",
        )
        print(f"| {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
