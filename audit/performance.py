"""How well an analyzer's readings match people's labels: rates with intervals, and agreement."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from pydantic import Field

from audit.errors import NotMeasuredError
from audit.labelled import Labelled
from audit.statistics.agreement import AgreementEstimate, cohen_kappa, gwet_ac1, krippendorff_alpha
from audit.statistics.rates import clustered_rate_interval, wilson_interval
from probes.records import Record

__all__ = [
    "LEVEL",
    "Confusion",
    "Performance",
    "Rate",
    "Read",
    "balanced_accuracy",
    "confusion",
    "performance",
]

LEVEL = 0.95
_MOST_ROWS = 10**9
"""Of one count of a check that is read from a file; beyond it nobody has labelled anything."""

Counts = npt.NDArray[np.float64]
"""Rows of each cluster: read right among the positive, positive, read right among the negative, negative."""


class Rate(Record):
    """A rate in [0, 1], or an agreement of at most 1, with its interval; None if it was not measured."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    """Rows the rate is over."""


class Confusion(Record):
    """Rows by what people and what the analyzer said."""

    true_positive: int = Field(ge=0, le=_MOST_ROWS)
    false_negative: int = Field(ge=0, le=_MOST_ROWS)
    undetermined_positive: int = Field(ge=0, le=_MOST_ROWS)
    """Labelled positive; the analyzer gave no value (unparsed, not understood, out of scope)."""
    true_negative: int = Field(ge=0, le=_MOST_ROWS)
    false_positive: int = Field(ge=0, le=_MOST_ROWS)
    undetermined_negative: int = Field(ge=0, le=_MOST_ROWS)


class Performance(Record):
    """How well readings match labels over some rows.

    Rows without a reading are in no rate but those of `if_undetermined_are_errors`.
    """

    n: int
    n_clusters: int | None
    """What the intervals take as independent; None if rows are."""
    balanced_accuracy: Rate
    """Mean of sensitivity and specificity: it does not depend on how common the behaviour is."""
    sensitivity: Rate
    """Share of rows labelled positive that are read as positive."""
    specificity: Rate
    """Share of rows labelled negative that are read as negative."""
    raw_agreement: Rate
    """Share of rows read as labelled; it depends on how common the behaviour is."""
    kappa: Rate
    """Cohen's kappa of labels and readings: 1 is full agreement, 0 what chance gives."""
    ac1: Rate
    """Gwet's AC1: as kappa, but steady where one label is rare."""
    alpha: Rate
    """Krippendorff's alpha, as for two raters who may be any two."""
    if_undetermined_are_errors: Rate
    """Balanced accuracy when a row without a reading counts as read wrongly."""
    confusion: Confusion


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A labelled row and what the analyzer read in it."""

    row: Labelled
    positive: bool | None
    """None if the analyzer gave no value."""
    reading: str
    """Its label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """A rate and what each cluster adds to its error; without influence where rows are independent."""

    rate: Rate
    influence: Counts | None = None


def performance(read: Sequence[Read]) -> Performance:
    """How well readings match labels over some rows.

    Rows that name a cluster are not taken as independent: every interval is then clustered.

    Args:
        read: The rows, at least one.

    Returns:
        Rates and agreement; without a value where there is nothing to state one from.
    """
    counts = Counter((one.row.positive, one.positive) for one in read)
    cluster = _clusters(read)
    strict = _of_errors([one.positive is one.row.positive for one in read], read, cluster)
    kept = [place for place, one in enumerate(read) if one.positive is not None]
    known = [read[place] for place in kept]
    codes = None if cluster is None else cluster[kept]
    right = [one.positive == one.row.positive for one in known]
    pairs = [(float(one.row.positive), float(bool(one.positive))) for one in known]
    sensitivity, specificity, balanced = _of_errors(right, known, codes)
    return Performance(
        n=len(read),
        n_clusters=None if cluster is None else int(np.unique(cluster).size),
        balanced_accuracy=balanced,
        sensitivity=sensitivity,
        specificity=specificity,
        raw_agreement=_rate(np.array(right, dtype=float), np.ones(len(right)), codes).rate,
        kappa=_agreement(lambda: cohen_kappa(pairs, cluster=codes), len(pairs)),
        ac1=_agreement(lambda: gwet_ac1(pairs, cluster=codes), len(pairs)),
        alpha=_agreement(lambda: krippendorff_alpha(pairs, cluster=codes), len(pairs)),
        if_undetermined_are_errors=strict[2],
        confusion=confusion(counts),
    )


def confusion(counts: Mapping[tuple[bool, bool | None], int]) -> Confusion:
    """The counts by label and reading, None being no reading."""
    return Confusion(
        true_positive=counts.get((True, True), 0),
        false_negative=counts.get((True, False), 0),
        undetermined_positive=counts.get((True, None), 0),
        true_negative=counts.get((False, False), 0),
        false_positive=counts.get((False, True), 0),
        undetermined_negative=counts.get((False, None), 0),
    )


def balanced_accuracy(sensitivity: Rate, specificity: Rate, *, correlation: float = 0.0) -> Rate:
    """The mean of two rates on separate rows, with an interval from theirs.

    point = (p1 + p2) / 2; low = point - sqrt(d1^2 + d2^2 + 2 r d1 d2) / 2 with d = p - low of each, and
    likewise for the high end, so that it keeps a width where both rates are 1 and the delta method has none.

    Args:
        sensitivity: Share of positive rows read as positive.
        specificity: Share of negative rows read as negative.
        correlation: r of the two errors, not 0 where positive and negative rows share clusters.

    Returns:
        The rate; without a value if either has none.

    Source:
        Zou & Donner (2008), Statistics in Medicine 27:1693-1702 (MOVER); with correlation: Zou (2007),
        Psychological Methods 12:399-413.
    """
    n = sensitivity.n + specificity.n
    first, second = _complete(sensitivity), _complete(specificity)
    if first is None or second is None:
        return Rate(value=None, ci_low=None, ci_high=None, n=n)
    point = (first[0] + second[0]) / 2
    down = _reach(first[0] - first[1], second[0] - second[1], correlation)
    up = _reach(first[2] - first[0], second[2] - second[0], correlation)
    return Rate(
        value=round(point, 6),
        ci_low=round(max(0.0, point - down), 6),
        ci_high=round(min(1.0, point + up), 6),
        n=n,
    )


def _reach(first: float, second: float, correlation: float) -> float:
    return sqrt(max(first**2 + second**2 + 2 * correlation * first * second, 0.0)) / 2


def _complete(rate: Rate) -> tuple[float, float, float] | None:
    if rate.value is None or rate.ci_low is None or rate.ci_high is None:
        return None
    return rate.value, rate.ci_low, rate.ci_high


def _clusters(read: Sequence[Read]) -> npt.NDArray[np.int64] | None:
    """Code of each row's cluster, a row without one by itself; None if no row names any."""
    if all(one.row.cluster is None for one in read):
        return None
    names = [one.row.cluster for one in read]
    known = {name: code for code, name in enumerate(sorted({name for name in names if name is not None}))}
    return np.array(
        [known[name] if name is not None else len(known) + place for place, name in enumerate(names)],
        dtype=np.int64,
    )


def _of_errors(
    right: Sequence[bool], read: Sequence[Read], cluster: npt.NDArray[np.int64] | None
) -> tuple[Rate, Rate, Rate]:
    """Sensitivity, specificity and balanced accuracy of rows that were read rightly or not."""
    hits = np.array(right, dtype=float)
    positive = np.array([one.row.positive for one in read], dtype=float)
    sensitivity = _rate(hits * positive, positive, cluster)
    specificity = _rate(hits * (1 - positive), 1 - positive, cluster)
    r = _correlation(sensitivity.influence, specificity.influence)
    balanced = balanced_accuracy(sensitivity.rate, specificity.rate, correlation=r)
    return sensitivity.rate, specificity.rate, balanced


def _correlation(first: Counts | None, second: Counts | None) -> float:
    if first is None or second is None:
        return 0.0
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size > 0 else 0.0


def _rate(hits: Counts, asked: Counts, cluster: npt.NDArray[np.int64] | None) -> _Measured:
    """A rate over the rows that were asked, clustered if there are clusters."""
    trials = int(asked.sum())
    missing = _Measured(rate=Rate(value=None, ci_low=None, ci_high=None, n=trials))
    if trials == 0:
        return missing
    value = float(hits.sum()) / trials
    influence = None
    if cluster is None:
        interval = wilson_interval(int(hits.sum()), trials, level=LEVEL)
    else:
        _, at = np.unique(cluster, return_inverse=True)
        won, tried = np.bincount(at, weights=hits), np.bincount(at, weights=asked)
        try:
            interval = clustered_rate_interval(won, tried, level=LEVEL).interval
        except NotMeasuredError:
            return missing
        influence = np.asarray(won - value * tried, dtype=np.float64)
    rate = Rate(
        value=round(value, 6), ci_low=round(interval.low, 6), ci_high=round(interval.high, 6), n=trials
    )
    return _Measured(rate=rate, influence=influence)


def _agreement(measure: Callable[[], AgreementEstimate], n: int) -> Rate:
    """Agreement of labels and readings, without a value where there are too few or only one category."""
    missing = Rate(value=None, ci_low=None, ci_high=None, n=n)
    if n == 0:
        return missing
    try:
        found = measure()
    except NotMeasuredError:
        return missing
    ends = found.interval.low, found.interval.high
    return Rate(value=round(found.point, 6), ci_low=round(ends[0], 6), ci_high=round(ends[1], 6), n=n)
