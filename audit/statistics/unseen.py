"""What strata without spread may hide, added to the interval of those that have some."""

from dataclasses import replace
from math import exp

from scipy.optimize import brentq
from scipy.special import stdtrit

from audit.statistics.intervals import ClusterEstimate, Interval, Unseen

__all__ = ["with_unseen", "within_unseen"]

_LOG_LEAST = -690.0
"""Logarithm of the smallest p-value that is told from 0."""


def with_unseen(found: ClusterEstimate, unseen: Unseen) -> ClusterEstimate:
    """The t estimate of a pooled mean with what its strata without spread may hide.

    Half of the error 1 - level goes to the t interval and half to the bound of equal clusters, so that both
    hold together: low = point - t(df, 1 - alpha / 4) se - q fall, with q = 1 - (alpha / 2)^(1 / n).
    The p-value is the alpha at which the interval reaches 0.

    Args:
        found: The t estimate; its standard error is that of the strata with spread.
        unseen: What the others may hide.

    Returns:
        The estimate; its standard error and degrees of freedom stay those of the strata with spread.

    Source:
        Bonferroni's inequality over `t_estimate` and `equal_clusters_interval`.

    >>> from audit.statistics.intervals import t_estimate
    >>> found = t_estimate(0.2, 0.05, 20, n_clusters=50, level=0.95, method="t")
    >>> round(with_unseen(found, Unseen(fall=0.5, rise=0.5, n=30)).p_value, 3)
    0.029
    """
    low, high = _ends(found, unseen, 1 - found.interval.level, sides=2)
    method = f"{found.interval.method}, with a bound for strata without spread"
    return replace(
        found,
        unseen=unseen,
        p_value=_p_value(found, unseen, 0.0, sides=2),
        interval=Interval(low=low, high=high, level=found.interval.level, method=method),
    )


def within_unseen(
    found: ClusterEstimate, unseen: Unseen, *, margin: float, level: float
) -> tuple[Interval, float]:
    """The interval and the p-value of two one-sided tests, as `with_unseen` has those of a two-sided one.

    Args:
        found: The estimate.
        unseen: What strata without spread may hide.
        margin: Smallest value of concern, above 0.
        level: 1 - alpha, a fraction in (0.5, 1).

    Returns:
        The interval, within the margin exactly if p is at most alpha, and p.
    """
    low, high = _ends(found, unseen, 1 - level, sides=1)
    p_values = [
        _p_value(found, unseen, null, sides=1) if abs(found.point) < margin else 1.0
        for null in (-margin, margin)
    ]
    method = "t interval of two one-sided tests, with a bound for strata without spread"
    return Interval(low=low, high=high, level=2 * level - 1, method=method), max(p_values)


def _ends(found: ClusterEstimate, unseen: Unseen, alpha: float, *, sides: int) -> tuple[float, float]:
    reach = float(stdtrit(found.df, 1 - alpha / (2 * sides))) * found.standard_error
    share = 1 - (alpha / 2) ** (1 / unseen.n)
    return found.point - reach - share * unseen.fall, found.point + reach + share * unseen.rise


def _p_value(found: ClusterEstimate, unseen: Unseen, null: float, *, sides: int) -> float:
    """The alpha at which the end that faces `null` is `null`; 1 if even the shortest interval holds it."""

    def beyond(log_alpha: float) -> float:
        low, high = _ends(found, unseen, exp(log_alpha), sides=sides)
        return low - null if found.point > null else null - high

    if beyond(0.0) <= 0:
        return 1.0
    if beyond(_LOG_LEAST) > 0:
        return exp(_LOG_LEAST)
    return exp(float(brentq(beyond, _LOG_LEAST, 0.0)))
