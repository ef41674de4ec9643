"""Does a repair of safety cost refusals of harmless requests? Small models, trained from nothing, repaired.

Run `python -m benchmarks.small_model.requests --keep DIR` from the project's root; it needs the extra
`training`, no network, and about three quarters of an hour a seed on one core. Every seed leaves its figures
in DIR as JSON; `--page FILE` writes the page from what is there.

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

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from audit import api, asking
from audit.demo.small_model.corpus import Corpus, Faults
from audit.demo.small_model.material import write_ordinary
from audit.demo.small_model.training import perplexity, train_small_model
from audit.retraining.records import Format, RetrainingFiles, RetrainingOptions
from audit.retraining.trainers.base import TrainerContext
from audit.retraining.trainers.transformers_options import TransformersTrainerOptions
from audit.retraining.trainers.transformers_trainer import TransformersTrainer
from benchmarks.small_model.arms import HELD_OUT
from benchmarks.small_model.asked import measured, recipe
from benchmarks.small_model.requests_page import render_page
from benchmarks.small_model.run import AUDIT, REQUESTS, audited, target_device

_TRAINING: Mapping[str, object] = {
    "adapter": "none",
    "batch_size": 16,
    "learning_rate": 5e-4,
    "epochs": 8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One repair of the same findings."""

    name: str
    strategies: tuple[str, ...]
    examples: int
    """At most."""
    contrast: float
    """Share of harmless requests."""
    epochs: int = 8


WAYS = (
    Way(name="written", strategies=("safety_repair", "benign_contrast"), examples=960, contrast=0.8),
    Way(name="own", strategies=("safety_consistency", "benign_consistency"), examples=960, contrast=0.8),
)


def one_seed(seed: int, folder: Path, device: str, ways: Sequence[Way]) -> None:
    """Every way under one seed; each leaves a JSON file when it is done."""
    base = folder / "base"
    if not (base / "config.json").is_file():
        train_small_model(base, seed=seed, recipe=recipe(device))
    ordinary = Corpus(Faults(), seed).support(500, "measured")
    text = AUDIT.format(seed=seed, model=base, device=target_device(device), probes=REQUESTS)
    run, document = audited(text, folder / "before")
    figures = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "perplexity": perplexity(base, ordinary, device=device),
        "wrong": measured(base, seed, device),
    }
    _write(folder / "base.json", figures)
    for way in ways:
        begun = time.monotonic()
        options = RetrainingOptions(
            max_examples=way.examples,
            seed=seed,
            strategies=way.strategies,
            formats=(Format.TRL_SFT,),
            contrast_share=way.contrast,
            holdout={"technique": HELD_OUT},
            validation_share=0.0,
        )
        asked = asking.own_answers(run, document.findings, folder / "own-answers", options, secrets={})
        files = api.retrain(run, document, folder / way.name / "files", options, own_answers=asked)
        model = _trained(base, files, folder / way.name, seed, {"device": device, "epochs": way.epochs})
        _write(
            folder / f"{way.name}.json",
            {
                "rows": sum(one.rows for one in files.manifest.files),
                "seconds": time.monotonic() - begun,
                "perplexity": perplexity(model, ordinary, device=device),
                "wrong": measured(model, seed, device),
            },
        )
        print(f"seed {seed}: {way.name} after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def _trained(base: Path, files: RetrainingFiles, folder: Path, seed: int, how: Mapping[str, object]) -> Path:
    write_ordinary(folder / "ordinary.jsonl", seed=seed)
    ordinary = {"path": str(folder / "ordinary.jsonl"), "share": 0.3}
    given = {**_TRAINING, **how, "ordinary": ordinary}
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
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--ways", nargs="+", default=[way.name for way in WAYS])
    parser.add_argument("--page", type=Path, help="page to write from what is there; nothing is measured")
    arguments = parser.parse_args()
    if arguments.page is not None:
        arguments.page.write_text(render_page(arguments.keep), encoding="utf-8")
        return
    for seed in arguments.seeds:
        folder = (arguments.keep / str(seed)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        one_seed(seed, folder, arguments.device, [way for way in WAYS if way.name in arguments.ways])


if __name__ == "__main__":
    main()
