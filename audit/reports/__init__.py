"""Reports for people: content as data, figures, and one self-contained HTML file."""

from audit.reports.content import Background, Pair, ReportContent, Shown, build_content
from audit.reports.html import render_html, write_report

__all__ = [
    "Background",
    "Pair",
    "ReportContent",
    "Shown",
    "build_content",
    "render_html",
    "write_report",
]
