"""What commands print: human text to standard error, data to standard output, both made harmless."""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

import click
from pydantic import BaseModel

from audit.cli.streams import write_out

__all__ = ["clean", "data", "folded", "laid_out", "say", "table", "warn"]

_INDENT = "    "
_NOTHING = frozenset({"", "-"})
"""Cells that say nothing."""
_TO_TYPE = "next: "
"""Begins a line with a command, which must be copied whole."""

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
    """Print a line for people, on standard error, folded between words where the terminal is too narrow."""
    click.echo(folded(clean(text), _width()), err=True)


def folded(text: str, width: int | None) -> str:
    """A line folded between words, with what follows the first part set in; commands to type stay whole.

    Args:
        text: One line.
        width: Characters of a line; None for as many as it takes.
    """
    if width is None or len(text) <= width or text.startswith(_TO_TYPE):
        return text
    start = text[: len(text) - len(text.lstrip())]
    lines = textwrap.wrap(
        text.strip(),
        width,
        initial_indent=start,
        subsequent_indent=start + _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def _width() -> int | None:
    """Characters of a line of the terminal that people read; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stderr.isatty() else None


def warn(text: str) -> None:
    """Print a warning for people, on standard error."""
    click.secho(f"warning: {clean(text)}", err=True, fg="yellow")


def data(content: object) -> None:
    """Print data for programs, one JSON document on standard output.

    Raises:
        AuditError: It cannot be written there.
    """
    if isinstance(content, BaseModel):
        content = content.model_dump(mode="json")
    write_out(json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n")


def table(header: list[str], rows: list[list[str]], *, below: Sequence[str] = ()) -> None:
    """Print rows in aligned columns for people, on standard error.

    On a terminal too narrow for all columns, what is the same in every row is said once, above. Then those
    named in `below` leave the line, first to last, until the rest fits; what left stands beneath its row,
    with its name. Elsewhere every row is one line.

    Args:
        header: Names of the columns, each once.
        rows: Cells; one that is empty or "-" is not repeated beneath.
        below: Columns that may leave the line, the most dispensable first; names of no column do nothing.
    """
    # The name of a group, which is whatever a file holds, may be of several lines.
    cells = [[" ".join(cell.splitlines()) for cell in row] for row in rows]
    for line in laid_out(header, cells, below=below, width=_width()):
        click.echo(line, err=True)


def laid_out(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, below: Sequence[str], width: int | None
) -> list[str]:
    """The lines of a table.

    Args:
        header: Names of the columns, each once.
        rows: Cells.
        below: Columns that may leave the line, the most dispensable first; names of no column do nothing.
        width: Characters of a line; None for as many as it takes.
    """
    lines = [[clean(cell) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    above, kept, left = _columns(
        lines, widths, [header.index(name) for name in below if name in header], width
    )
    said = [f"{header[one]} {lines[1][one]}" for one in above if lines[1][one] not in _NOTHING]
    found = folded(f"in every row: {', '.join(said)}", width).splitlines() if said else []
    for number, line in enumerate(lines):
        found.append("  ".join(line[one].ljust(widths[one]) for one in kept).rstrip())
        if number == 0:
            found.append("  ".join("-" * widths[one] for one in kept))
        elif width is not None:
            rest = "; ".join(f"{header[one]}: {line[one]}" for one in left if line[one] not in _NOTHING)
            found.extend(textwrap.wrap(rest, width, initial_indent=_INDENT, subsequent_indent=_INDENT))
    return found


def _columns(
    lines: Sequence[Sequence[str]], widths: Sequence[int], below: Sequence[int], width: int | None
) -> tuple[list[int], list[int], list[int]]:
    """Columns that are said above all rows, that stay on the line, and that stand beneath each row."""

    def fits(columns: Sequence[int]) -> bool:
        return width is None or sum(widths[one] + 2 for one in columns) - 2 <= width

    kept = list(range(len(widths)))
    if fits(kept):
        return [], kept, []
    _, first, *others = lines if len(lines) > 1 else (*lines, [])
    above = [one for one in kept if others and all(line[one] == first[one] for line in others)]
    kept = [one for one in kept if one not in above] or kept
    above = [one for one in above if one not in kept]
    left = []
    for column in below:
        if column in kept and not fits(kept):
            kept.remove(column)
            left.append(column)
    return above, kept, sorted(left)
