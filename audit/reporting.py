"""From a run and what it found to its report: reads the exchanges that show the findings."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import cast

from audit.findings.document import RunDocument
from audit.ledger import read_ledger
from audit.planned_run import Run
from audit.plugins import PROBES, load_plugin
from audit.records import Change, Evidence, Finding
from audit.repaired.comparison import Comparison
from audit.repaired.cost import RepairCost
from audit.reports import (
    Background,
    Files,
    Pair,
    Repair,
    Shown,
    build_compared,
    build_content,
    write_compared,
    write_report,
)
from audit.retraining.records import Manifest
from audit.runs import analyzer_context, build_analyzers
from audit.spec import Judgement
from audit.statistics.quantiles import QuantileEstimate, quantile_interval
from audit.store.store import Store
from probes.base import Probe
from probes.records import Message, ProbeInfo

__all__ = ["write_comparison_report", "write_run_report"]

_QUANTILES = (0.5, 0.95, 0.99)


def write_run_report(
    run: Run, document: RunDocument, *, changes: Sequence[Change] = (), reasoning: bool = False
) -> Path:
    """Write the HTML report of a run into its folder.

    Args:
        run: The run.
        document: What it found.
        changes: Changes since an earlier run of the same plan, if there was one.
        reasoning: Whether exchanges show what the model thought aloud, folded.

    Returns:
        Path of the report.

    Raises:
        InputError: The folder cannot be written, or the findings name outputs that the store lacks.
        SpecError: A plug-in that the spec names is not installed.
    """
    with run.store(read_only=True) as store:
        pairs = {finding.id: _pairs(finding, store, reasoning=reasoning) for finding in document.findings}
        latencies = {role: _latencies(store, role) for role in document.counts}
    background = Background(
        spec=run.spec,
        plan=run.plan,
        analyzers=tuple(
            one.info for one in build_analyzers(run.spec, analyzer_context(run.spec, run.root), run.where)
        ),
        ledger=read_ledger(run.folder),
        latencies={role: found for role, found in latencies.items() if found},
        probes=tuple(_probe_info(one.use, run.where) for one in run.spec.probes),
    )
    write_report(build_content(document, background, pairs=pairs, changes=changes), run.folder.report)
    return run.folder.report


def write_comparison_report(
    comparison: Comparison,
    path: Path,
    *,
    judgement: Judgement,
    command: str,
    files: Manifest | None = None,
    cost: RepairCost | None = None,
) -> None:
    """Write the page about two runs: what was repaired, what was not, what got worse and what is new.

    Args:
        comparison: The two runs.
        path: The file; replaced if it exists.
        judgement: Thresholds of the later run.
        command: The command that makes the comparison again.
        files: What the retraining files between the runs say of themselves.
        cost: What training took.

    Raises:
        InputError: The folder cannot be written or the disk is full.
    """
    held = None
    if files is not None:
        held = Files(findings=files.findings, kinds=files.kinds, left_out=files.left_out)
    repair = Repair(judgement=judgement, command=command, files=held, cost=cost)
    write_compared(build_compared(comparison, repair), path)


def _latencies(store: Store, target: str) -> tuple[QuantileEstimate, ...]:
    seconds = store.latencies(target)
    return tuple(quantile_interval(seconds, one) for one in _QUANTILES) if len(seconds) else ()


def _pairs(finding: Finding, store: Store, *, reasoning: bool) -> list[Pair]:
    """Evidence of one set belongs together; what belongs to no pair stands alone."""
    if finding.estimate.kind not in {"disparity", "distance"}:
        return [Pair(first=_shown(item, store, reasoning=reasoning)) for item in finding.evidence]
    found = []
    for set_id, members in groupby(finding.evidence, key=lambda item: item.set_id):
        shown = [_shown(item, store, reasoning=reasoning) for item in members]
        found.append(Pair(first=shown[0], second=shown[1] if len(shown) > 1 else None, set_id=set_id))
    return found


def _shown(item: Evidence, store: Store, *, reasoning: bool) -> Shown:
    output = store.output(item.output)
    text = output.text if output.text is not None else f"[no text: {output.error or output.outcome.value}]"
    return Shown(
        prompt_id=item.prompt_id,
        output=item.output,
        prompt=_conversation(store.conversation(output)),
        reply=text,
        reasoning=output.reasoning if reasoning else None,
        group=item.group,
        value=item.value,
    )


def _conversation(messages: Sequence[Message]) -> str:
    if len(messages) == 1:
        return messages[0].content
    return "\n\n".join(f"{message.role}: {message.content}" for message in messages)


def _probe_info(name: str, where: str) -> ProbeInfo:
    return cast("type[Probe]", load_plugin(PROBES, name, where=where)).info
