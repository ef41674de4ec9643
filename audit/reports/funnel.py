"""The count funnel as a figure: one bar, drawn with matplotlib as SVG."""

from matplotlib.figure import Figure

from audit.records import Counts
from audit.reports.coverage import parts_of
from audit.reports.figures import POINTS_AN_INCH
from audit.reports.palette import INK, STATES
from audit.reports.svg import embedded
from audit.reports.words import said

__all__ = ["funnel"]


def funnel(counts: Counts, *, key: str, role: str) -> str:
    """The count funnel as one bar: the planned outputs by what became of them.

    Args:
        counts: The counts; planned must be above 0.
        key: Unique in the page.
        role: Whose outputs they are.
    """
    width, height = 760, 30
    figure = Figure(figsize=(width / POINTS_AN_INCH, height / POINTS_AN_INCH))
    axes = figure.add_axes((0.002, 0.08, 0.996, 0.84))
    axes.set_axis_off()
    axes.set_xlim(0, counts.planned)
    axes.set_ylim(-0.5, 0.5)
    start = 0
    parts = parts_of(counts)
    for name, colour, hatch in STATES:
        if parts.get(name):
            axes.barh(
                0, parts[name], left=start, height=1, color=colour, hatch=hatch, edgecolor=INK, linewidth=0.8
            )
        start += parts.get(name, 0)
    words = ", ".join(f"{count:,} {said(name)}" for name, count in parts.items())
    title = f"Outputs of the {role}"
    return embedded(
        figure, key=key, title=title, description=f"{counts.planned:,} planned: {words}.", variant="bar"
    )
