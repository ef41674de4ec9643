"""`evenhand compare`: before and after, paired by prompt."""

import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from audit import api
from audit.cli.change_table import show_changes
from audit.cli.comparison_tables import show_beside, show_cells, show_cost, show_legend, show_outcomes
from audit.cli.console import data, say, warn
from audit.cli.options import json_option
from audit.errors import InputError
from audit.repaired.cost import RepairCost, read_repair_cost
from audit.repaired.doubts import doubts
from audit.retraining.records import Manifest
from audit.retraining.writing import read_retraining_files

__all__ = ["compare"]

NOT_COMPARABLE = 3


@click.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    help="Run of a second audit of the model of BEFORE: what repeating alone changes.",
)
@click.option(
    "--prompt-only",
    type=click.Path(path_type=Path),
    help="Run of the model of BEFORE with an instruction in its system prompt: a repair that trains nothing.",
)
@click.option(
    "--files",
    type=click.Path(path_type=Path),
    help="Folder of the retraining files between the two: tells seen from unseen, and what gated the files.",
)
@click.option(
    "--training",
    type=click.Path(path_type=Path),
    help="Folder of the trained model: what its training took, as the trainer noted it.",
)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the comparison as one page that opens from disk.",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Print every change, also where neither run shows anything wrong and the interval holds 0.",
)
@json_option
def compare(
    before: Path,
    after: Path,
    base: Path | None,
    prompt_only: Path | None,
    files: Path | None,
    training: Path | None,
    page: Path | None,
    every: bool,
    as_json: bool,
) -> int:
    """Compare two runs of one plan, paired by prompt.

    BEFORE and AFTER are run folders of the same spec (probes and seed) on two models. The change is
    after minus before; its interval is clustered by template.
    """
    if before.resolve() == after.resolve():
        raise InputError(f"AFTER: {after} is BEFORE itself; accepted: another run of the same spec")
    manifest = None if files is None else read_retraining_files(files).manifest
    cost = None if training is None else read_repair_cost(training)
    later = api.open_run(after)
    found = api.compare(
        api.open_run(before),
        later,
        base=None if base is None else api.open_run(base),
        prompt_only=None if prompt_only is None else api.open_run(prompt_only),
        files=manifest,
    )
    if page is not None:
        asked = {"--base": base, "--prompt-only": prompt_only, "--files": files, "--training": training}
        api.write_comparison_report(
            found,
            page,
            judgement=later.spec.judgement,
            command=_command(before, after, {**asked, "--html": page}),
            files=manifest,
            cost=cost,
        )
        say(f"report: {page}")
    if as_json:
        data(_printed(found, cost))
    if found.not_comparable is not None:
        warn(f"not comparable: {found.not_comparable}")
        return NOT_COMPARABLE
    if not as_json:
        _show(found, manifest, cost, every=every)
    for doubt in doubts(found.documents):
        warn(doubt)
    for measure, analyzer in found.gated.items():
        warn(
            f"{measure}: read by {analyzer}, which also gated the files; read it by another analyzer as well"
        )
    return 0


def _command(before: Path, after: Path, options: Mapping[str, Path | None]) -> str:
    given = [part for name, path in options.items() if path is not None for part in (name, str(path))]
    return shlex.join(["evenhand", "compare", str(before), str(after), *given])


def _printed(found: api.Comparison, cost: RepairCost | None) -> dict[str, object]:
    return {
        "before": found.before,
        "after": found.after,
        "not_comparable": found.not_comparable,
        "changes": [change.model_dump(mode="json") for change in found.changes],
        "findings": [one.model_dump(mode="json") for one in found.outcomes],
        "beside": [one.model_dump(mode="json") for one in found.beside],
        "cells": [one.model_dump(mode="json") for one in found.cells],
        "gated": dict(found.gated),
        "doubts": list(doubts(found.documents)),
        "cost": None if cost is None else cost.model_dump(mode="json"),
    }


def _show(found: api.Comparison, manifest: Manifest | None, cost: RepairCost | None, *, every: bool) -> None:
    show_changes(found.changes, every=every)
    show_legend(found.changes)
    if found.beside:
        show_beside(found.changes, found.beside)
    if manifest is not None:
        repaired = {one.measure for one in found.changes if one.finding in manifest.findings}
        show_cells([one for one in found.cells if one.measure in repaired])
        if all(one.measure != "memorized_rate" for one in found.changes):
            say("repeating the files word for word: not measured; the analyzer memorization reads it")
    if cost is not None:
        show_cost(cost)
    show_outcomes(found.outcomes, found.changes)
