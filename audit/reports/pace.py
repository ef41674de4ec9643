"""How many calls might wait at once over a collection, and how many did, drawn with matplotlib as SVG."""

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from audit.ledger import Invocation
from audit.reports.figures import POINTS_AN_INCH
from audit.reports.palette import BAND, FAINT, INK, LIMIT
from audit.reports.svg import embedded
from audit.reports.words import counted

__all__ = ["pace"]

_TITLE = "Calls at once"
_WIDTHS = (("wide", 760, 250), ("narrow", 350, 250))
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 8, 8, 42
"""Margins in points."""
_RETRIES, _BETWEEN = 36, 14
"""Height of the part that shows what was sent again, and the room above it, in points."""
_MINUTE_S = 60.0
_FEWEST = 2
"""Moments from which there is a line to draw."""


def pace(invocations: Sequence[Invocation], *, key: str) -> tuple[str, ...]:
    """The limit of calls in flight over time, in a wide and a narrow drawing.

    Invocations stand one after the other, with a line between them, by the time spent collecting.

    Args:
        invocations: All of a run, in order.
        key: Unique in the page.

    Returns:
        Two drawings; none if there are fewer than two moments to draw.
    """
    told = [one for one in invocations if one.moments]
    if sum(len(one.moments) for one in told) < _FEWEST:
        return ()
    return tuple(
        embedded(
            _drawn(told, width, height),
            key=f"{key}-{variant}",
            title=_TITLE,
            description=_words(told),
            variant=variant,
        )
        for variant, width, height in _WIDTHS
    )


def _drawn(invocations: Sequence[Invocation], width: int, height: int) -> Figure:
    figure = Figure(figsize=(width / POINTS_AN_INCH, height / POINTS_AN_INCH))
    across = (_LEFT / width, 1 - (_LEFT + _RIGHT) / width)
    above = _BOTTOM + _RETRIES + _BETWEEN
    axes = figure.add_axes((across[0], above / height, across[1], 1 - (above + _TOP) / height))
    below = figure.add_axes((across[0], _BOTTOM / height, across[1], _RETRIES / height), sharex=axes)
    total = sum(one.seconds for one in invocations)
    unit, per = ("minutes", _MINUTE_S) if total > 2 * _MINUTE_S else ("seconds", 1.0)
    start = 0.0
    for place, one in enumerate(invocations):
        if place:
            for part in (axes, below):
                part.axvline(start / per, color=FAINT, linewidth=1, linestyle=(0, (1, 2)))
        _draw(axes, below, one, (start, per))
        start += one.seconds
    axes.set_ylim(0, 1.08 * max(moment.limit for one in invocations for moment in one.moments) + 1)
    axes.set_xlim(0, max(start / per, 1e-9))
    below.set_ylim(bottom=0, top=max(1.0, below.get_ylim()[1]))
    for part, named, ticks in ((axes, "calls at once", 5), (below, "again", 2)):
        for side in ("right", "top"):
            part.spines[side].set_visible(False)
        part.tick_params(labelsize=10, colors=FAINT, length=3)
        part.set_ylabel(named, fontsize=10, color=FAINT)
        part.yaxis.set_label_coords(-0.75 * _LEFT / (across[1] * width), 0.5)
        part.yaxis.set_major_locator(MaxNLocator(nbins=ticks, integer=True))
    axes.tick_params(labelbottom=False)
    below.set_xlabel(f"{unit} of collecting", fontsize=10, color=FAINT)
    return figure


def _draw(axes: Axes, below: Axes, one: Invocation, clock: tuple[float, float]) -> None:
    """One invocation; each moment holds until the next, and the last until the end.

    Args:
        axes: For limit and calls in flight.
        below: For calls sent again.
        one: The invocation.
        clock: When it begins, in seconds, and the seconds of a unit of the axis.
    """
    start, per = clock
    times = [(start + moment.at_s) / per for moment in one.moments] + [(start + one.seconds) / per]
    limits = [moment.limit for moment in one.moments]
    waiting = [moment.in_flight for moment in one.moments]
    axes.fill_between(times, 0, [*waiting, waiting[-1]], step="post", color=BAND, linewidth=0)
    axes.step(times, [*limits, limits[-1]], where="post", color=INK, linewidth=1.8)
    # What a moment has more than the one before was sent again in the stretch that ends with it.
    told = [0, *(moment.retries for moment in one.moments)]
    edges = [start / per, *times[:-1]]
    again = [later - earlier for earlier, later in pairwise(told)]
    if any(again):
        below.stairs(again, edges, fill=True, color=LIMIT)


def _words(invocations: Sequence[Invocation]) -> str:
    moments = [moment for one in invocations for moment in one.moments]
    limits = [moment.limit for moment in moments]
    retries = sum(one.retries for one in invocations)
    seconds = sum(one.seconds for one in invocations)
    return (
        f"{counted(len(invocations), 'invocation')}, {seconds:.0f} seconds: between "
        f"{min(limits)} and {max(limits)} calls might wait at once, {limits[-1]} at the end; at most "
        f"{max(moment.in_flight for moment in moments)} did; {counted(retries, 'call')} sent again."
    )
