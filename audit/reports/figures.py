"""Figures of the report: forest plots and slope plots, drawn with matplotlib as SVG.

Every figure comes in two widths, because text that is readable in one is not in the other. A verdict
has a shape and a colour (Okabe and Ito's set), so figures can be read in grey. None uses pyplot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from audit.records import Change, Estimate, Verdict
from audit.reports.labels import about, change_about, contrast, more_is_better
from audit.reports.palette import BAND, FAINT, INK, LIMIT, LINES, MARKS, MOST_SLOPES
from audit.reports.svg import embedded
from audit.reports.words import MINUS, VERDICT_WORDS, bounds, plain, printable, said, signed

__all__ = ["POINTS_AN_INCH", "forest", "side_by_side", "slopes"]

POINTS_AN_INCH = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Measures of one width, in points; `labels` and `values` are the columns beside the plot."""

    name: str
    width: float
    labels: float
    values: float
    row: float
    letters: int
    headings: int
    stacked: bool
    """True if a row's label stands above its interval."""


_WIDE = _Look(name="wide", width=760, labels=225, values=150, row=23, letters=42, headings=88, stacked=False)
_NARROW = _Look(name="narrow", width=330, labels=6, values=6, row=42, letters=39, headings=54, stacked=True)
_WIDE_SLOPES = replace(_WIDE, labels=252, values=128, letters=46)
"""The labels of changes name both groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of a forest plot; a heading has a label only."""

    label: str
    value: str = ""
    low: float | None = None
    point: float | None = None
    high: float | None = None
    noise: float | None = None
    limits: tuple[float, ...] = ()
    mark: str | None = None
    colour: str | None = None
    """Instead of the mark's own."""


def forest(rows: Sequence[Estimate], *, key: str, title: str) -> tuple[str, str]:
    """A forest plot of estimates of one measure and unit: interval, noise floor, margin, verdict.

    Args:
        rows: The estimates, at least one, in the order to show.
        key: Unique in the page.
        title: Name of the figure.

    Returns:
        The wide and the narrow drawing, as markup.
    """
    several = len({contrast(row) for row in rows}) > 1
    lines: list[_Row] = []
    heading = ""
    for row in rows:
        # One probe alone needs no name; the two groups of a contrast always do.
        if (above := contrast(row)) != heading and (row.kind == "disparity" or several):
            heading = above
            lines.append(_Row(label=above))
        lines.append(_estimate_row(row))
    description = "; ".join(f"{about(row)}: {VERDICT_WORDS[row.verdict]}, {_value(row)}" for row in rows)
    texts = (title, f"{description}. The table that follows has all numbers.")
    return _both(lines, _axis(rows[0]), key=key, texts=texts)


def side_by_side(
    rows: Sequence[tuple[str, Sequence[tuple[str, Estimate | None]]]], *, key: str, title: str
) -> tuple[str, str]:
    """A forest plot of the same questions put to several models, one block a question.

    Args:
        rows: What each block is about, and in it how each model is called and what it shows (of one unit).
        key: Unique in the page.
        title: Name of the figure.

    Returns:
        The wide and the narrow drawing, as markup.
    """
    missing = _Row(label="", value="not measured", mark=Verdict.NOT_MEASURED)
    lines: list[_Row] = []
    for heading, ends in rows:
        lines.append(_Row(label=heading))
        lines += [replace(missing if end is None else _estimate_row(end), label=label) for label, end in ends]
    said_of = "; ".join(row.label if row.mark is None else f"{row.label} {row.value}" for row in lines)
    first = next(end for _, ends in rows for _, end in ends if end is not None)
    texts = (title, f"{said_of}. The table that follows has all numbers.")
    return _both(lines, _axis(first), key=key, texts=texts)


def slopes(rows: Sequence[Change], *, key: str, title: str, sides: tuple[str, str]) -> tuple[str, str]:
    """A slope plot of before against after, beside the paired intervals of the changes.

    Args:
        rows: Changes of one unit, each with both values and an interval; the first 24 are drawn.
        key: Unique in the page.
        title: Name of the figure.
        sides: How the two sides are called.

    Returns:
        The wide and the narrow drawing, as markup.
    """
    drawn = list(rows[:MOST_SLOPES])
    lines = [
        _Row(
            label=f"{number}  {change_about(change).replace('all domains', 'all')}",
            value=f"{_points(change.change)} [{_interval(*change.stated_interval)}]",
            low=_scaled(change.stated_interval[0]),
            point=_scaled(change.change),
            high=_scaled(change.stated_interval[1]),
            mark=change.verdict,
            colour=_colour(change),
        )
        for number, change in enumerate(drawn, start=1)
    ]
    described = "; ".join(
        f"{change_about(change)}: {_points(change.before)} {sides[0]}, {_points(change.after)} {sides[1]}, "
        f"{said(change.verdict)}"
        for change in drawn
    )
    found = []
    for look in (_WIDE_SLOPES, _NARROW):
        body = look.row * (len(lines) + 0.6)
        top = 0.0 if not look.stacked else 240.0
        height = body + top + 40
        figure = Figure(figsize=(look.width / POINTS_AN_INCH, height / POINTS_AN_INCH))
        left = 165.0 if not look.stacked else 0.0
        _draw_rows(_axes(figure, look, (left, 34.0, body)), lines, look)
        _axis_title(figure, look, f"change ({sides[1]} {MINUS} {sides[0]}), percentage points")
        box = (30.0, 34.0, 95.0, body - 14) if not look.stacked else (60.0, body + 66, 210.0, 190.0)
        _draw_slopes(figure, box, drawn, sides)
        found.append(
            embedded(
                figure,
                key=f"{key}-{look.name[0]}",
                title=title,
                description=f"{described}. The table that follows has all numbers.",
                variant=look.name,
            )
        )
    return found[0], found[1]


def _estimate_row(row: Estimate) -> _Row:
    scale = 100.0 if row.unit == "rate" else 1.0
    margin = row.margin
    limits: tuple[float, ...] = ()
    low, high = row.stated_interval
    if margin is not None:
        limits = (-margin * scale, margin * scale) if row.kind == "disparity" else (margin * scale,)
    return _Row(
        label=about(row),
        value=_value(row),
        low=None if low is None else low * scale,
        point=None if row.point is None else row.point * scale,
        high=None if high is None else high * scale,
        noise=None if row.noise_floor is None else row.noise_floor * scale,
        limits=limits,
        mark=row.verdict,
    )


def _axis(row: Estimate) -> str:
    if row.kind != "disparity":
        return "rate, %" if row.unit == "rate" else row.unit
    points = "difference from the reference group, percentage points"
    return points if row.unit == "rate" else f"difference, {row.unit}"


def _value(row: Estimate) -> str:
    if row.point is None:
        return "not measured"
    difference = row.kind == "disparity"
    point = signed(row.point, row.unit) if difference else plain(row.point, row.unit)
    inside = bounds(*row.stated_interval, row.unit, difference=difference)
    return f"{point.removesuffix(' points')} [{inside}]"


def _points(value: float | None) -> str:
    return signed(value, "rate").removesuffix(" points")


def _interval(low: float | None, high: float | None) -> str:
    return bounds(low, high, "rate", difference=True)


def _scaled(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def _both(lines: Sequence[_Row], axis: str, *, key: str, texts: tuple[str, str]) -> tuple[str, str]:
    found = []
    for look in (_WIDE, _NARROW):
        body = look.row * (len(lines) + 0.3)
        figure = Figure(figsize=(look.width / POINTS_AN_INCH, (body + 40) / POINTS_AN_INCH))
        _draw_rows(_axes(figure, look, (0.0, 34.0, body)), lines, look)
        _axis_title(figure, look, axis)
        found.append(
            embedded(
                figure,
                key=f"{key}-{look.name[0]}",
                title=texts[0],
                description=texts[1],
                variant=look.name,
            )
        )
    return found[0], found[1]


def _colour(change: Change) -> str:
    """Colour of a change: of a rate of which more is better, `larger` has the colour of `smaller`."""
    turned = {"smaller": "larger", "larger": "smaller"} if more_is_better(change) else {}
    return MARKS.get(turned.get(change.verdict, change.verdict), ("x", FAINT, True))[1]


def _axes(figure: Figure, look: _Look, place: tuple[float, float, float]) -> Axes:
    """Axes right of the label column; `place` is left edge, bottom edge and height, in points."""
    left, bottom, height = place
    width, total = figure.get_size_inches() * POINTS_AN_INCH
    room = width - left - look.labels - look.values
    return figure.add_axes(((left + look.labels) / width, bottom / total, room / width, height / total))


def _axis_title(figure: Figure, look: _Look, text: str) -> None:
    width, height = figure.get_size_inches() * POINTS_AN_INCH
    right = 1 - look.values / width
    figure.text(right, 4 / height, text, fontsize=10, color=FAINT, ha="right", va="bottom", parse_math=False)


def _draw_rows(axes: Axes, lines: Sequence[_Row], look: _Look) -> None:
    axes.set_ylim(len(lines) - 0.3, -0.6)
    axes.set_xlim(*_limits(lines))
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=10, colors=FAINT, length=3)
    axes.locator_params(axis="x", nbins=7 if not look.stacked else 5)
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    for place, line in enumerate(lines):
        _draw_row(axes, line, place, look)


def _draw_row(axes: Axes, line: _Row, place: int, look: _Look) -> None:
    beside = axes.get_yaxis_transform()
    heading = line.mark is None
    text = (place + 0.2 if heading else place - 0.24) if look.stacked else place
    level = place + 0.18 if look.stacked else place
    start = 0.0 if look.stacked else -(look.labels - (2 if heading else 14)) / _width(axes)
    label = _shortened(line.label, look.headings if heading else look.letters)
    # A text across the zero line, of a heading or stacked above its row, is readable on its own ground.
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5} if look.stacked or heading else None
    axes.text(
        start,
        text,
        label,
        transform=beside,
        fontsize=10 if look.stacked else 11,
        color=INK,
        va="center",
        fontweight="bold" if heading else "normal",
        parse_math=False,
        bbox=ground,
    )
    if heading:
        return
    end = 1.0 if look.stacked else 1 + (look.values - 2) / _width(axes)
    axes.text(
        end,
        text,
        line.value,
        transform=beside,
        fontsize=10,
        color=FAINT,
        va="center",
        ha="right",
        parse_math=False,
        bbox=ground,
    )
    half = 0.26 if look.stacked else 0.5
    if line.noise is not None:
        axes.fill_betweenx(
            [level - half, level + half], -line.noise, line.noise, color=BAND, linewidth=0, zorder=0
        )
    axes.vlines(
        line.limits, level - half, level + half, color=LIMIT, linewidth=1, linestyles=(0, (3, 2)), zorder=1
    )
    _draw_mark(axes, line, level)


def _draw_mark(axes: Axes, line: _Row, level: float) -> None:
    if line.point is None or line.mark is None:
        axes.plot([0], [level], marker="x", color=FAINT, markersize=6, linestyle="none")
        return
    marker, usual, filled = MARKS.get(line.mark, ("x", FAINT, True))
    colour = line.colour or usual
    if line.low is not None and line.high is not None:
        axes.hlines(level, line.low, line.high, color=colour, linewidth=2, zorder=2)
    axes.plot(
        [line.point],
        [level],
        marker=marker,
        markersize=7,
        color=colour,
        markerfacecolor=colour if filled else "#ffffff",
        markeredgewidth=1.6,
        linestyle="none",
        zorder=3,
    )


def _draw_slopes(
    figure: Figure, box: tuple[float, float, float, float], drawn: Sequence[Change], sides: tuple[str, str]
) -> None:
    width, height = figure.get_size_inches() * POINTS_AN_INCH
    axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
    axes.set_xlim(0, 1)
    axes.axhline(0, color=INK, linewidth=1)
    for side in ("right", "top", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(FAINT)
    axes.tick_params(axis="y", labelsize=10, colors=FAINT, length=3)
    axes.set_xticks([0, 1], sides, fontsize=10, color=INK)
    axes.tick_params(axis="x", length=0, pad=9)
    ends = []
    for change in drawn:
        start, end = _scaled(change.before) or 0.0, _scaled(change.after) or 0.0
        colour = _colour(change)
        dashes = LINES.get(change.verdict, ())
        axes.plot(
            [0, 1],
            [start, end],
            color=colour,
            linewidth=1.4,
            linestyle=(0, dashes) if dashes else "-",
            clip_on=False,
        )
        ends.append(end)
    axes.margins(y=0.08)
    low, high = axes.get_ylim()
    if high - low < 1:
        low, high = axes.set_ylim(low - 1, high + 1)
    step = 11.0 / box[3] * (high - low)
    for number, (at, target) in enumerate(zip(_spread(ends, step), ends, strict=True), start=1):
        axes.plot([1.0, 1.06], [target, at], color=FAINT, linewidth=0.5, clip_on=False)
        axes.text(1.08, at, str(number), fontsize=9, color=INK, va="center", clip_on=False)


def _spread(values: Sequence[float], step: float) -> list[float]:
    """The values moved apart to at least `step`, keeping their order and about their middle."""
    order = np.argsort(values, kind="stable")
    placed = np.array(values, dtype=np.float64)[order]
    for index in range(1, len(placed)):
        placed[index] = max(placed[index], placed[index - 1] + step)
    placed -= float(np.mean(placed) - np.mean(values)) if len(placed) else 0.0
    found = np.empty(len(placed))
    found[order] = placed
    return [float(value) for value in found]


def _limits(lines: Sequence[_Row]) -> tuple[float, float]:
    values = [0.0]
    for line in lines:
        values.extend(value for value in (line.low, line.point, line.high, *line.limits) if value is not None)
        if line.noise is not None:
            values.extend((-line.noise, line.noise))
    low, high = min(values), max(values)
    room = 0.06 * (high - low or 1.0)
    return (low - room if low < 0 else -0.2 * room), high + room


def _width(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    inches = 1.0 if figure is None else float(figure.get_size_inches()[0])
    return inches * POINTS_AN_INCH * float(axes.get_position().width)


def _shortened(text: str, letters: int) -> str:
    shown = printable(text).replace("\n", " ").replace("\t", " ")
    return shown if len(shown) <= letters else shown[: letters - 1] + "…"
