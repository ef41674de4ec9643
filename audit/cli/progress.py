"""Showing how far a collection is: a live panel, plain lines, or one JSON object a line."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TextIO

from audit.cli.collection_events import Reported, announce
from audit.cli.console import clean
from audit.collection.progress import Progress, Widest

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Mode", "fitting_mode", "progress_display", "progress_line"]

Mode = Literal["rich", "plain", "ndjson"]
_PLAIN_EVERY_S = 5.0
_MINUTE_S = 60
_HOUR_S = 3600


def fitting_mode(*, as_json: bool) -> Mode:
    """The mode for standard error as it is: lines of JSON for programs, a panel on a terminal, else text."""
    if as_json:
        return "ndjson"
    return "rich" if sys.stderr.isatty() else "plain"


@contextmanager
def progress_display(mode: Mode, stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    """A display of progress on a stream.

    Args:
        mode: `rich` redraws a panel and needs a terminal; `plain` writes a line every five seconds;
            `ndjson` writes every report as an event, a line of JSON, for programs.
        stream: Where to, usually standard error.

    Yields:
        What to call with each `Progress`. The last one is always shown.
    """
    if mode == "rich":
        with _panel(stream) as show:
            yield show
    elif mode == "ndjson":
        yield lambda progress: announce(Reported(progress=progress), stream)
    else:
        with _lines(stream) as show:
            yield show


@contextmanager
def _panel(stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console  # noqa: PLC0415 - help must answer at once
    from rich.live import Live  # noqa: PLC0415 - as above

    with Live(console=Console(file=stream), auto_refresh=False) as live:

        def show(progress: Progress) -> None:
            live.update(_table(progress), refresh=True)

        yield show


@contextmanager
def _lines(stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    shown_at = float("-inf")
    last = shown = ""

    def show(progress: Progress) -> None:
        nonlocal shown_at, last, shown
        last = progress_line(progress)
        if time.monotonic() - shown_at >= _PLAIN_EVERY_S:
            shown_at, shown = time.monotonic(), last
            _write(stream, last)

    yield show
    if last != shown:
        _write(stream, last)


def _write(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def progress_line(progress: Progress) -> str:
    """Progress in one line of plain text."""
    parts = [
        f"{progress.done}/{progress.planned} done",
        *(f"{name} {value}" for name, value in _outcomes(progress) if value),
        # What goes in batches is never waited for in a call.
        *([f"in flight {progress.in_flight}/{progress.limit}"] if progress.limit else []),
        _spent(progress),
    ]
    if progress.retries:
        parts.append(f"retries {progress.retries}")
    if progress.left_s is not None and _settled(progress) < progress.planned:
        parts.append(f"{_duration(progress.left_s)} left")
    if progress.widest is not None:
        parts.append(f"known least: {_known_least(progress.widest)}")
    return "; ".join([", ".join(parts), *(f"warning: {text}" for text in progress.warnings)])


def _table(progress: Progress) -> "Table":
    from rich.progress_bar import ProgressBar  # noqa: PLC0415 - help must answer at once
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    settled = _settled(progress)
    share = f"{settled / progress.planned:.0%}" if progress.planned else "nothing planned"
    rest = f" and {settled - progress.done} that will not be asked" if settled > progress.done else ""
    table.add_row("done", f"{progress.done}{rest} of {progress.planned} ({share})")
    table.add_row("", ProgressBar(total=max(progress.planned, 1), completed=settled, width=40))
    table.add_row("outcomes", ", ".join(f"{name} {value}" for name, value in _outcomes(progress)))
    oldest = progress.oldest_waiting_s
    waiting = "" if oldest is None else f", the oldest for {_duration(oldest)}"
    if progress.limit:
        table.add_row("in flight", f"{progress.in_flight} of at most {progress.limit}{waiting}")
    table.add_row(
        "spent", f"{_spent(progress)}, {progress.requests} requests, {progress.retries} of them retries"
    )
    if progress.widest is not None:
        table.add_row("known least", Text(_known_least(progress.widest)))
    for text in progress.warnings:
        table.add_row("[yellow]warning[/yellow]", text)
    left = "not known yet" if progress.left_s is None else _duration(progress.left_s)
    table.add_row("time", f"{_duration(progress.elapsed_s)} so far, left: {left}")
    return table


def _known_least(widest: Widest) -> str:
    """The comparison known least; its names come from a spec, which may hold anything."""
    scale, unit = (100, "points") if widest.unit == "rate" else (1, widest.unit)
    point, low, high = (f"{scale * value:+.1f}" for value in (widest.point, widest.ci_low, widest.ci_high))
    about = f"{widest.measure}, {widest.attribute}, {widest.group} against {widest.reference_group}"
    by = "" if widest.signal is None else f" ({widest.signal})"
    return (
        f"{clean(about)}{by}: {point} {unit} [{low}, {high}] of {widest.templates} templates, "
        f"margin {scale * widest.margin:.3g}; no verdict yet"
    )


def _outcomes(progress: Progress) -> list[tuple[str, int]]:
    return [
        ("answered", progress.answered),
        ("refused", progress.refused),
        ("truncated", progress.truncated),
        ("empty", progress.empty),
        ("errored", progress.errored),
        ("cached", progress.cached),
        ("decided early", progress.not_needed),
        ("broken off", progress.broken_off),
    ]


def _settled(progress: Progress) -> int:
    """Outputs that nothing more is to be asked for."""
    return progress.done + progress.not_needed + progress.broken_off


def _spent(progress: Progress) -> str:
    about = "about " if progress.tokens_estimated else ""
    price = "price not known" if progress.usd is None else f"{about}${progress.usd:.4f}"
    energy = ""
    if progress.kwh_low is not None and progress.kwh_high is not None:
        energy = f", {progress.kwh_low:.3g} to {progress.kwh_high:.3g} kWh"
    return f"{about}{progress.tokens} tokens, {price}{energy}"


def _duration(seconds: float) -> str:
    """Seconds in the two largest units that matter."""
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"
