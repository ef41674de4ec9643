"""The report as one HTML file that opens from disk, without script and without any request."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from audit.atomic import write_text
from audit.estimates.distances import distance_words
from audit.estimates.word_associations import association_words
from audit.findings.claims import price_number
from audit.reports.content import ReportContent
from audit.reports.coverage import parts_of
from audit.reports.labels import (
    about,
    by_group,
    by_measure,
    change_about,
    domain_words,
    unit_of,
    value_of,
    why,
)
from audit.reports.page import page_environment, style_of
from audit.reports.palette import MOST_SLOPES, STATES
from audit.reports.sections import Comparison
from audit.reports.words import (
    VERDICT_WORDS,
    bare,
    bounds,
    counted,
    drawn_probability,
    level_words,
    number,
    plain,
    probability,
    said,
    signed,
    words_of,
)

__all__ = ["STYLE", "render_html", "report_environment", "safe", "slope_figures", "write_report"]

_TEMPLATE = "report.html.j2"
STYLE = "report.css"


def render_html(content: ReportContent) -> str:
    """The report as HTML.

    Everything that comes from outside is escaped, and what would be invisible or reorder its
    neighbours is shown by its code. The content security policy allows one style sheet, by its hash,
    and nothing else. Equal content gives equal bytes, with the same versions installed.

    Args:
        content: What to show.
    """
    environment = report_environment()
    return environment.get_template(_TEMPLATE).render(
        content=content,
        document=content.document,
        spec=content.background.spec,
        plan=content.background.plan,
        **style_of(environment, STYLE),
        verdicts=VERDICT_WORDS,
        states=STATES,
        most_slopes=MOST_SLOPES,
        figures=_figures(content),
        explored_ids={one.finding.id for one in content.explored},
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


@cache
def report_environment() -> Environment:
    """The template environment of all pages about runs, with the filters that say numbers and names.

    Made once, since compiling its templates takes longer than filling them.
    """
    environment = page_environment("audit.reports")
    environment.filters |= {
        "about": about,
        "association": association_words,
        "bare": bare,
        "bounds": bounds,
        "by_measure": by_measure,
        "change_about": change_about,
        "counted": counted,
        "distance": distance_words,
        "domain": domain_words,
        "drawn": drawn_probability,
        "grouped": by_group,
        "level": level_words,
        "number": number,
        "parts": parts_of,
        "plain": plain,
        "price": price_number,
        "probability": probability,
        "reading": value_of,
        "said": said,
        "signed": signed,
        "unit": unit_of,
        "why": why,
        "words": words_of,
    }
    return environment


def _figures(content: ReportContent) -> dict[str, Markup]:
    """Every figure by its key; a panel without a figure has an empty one."""
    # matplotlib takes half a second to load, and only a report needs it.
    from audit.reports.figures import forest  # noqa: PLC0415 - see above
    from audit.reports.funnel import funnel  # noqa: PLC0415 - see above
    from audit.reports.pace import pace  # noqa: PLC0415 - see above

    found: dict[str, Markup] = {}
    panels = [*content.rates, *(one for section in content.attributes for one in section.panels)]
    for panel in panels:
        drawn = forest(panel.rows, key=panel.key, title=panel.words) if panel.foremost else ()
        found[panel.key] = safe(*drawn)
    if content.scores is not None:
        found[content.scores.key] = Markup()
    found |= slope_figures(content.comparisons)
    for role, counts in content.document.counts.items():
        key = f"funnel-{role}"
        found[key] = safe(funnel(counts, key=key, role=role)) if counts.planned else Markup()
    found["pace"] = safe(*pace(content.background.ledger.invocations, key="pace"))
    return found


def slope_figures(comparisons: Sequence[Comparison]) -> dict[str, Markup]:
    """The slope plots of comparisons, by their keys."""
    from audit.reports.figures import slopes  # noqa: PLC0415 - matplotlib takes half a second to load

    return {
        slope.key: safe(
            *slopes(
                slope.rows,
                key=slope.key,
                title=f"{comparison.title}: {slope.words}",
                sides=(comparison.before, comparison.after),
            )
        )
        for comparison in comparisons
        for slope in comparison.slopes
    }


def safe(*drawings: str) -> Markup:
    """Drawings as they may stand in a page: an XML writer has serialised them."""
    return Markup("\n").join(Markup(one) for one in drawings)  # noqa: S704 - serialised by an XML writer
