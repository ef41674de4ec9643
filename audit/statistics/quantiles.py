"""Quantiles with intervals that hold whatever the distribution is."""

from dataclasses import dataclass

import numpy as np

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_fraction, finite_vector
from audit.statistics.intervals import Interval

__all__ = ["QuantileEstimate", "quantile_interval"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileEstimate:
    """One quantile of a sample, in the unit of the values."""

    quantile: float
    """Which one, a fraction in (0, 1)."""
    point: float
    n: int
    interval: Interval | None
    """None where no two values of the sample enclose the quantile at the level: there are too few."""


def quantile_interval(values: Vector, quantile: float, *, level: float = 0.95) -> QuantileEstimate:
    """A quantile of independent values, with the interval between two of them.

    The number of values at or below the true quantile is binomial, so the interval between the r-th and s-th
    smallest covers it with a chance that can be summed, whatever the distribution. Each tail has at most half
    of 1 - level. Not for values that depend on each other, such as the waiting times of calls that share a
    server: there the interval is too narrow.

    Args:
        values: The sample, shape (n,), n at least 1.
        quantile: A fraction in (0, 1).
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The smallest value that the fraction `quantile` of the sample does not exceed, and the interval.

    Raises:
        NotMeasuredError: There are no values.
        ValueError: A value is not finite, or an argument is outside the range above.

    Source:
        Thompson (1936), Annals of Mathematical Statistics 7:122-128.

    >>> estimate = quantile_interval(np.arange(1.0, 101.0), 0.5)
    >>> estimate.point, estimate.interval.low, estimate.interval.high
    (50.0, 40.0, 61.0)
    """
    from scipy.stats import binom  # noqa: PLC0415 - half a second of import, which most commands do without

    check_fraction("quantile", quantile)
    check_fraction("level", level)
    ordered = np.sort(finite_vector("values", values))
    n = len(ordered)
    if n == 0:
        raise NotMeasuredError("a quantile needs at least one value")
    tail = (1 - level) / 2
    # P(B < r) <= tail for the lower end, P(B >= s) <= tail for the upper one, B ~ binomial(n, quantile).
    lower = int(binom.ppf(tail, n, quantile))
    upper = int(binom.ppf(1 - tail, n, quantile)) + 1
    enclosed = lower >= 1 and upper <= n
    return QuantileEstimate(
        quantile=quantile,
        point=float(ordered[max(int(np.ceil(quantile * n - 1e-9)), 1) - 1]),
        n=n,
        interval=Interval(
            low=float(ordered[lower - 1]),
            high=float(ordered[upper - 1]),
            level=level,
            method="order statistics, values as independent",
        )
        if enclosed
        else None,
    )
