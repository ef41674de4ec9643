"""`evenhand review`: a blind sample out, people's labels in, and how well they agree."""

from pathlib import Path

import click

from audit import api
from audit.cli.console import clean, data, say, table
from audit.cli.options import json_option, run_argument
from audit.errors import InputError

__all__ = ["review"]


@click.command()
@run_argument
@click.option(
    "--export", "out", type=click.Path(path_type=Path), help="Write a blind random sample to label."
)
@click.option(
    "--import", "labels", type=click.Path(path_type=Path), help="Take labels in; all of the file or none."
)
@click.option("--analyzer", help="Analyzer whose reading is labelled; needed by --export.")
@click.option(
    "--n", "count", default=200, show_default=True, type=click.IntRange(min=1), help="Answers to draw."
)
@click.option("--reviewer", help="Who labelled every row of the imported file.")
@click.option("--adjudicate", is_flag=True, help="The imported labels settle what reviewers disagree on.")
@json_option
def review(
    run_folder: Path,
    out: Path | None,
    labels: Path | None,
    analyzer: str | None,
    count: int,
    reviewer: str | None,
    adjudicate: bool,
    as_json: bool,
) -> None:
    """Have people label a blind sample of a run's answers, and correct its estimates by it."""
    run = api.open_run(run_folder)
    if out is not None and labels is not None:
        raise InputError(
            "review: --export and --import exclude each other: give one",
            next_step=f"evenhand review {run_folder} --import {labels}",
        )
    if labels is None and (adjudicate or reviewer is not None):
        raise InputError(
            f"review: {'--adjudicate' if adjudicate else '--reviewer'} needs --import FILE",
            next_step=f"evenhand review {run_folder} --import FILE --reviewer NAME",
        )
    if out is not None:
        if analyzer is None:
            known = _analyzers(run)
            raise InputError(
                f"review: --export needs --analyzer: one of {', '.join(known)}",
                next_step=f"evenhand review {run_folder} --export {out} --analyzer {known[0]}",
            )
        say(f"{api.export_review(run, out, analyzer=analyzer, n=count)} answers to label in {out}")
        say(f"next: fill the label column, then evenhand review {run_folder} --import {out} --reviewer NAME")
    if labels is not None:
        taken, empty = api.import_review(run, labels, reviewer=reviewer, adjudicates=adjudicate)
        say(f"{taken} labels taken, {empty} rows without one")
        say(f"next: evenhand findings {run_folder}")
    found = api.review_summary(run)
    if as_json:
        data([one.model_dump(mode="json") for one in found])
        return
    rows = [
        [
            clean(f"{one.analyzer}, {one.measure}"),
            str(one.sampled),
            str(one.labelled),
            clean(", ".join(f"{who} {n}" for who, n in one.reviewers.items())) or "-",
            str(one.disputed),
            _agreement(one.ac1.value, one.ac1.ci_low, one.ac1.ci_high),
        ]
        for one in found
    ]
    table(["reading", "sampled", "labelled", "by", "disputed", "agreement (AC1)"], rows)


def _analyzers(run: api.Run) -> list[str]:
    return [one.use for one in run.spec.analyzers]


def _agreement(value: float | None, low: float | None, high: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"
