"""Options and arguments that several commands share."""

from pathlib import Path

import click

__all__ = ["json_option", "out_option", "run_argument"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print data as JSON on standard output.")

out_option = click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run; made if it does not exist.",
)

run_argument = click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
