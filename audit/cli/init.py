"""`evenhand init`: a spec to start from."""

from pathlib import Path

import click

from audit.atomic import write_text
from audit.cli.console import data, say
from audit.cli.options import json_option
from audit.cli.streams import write_out
from audit.errors import InputError
from audit.presets import PRESETS, preset
from audit.schema import spec_schema

__all__ = ["init"]


@click.command()
@click.option("--preset", "name", type=click.Choice(sorted(PRESETS)), default="minimal", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; standard output if absent."
)
@click.option("--schema", is_flag=True, help="Print the JSON schema of specs instead.")
@json_option
def init(name: str, out: Path | None, schema: bool, as_json: bool) -> None:
    """Write a commented, valid spec."""
    text = spec_schema() if schema else preset(name)
    if out is None:
        if as_json and not schema:
            data({"preset": name, "spec": text})
        else:
            write_out(text)
        return
    if out.exists():
        raise InputError(f"{out}: exists already, and is left alone", next_step="choose another --out")
    write_text(out, text)
    if as_json:
        data({"preset": name, "path": str(out)})
    say(f"wrote {out}")
    if not schema:
        say(f"next: edit target in it, then evenhand plan {out}")
