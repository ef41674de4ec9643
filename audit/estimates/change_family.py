"""The families of changes between two runs: what passes, and intervals that allow for the picking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.estimates.families import adjusted, shares
from audit.estimates.moved import Moved, why_withheld
from audit.estimates.stops import Stops
from audit.records import Estimate
from audit.spec import Judgement
from audit.statistics.intervals import ClusterEstimate, Interval
from audit.statistics.multiplicity import fcr_level
from audit.statistics.unseen import interval_at

__all__ = ["Standing", "selected_interval", "standings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What its family makes of a change."""

    p_adjusted: float | None = None
    """None where there is no change to test."""
    picked: float | None = None
    """Level of an interval that allows for the picking, of those that were picked."""


def standings(moved: Sequence[Moved], judgement: Judgement) -> list[Standing]:
    """The adjusted p of each change in its family, and the level of intervals of those that it picks.

    Source:
        Benjamini & Yekutieli (2005), JASA 100:71-81.
    """
    found = [Standing() for _ in moved]
    for of_groups in (True, False):
        mine = [(one.after.kind == "disparity") is of_groups and why_withheld(one) is None for one in moved]
        leads = [of_groups and member and _primary(one) for one, member in zip(moved, mine, strict=True)]
        p_values = [
            one.change.p_value if member and one.change is not None else None
            for one, member in zip(moved, mine, strict=True)
        ]
        weights = shares(mine, leads, judgement)
        tested = adjusted(p_values, weights)
        picked = sum(p is not None and p <= judgement.false_discovery_rate for p in tested)
        for place, (p, weight) in enumerate(zip(tested, weights, strict=True)):
            level = None
            if p is not None and weight is not None and p <= judgement.false_discovery_rate:
                level = fcr_level(picked, sum(mine), 1 - judgement.level, weight=weight)
            if p is not None:
                found[place] = Standing(p_adjusted=p, picked=level)
    return found


def _primary(one: Moved) -> bool:
    # What everybody gets in one of the runs has no place in its family, and is asked about all the same.
    return one.before.primary or one.after.primary


def selected_interval(
    found: ClusterEstimate | None, standing: Standing, after: Estimate, stops: Stops | None
) -> Interval | None:
    """The interval of a change that was picked, allowing for that; None for any other.

    Args:
        found: The change.
        standing: What its family makes of it.
        after: What the later run states; the change of a rate lies within -1 and 1.
        stops: Probes that a run stopped early: their intervals hold at any look.
    """
    if found is None or standing.picked is None:
        return None
    level = standing.picked if stops is None else stops.level(standing.picked, after.probe)
    wide = interval_at(found, level)
    if after.kind == "disparity":
        return wide
    return replace(wide, low=max(-1.0, wide.low), high=min(1.0, wide.high))
