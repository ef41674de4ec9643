"""From a run's findings to files: what is kept out of them."""

import asyncio
import json
from pathlib import Path

from audit.api import Run, collect, create_run, find, retrain, score
from audit.demo.history import train_lender
from audit.retraining.records import RetrainingOptions
from audit.spec import parse_spec

_AUDIT = """\
version: 1
name: lender
seed: 3
target: {type: trainable, path: lender}
probes:
  - {use: bias/decisions, domains: [lending], attributes: [gender], signals: [explicit], placebos: []}
analyzers: [decision]
"""
_JUDGE = """\
version: 1
name: judge
target: {type: trainable, path: lender}
probes: [{use: public/table, path: asked.jsonl, prompt: prompt}]
analyzers: [decision]
"""


def _run(spec: str, folder: Path, name: str) -> Run:
    return create_run(parse_spec(spec, "spec.yaml"), folder / name, root=folder, where="spec.yaml")


def test_prompts_of_a_run_that_is_to_judge_are_kept_out_too(tmp_path: Path) -> None:
    """What another run asks gets into no file, though the audited run never asked it."""
    train_lender(tmp_path / "lender", seed=1, n=3000)
    audited = _run(_AUDIT, tmp_path, "audited")
    asyncio.run(collect(audited, secrets={}))
    score(audited)
    document, options = find(audited), RetrainingOptions(max_examples=60)
    first = retrain(audited, document, tmp_path / "first", options)
    rows = (first.folder / "train.trl-sft.jsonl").read_text(encoding="utf-8").splitlines()
    asked = json.loads(rows[0])["messages"][0]["content"]
    (tmp_path / "asked.jsonl").write_text(json.dumps({"prompt": asked}) + "\n")
    judge = _run(_JUDGE, tmp_path, "judge")
    second = retrain(audited, document, tmp_path / "second", options, kept_out=(judge,))
    left = (second.folder / "train.trl-sft.jsonl").read_text(encoding="utf-8")
    assert json.dumps(asked, ensure_ascii=False) in rows[0]
    assert json.dumps(asked, ensure_ascii=False) not in left
    refused = {gate.gate: gate.refused for gate in second.manifest.gates}
    assert refused["near-twins"] > 0
    assert {gate.gate: gate.refused for gate in first.manifest.gates}["near-twins"] == 0
