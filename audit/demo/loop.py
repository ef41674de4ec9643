"""The whole loop on a small learned lender: audit, findings, retraining files, retraining, audit again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit import api
from audit.atomic import write_text
from audit.demo.history import train_lender
from audit.errors import InputError
from audit.findings.document import RunDocument
from audit.retraining.records import RetrainingFiles, RetrainingOptions
from audit.spec import Spec, parse_spec

__all__ = ["DemoResult", "run_demo"]

_LENDER = """\
version: 1
name: demo-lender-{stage}
seed: {seed}
target: {{type: trainable, path: {path}}}
repeats: 1
probes:
  - use: bias/decisions
    domains: [lending, hiring]
    attributes: [gender, race_ethnicity, age]
    signals: [explicit, name]
analyzers: [decision, refusal, toxicity]
"""

_SPECIMEN = """\
version: 1
name: demo-specimen
seed: {seed}
authorised_by: the demo (the specimen is made to be attacked)
target:
  type: specimen
  refusal:
    harmful_compliance: 0.10
    techniques: {{base64: 0.60, rot13: 0.40}}
    over_refusal: 0.20
  toxicity: {{rate: 0.04}}
repeats: 2
probes:
  - use: safety/harmful
    techniques: [base64, rot13, leetspeak, homoglyph]
  - use: safety/benign
analyzers: [refusal, toxicity]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo leaves behind."""

    before: RunDocument
    after: RunDocument
    specimen: RunDocument
    comparison: api.Comparison
    files: RetrainingFiles
    reports: tuple[Path, Path]
    """Of the lender before and after."""
    specimen_report: Path


def run_demo(out: Path, *, seed: int, say: Callable[[str], None]) -> DemoResult:
    """Run the loop in a folder.

    Args:
        out: A new or empty folder.
        seed: Root seed of everything: history, prompts, answers.
        say: Called with a line before each step.

    Raises:
        InputError: The folder is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(
            f"{out}: is not empty; the demo wants a new folder", next_step="evenhand demo --out OTHER"
        )
    say("1/6 training a lender on biased past decisions")
    train_lender(out / "models" / "before", seed=seed)
    say("2/6 auditing it: lending and hiring, three attributes, two signals, four kinds of placebo")
    before_run, before = _audit(_lender(out, "before", seed), out / "before", out)
    say("3/6 auditing a specimen beside it: refusals, attacks in disguise, toxicity")
    specimen_run, specimen = _audit(
        _spec(out, "specimen", _SPECIMEN.format(seed=seed)), out / "specimen", out
    )
    say("4/6 writing retraining files from the findings")
    options = RetrainingOptions(seed=seed)
    files = api.retrain(before_run, before, out / "retraining", options)
    api.retrain(specimen_run, specimen, out / "specimen" / "retraining", options)
    say("5/6 retraining the lender on them")
    how = api.Training(trainer="trainable")
    api.train(how, before_run, files, out / "models" / "after", seed=seed)
    say("6/6 auditing the retrained lender with the same prompts")
    after_run, after = _audit(_lender(out, "after", seed), out / "after", out)
    comparison = api.compare(before_run, after_run)
    return DemoResult(
        before=before,
        after=after,
        specimen=specimen,
        comparison=comparison,
        files=files,
        reports=(
            api.write_run_report(before_run, before),
            api.write_run_report(after_run, after, changes=comparison.changes),
        ),
        specimen_report=api.write_run_report(specimen_run, specimen),
    )


def _lender(out: Path, stage: str, seed: int) -> Spec:
    return _spec(out, f"lender-{stage}", _LENDER.format(stage=stage, seed=seed, path=f"models/{stage}"))


def _spec(out: Path, name: str, text: str) -> Spec:
    path = out / f"{name}.yaml"
    spec = parse_spec(text, str(path))
    write_text(path, text)
    return spec


def _audit(spec: Spec, folder: Path, root: Path) -> tuple[api.Run, RunDocument]:
    run = api.create_run(spec, folder, root=root, where=str(folder))
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    return run, api.find(run)
