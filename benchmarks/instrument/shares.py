"""Shares of many runs, with the interval that their number allows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.rates import clustered_rate_interval, wilson_interval

__all__ = ["Share", "mean_of", "share_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share, a fraction in [0, 1], with its 95 % Monte-Carlo interval; None where nothing was counted."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def written(self, *, at_most: float | None = None, nominal: float | None = None) -> str:
        """In percent, with a star if the interval leaves out what it should hold.

        Args:
            at_most: Largest share that is accepted.
            nominal: The share that is promised; only one below it is starred.
        """
        if self.value is None or self.low is None or self.high is None:
            return "none"
        off = (at_most is not None and self.low > at_most) or (nominal is not None and self.high < nominal)
        range_ = f"[{100 * self.low:.1f}, {100 * self.high:.1f}]"
        return f"{100 * self.value:.1f} {range_}{' *' if off else ''}"


def share_of(runs: Iterable[Sequence[bool]]) -> Share:
    """The share of true answers; the answers of one run are not independent of each other.

    One answer a run: Wilson. Several: `clustered_rate_interval`, a run being a cluster.

    Args:
        runs: The answers of each run, none of them included.
    """
    counted = [(sum(answers), len(answers)) for answers in runs if answers]
    if not counted:
        return Share(value=None)
    successes, trials = (np.array(column, dtype=np.int64) for column in zip(*counted, strict=True))
    value = float(successes.sum() / trials.sum())
    if trials.max() == 1:
        found = wilson_interval(int(successes.sum()), int(trials.sum()))
        return Share(value=value, low=found.low, high=found.high)
    try:
        clustered = clustered_rate_interval(successes, trials).interval
    except NotMeasuredError:
        return Share(value=value)
    return Share(value=value, low=clustered.low, high=clustered.high)


def mean_of(values: Sequence[float]) -> Share:
    """The mean of one fraction a run, with its t interval."""
    found = cluster_t_interval(values, bounds=(0.0, 1.0))
    return Share(value=found.point, low=max(0.0, found.interval.low), high=min(1.0, found.interval.high))
