"""Stating a measured error rate from its counts."""

from audit.analyzers.base import ErrorRate
from audit.statistics.rates import wilson_interval

__all__ = ["measured"]


def measured(name: str, right: int, of: int, measured_on: str) -> ErrorRate:
    """A rate with its 95 % Wilson interval.

    Args:
        name: `sensitivity`, `specificity` or `accuracy`.
        right: Items read as labelled.
        of: Items labelled, at least 1.
        measured_on: Data set, language and style.

    Returns:
        The rate, rounded to four decimals so that it reads the same everywhere.

    Source:
        Wilson (1927), JASA 22:209-212.
    """
    interval = wilson_interval(right, of)
    return ErrorRate(
        name=name,
        value=round(right / of, 4),
        ci_low=round(interval.low, 4),
        ci_high=round(interval.high, 4),
        n=of,
        measured_on=measured_on,
    )
