"""The report as one HTML file that opens from disk, without script and without any request."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit.atomic import write_text
from audit.records import Verdict
from audit.reports.content import ReportContent
from audit.reports.words import VERDICT_WORDS, bounds, counted, number, plain, printable, said, signed

__all__ = ["render_html", "write_report"]

_LAYOUT = "report.html.j2"
_STYLE = "report.css"


def render_html(content: ReportContent) -> str:
    """The report as HTML.

    Everything that comes from outside is escaped, and what would be invisible or reorder its
    neighbours is shown by its code. The content security policy allows one style sheet, by its hash,
    and nothing else. Equal content gives equal bytes, with the same versions installed.

    Args:
        content: What to show.
    """
    environment = _environment()
    style = environment.loader.get_source(environment, _STYLE)[0] if environment.loader else ""
    return environment.get_template(_LAYOUT).render(
        content=content,
        document=content.document,
        spec=content.background.spec,
        plan=content.background.plan,
        style=Markup(style),  # noqa: S704 - our own file, and the policy admits it by its hash
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        verdicts=VERDICT_WORDS,
    )


def write_report(content: ReportContent, path: Path) -> None:
    """Write the report, atomically.

    Args:
        content: What to show.
        path: The file; replaced if it exists.

    Raises:
        InputError: The folder cannot be written or the disk is full.
    """
    write_text(path, render_html(content))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audit.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalized,
    )
    environment.filters |= {
        "bounds": bounds,
        "counted": counted,
        "number": number,
        "plain": plain,
        "said": said,
        "signed": signed,
    }
    environment.tests["judged_against"] = lambda verdict: verdict in {Verdict.EXCEEDS, Verdict.WITHIN}
    return environment


def _finalized(value: object) -> object:
    """Every value on its way into the page: safe markup as it is, everything else as a printable text."""
    if isinstance(value, Markup):
        return value
    return printable(str(value))
