"""Rates of groups and their contrasts, from counts: with rows as independent or with clusters of rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, hypot, log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import fisher_exact

from audit.statistics.equivalence import equivalence_of
from audit.statistics.intervals import ClusterEstimate, Interval, equal_clusters_estimate, t_estimate
from audit.statistics.power import detectable_by
from audit.statistics.rates import clopper_pearson_interval, clustered_rate_interval, wilson_interval
from audit.statistics.ratios import impact_ratio, untellable
from audit.statistics.unseen import interval_at, unseen_between, with_unseen

__all__ = [
    "LEVEL",
    "MINIMUM_UNITS",
    "Contrast",
    "Counts",
    "Trials",
    "clustered_contrast",
    "contrast",
    "rate_interval",
    "ratio_interval",
    "ratio_untellable",
    "tally",
]

LEVEL = 0.95
"""Level of every interval of a table."""

MINIMUM_UNITS = 12
"""Independent rows, or clusters, that a group must have before a verdict on it is given."""

_LEAST_EXPECTED = 5.0
"""Expected count below which the exact test stands in for the normal one (Cochran's rule)."""

_LEAST_UNITS = 2
"""One cluster shows no spread."""

_POWER = 0.8
_ROUNDING = 1e-12
"""Standard error of a difference below which the clusters count as equal."""

Codes = npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How often something happened in one group."""

    hits: int
    trials: int
    ids: Codes | None
    """Clusters with at least one trial, ascending; None if rows are independent."""
    cluster_hits: Floats
    """Hits of those clusters; empty if rows are independent."""
    cluster_trials: Floats

    @property
    def rate(self) -> float | None:
        """Hits over trials, a fraction; None without a trial."""
        return self.hits / self.trials if self.trials else None

    @property
    def units(self) -> int:
        """Independent units: clusters if there are any, else rows."""
        return self.trials if self.ids is None else self.ids.size

    def counts(self) -> "Counts":
        """What is left to say when the clusters are let go."""
        return Counts(hits=self.hits, trials=self.trials, units=self.units, clustered=self.ids is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How often something happened in one group, without its clusters, which may be millions."""

    hits: int
    trials: int
    units: int
    """Clusters with at least one trial, or rows if they are independent."""
    clustered: bool

    @property
    def rate(self) -> float | None:
        """Hits over trials, a fraction; None without a trial."""
        return self.hits / self.trials if self.trials else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One group's rate minus the reference's."""

    difference: float
    interval: Interval
    p_value: float
    """Two-sided p against equal rates."""
    equivalent: bool
    """By two one-sided tests: the difference lies inside the margin."""
    smallest_detectable: float | None
    """Difference seen in 4 of 5 tables of this size; None where no spread was seen."""
    made_of: ClusterEstimate | tuple[Counts, Counts]
    """What the interval is of: clusters, or the counts of both groups' independent rows."""

    def interval_at(self, level: float) -> Interval:
        """The interval of the difference at another level, a fraction in (0, 1)."""
        if isinstance(self.made_of, ClusterEstimate):
            return interval_at(self.made_of, level)
        return _newcombe(*self.made_of, level)


def tally(
    groups: Codes, n_groups: int, *, trials: Flags, hits: Flags, counts: Codes, clusters: Codes | None
) -> Iterator[Trials]:
    """Count trials and hits of every group, one at a time, so that only one need be kept.

    Args:
        groups: Number of the group of each cell, -1 for none, shape (cells,).
        n_groups: How many groups there are.
        trials: Cells that are in the denominator.
        hits: Cells that are in the numerator; those outside `trials` do not count.
        counts: Rows of each cell.
        clusters: Cluster of each cell, ascending; None takes rows as independent.

    Yields:
        One entry a group, in the order of their numbers.
    """
    counted = np.flatnonzero(trials & (groups >= 0))
    # A stable order keeps the clusters of each group ascending; of short integers it is a count, not a sort.
    order = counted[np.argsort(groups[counted], kind="stable")]
    ends = np.cumsum(np.bincount(groups[counted], minlength=n_groups))
    for start, end in pairwise([0, *ends.tolist()]):
        mine = order[start:end]
        asked = counts[mine]
        happened = np.where(hits[mine], asked, 0)
        ids, cluster_hits, cluster_trials = None, np.empty(0), np.empty(0)
        if clusters is not None:
            ids, cluster_hits, cluster_trials = _by_cluster(clusters[mine], happened, asked)
        yield Trials(
            hits=int(happened.sum()),
            trials=int(asked.sum()),
            ids=ids,
            cluster_hits=cluster_hits,
            cluster_trials=cluster_trials,
        )


def _by_cluster(clusters: Codes, hits: Codes, trials: Codes) -> tuple[Codes, Floats, Floats]:
    """Sums by cluster; the cells come sorted by cluster, so no sorting is needed."""
    if not clusters.size:
        return clusters, np.empty(0), np.empty(0)
    starts = np.flatnonzero(np.concatenate(([True], clusters[1:] != clusters[:-1])))
    sums = [np.add.reduceat(values, starts).astype(np.float64) for values in (hits, trials)]
    return clusters[starts], sums[0], sums[1]


def rate_interval(trials: Trials) -> Interval | None:
    """Interval of a group's rate: Wilson's, or the clustered one.

    Args:
        trials: The group's counts.

    Returns:
        The interval at 95 %; None without a trial, or with fewer than 2 clusters.
    """
    if not trials.trials:
        return None
    if trials.ids is None:
        return _wilson(trials)
    if trials.ids.size < _LEAST_UNITS:
        return None
    return clustered_rate_interval(trials.cluster_hits, trials.cluster_trials, level=LEVEL).interval


def _wilson(trials: Trials | Counts, level: float = LEVEL) -> Interval:
    return wilson_interval(trials.hits, trials.trials, level=level)


def _exact(trials: Trials | Counts, level: float) -> Interval:
    return clopper_pearson_interval(trials.hits, trials.trials, level=level)


def contrast(group: Trials, reference: Trials, *, margin: float) -> Contrast:
    """The difference of two groups' rates, with its interval, test and equivalence.

    Independent rows: Newcombe's interval from the two Wilson intervals; the pooled score test, or
    Fisher's where an expected count is below 5; equivalent if the 90 % interval lies inside the margin, from
    limits of Clopper and Pearson, since Wilson's one-sided limits are too close at rates of 0 and 1: 53 of 53
    rows on both sides have a chance of 6.6 % where the rates differ by 5 points.

    Clusters: each moves the difference by (h - p n) / N for its own group; a t interval with as many
    degrees of freedom as the side with fewer clusters has, less 1. It holds where a cluster has rows of both
    groups and where it has not. Where few clusters differ, what others may hide is added; without any spread
    between them the interval is their bound.

    Not for a reference that was picked for its rate, unless the p-value is corrected for the picking.

    Args:
        group: Counts of the group, with a trial (two clusters).
        reference: Counts of the reference, likewise.
        margin: Smallest difference that matters, a fraction above 0.

    Returns:
        Group minus reference, fractions.

    Source:
        Newcombe (1998), Statistics in Medicine 17:873-890, method 10; Cochran (1954), Biometrics
        10:417-451 (expected counts); Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics
        15:657-680; Cochran (1977), Sampling Techniques, 3rd ed., eq. 6.13 (clusters).
    """
    if group.ids is None or reference.ids is None:
        return _independent(group, reference, margin)
    return clustered_contrast(_clustered(group, reference), margin=margin)


def clustered_contrast(found: ClusterEstimate, *, margin: float) -> Contrast:
    """What is stated of a difference of clusters.

    Args:
        found: The difference, a fraction.
        margin: Smallest difference that matters.
    """
    return Contrast(
        difference=found.point,
        interval=found.interval,
        p_value=found.p_value,
        equivalent=equivalence_of(found, margin=margin, level=LEVEL).equivalent,
        smallest_detectable=detectable_by(found, level=LEVEL, power=_POWER),
        made_of=found,
    )


def _independent(group: Trials, reference: Trials, margin: float) -> Contrast:
    inner = _newcombe(group, reference, 2 * LEVEL - 1, _exact)
    pooled = (group.hits + reference.hits) / (group.trials + reference.trials)
    error = sqrt(pooled * (1 - pooled) * (1 / group.trials + 1 / reference.trials))
    return Contrast(
        difference=group.hits / group.trials - reference.hits / reference.trials,
        interval=_newcombe(group, reference, LEVEL),
        p_value=_equality(group, reference, pooled, error),
        equivalent=-margin < inner.low and inner.high < margin,
        smallest_detectable=None if error == 0 else float(ndtri(0.5 + LEVEL / 2) + ndtri(_POWER)) * error,
        made_of=(group.counts(), reference.counts()),
    )


def _newcombe(
    group: Trials | Counts,
    reference: Trials | Counts,
    level: float,
    limits: Callable[[Trials | Counts, float], Interval] = _wilson,
) -> Interval:
    mine, theirs = group.hits / group.trials, reference.hits / reference.trials
    own, other = limits(group, level), limits(reference, level)
    return Interval(
        low=mine - theirs - hypot(mine - own.low, other.high - theirs),
        high=mine - theirs + hypot(own.high - mine, theirs - other.low),
        level=level,
        method="Newcombe",
    )


def _equality(group: Trials, reference: Trials, pooled: float, error: float) -> float:
    if error == 0:
        return 1.0
    if min(group.trials, reference.trials) * min(pooled, 1 - pooled) < _LEAST_EXPECTED:
        counts = [[one.hits, one.trials - one.hits] for one in (group, reference)]
        return min(1.0, float(fisher_exact(counts)[1]))
    difference = group.hits / group.trials - reference.hits / reference.trials
    return float(2 * ndtr(-abs(difference) / error))


def _clustered(group: Trials, reference: Trials) -> ClusterEstimate:
    (hits, asked), (other_hits, other_asked) = _aligned(group, reference)
    mine, theirs = hits.sum() / asked.sum(), other_hits.sum() / other_asked.sum()
    point = float(mine - theirs)
    influence = (hits - mine * asked) / asked.sum() - (other_hits - theirs * other_asked) / other_asked.sum()
    n = int(np.count_nonzero(asked + other_asked))
    error = sqrt(float(influence @ influence) * n / (n - 1.0))
    fewest = min(group.units, reference.units)
    if error <= _ROUNDING:
        return equal_clusters_estimate(point, fewest, n_clusters=n, bounds=(-1.0, 1.0), level=LEVEL)
    method = f"clustered t (df {fewest - 1})"
    found = t_estimate(point, error, fewest - 1.0, n_clusters=n, level=LEVEL, method=method)
    both = asked + other_asked > 0
    with np.errstate(invalid="ignore"):
        unseen = unseen_between((hits / asked)[both], (other_hits / other_asked)[both])
    return replace(found if unseen is None else with_unseen(found, unseen), bounds=(-1.0, 1.0))


def _aligned(group: Trials, reference: Trials) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Hits and trials of both sides over the clusters that either has, those of the reference first."""
    mine, theirs = _ids(group), _ids(reference)
    at = np.searchsorted(theirs, mine)
    shared = np.zeros(mine.size, dtype=np.bool_)
    inside = at < theirs.size
    shared[inside] = theirs[at[inside]] == mine[inside]
    own = int(mine.size - shared.sum())
    at[~shared] = theirs.size + np.arange(own)
    hits, asked = np.zeros(theirs.size + own), np.zeros(theirs.size + own)
    hits[at], asked[at] = group.cluster_hits, group.cluster_trials
    rest = np.zeros(own)
    other_hits = np.concatenate([reference.cluster_hits, rest])
    return (hits, asked), (other_hits, np.concatenate([reference.cluster_trials, rest]))


def _ids(side: Trials) -> Codes:
    return np.empty(0, dtype=np.int64) if side.ids is None else side.ids


def ratio_interval(group: Trials, reference: Trials) -> Interval | None:
    """Interval of the impact ratio, the group's rate over the reference's, on the log scale.

    It is `audit.statistics.ratios.impact_ratio`; for independent rows, each a cluster of one, the
    same sums are had from the counts: sum(u^2) = (1 - p_g) / h_g + (1 - p_r) / h_r.

    Where a rate is 0 or 1 its own error cannot be seen, and the log scale would state too little. Then
    it is the bounds of the two rates divided, each at level (1 + level) / 2, so that both hold together.

    Args:
        group: Counts of the group.
        reference: Counts of the reference.

    Returns:
        The interval at 95 %; None if the reference has too few favourable outcomes or a side has fewer than
        2 units.

    Source:
        Katz, Baptista, Azen & Pike (1978), Biometrics 34:469-474.
    """
    n = min(group.units, reference.units)
    if n < _LEAST_UNITS or ratio_untellable(reference) is not None:
        return None
    if any(one.hits in {0, one.trials} for one in (group, reference)):
        return _divided_bounds(group, reference)
    if group.ids is not None and reference.ids is not None:
        mine, theirs = _aligned(group, reference)
        return impact_ratio(*mine, *theirs, level=LEVEL).interval
    squares = sum((1 - one.hits / one.trials) / one.hits for one in (group, reference))
    reach = float(stdtrit(n - 1.0, 0.5 + LEVEL / 2)) * sqrt(squares * n / (n - 1))
    logged = log(group.hits / group.trials) - log(reference.hits / reference.trials)
    return Interval(
        low=exp(logged - reach), high=exp(logged + reach), level=LEVEL, method=f"log ratio (t, df {n - 1})"
    )


def ratio_untellable(reference: Trials) -> str | None:
    """Why a ratio to this reference has no interval, in words; None if it can have one."""
    if reference.ids is not None:
        return untellable(reference.cluster_hits, reference.cluster_trials)
    # Independent rows: each favourable one is a unit, and only how many there are of both matters.
    return untellable(np.ones(reference.hits), np.array([float(reference.trials)]))


def _divided_bounds(group: Trials, reference: Trials) -> Interval:
    top, bottom = _strict_bounds(group), _strict_bounds(reference)
    return Interval(
        low=top.low / bottom.high,
        high=top.high / bottom.low,
        level=LEVEL,
        method="bounds of the two rates, divided",
    )


def _strict_bounds(side: Trials) -> Interval:
    each = (1 + LEVEL) / 2
    if side.ids is None:
        return clopper_pearson_interval(side.hits, side.trials, level=each)
    return clustered_rate_interval(side.cluster_hits, side.cluster_trials, level=each).interval
