"""Empirical Bayes: many small cells at once, each drawn towards their common mean as far as it is noise.

The largest of many noisy cells is mostly noise. Shrinkage takes that out on average over
the cells; the raw values stay beside it.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_fraction, finite_vector

__all__ = ["ShrunkCells", "shrink", "shrink_rates"]

_LEAST_CELLS = 4
"""Fewer leave no degree of freedom after the mean, the spread and Morris's correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrunkCells:
    """Cells as measured and as shrunk, in the order received; all arrays have shape (k,)."""

    raw: Vector
    raw_low: Vector
    raw_high: Vector
    point: Vector
    """Each cell drawn towards `mean` by its `shrinkage`."""
    low: Vector
    high: Vector
    standard_error: Vector
    """Of `point`, with the uncertainty of mean and spread."""
    shrinkage: Vector
    """Share of the way to the mean, in [0, 1): near 1 for noisy cells."""
    mean: float
    """What the cells are drawn to."""
    spread: float
    """Standard deviation of the true values between cells; 0 if the cells differ no more than noise does."""
    level: float
    method: str


def shrink(points: npt.ArrayLike, standard_errors: npt.ArrayLike, *, level: float = 0.95) -> ShrunkCells:
    """Shrink estimates of many cells towards their weighted mean.

    True values are taken as normal with mean m and variance A. With W_i = 1 / (V_i + A), m = sum(W y) /
    sum(W) and A >= 0 such that sum(W (y - m)^2) = k - 1; B_i = (k - 3) / (k - 1) * V_i / (V_i + A);
    the point is (1 - B) y + B m. Its variance V (1 - (k - r) / k * B) + 2 / (k - 3) * B^2 (Vbar + A) /
    (V + A) (y - m)^2, with r = k W / sum(W) and Vbar = sum(W V) / sum(W), adds what not knowing m and
    A costs.

    The intervals cover at their level on average over cells, not for each: a cell truly far from all
    others is drawn too far in. Not for a claim about one cell named beforehand (use its raw interval),
    nor for cells that are not alike enough to be one family.

    Args:
        points: Estimate of each cell, shape (k,), k >= 4.
        standard_errors: Their standard errors, above 0, shape (k,); the cells must be independent.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        Raw and shrunk cells, in the unit of the points; raw intervals are normal ones.

    Raises:
        NotMeasuredError: Fewer than 4 cells.
        ValueError: The shapes differ, or a value is not finite or a standard error not above 0.

    Source:
        Morris (1983), JASA 78:47-55, in its general case of unequal variances, with one common mean.

    >>> found = shrink([0.0, 0.1, 0.2, 0.5, -0.1], [0.1] * 5)
    >>> found.point.round(3).tolist()
    [0.013, 0.104, 0.194, 0.466, -0.077]
    """
    check_fraction("level", level)
    y, errors = finite_vector("points", points), finite_vector("standard_errors", standard_errors)
    if y.shape != errors.shape or (errors <= 0).any():
        raise ValueError("points and standard errors must have one shape, and standard errors be above 0")
    k = y.size
    if k < _LEAST_CELLS:
        raise NotMeasuredError(f"shrinkage needs at least {_LEAST_CELLS} cells; got {k}")
    variances = errors**2
    spread = _between(y, variances)
    weight = 1 / (variances + spread)
    mean = float(weight @ y / weight.sum())
    typical = float(weight @ variances / weight.sum())
    shrinkage = (k - 3) / (k - 1) * variances * weight
    point = (1 - shrinkage) * y + shrinkage * mean
    leverage = k * weight / weight.sum()
    variance = variances * (1 - (k - leverage) / k * shrinkage)
    variance += 2 / (k - 3) * shrinkage**2 * (typical + spread) * weight * (y - mean) ** 2
    error, z = np.sqrt(variance), float(ndtri(0.5 + level / 2))
    return ShrunkCells(
        raw=y,
        raw_low=y - z * errors,
        raw_high=y + z * errors,
        point=point,
        low=point - z * error,
        high=point + z * error,
        standard_error=error,
        shrinkage=shrinkage,
        mean=mean,
        spread=sqrt(spread),
        level=level,
        method=f"empirical Bayes over {k} cells (Morris)",
    )


def shrink_rates(
    successes: npt.ArrayLike,
    trials: npt.ArrayLike,
    *,
    design_effect: float = 1.0,
    level: float = 0.95,
) -> ShrunkCells:
    """Shrink rates of many cells, small and empty-handed ones too.

    As `shrink`, with the variance p (1 - p) * design effect / n of each cell, p the rate over all cells: a
    cell's own rate would give those without any success no error at all, and so no shrinkage.

    Not where the cells' rates are of different orders (1 % and 50 %): their errors then are not
    alike, and the logits should be shrunk.

    Args:
        successes: Trials of each cell that showed the behaviour, shape (k,).
        trials: Trials of each cell, above 0, shape (k,).
        design_effect: By how much clusters enlarge the variance of a rate, above 0; 1 for independent
            trials.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        Raw and shrunk rates, fractions; intervals are cut to [0, 1].

    Raises:
        NotMeasuredError: Fewer than 4 cells, or no trial or every trial is a success.
        ValueError: The shapes differ, 0 <= successes <= trials fails, or an argument is not above 0.

    Source:
        Morris (1983), as for `shrink`; one variance for all cells: Efron & Morris (1975), JASA 70:311-319.
    """
    hits, asked = finite_vector("successes", successes), finite_vector("trials", trials)
    if hits.shape != asked.shape or (asked <= 0).any() or (hits < 0).any() or (hits > asked).any():
        raise ValueError("successes and trials must have one shape, 0 <= successes <= trials and trials > 0")
    if not design_effect > 0:
        raise ValueError(f"design_effect must be above 0; got {design_effect!r}")
    if asked.size == 0:
        raise NotMeasuredError(f"shrinkage needs at least {_LEAST_CELLS} cells; got 0")
    rate = float(hits.sum() / asked.sum())
    if rate in (0.0, 1.0):
        raise NotMeasuredError(f"shrinkage needs cells that can differ; every rate is {rate:.0f}")
    found = shrink(hits / asked, np.sqrt(rate * (1 - rate) * design_effect / asked), level=level)
    return replace(
        found,
        raw_low=np.clip(found.raw_low, 0.0, 1.0),
        raw_high=np.clip(found.raw_high, 0.0, 1.0),
        low=np.clip(found.low, 0.0, 1.0),
        high=np.clip(found.high, 0.0, 1.0),
        method=f"{found.method}, variance of the common rate",
    )


def _between(y: Vector, variances: Vector) -> float:
    """Variance of the true values between cells, at least 0: where the weighted squares are k - 1."""
    from scipy.optimize import brentq  # noqa: PLC0415 - a third of a second, for what is rarely asked

    k = y.size

    def excess(spread: float) -> float:
        weight = 1 / (variances + spread)
        return float(weight @ (y - weight @ y / weight.sum()) ** 2) - (k - 1)

    # The weighted squares fall as the spread grows, and at the plain variance are k - 1 or fewer.
    most = float(y.var(ddof=1))
    return 0.0 if excess(0.0) <= 0 else float(brentq(excess, 0.0, most, xtol=1e-14 * most))
