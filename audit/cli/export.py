"""`evenhand export`: a run's prompts, outputs and scores as tables for other tools."""

from pathlib import Path
from typing import Literal

import click

from audit import api
from audit.cli.console import data, say
from audit.cli.options import json_option, run_argument

__all__ = ["export"]


@click.command()
@run_argument
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files; made if it does not exist.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="Kind of file.",
)
@json_option
def export(run_folder: Path, folder: Path, kind: Literal["parquet", "csv"], as_json: bool) -> int:
    """Write a run's prompts, outputs and scores as Parquet or CSV files."""
    counts = api.export_run(api.open_run(run_folder), folder, kind=kind)
    for table, rows in counts.items():
        say(f"{folder / f'{table}.{kind}'}: {rows} rows")
    if as_json:
        data({"folder": str(folder), "rows": counts})
    return 0
