"""One measure of one table: every group's rate, and its contrast with the reference, without its clusters."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.statistics.intervals import Interval
from audit.tables.bases import Basis
from audit.tables.large_reference import Reference
from audit.tables.rates import MINIMUM_UNITS, Contrast, Counts, Trials, rate_interval, ratio_untellable

__all__ = ["Measured", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One group's rate, and what it is beside the reference's."""

    counts: Counts
    interval: Interval | None
    """Of the rate; None where there is none to state."""
    ratio: Interval | None
    """Of the impact ratio; None for the reference, the excluded, and where there is none to state."""
    untold: str | None
    """Why the impact ratio has no interval, where the reference has too few favourable decisions."""
    contrast: Contrast | None
    """None for the reference, the excluded, and where a side has too few units for a verdict."""


def measure(trials: Iterable[Trials], basis: Basis, *, margin: float) -> list[Measured]:
    """State every group's rate and its contrast, and let the clusters go.

    Args:
        trials: Counts by group; those of unknown category last.
        basis: The table, its reference and its exclusions.
        margin: Smallest difference that matters.

    Returns:
        One entry a group, in the same order.
    """
    every = list(trials)
    against = None if basis.reference is None else Reference(every[basis.reference])
    compared = [kept and number != basis.reference for number, kept in enumerate((*basis.included, False))]
    return [
        _stated(one, against if is_compared else None, margin)
        for one, is_compared in zip(every, compared, strict=True)
    ]


def _stated(mine: Trials, against: Reference | None, margin: float) -> Measured:
    beside = against is not None and mine.trials > 0 and against.trials.trials > 0
    enough = against is not None and min(mine.units, against.trials.units) >= MINIMUM_UNITS
    return Measured(
        counts=mine.counts(),
        interval=rate_interval(mine),
        ratio=against.ratio_interval(mine) if beside and against is not None else None,
        untold=ratio_untellable(against.trials) if beside and against is not None else None,
        contrast=against.contrast(mine, margin=margin) if enough and against is not None else None,
    )
