"""Does the repair work on a language model? Small ones, trained from nothing, audited, repaired, audited.

Run `python -m benchmarks.small_model.run --seeds 1 2 3 4 5 --keep DIR` from the project's root; it needs the
extra `training`, no network, and about 20 minutes a seed on two cores or 2 on a GPU (`--device cuda`). Every
seed leaves its figures in DIR as JSON and is not measured again; `--page` writes the page from what is there.

The contrasts stand here, before anything is measured. Repairs see neither the templates nor the names, goals
and, for safety, two of the techniques of the audit.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from audit import api
from audit.demo.small_model.corpus import FRAMES, Corpus, Faults
from audit.demo.small_model.training import perplexity, train_small_model
from audit.spec import parse_spec
from audit.statistics.paired import template_differences
from benchmarks.small_model.arms import ARMS, Arm, train_arm
from benchmarks.small_model.asked import measured, recipe
from benchmarks.small_model.page import render_page
from benchmarks.small_model.reading import Floats, favourable, loaded
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.records import Prompt, Signal
from probes.seeds import rng

CONTRASTS = (
    ("gender", "female", "male", "explicit"),
    ("gender", "nonbinary", "male", "explicit"),
    ("race_ethnicity", "black", "white", "explicit"),
    ("race_ethnicity", "hispanic", "white", "explicit"),
    ("gender", "female", "male", "name"),
    ("race_ethnicity", "black", "white", "name"),
    ("race_ethnicity", "hispanic", "white", "name"),
    ("age", "older", "middle", "explicit"),
)
"""Attribute, group, reference and signal; age was not biased and is not repaired: it must stay as it is."""
AUDIT = """\
version: 1
name: small-model
seed: {seed}
target:
  type: transformers
  model: {model}
  params: {{max_tokens: 48, temperature: 1}}
  batch_size: 128
  device: {device}
authorised_by: the benchmark, which attacks its own model
probes:
{probes}
analyzers: [decision, refusal]
"""
_DECISIONS = """\
  - use: bias/decisions
    domains: [lending]
    attributes: [gender, race_ethnicity]
    signals: [explicit, name]
    placebos: [paraphrase]
"""
REQUESTS = f"""\
  - use: safety/harmful
    techniques: [{", ".join(FRAMES)}]
  - use: safety/benign
    techniques: [{", ".join(FRAMES)}]
"""


def audit_prompts(seed: int) -> list[Prompt]:
    """Fresh lending prompts of audit templates and names, under another seed than the audit's own."""
    options = DecisionsOptions(domains=("lending",), placebos=(), sets_per_template=3)
    return list(DecisionsProbe(options).prompts(rng(seed, "benchmark", "small model")))


def audited(text: str, folder: Path) -> tuple[api.Run, Any]:
    """A run of a spec, from plan to findings."""
    run = api.create_run(parse_spec(text, str(folder)), folder, root=Path("/"), where=str(folder))
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    return run, api.find(run)


def decisions(folder: Path, prompts: Sequence[Prompt], device: str, system: str | None) -> dict[str, object]:
    """Gaps by template, each group's own rate and utility of one model, from its exact probabilities."""
    model, tokenizer = loaded(folder, device)
    chances = favourable(model, tokenizer, prompts, system=system)
    deserved = np.array([one.expectation.answer == one.expectation.favourable for one in prompts])
    return {
        "gaps": {"/".join(contrast): _gap(chances, prompts, contrast) for contrast in CONTRASTS},
        "rates": {"/".join(contrast): _rates(chances, prompts, contrast) for contrast in CONTRASTS},
        "utility": _by_template(np.where(deserved, chances, 1 - chances), prompts),
    }


def _rows(prompts: Sequence[Prompt], contrast: tuple[str, str, str, str]) -> list[int]:
    attribute, group, reference, signal = contrast
    return [
        place
        for place, one in enumerate(prompts)
        if one.attribute == attribute and one.signal == Signal(signal) and one.group in (group, reference)
    ]


def _gap(chances: Floats, prompts: Sequence[Prompt], contrast: tuple[str, str, str, str]) -> list[float]:
    rows = _rows(prompts, contrast)
    templates = {name: code for code, name in enumerate(sorted({one.template for one in prompts}))}
    sets = {key: code for code, key in enumerate(sorted({prompts[row].set_id or "" for row in rows}))}
    found = template_differences(
        chances[rows],
        np.array([templates[prompts[row].template] for row in rows]),
        np.array([sets[prompts[row].set_id or ""] for row in rows]),
        np.array([prompts[row].group == contrast[1] for row in rows]),
    )
    return [float(one) for one in found.differences]


def _rates(chances: Floats, prompts: Sequence[Prompt], contrast: tuple[str, str, str, str]) -> list[float]:
    """Mean chance of the group, and of the reference."""
    rows = _rows(prompts, contrast)
    own = [[row for row in rows if prompts[row].group == group] for group in contrast[1:3]]
    return [float(chances[places].mean()) for places in own]


def _by_template(values: Floats, prompts: Sequence[Prompt]) -> list[float]:
    names = np.array([one.template for one in prompts])
    return [float(values[names == name].mean()) for name in sorted(set(names))]


def one_seed(seed: int, folder: Path, device: str, wanted: Sequence[Arm]) -> None:
    """Every arm under one seed; each leaves a JSON file when it is done."""
    base = folder / "base"
    begun = time.monotonic()
    if not (base / "config.json").is_file():
        train_small_model(base, seed=seed, recipe=recipe(device))
    spent = {"training the model": time.monotonic() - begun}
    prompts = audit_prompts(1000 + seed)
    ordinary = Corpus(Faults(), seed).support(500, "measured")
    begun = time.monotonic()
    text = AUDIT.format(seed=seed, model=base, device=target_device(device), probes=_DECISIONS + REQUESTS)
    run, document = audited(text, folder / "before")
    spent["the audit"] = time.monotonic() - begun
    found: dict[str, object] = {
        **decisions(base, prompts, device, None),
        "perplexity": perplexity(base, ordinary, device=device),
        "wrong": measured(base, seed, device),
        "seconds": spent,
        "findings": len(document.findings),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
    }
    _write(folder / "base.json", found)
    for arm in wanted:
        begun = time.monotonic()
        model, rows = train_arm(arm, run, base, folder / arm.name, seed, device)
        found = {
            **decisions(model, prompts, device, arm.system),
            "rows": rows,
            "perplexity": perplexity(model, ordinary, device=device),
            "seconds": time.monotonic() - begun,
        }
        if arm.safety:
            found["wrong"] = measured(model, seed, device)
        _write(folder / f"{arm.name}.json", found)
        print(f"seed {seed}: {arm.name} after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def target_device(device: str) -> str:
    """A device as the target `transformers` names it."""
    return "cuda:0" if device == "cuda" else device


def _write(path: Path, found: object) -> None:
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")


def main() -> None:
    """Measures every seed, each in a process of its own, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--keep", type=Path, required=True, help="folder for models and figures")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--arms", nargs="+", default=[arm.name for arm in ARMS])
    parser.add_argument("--jobs", type=int, default=1, help="seeds at once")
    parser.add_argument("--page", type=Path, help="page to write from what is there; nothing is measured")
    parser.add_argument("--text", choices=["page.md", "kept.md"], default="page.md", help="its words")
    arguments = parser.parse_args()
    if arguments.page is not None:
        page = render_page(arguments.keep, CONTRASTS, arguments.text)
        arguments.page.write_text(page, encoding="utf-8")
        return
    wanted = [arm for arm in ARMS if arm.name in arguments.arms]
    if len(arguments.seeds) == 1:
        (seed,) = arguments.seeds
        folder = (arguments.keep / str(seed)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        one_seed(seed, folder, arguments.device, wanted)
        return
    waiting, working = list(arguments.seeds), list[subprocess.Popen[bytes]]()
    while waiting or working:
        while waiting and len(working) < arguments.jobs:
            command = [sys.executable, "-m", "benchmarks.small_model.run", "--seeds", str(waiting.pop(0))]
            command += [
                "--keep",
                str(arguments.keep),
                "--device",
                arguments.device,
                "--arms",
                *arguments.arms,
            ]
            working.append(subprocess.Popen(command, cwd=Path(__file__).parents[2]))
        working = [one for one in working if one.poll() is None]
        time.sleep(0.5)


if __name__ == "__main__":
    main()
