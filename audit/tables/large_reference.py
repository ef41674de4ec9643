"""Contrasts with a reference that many groups share: its part of each is summed once, not once a group.

What clusters of the reference add to the error of a difference or a ratio is the same for every group. So
it is known from sums over all of the reference's clusters, less those that the group has too, and a contrast
costs as many steps as its own group has clusters. Where that would lose digits, or where few clusters differ
so that those not met count, it is made the long way, as `audit.tables.rates` makes it.
"""

from dataclasses import dataclass, replace
from math import exp, log, sqrt

import numpy as np

from audit.statistics.intervals import Interval, t_estimate
from audit.statistics.unseen import share_unseen
from audit.tables.rates import (
    LEVEL,
    Codes,
    Contrast,
    Floats,
    Trials,
    clustered_contrast,
    contrast,
    ratio_interval,
    ratio_untellable,
)

__all__ = ["Reference"]

_UNIT = (0.0, 1.0)
_FEWEST = 2
"""A group's clusters below which there is no contrast of clusters."""
_LOST = 1e-6
"""Share of the reference's squares that must be left when those of the shared clusters are taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Sums over a reference's clusters; there are none where clusters not met must be allowed for."""

    ids: Codes
    moved: Floats
    """h - p n of each cluster: what it moves the rate by, times all trials."""
    squares: float
    """Sum of the squares of `moved`."""


@dataclass(frozen=True, slots=True)
class _Squares:
    """Sums of squares and products of what both sides' clusters move their rates by."""

    group: float
    both: float
    reference: float

    def error(self, mine: float, theirs: float) -> float:
        """Sum of squares of mine * group - theirs * reference, over all clusters."""
        return mine**2 * self.group - 2 * mine * theirs * self.both + theirs**2 * self.reference


class Reference:
    """One side of many contrasts."""

    def __init__(self, trials: Trials) -> None:
        """Sum the reference's clusters once.

        Args:
            trials: Its counts.
        """
        self.trials = trials
        self._known = _known(trials)
        self._untellable = ratio_untellable(trials) is not None

    def contrast(self, group: Trials, *, margin: float) -> Contrast:
        """A group's difference from the reference, as `audit.tables.rates.contrast` states it."""
        found = self._squares(group)
        if found is None or group.rate is None or self.trials.rate is None:
            return contrast(group, self.trials, margin=margin)
        squares, n = found
        total = squares.error(1 / group.trials, 1 / self.trials.trials)
        fewest = min(group.units, self.trials.units)
        estimate = t_estimate(
            group.rate - self.trials.rate,
            sqrt(total * n / (n - 1.0)),
            fewest - 1.0,
            n_clusters=n,
            level=LEVEL,
            method=f"clustered t (df {fewest - 1})",
        )
        return clustered_contrast(replace(estimate, bounds=(-1.0, 1.0)), margin=margin)

    def ratio_interval(self, group: Trials) -> Interval | None:
        """The interval of a group's impact ratio, as `audit.tables.rates.ratio_interval` states it."""
        found = self._squares(group)
        if found is None or group.rate is None or self.trials.rate is None or self._untellable:
            return ratio_interval(group, self.trials)
        squares, _ = found
        total = squares.error(1 / group.hits, 1 / self.trials.hits)
        n = min(group.units, self.trials.units)
        logged = t_estimate(
            log(group.rate / self.trials.rate),
            sqrt(total * n / (n - 1)),
            n - 1.0,
            n_clusters=n,
            level=LEVEL,
            method=f"clustered log ratio (t, df {n - 1})",
        ).interval
        return replace(logged, low=exp(logged.low), high=exp(logged.high))

    def _squares(self, group: Trials) -> tuple[_Squares, int] | None:
        """The sums of both sides and the clusters that either has; None where the long way must be taken."""
        known = self._known
        if known is None or group.ids is None or group.units < _FEWEST or group.hits in {0, group.trials}:
            return None
        if share_unseen(group.cluster_hits / group.cluster_trials, _UNIT):
            return None
        at = np.searchsorted(known.ids, group.ids)
        inside = at < known.ids.size
        shared = np.zeros(at.size, dtype=np.bool_)
        shared[inside] = known.ids[at[inside]] == group.ids[inside]
        theirs = known.moved[at[shared]]
        if known.squares - float(theirs @ theirs) < _LOST * known.squares:
            return None
        mine = _moved(group)
        found = _Squares(group=float(mine @ mine), both=float(mine[shared] @ theirs), reference=known.squares)
        return found, int(known.ids.size + at.size - shared.sum())


def _known(trials: Trials) -> _Known | None:
    if trials.ids is None or trials.units < _FEWEST or trials.hits in {0, trials.trials}:
        return None
    if share_unseen(trials.cluster_hits / trials.cluster_trials, _UNIT):
        return None
    moved = _moved(trials)
    return _Known(ids=trials.ids, moved=moved, squares=float(moved @ moved))


def _moved(side: Trials) -> Floats:
    return np.asarray(side.cluster_hits - side.hits / side.trials * side.cluster_trials)
