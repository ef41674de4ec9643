"""What commands print: human text to standard error, data to standard output, both made harmless."""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

import click
from pydantic import BaseModel

__all__ = ["clean", "data", "laid_out", "say", "table", "warn"]

_INDENT = "    "

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


def table(header: list[str], rows: list[list[str]], *, below: Sequence[str] = ()) -> None:
    """Print rows in aligned columns for people, on standard error.

    On a terminal too narrow for all columns, those named in `below` leave the line, first to last, until the
    rest fits; what left stands beneath its row, with its name. Elsewhere every row is one line.

    Args:
        header: Names of the columns, each once.
        rows: Cells; one that is empty or "-" is not repeated beneath.
        below: Columns that may leave the line, the most dispensable first.
    """
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    for line in laid_out(header, rows, below=below, width=width):
        say(line)


def laid_out(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, below: Sequence[str], width: int | None
) -> list[str]:
    """The lines of a table.

    Args:
        header: Names of the columns, each once.
        rows: Cells.
        below: Columns that may leave the line, the most dispensable first.
        width: Characters of a line; None for as many as it takes.
    """
    lines = [[clean(cell) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    kept = list(range(len(header)))
    for name in below:
        if width is None or sum(widths[one] + 2 for one in kept) - 2 <= width:
            break
        kept.remove(header.index(name))
    left = [column for column in range(len(header)) if column not in kept]
    found = []
    for number, line in enumerate(lines):
        found.append("  ".join(line[one].ljust(widths[one]) for one in kept).rstrip())
        if number == 0:
            found.append("  ".join("-" * widths[one] for one in kept))
        elif width is not None:
            rest = "; ".join(f"{header[one]}: {line[one]}" for one in left if line[one] not in {"", "-"})
            found.extend(textwrap.wrap(rest, width, initial_indent=_INDENT, subsequent_indent=_INDENT))
    return found
