"""The page about two runs as one HTML file, on the ground and with the parts of a run's report."""

from pathlib import Path

from markupsafe import Markup

from audit.atomic import write_text
from audit.estimates.measures import MEASURES
from audit.repaired.cost import amount_words
from audit.reports.compared import ComparedContent, OutcomeRow, documents_by_role
from audit.reports.html import STYLE, report_environment, safe, slope_figures
from audit.reports.labels import about, contrast
from audit.reports.page import style_of
from audit.reports.palette import MOST_SLOPES
from audit.reports.words import VERDICT_WORDS

__all__ = ["outcome_words", "render_compared", "write_compared"]

_TEMPLATE = "compared.html.j2"
_MOST_LISTED = 10
"""Findings of one list of the summary; the section about each finding has all."""


def render_compared(content: ComparedContent) -> str:
    """The page as HTML; equal content gives equal bytes, with the same versions installed.

    Args:
        content: What to show; everything from outside is escaped.
    """
    environment = report_environment()
    environment.filters |= {
        "amount": amount_words,
        "outcome": outcome_words,
        "end_about": _about,
        "named_unit": _unit,
    }
    runs = documents_by_role(content.comparison.documents)
    return environment.get_template(_TEMPLATE).render(
        content=content,
        before=content.comparison.documents["before"],
        after=content.comparison.documents["after"],
        runs=runs,
        **style_of(environment, STYLE),
        verdicts=VERDICT_WORDS,
        most_slopes=MOST_SLOPES,
        most_listed=_MOST_LISTED,
        changes_heading="All changes",
        figures=_figures(content) | slope_figures(content.comparisons),
    )


def write_compared(content: ComparedContent, path: Path) -> None:
    """Write the page, atomically.

    Args:
        content: What to show.
        path: The file; replaced if it exists.

    Raises:
        InputError: The folder cannot be written or the disk is full.
    """
    write_text(path, render_compared(content))


def outcome_words(row: OutcomeRow) -> str:
    """What became of a finding, in words that keep what is shown apart from what is not."""
    outcome, shown = row.outcome.outcome, row.outcome.shown
    if outcome == "unchanged":
        return "Still found, smaller" if shown else "Still found"
    if outcome == "new":
        return "New" if shown else "New, though not shown to be larger"
    if outcome == "fixed":
        far = "margin" if row.difference else "limit"
        return "Fixed" if row.outcome.inside else f"Fixed, though not shown to be within its {far}"
    return "No longer found, though not shown to be smaller"


def _unit(measure: str) -> str:
    return next((known.unit for known in MEASURES if known.name == measure), "number")


def _about(row: OutcomeRow) -> str:
    groups = [contrast(row.subject)] if row.subject.kind == "disparity" else []
    return " · ".join([*groups, about(row.subject)])


def _figures(content: ComparedContent) -> dict[str, Markup]:
    from audit.reports.figures import side_by_side  # noqa: PLC0415 - matplotlib takes half a second to load

    return {
        key: safe(
            *side_by_side(
                [(_heading(row), [(end.label, end.estimate) for end in row.ends]) for row in rows],
                key=key,
                title=f"{panel.words}, before and after",
            )
        )
        for panel in content.panels
        for key, rows in panel.figures
    }


def _heading(row: OutcomeRow) -> str:
    return f"{outcome_words(row).split(',')[0]}: {_about(row)}".replace("all domains", "all")
