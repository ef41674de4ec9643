"""`evenhand score`, `findings` and `report`: single stages, each of which can be run again."""

from pathlib import Path

import click

from audit import api
from audit.cli.console import data, say, warn
from audit.cli.ending import score_shown
from audit.cli.options import json_option, run_argument
from audit.cli.tables import show_estimates, show_omnibus, show_run
from audit.findings.document import RunDocument, flattened
from audit.ledger import read_ledger

__all__ = ["findings", "report", "score"]


@click.command()
@run_argument
@json_option
def score(run_folder: Path, as_json: bool) -> None:
    """Score the outputs of a run again; what is audited is not called."""
    read = score_shown(api.open_run(run_folder), as_json=as_json)
    say(f"{read} readings taken")
    if as_json:
        data({"run": str(run_folder), "read": read})
    say(f"next: evenhand findings {run_folder}")


@click.command()
@run_argument
@click.option("--all", "every", is_flag=True, help="List every estimate, whatever its verdict.")
@click.option(
    "--calibration",
    "calibrations",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What analyzers check --json printed: estimates are corrected by it.",
)
@json_option
def findings(run_folder: Path, every: bool, calibrations: tuple[Path, ...], as_json: bool) -> None:
    """Estimate and list the findings of a run."""
    run = api.open_run(run_folder)
    document = api.find(run, calibrations=calibrations)
    if as_json:
        data(flattened(document, every=every))
        return
    show_run(document)
    _warn_of_stop(run, document)
    if every:
        show_estimates(document.estimates)
        show_omnibus(document.omnibus)


def _warn_of_stop(run: api.Run, document: RunDocument) -> None:
    """Say what ended the collection of a run of which answers are missing."""
    invocations = read_ledger(run.folder).invocations
    ending = invocations[-1].ending if invocations else None
    if ending is not None and any(counts.missing for counts in document.counts.values()):
        warn(f"the last collection {ending}")


@click.command()
@run_argument
@click.option("--reasoning", is_flag=True, help="Show what the model thought aloud beside its replies.")
@json_option
def report(run_folder: Path, reasoning: bool, as_json: bool) -> None:
    """Write the HTML report of a run."""
    run = api.open_run(run_folder)
    path = api.write_run_report(run, api.load_document(run), reasoning=reasoning)
    if as_json:
        data({"report": str(path)})
    say(f"report: {path}")
