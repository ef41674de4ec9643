"""The document of a table as files: `table.json`, and `table.html` without script and without any request."""

from pathlib import Path

from audit.atomic import write_text
from audit.reports.page import page_environment, style_of
from audit.reports.words import NOT_MEASURED, number, plain, probability, signed
from audit.tables.document import TableDocument

__all__ = ["render_html", "write_document"]

_LAYOUT, _STYLE = "table.html.j2", "table.css"


def write_document(document: TableDocument, folder: Path) -> tuple[Path, Path]:
    """Write `table.json` and `table.html`, atomically.

    Args:
        document: What was found.
        folder: Where to; made if it does not exist, files of these names are replaced.

    Returns:
        Paths of the JSON and the HTML file.

    Raises:
        InputError: The folder cannot be written or the disk is full.
    """
    paths = folder / "table.json", folder / "table.html"
    write_text(paths[0], document.model_dump_json(indent=1) + "\n")
    write_text(paths[1], render_html(document))
    return paths


def render_html(document: TableDocument) -> str:
    """The document as one HTML page.

    Everything from the file is escaped, and what would be invisible or reorder its neighbours is shown
    by its code. The content security policy allows one style sheet, by its hash, and nothing else.

    Args:
        document: What to show.
    """
    environment = page_environment("audit.tables")
    environment.filters |= {
        "rate": _rate,
        "points": _points,
        "ratio": _ratio,
        "bare": _bare,
        "p": probability,
        "words": _words,
    }
    return environment.get_template(_LAYOUT).render(
        document=document,
        **style_of(environment, _STYLE),
    )


def _rate(value: float | None) -> str:
    return plain(value, "rate")


def _points(value: float | None) -> str:
    return signed(value, "rate")


def _ratio(value: float | None) -> str:
    return NOT_MEASURED if value is None else number(value, 3)


def _bare(said: str) -> str:
    """The number without its unit, for the first end of an interval.

    >>> _bare("41.2\N{NO-BREAK SPACE}%"), _bare("-7.7 points"), _bare("not measured")
    ('41.2', '-7.7', 'not measured')
    """
    return said if said == NOT_MEASURED else said.replace("\N{NO-BREAK SPACE}", " ").split(" ")[0]


def _words(verdict: str | None) -> str:
    return "reference" if verdict is None else verdict.replace("_", " ")
