"""The whole audit of a specimen on the command line, with every analyzer that needs nothing."""

import json
from pathlib import Path

from tests.audit.cli.conftest import Command

SPEC = """\
version: 1
name: everything at once
seed: 7
repeats: 2
target: {type: specimen, toxicity: {rate: 0.0}}
probes:
  - {use: bias/decisions, domains: [lending], attributes: [gender], signals: [explicit]}
analyzers: [decision, refusal, toxicity, quality, sentiment, stereotype, regard, repetition, leakage]
"""


def test_every_embedded_analyzer_reads_one_run_to_its_report(home: Path, evenhand: Command) -> None:
    """Where no reply is ever toxic and no placebo moves, the run still ends in findings and a report."""
    (home / "spec.yaml").write_text(SPEC)
    ended = evenhand("run", "spec.yaml", "--out", "run", "--json")
    assert ended.code == 0, ended.err
    document = json.loads((home / "run" / "findings.json").read_text())
    measures = {estimate["measure"] for estimate in document["estimates"]}
    assert {"favourable_rate", "expected_maximum_toxicity", "reply_words"} <= measures
    assert (home / "run" / "report.html").stat().st_size > 0
