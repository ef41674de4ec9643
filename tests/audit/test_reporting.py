"""From a run on disk to its report, with the exchanges that show its findings."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from audit import api
from audit.reporting import write_run_report
from audit.spec import parse_spec

SPEC = """\
version: 1
name: refuser
seed: 3
target: {type: specimen, refusal: {over_refusal: 0.6}}
probes: [{use: safety/benign}]
analyzers: [refusal]
"""


def test_report_of_a_real_run_shows_its_exchanges(tmp_path: Path) -> None:
    """A run that refuses harmless requests gets a report with the finding and the refused requests."""
    run = api.create_run(parse_spec(SPEC, "spec.yaml"), tmp_path / "run", root=tmp_path, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    document = api.find(run)
    path = write_run_report(run, document)
    html = path.read_text(encoding="utf-8")
    shown = [item for finding in document.findings for item in finding.evidence]
    assert path == run.folder.report
    assert document.findings
    assert all(f'id="finding-{finding.id}"' in html for finding in document.findings)
    assert all(f"output {item.output}, prompt <code>{item.prompt_id}</code>" in html for item in shown)
    before = path.read_bytes()
    assert write_run_report(run, document).read_bytes() == before


def test_reasoning_is_shown_only_when_asked_for_and_runs_nothing(tmp_path: Path) -> None:
    """What a model thought aloud is folded beside its reply, as text; the report leaves it out otherwise."""
    run = api.create_run(parse_spec(SPEC, "spec.yaml"), tmp_path / "run", root=tmp_path, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    with closing(sqlite3.connect(run.folder.database)) as connection:
        connection.execute("UPDATE outputs SET reasoning = '<script>alert(1)</script>' || char(27) || 'why'")
        connection.commit()
    api.score(run)
    document = api.find(run)
    plain = write_run_report(run, document).read_text(encoding="utf-8")
    assert "alert(1)" not in plain
    asked = write_run_report(run, document, reasoning=True).read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in asked
    assert "<script>alert" not in asked
    assert "\x1b" not in asked
