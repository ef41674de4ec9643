"""Equivalence: showing that a disparity is smaller than what was declared to matter.

Failing to find a difference is not finding none; these tests put the burden of proof on "no difference".
"""

from dataclasses import dataclass
from typing import Literal

from scipy.special import stdtr, stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import check_fraction
from audit.statistics.intervals import (
    ClusterEstimate,
    Interval,
    equal_clusters_interval,
    equal_clusters_p_value,
)
from audit.statistics.unseen import within_unseen

__all__ = ["Equivalence", "NonInferiority", "equivalence_of", "non_inferiority", "tost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Answer to "is the true value inside the margin?"."""

    equivalent: bool
    p_value: float
    """The larger of the two one-sided p-values."""
    interval: Interval
    """The interval of level 1 - 2 alpha; `equivalent` exactly when it lies inside the margin."""
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferiority:
    """Answer to "is the true value worse by less than the margin?"."""

    non_inferior: bool
    p_value: float
    bound: float
    """One-sided confidence bound on the worse side, at the level."""
    margin: float


def tost(
    point: float, standard_error: float, df: float, *, margin: float, level: float = 0.95
) -> Equivalence:
    """Two one-sided t tests: is the true value between -margin and +margin?

    t = (point + margin) / se against "at most -margin" and (margin - point) / se against "at least
    +margin"; both must reject at alpha = 1 - level. That is the same as the interval of level
    1 - 2 alpha lying inside the margin.

    Not where all clusters are equal, since there the standard error says nothing: use `equivalence_of`.
    The margin belongs to the measure and is declared before the run.

    Args:
        point: The estimate.
        standard_error: Its standard error, above 0.
        df: Its degrees of freedom, above 0.
        margin: Smallest value of concern, in the estimate's unit, above 0.
        level: 1 - alpha, a fraction in (0.5, 1).

    Returns:
        The verdict, its p-value and the interval it is dual to.

    Raises:
        NotMeasuredError: `standard_error` is 0.
        ValueError: An argument is outside the range above.

    Source:
        Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15:657-680.

    >>> tost(0.01, 0.02, 59, margin=0.05).equivalent, tost(0.03, 0.02, 59, margin=0.05).equivalent
    (True, False)
    """
    _check(standard_error, df, margin, level)
    reach = float(stdtrit(df, level)) * standard_error
    interval = Interval(low=point - reach, high=point + reach, level=2 * level - 1, method=f"t (df {df:g})")
    return Equivalence(
        equivalent=-margin < interval.low and interval.high < margin,
        p_value=float(stdtr(df, (abs(point) - margin) / standard_error)),
        interval=interval,
        margin=margin,
    )


def non_inferiority(
    point: float,
    standard_error: float,
    df: float,
    *,
    margin: float,
    worse: Literal["lower", "higher"] = "lower",
    level: float = 0.95,
) -> NonInferiority:
    """One-sided t test: is the true value worse than 0 by less than the margin?

    For "the repair cost less than 2 points of utility": point = change in utility, worse = lower.

    Args:
        point: The estimate, such as after minus before.
        standard_error: Its standard error, above 0.
        df: Its degrees of freedom, above 0.
        margin: Largest loss that is accepted, in the estimate's unit, above 0.
        worse: The direction that is a loss.
        level: 1 - alpha of the one-sided test, a fraction in (0.5, 1).

    Returns:
        The verdict, its p-value, and the bound that it is dual to.

    Raises:
        NotMeasuredError: `standard_error` is 0.
        ValueError: An argument is outside the range above.

    Source:
        Wellek (2010), Testing Statistical Hypotheses of Equivalence and Noninferiority, 2nd ed., section 2.2.

    >>> non_inferiority(-0.005, 0.004, 59, margin=0.02).non_inferior
    True
    """
    _check(standard_error, df, margin, level)
    sign = 1.0 if worse == "lower" else -1.0
    lowest = sign * point - float(stdtrit(df, level)) * standard_error
    return NonInferiority(
        non_inferior=lowest > -margin,
        p_value=float(stdtr(df, -(sign * point + margin) / standard_error)),
        bound=sign * lowest,
        margin=margin,
    )


def equivalence_of(estimate: ClusterEstimate, *, margin: float, level: float = 0.95) -> Equivalence:
    """`tost` of an estimate over clusters, also where all clusters are equal or few differ.

    If all are equal, the t test is replaced by the bound of `equal_clusters_interval`: 30 templates that
    all show no difference do not yet show that fewer than 5 % of templates differ; 59 do. If few
    differ, it has what the others may hide (`within_unseen`).

    Args:
        estimate: The estimate; if degenerate, with the bounds of its clusters.
        margin: Smallest value of concern, in the estimate's unit, above 0.
        level: 1 - alpha, a fraction in (0.5, 1).

    Returns:
        The verdict, its p-value and the interval it is dual to.

    Raises:
        NotMeasuredError: The estimate is degenerate and has no bounds.
        ValueError: `margin` or `level` is outside the range above.

    Source:
        Schuirmann (1987), as for `tost`; the bound as for `equal_clusters_interval`.

    >>> from audit.statistics.cluster_t import cluster_t_interval
    >>> same = cluster_t_interval([0.0] * 59, bounds=(-1, 1))
    >>> equivalence_of(same, margin=0.05).equivalent
    True
    """
    if estimate.unseen is not None:
        _check(estimate.standard_error, estimate.df, margin, level)
        hidden, p_value = within_unseen(estimate, estimate.unseen, margin=margin, level=level)
        inside = -margin < hidden.low and hidden.high < margin
        return Equivalence(equivalent=inside, p_value=p_value, interval=hidden, margin=margin)
    if not estimate.degenerate or estimate.bounds is None:
        return tost(estimate.point, estimate.standard_error, estimate.df, margin=margin, level=level)
    _check(1.0, 1.0, margin, level)
    # Of strata, fewer clusters than there are count as independent witnesses; df + 1 is their number.
    n, point, bounds = estimate.df + 1, estimate.point, estimate.bounds
    # The bound guards both sides at once, so it is taken at the level itself, not at 1 - 2 alpha.
    interval = equal_clusters_interval(point, n, bounds=bounds, level=level)
    sides = [
        equal_clusters_p_value(point, n, bounds=bounds, null=null) if abs(point) < margin else 1.0
        for null in (-margin, margin)
    ]
    return Equivalence(
        equivalent=-margin < interval.low and interval.high < margin,
        p_value=max(sides),
        interval=interval,
        margin=margin,
    )


def _check(standard_error: float, df: float, margin: float, level: float) -> None:
    if standard_error == 0:
        raise NotMeasuredError("equivalence needs a standard error above 0; all clusters are equal")
    if not (standard_error > 0 and df > 0 and margin > 0):
        raise ValueError(
            f"standard error, df and margin must be above 0; got {standard_error!r}, {df!r}, {margin!r}"
        )
    check_fraction("2 * level - 1", 2 * level - 1)
