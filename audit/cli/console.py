"""What commands print: human text to standard error, data to standard output, both made harmless."""

import json
import re
import sys

import click
from pydantic import BaseModel

__all__ = ["clean", "data", "say", "table", "warn"]

# C0 and C1 control characters except tab and newline, and the characters that reorder what is shown.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    r"""The text without characters that could move the cursor, colour, reorder or hide what follows.

    Model output is hostile: it goes through here before any terminal sees it.

    >>> clean("a\x1b[31mred")
    'a[31mred'
    """
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def say(text: str = "") -> None:
    """Print a line for people, on standard error."""
    click.echo(clean(text), err=True)


def warn(text: str) -> None:
    """Print a warning for people, on standard error."""
    click.secho(f"warning: {clean(text)}", err=True, fg="yellow")


def data(content: object) -> None:
    """Print data for programs, one JSON document on standard output."""
    if isinstance(content, BaseModel):
        content = content.model_dump(mode="json")
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n")


def table(header: list[str], rows: list[list[str]]) -> None:
    """Print rows in aligned columns for people, on standard error."""
    lines = [header, *rows]
    widths = [max(len(clean(line[column])) for line in lines) for column in range(len(header))]
    for number, line in enumerate(lines):
        cells = [clean(cell).ljust(width) for cell, width in zip(line, widths, strict=True)]
        say("  ".join(cells).rstrip())
        if number == 0:
            say("  ".join("-" * width for width in widths))
