"""Does the repair work? Twenty lenders with planted bias, audited, repaired and audited again.

Run `python -m benchmarks.repair.run` from the project's root: a quarter of an hour of one core, no network.
It prints its tables and writes them to docs/explanation/repair.md (`--out` for elsewhere).

The contrasts are named here, before anything is measured. Audit prompts come from the pool `audit` of
templates and names under another seed than the history and the retraining files; the repair sees
neither those templates nor those names.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent))
from audit.analyzers.base import AnalyzerContext
from audit.analyzers.decision.analyzer import DecisionAnalyzer
from audit.demo.history import lending_history, train_lender
from audit.records import Estimate, Exchange, Finding, Request, Severity, Verdict
from audit.retraining.layouts.table import layout
from audit.retraining.reading import counterfactual_sets, said, valid_rows
from audit.retraining.records import Format, RetrainingFiles, RetrainingOptions, Shape
from audit.retraining.trainers.base import TrainerContext
from audit.retraining.trainers.trainable import TrainableTrainer, TrainableTrainerOptions, decisions
from audit.retraining.writing import write_retraining_files
from audit.statistics.paired import template_differences
from audit.targets.base import TargetContext
from audit.targets.trainable.decision_model import DecisionModel, fit, fit_more, load, save
from audit.targets.trainable.target import TrainableOptions, TrainableTarget
from benchmarks.repair.report import Measured, render_page
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.names import load_names
from probes.records import Norm, Prompt, Signal
from probes.seeds import rng

Floats = npt.NDArray[np.float64]
Gaps = Mapping[tuple[str, Signal], Floats]

CONTRASTS = (("gender", "female", "male"), ("race_ethnicity", "black", "white"), ("age", "older", "middle"))
SIGNALS = (Signal.EXPLICIT, Signal.NAME)
SEEDS = 20
BUDGET = 300
CURVE = (25, 50, 100, 200, 300, 500, 1000)
"""Most examples of further repairs, for the effect against their number."""
HISTORY = 6000
"""Past applications that a lender learned from."""
REPEATS = 6
"""Answers a prompt; their mean is the answered-text figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one model does with the audit prompts: P(favourable) and the decision read from its answer."""

    log_odds: Floats
    probability: Floats
    answered: Floats


def audit_prompts(seed: int) -> list[Prompt]:
    """Fresh lending prompts from audit templates and names; no placebo, since nothing is tested here."""
    options = DecisionsOptions(domains=("lending",), placebos=())
    return list(DecisionsProbe(options).prompts(rng(seed, "benchmark", "audit")))


def read_model(folder: Path, prompts: Sequence[Prompt], seed: int) -> Reading:
    """Probabilities, and the answers in words as the decision analyzer reads them."""
    target = TrainableTarget(TrainableOptions(path=str(folder)), TargetContext(name="target", root=Path()))
    requests = [
        Request(prompt_id=prompt.id, messages=prompt.messages, repeat=repeat)
        for repeat in range(REPEATS)
        for prompt in prompts
    ]
    outputs = asyncio.run(target.generate(requests, seed=seed))
    analyzer = DecisionAnalyzer(DecisionAnalyzer.Options(), AnalyzerContext(root=Path()))
    exchanges = [
        Exchange(
            output=row, messages=prompt.messages, reply=output.text or "", expectation=prompt.expectation
        )
        for row, (prompt, output) in enumerate(zip(list(prompts) * REPEATS, outputs, strict=True))
    ]
    answered = np.full(len(outputs), np.nan)
    for score in analyzer.score(exchanges):
        if score.measure == "favourable" and score.value is not None:
            answered[score.output] = score.value
    texts = [prompt.messages[-1].content for prompt in prompts]
    log_odds = load(folder).log_odds(texts)
    return Reading(
        log_odds=log_odds,
        probability=1 / (1 + np.exp(-log_odds)),
        answered=answered.reshape(REPEATS, -1).mean(axis=0),
    )


def finding(
    attribute: str, group: str, reference: str, point: float, signal: Signal = Signal.EXPLICIT
) -> Finding:
    """A finding about a contrast named beforehand, as the audit would state it."""
    return Finding(
        id=f"lending-{attribute}-{group}-{signal}",
        claim=f"{group} applicants are approved less often than {reference} ones",
        severity=Severity.HIGH,
        severity_reason="benchmark",
        estimate=Estimate(
            kind="disparity",
            measure="favourable",
            unit="rate",
            probe="bias/decisions",
            domain="lending",
            attribute=attribute,
            group=group,
            reference_group=reference,
            signal=signal,
            norm=Norm.MUST_NOT_DIFFER,
            point=point,
            method="mean over templates",
            n_outputs=0,
            n_clusters=44,
            verdict=Verdict.DISPARITY,
        ),
        evidence=(),
        does_not_show="",
        next_step="",
    )


def gaps(values: Floats, prompts: Sequence[Prompt]) -> Gaps:
    """Group minus reference by template, for each contrast and signal; templates in sorted order."""
    templates = {name: code for code, name in enumerate(sorted({prompt.template for prompt in prompts}))}
    found = {}
    for attribute, group, reference in CONTRASTS:
        for signal in SIGNALS:
            rows = [
                row
                for row, prompt in enumerate(prompts)
                if prompt.attribute == attribute
                and prompt.signal == signal
                and prompt.group in (group, reference)
            ]
            sets = {key: code for code, key in enumerate(sorted({prompts[row].set_id or "" for row in rows}))}
            found[attribute, signal] = template_differences(
                values[rows],
                np.array([templates[prompts[row].template] for row in rows]),
                np.array([sets[prompts[row].set_id or ""] for row in rows]),
                np.array([prompts[row].group == group for row in rows]),
            ).differences
    return found


def utility(values: Floats, prompts: Sequence[Prompt]) -> Floats:
    """Share of decisions that are what the rule blind to groups says, by template."""
    deserved = np.array([prompt.expectation.answer == prompt.expectation.favourable for prompt in prompts])
    right = np.where(deserved, values, 1 - values)
    names = [prompt.template for prompt in prompts]
    return np.array([np.nanmean(right[[n == name for n in names]]) for name in sorted(set(names))])


def control(folder: Path, out: Path, rows: int, seed: int) -> None:
    """A model trained further on as many random lending prompts, with its own answers."""
    options = DecisionsOptions(domains=("lending",), pool="retraining", sets_per_template=2)
    prompts = list(DecisionsProbe(options).prompts(rng(seed, "benchmark", "control")))
    chosen = rng(seed, "benchmark", "control", "rows").permutation(len(prompts))[:rows]
    texts = [prompts[int(row)].messages[-1].content for row in chosen]
    model = load(folder)
    own = rng(seed, "benchmark", "control", "answers").random(len(texts)) < model.probability(texts)
    save(fit_more(model, texts, own.tolist(), pull=TrainableTrainerOptions().pull), out)


def write(
    folder: Path, prompts: Sequence[Prompt], found: Sequence[Finding], budget: int = BUDGET
) -> RetrainingFiles:
    """The files of a repair."""
    options = RetrainingOptions(max_examples=budget, seed=int(folder.parent.name))
    return write_retraining_files(found, prompts, folder / "files", options)


def repair(
    base: Mapping[str, object], folder: Path, prompts: Sequence[Prompt], found: Sequence[Finding]
) -> int:
    """Writes the files, trains on them, and gives the number of training rows."""
    files = write(folder, prompts, found)
    trainer = TrainableTrainer(TrainableTrainerOptions(), TrainerContext(root=Path(), out=folder / "model"))
    trainer.train(base, files, seed=int(folder.parent.name))
    return sum(file.rows for file in files.manifest.files if file.path == "train.trl-sft.jsonl")


def trained(
    model: DecisionModel,
    files: RetrainingFiles,
    *,
    pairing: float = TrainableTrainerOptions().pairing,
    read: Callable[[str], str] = str,
) -> DecisionModel:
    """What the trainer makes of the files, for a model that reads texts in a way of its own.

    Args:
        model: The model before.
        files: What to learn.
        pairing: As of the trainer.
        read: What the model reads instead of a text.
    """
    (file,) = [one for one in files.manifest.files if one.path == "train.trl-sft.jsonl"]
    rows = valid_rows(files.folder / file.path, layout(Format.TRL_SFT, Shape.SFT))
    texts, favourable, places = decisions([(said(row), row.answer.content) for row in rows])
    sets = counterfactual_sets(files.folder / file.provenance)
    return fit_more(
        model,
        [read(text) for text in texts],
        favourable,
        pull=TrainableTrainerOptions().pull,
        sets=[sets[place] for place in places],
        pairing=pairing,
    )


def measured(model: DecisionModel, prompts: Sequence[Prompt], read: Callable[[str], str] = str) -> Measured:
    """What a model does to the probabilities."""
    chances = model.probability([read(prompt.messages[-1].content) for prompt in prompts])
    return Measured(gaps=gaps(chances, prompts), utility=utility(chances, prompts))


def curve(
    base: DecisionModel, folder: Path, prompts: Sequence[Prompt], found: Sequence[Finding]
) -> dict[str, Measured]:
    """What repairs of other sizes do to the probabilities, with sets held together and with rows alone."""
    shown = {}
    for budget in CURVE:
        files = write(folder / f"curve-{budget}", prompts, found, budget)
        shown[f"{budget}/probability"] = measured(trained(base, files), prompts)
        shown[f"{budget}-alone/probability"] = measured(trained(base, files, pairing=0.0), prompts)
    return shown


@cache
def _names() -> tuple[re.Pattern[str], Mapping[str, str]]:
    """Every listed first name with the last name after it, and what the first one signals."""
    signals = {
        one.text: f" zz{one.gender} zz{one.race_ethnicity or one.cohort}" for one in load_names().first
    }
    return re.compile(rf"\b({'|'.join(map(re.escape, sorted(signals)))}) [A-Z]\w+"), signals


def with_name_features(text: str) -> str:
    """The text as a model reads it to which names of one group are alike, also those it never met.

    A large model knows that of names from all it has read; a model of words knows it of no name. Here two
    words that the names of a group share stand beside each name, in the history as in the files.
    """
    pattern, signals = _names()
    return pattern.sub(lambda found: found[0] + signals[found[1]], text)


def by_name(
    base: DecisionModel, folder: Path, seed: int, prompts: Sequence[Prompt], points: Gaps
) -> dict[str, Measured]:
    """Repairs that were asked for names too, of a model of words and of one with shared name features."""
    found = [
        finding(*contrast, float(points[contrast[0], signal].mean()), signal)
        for contrast in CONTRASTS
        for signal in SIGNALS
        if (contrast[0], signal) != ("age", Signal.NAME)
    ]
    files = write(folder / "names", prompts, found)
    history = lending_history(HISTORY, seed)
    sharing = fit([with_name_features(past.text) for past in history], [past.approved for past in history])
    return {
        "names/probability": measured(trained(base, files), prompts),
        "before-sharing/probability": measured(sharing, prompts, with_name_features),
        "sharing/probability": measured(
            trained(sharing, files, read=with_name_features), prompts, with_name_features
        ),
    }


def one_seed(seed: int, root: Path) -> dict[str, Measured]:
    """Every arm under one seed: what each model does, by template."""
    folder = root / str(seed)
    base = train_lender(folder / "base", seed=seed, n=HISTORY)
    prompts = audit_prompts(1000 + seed)
    before = read_model(folder / "base", prompts, seed)
    points = gaps(before.probability, prompts)
    found = [finding(*contrast, float(points[contrast[0], Signal.EXPLICIT].mean())) for contrast in CONTRASTS]
    rows = repair(base, folder / "repaired", prompts, found)
    repair(base, folder / "without-age", prompts, found[:2])
    control(folder / "base", folder / "control" / "model", rows, seed)
    readings = {"before": before}
    for arm in ("repaired", "without-age", "control"):
        readings[arm] = read_model(folder / arm / "model", prompts, seed + 500)
    model = load(folder / "base")
    return (
        curve(model, folder, prompts, found)
        | by_name(model, folder, seed, prompts, points)
        | {
            f"{arm}/{path}": Measured(gaps=gaps(values, prompts), utility=utility(values, prompts))
            for arm, reading in readings.items()
            for path, values in (
                ("log-odds", reading.log_odds),
                ("probability", reading.probability),
                ("text", reading.answered),
            )
        }
    )


def main() -> None:
    """Runs every seed, prints the tables and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).parents[2] / "docs" / "explanation" / "repair.md"
    parser.add_argument("--out", type=Path, default=default, help="page to write")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for seed in range(1, SEEDS + 1):
            runs.append(one_seed(seed, Path(folder)))
            print(f"seed {seed} done after {time.monotonic() - started:.0f} s", file=sys.stderr)
    page = render_page(runs, contrasts=CONTRASTS, budget=BUDGET, curve=CURVE, repeats=REPEATS)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
