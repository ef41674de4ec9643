"""What follows collection in every command that audits: score, find, report, and tell people."""

import os
import sys
from collections import Counter
from collections.abc import Sequence

from audit import api
from audit.cli.console import data, say, warn
from audit.cli.gate_table import show_gate
from audit.cli.progress import fitting_mode, progress_display
from audit.cli.tables import show_run
from audit.findings.document import RunDocument, flattened
from audit.gates import GateResult, worst
from audit.ledger import read_ledger

__all__ = ["FAILED", "INCONCLUSIVE", "finish", "score_shown"]

FAILED = 1
INCONCLUSIVE = 3


def finish(run: api.Run, *, as_json: bool) -> int:
    """Score, find and report a collected run.

    Args:
        run: The run.
        as_json: Whether to print the findings as JSON on standard output.

    Returns:
        The exit code: 0, or what the gate says.
    """
    score_shown(run, as_json=as_json)
    document = api.find(run)
    path = api.write_run_report(run, document)
    show_run(document)
    results = api.gate(run, document)
    if as_json:
        ledger = read_ledger(run.folder)
        data(
            {
                **flattened(document, every=False),
                "gate": [one.model_dump(mode="json") for one in results],
                "collection": ledger.model_dump(mode="json"),
            }
        )
    say(f"report: {path}")
    gate = _gate(results)
    counts = document.counts["target"]
    if counts.answered + counts.truncated + counts.refused == 0:
        warn("there is no answer at all, so nothing was measured")
        return gate or INCONCLUSIVE
    if unreadable := _never_read(document):
        warn(f"{' and '.join(unreadable)} could be read in no answer, so what rests on it was not measured")
        return gate or INCONCLUSIVE
    return gate


def score_shown(run: api.Run, *, as_json: bool) -> int:
    """Score a run, and show how far the models are that its analyzers ask.

    Args:
        run: The run.
        as_json: Whether standard output is for a program.

    Returns:
        How many readings were taken.
    """
    if not run.plan.raters:
        return api.score(run, secrets=os.environ)
    with progress_display(fitting_mode(as_json=as_json), sys.stderr) as shown:
        return api.score(run, secrets=os.environ, asked=shown)


def _never_read(document: RunDocument) -> list[str]:
    """Measures that no answer has a value for, though there are answers that they speak of."""
    answers: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    for one in document.unread:
        answers[one.measure] += one.answers
        unread[one.measure] += one.unread
    return sorted(name for name, count in answers.items() if count and unread[name] == count)


def _gate(results: Sequence[GateResult]) -> int:
    for result in results:
        show_gate(result)
    if not results:
        return 0
    return {"met": 0, "failed": FAILED, "inconclusive": INCONCLUSIVE}[worst(results)]
