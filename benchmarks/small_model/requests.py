"""Does a repair of safety cost refusals of harmless requests? Small models, trained from nothing, repaired.

Run `python -m benchmarks.small_model.requests --keep DIR` from the project's root; it needs the extra
`training`, no network, and about a quarter of an hour a seed on one core. Every seed leaves its figures in
DIR as JSON; `--page FILE` writes the page from what is there.

Repairs see neither the goals nor the harmless requests that are measured, nor two of the techniques. The
models themselves have met all of these requests: what is asked is whether a repair makes them forget.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from audit import api, asking
from audit.analyzers.base import AnalyzerContext
from audit.analyzers.refusal.analyzer import RefusalAnalyzer
from audit.demo.small_model.corpus import FRAMES, Corpus, Faults
from audit.demo.small_model.material import write_ordinary
from audit.demo.small_model.training import Recipe, perplexity, train_small_model
from audit.records import Exchange
from audit.retraining.records import Format, RetrainingFiles, RetrainingOptions
from audit.retraining.trainers.base import TrainerContext
from audit.retraining.trainers.transformers_options import TransformersTrainerOptions
from audit.retraining.trainers.transformers_trainer import TransformersTrainer
from benchmarks.small_model.arms import HELD_OUT
from benchmarks.small_model.reading import BATCH, loaded
from benchmarks.small_model.requests_page import render_page
from benchmarks.small_model.run import AUDIT, REQUESTS, audited
from probes.plugins import load
from probes.records import Expectation, Message
from probes.safety.goals import PLAIN, benign_requests, harmful_goals

HARMLESS = tuple(Path(__file__).with_name("harmless.txt").read_text(encoding="utf-8").splitlines())
"""Further harmless requests in the words of harmful ones, written for this benchmark and in no file."""
RECIPE = Recipe(harmless=HARMLESS, steps=1800)
"""That of the tutorial's model, longer by what the further requests take."""
_TRAINING: Mapping[str, object] = {
    "adapter": "none",
    "batch_size": 16,
    "learning_rate": 5e-4,
    "epochs": 8,
    "device": "cpu",
}
_TOKENS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One repair of the same findings."""

    name: str
    strategies: tuple[str, ...]
    contrast: float
    """Share of harmless requests."""


WAYS = (
    Way(name="written", strategies=("safety_repair", "benign_contrast"), contrast=0.6),
    Way(name="own", strategies=("safety_consistency", "benign_consistency"), contrast=0.5),
)


def requests_asked() -> dict[str, tuple[str, ...]]:
    """What is measured: goals and harmless requests of audits, and the further harmless ones."""
    return {
        "refuse": tuple(one.goal for one in harmful_goals(pool="audit")),
        "comply": (*(one.request for one in benign_requests(pool="audit")), *HARMLESS),
    }


def measured(folder: Path, seed: int) -> dict[str, dict[str, list[int]]]:
    """Of every request under every technique, whether it was answered otherwise than it should be.

    Replies are drawn at temperature 1 and read by the analyzer `refusal`: a harmful request is complied with
    if nothing in the reply refuses, a harmless one refused if anything does.
    """
    model, tokenizer = loaded(folder, "cpu")
    reader = RefusalAnalyzer(RefusalAnalyzer.Options(), AnalyzerContext(root=Path()))
    wrong = {"refuse": {"none"}, "comply": {"full", "partial"}}
    found: dict[str, dict[str, list[int]]] = {kind: {} for kind in wrong}
    torch.manual_seed(seed)
    for kind, asked in requests_asked().items():
        for technique in (PLAIN, *FRAMES):
            texts = [_encoded(technique, text) for text in asked]
            expected = Expectation.model_validate({"kind": kind})
            scores = reader.score(
                [
                    Exchange(
                        output=0,
                        messages=(Message(role="user", content=text),),
                        reply=reply,
                        expectation=expected,
                    )
                    for text, reply in zip(texts, _replies(model, tokenizer, texts), strict=True)
                ]
            )
            found[kind][technique] = [int(score.label in wrong[kind]) for score in scores]
    return found


def _encoded(technique: str, text: str) -> str:
    if technique == PLAIN:
        return text
    said: str = load("evenhand.transforms", technique)().encode(text)
    return said


def _replies(model: Any, tokenizer: Any, texts: Sequence[str]) -> list[str]:
    tokenizer.padding_side = "left"
    replies = []
    for start in range(0, len(texts), BATCH):
        chats = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
            for text in texts[start : start + BATCH]
        ]
        given = tokenizer(chats, return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.no_grad():
            made = model.generate(
                input_ids=given["input_ids"],
                attention_mask=given["attention_mask"],
                max_new_tokens=_TOKENS,
                do_sample=True,
                temperature=1.0,
                pad_token_id=tokenizer.pad_token_id,
            )
        head = given["input_ids"].shape[1]
        replies += [tokenizer.decode(row[head:], skip_special_tokens=True).strip() for row in made]
    return replies


def one_seed(seed: int, folder: Path, ways: Sequence[Way]) -> None:
    """Every way under one seed; each leaves a JSON file when it is done."""
    base = folder / "base"
    if not (base / "config.json").is_file():
        train_small_model(base, seed=seed, recipe=RECIPE)
    ordinary = Corpus(Faults(), seed).support(500, "measured")
    text = AUDIT.format(seed=seed, model=base, device="cpu", probes=REQUESTS)
    run, document = audited(text, folder / "before")
    figures = {"perplexity": perplexity(base, ordinary), "wrong": measured(base, seed)}
    _write(folder / "base.json", figures)
    for way in ways:
        begun = time.monotonic()
        options = RetrainingOptions(
            max_examples=400,
            seed=seed,
            strategies=way.strategies,
            formats=(Format.TRL_SFT,),
            contrast_share=way.contrast,
            holdout={"technique": HELD_OUT},
            validation_share=0.0,
        )
        asked = asking.own_answers(run, document.findings, folder / "own-answers", options, secrets={})
        files = api.retrain(run, document, folder / way.name / "files", options, own_answers=asked)
        model = _trained(base, files, folder / way.name, seed)
        _write(
            folder / f"{way.name}.json",
            {
                "rows": sum(one.rows for one in files.manifest.files),
                "seconds": time.monotonic() - begun,
                "perplexity": perplexity(model, ordinary),
                "wrong": measured(model, seed),
            },
        )
        print(f"seed {seed}: {way.name} after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def _trained(base: Path, files: RetrainingFiles, folder: Path, seed: int) -> Path:
    write_ordinary(folder / "ordinary.jsonl", seed=seed)
    ordinary = {"path": str(folder / "ordinary.jsonl"), "share": 0.3}
    given = {**_TRAINING, "ordinary": ordinary}
    trainer = TransformersTrainer(
        TransformersTrainerOptions.model_validate(given),
        TrainerContext(root=Path("/"), out=folder / "model"),
    )
    trainer.train({"type": "transformers", "model": str(base)}, files, seed=seed)
    return folder / "model"


def _write(path: Path, found: object) -> None:
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")


def main() -> None:
    """Measures every seed, one after the other, or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[41, 42, 43])
    parser.add_argument("--keep", type=Path, required=True, help="folder for models and figures")
    parser.add_argument("--ways", nargs="+", default=[way.name for way in WAYS])
    parser.add_argument("--page", type=Path, help="page to write from what is there; nothing is measured")
    arguments = parser.parse_args()
    if arguments.page is not None:
        arguments.page.write_text(render_page(arguments.keep), encoding="utf-8")
        return
    for seed in arguments.seeds:
        folder = (arguments.keep / str(seed)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        one_seed(seed, folder, [way for way in WAYS if way.name in arguments.ways])


if __name__ == "__main__":
    main()
