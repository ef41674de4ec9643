"""What an estimate over clusters is, its t interval, and its bound where all clusters are equal.

A cluster is what is independent of its like: usually the prompts of one template. Rows of one
cluster are not independent, so the number of rows never enters a standard error here.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_fraction

__all__ = [
    "ClusterEstimate",
    "Interval",
    "Unseen",
    "all_equal",
    "check_bounds",
    "equal_clusters_estimate",
    "equal_clusters_interval",
    "equal_clusters_p_value",
    "rounding",
    "t_estimate",
]

_ROUNDING = 1e-12
"""Spread, as a fraction of the values' own range, below which clusters count as equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval that never travels without its level and method."""

    low: float
    high: float
    level: float
    """Nominal coverage, a fraction in (0, 1)."""
    method: str
    """How it was made and what was clustered, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """How far clusters not met could move a mean, in strata where few of those met differ."""

    fall: float
    """Largest fall, at least 0: sum of w_k (mean_k - low), each by how much it counts."""
    rise: float
    """Largest rise, at least 0: sum of w_k (high - mean_k), likewise."""
    n: float
    """Number of clusters that witness that there are no others, above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEstimate:
    """A mean over clusters (often a disparity) with everything a verdict needs."""

    point: float
    standard_error: float
    """0 exactly when `degenerate`: then it must not be used, the interval may."""
    df: float
    """Degrees of freedom of the t distribution; if `degenerate`, the effective number of clusters less 1."""
    n_clusters: int
    p_value: float
    """Two-sided p against a true mean of 0."""
    interval: Interval
    bounds: tuple[float, float] | None = None
    """Smallest and largest value one cluster can have, if known."""
    degenerate: bool = False
    """True if all clusters are equal: the interval is then a bound, not an estimate of spread."""
    unseen: Unseen | None = None
    """What clusters not met may hide beyond the standard error; None where enough of them differ."""


def t_estimate(
    point: float,
    standard_error: float,
    df: float,
    *,
    n_clusters: int,
    level: float,
    method: str,
) -> ClusterEstimate:
    """An estimate whose error over its standard error follows a t distribution.

    Args:
        point: The estimate.
        standard_error: Its standard error, above 0.
        df: Degrees of freedom, above 0.
        n_clusters: Number of independent clusters behind it.
        level: Nominal coverage, a fraction in (0, 1).
        method: How the standard error was had, in words.

    Returns:
        point -+ t(df, (1 + level) / 2) * standard_error, and the two-sided p against 0.

    Raises:
        ValueError: `standard_error` or `df` is not above 0, or `level` is outside (0, 1).
    """
    check_fraction("level", level)
    if not (standard_error > 0 and df > 0):
        raise ValueError(f"standard error and df must be above 0; got {standard_error!r} and {df!r}")
    reach = float(stdtrit(df, 0.5 + level / 2)) * standard_error
    return ClusterEstimate(
        point=point,
        standard_error=standard_error,
        df=df,
        n_clusters=n_clusters,
        p_value=float(2 * stdtr(df, -abs(point) / standard_error)),
        interval=Interval(low=point - reach, high=point + reach, level=level, method=method),
    )


def equal_clusters_interval(
    value: float, n_clusters: float, *, bounds: tuple[float, float], level: float = 0.95
) -> Interval:
    """A bound on a mean when every cluster seen has the same value.

    Let q be the share of all clusters that differ from the value. n clusters that all agree have
    probability (1 - q)^n, so at the level q <= 1 - (1 - level)^(1/n); the others could lie
    anywhere within `bounds`, so the mean is within value - q (value - low) and value + q (high - value).
    It covers at least at its level, whatever the distribution.

    Args:
        value: The common value.
        n_clusters: Number of clusters that have it (may be fractional, as an effective number).
        bounds: Smallest and largest value one cluster can have.
        level: Coverage guaranteed, a fraction in (0, 1).

    Returns:
        The interval, within `bounds`.

    Source:
        The zero-event bound 1 - alpha^(1/n), of which 3/n is the usual approximation: Hanley &
        Lippman-Hand (1983), JAMA 249:1743-1745; applied here to the share of differing clusters.

    >>> interval = equal_clusters_interval(0.0, 30, bounds=(-1.0, 1.0))
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.095, 0.095)
    """
    share = 1 - (1 - level) ** (1 / n_clusters)
    low, high = bounds
    return Interval(
        low=value - share * (value - low),
        high=value + share * (high - value),
        level=level,
        method="bound for equal clusters",
    )


def equal_clusters_p_value(
    value: float, n_clusters: float, *, bounds: tuple[float, float], null: float = 0.0
) -> float:
    """The largest probability that n clusters all show `value` when the mean is `null`.

    It is the counterpart of `equal_clusters_interval`: p <= 1 - level exactly when `null` is
    outside the interval.

    Args:
        value: The common value.
        n_clusters: Number of clusters that have it.
        bounds: Smallest and largest value one cluster can have.
        null: The mean under test.

    Returns:
        A probability; 0 if no distribution within `bounds` allows `value` and a mean of `null`.

    >>> round(equal_clusters_p_value(0.1, 30, bounds=(-1.0, 1.0)), 3)
    0.057
    """
    if value == null:
        return 1.0
    room = value - bounds[0] if value > null else bounds[1] - value
    distance = abs(value - null)
    return (1 - distance / room) ** n_clusters if distance < room else 0.0


def equal_clusters_estimate(
    point: float, n_effective: float, *, n_clusters: int, bounds: tuple[float, float] | None, level: float
) -> ClusterEstimate:
    """The flagged estimate that stands in where clusters show no spread.

    Args:
        point: The common value.
        n_effective: Number of clusters that count as independent witnesses of it.
        n_clusters: Number of clusters seen.
        bounds: Smallest and largest value one cluster can have.
        level: Coverage guaranteed, a fraction in (0, 1).

    Returns:
        An estimate with `degenerate` true, whose interval is `equal_clusters_interval`.

    Raises:
        NotMeasuredError: `bounds` is None.
    """
    if bounds is None:
        raise NotMeasuredError(
            f"all {n_clusters} clusters have the value {point:.6g}, so their spread cannot be estimated; "
            "give the bounds of the measure to have a bound"
        )
    point = min(max(point, bounds[0]), bounds[1])
    return ClusterEstimate(
        point=point,
        standard_error=0.0,
        df=n_effective - 1.0,
        n_clusters=n_clusters,
        p_value=equal_clusters_p_value(point, n_effective, bounds=bounds),
        interval=equal_clusters_interval(point, n_effective, bounds=bounds, level=level),
        bounds=bounds,
        degenerate=True,
    )


def check_bounds(means: Vector, bounds: tuple[float, float] | None) -> None:
    """Refuse cluster means outside the bounds of their measure.

    Args:
        means: Cluster means, shape (T,), T >= 1.
        bounds: Smallest and largest value one cluster can have; None accepts any.

    Raises:
        ValueError: A mean is outside the bounds, or the bounds are not in order.
    """
    if bounds is None:
        return
    low, high = bounds
    slack = _ROUNDING * (high - low)
    least, largest = float(means.min()), float(means.max())
    if not low < high or least < low - slack or largest > high + slack:
        raise ValueError(f"cluster means from {least!r} to {largest!r} are outside the bounds {bounds!r}")


def rounding(values: Vector, bounds: tuple[float, float] | None) -> float:
    """Distance below which two clusters count as equal: 1e-12 of the bounds, or of the largest value."""
    scale = float(np.abs(values).max()) if bounds is None else bounds[1] - bounds[0]
    return _ROUNDING * scale


def all_equal(values: Vector, bounds: tuple[float, float] | None) -> bool:
    """Whether clusters show no spread but that of rounding; shape (T,), T >= 1."""
    return bool(np.ptp(values) <= rounding(values, bounds))
