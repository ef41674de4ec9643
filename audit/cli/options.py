"""Options and arguments that several commands share."""

import math
from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from audit.limits import LIMITED

__all__ = [
    "amounts",
    "json_option",
    "out_option",
    "run_argument",
    "settings",
    "shares",
]

_MIXED = ("contrast", "replay")
_LARGEST_SHARE = 0.9
_REST = "repairs"
"""What `--mix` gives no share of its own."""

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


def settings(context: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, object]:
    """Values by key, from `KEY=VALUE` given any number of times; a value is YAML."""
    found: dict[str, object] = {}
    for text in given:
        key, equals, value = text.partition("=")
        said = f"{option.opts[0]} {text}"
        if not (key.strip() and equals):
            raise click.UsageError(f"{said}: accepted is KEY=VALUE, such as epochs=2", context)
        if key.strip() in found:
            raise click.UsageError(f"{said}: {key.strip()} is given twice", context)
        try:
            found[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise click.UsageError(
                f"{said}: the value is no YAML: {' '.join(str(error).split())}", context
            ) from error
    return found


def shares(context: click.Context, option: click.Parameter, given: str) -> dict[str, float]:
    """Shares by name, from `contrast=0.5,replay=0.1`; what is not named keeps its default."""
    found: dict[str, float] = {}
    for part in (part.strip() for part in given.split(",") if part.strip()):
        name, _, amount = part.partition("=")
        try:
            value = float(amount)
        except ValueError:
            value = math.nan
        said = f"{option.opts[0]} {part}"
        if name == _REST:
            raise click.UsageError(f"{said}: {_why_no_share(value)}", context)
        if name not in _MIXED or not 0 <= value <= _LARGEST_SHARE:
            raise click.UsageError(
                f"{said}: accepted is one of {', '.join(_MIXED)}, '=' and a number from "
                f"0 to {_LARGEST_SHARE}, such as contrast=0.5; {_REST} take the rest",
                context,
            )
        if name in found:
            raise click.UsageError(f"{said}: {name} is given twice", context)
        found[name] = value
    return found


def _why_no_share(wanted: float) -> str:
    """Why repairs have no share of their own, and what gives them the share that somebody wants."""
    rest = 1 - wanted if 1 - _LARGEST_SHARE <= wanted <= 1 else 0.5
    return (
        f"{_REST} take the rest of two different wholes, of the examples for safety what contrast leaves "
        f"and of those for decisions what replay leaves; for repairs={1 - rest:g} there give "
        f"contrast={rest:g}, replay={rest:g} or both"
    )
