"""Reports for people: content as data, figures, and one self-contained HTML file."""

from audit.reports.compared import Files, Repair, build_compared
from audit.reports.compared_html import render_compared, write_compared
from audit.reports.content import Background, Pair, ReportContent, Shown, build_content
from audit.reports.html import render_html, write_report

__all__ = [
    "Background",
    "Files",
    "Pair",
    "Repair",
    "ReportContent",
    "Shown",
    "build_compared",
    "build_content",
    "render_compared",
    "render_html",
    "write_compared",
    "write_report",
]
