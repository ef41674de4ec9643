"""Options and arguments that several commands share."""

import math
from collections.abc import Sequence
from pathlib import Path

import click

from audit.limits import LIMITED

__all__ = ["amounts", "json_option", "out_option", "run_argument"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print data as JSON on standard output.")

out_option = click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run; made if it does not exist.",
)

run_argument = click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))


def amounts(context: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, float]:
    """Amounts by limit, from `LIMIT=AMOUNT` given any number of times; a limit twice adds up."""
    found: dict[str, float] = {}
    for text in given:
        name, _, amount = text.partition("=")
        try:
            value = float(amount)
        except ValueError:
            value = math.nan
        whole = name not in {"tokens", "requests"} or value.is_integer()
        if name not in LIMITED or not (math.isfinite(value) and value > 0 and whole):
            raise click.UsageError(
                f"--{option.name} {text}: accepted is one of {', '.join(LIMITED)}, '=' and a number above 0, "
                "whole for tokens and requests, such as usd=5",
                context,
            )
        found[name] = found.get(name, 0.0) + value
    return found
