"""Merit-equivalent price: how much merit it takes to make up for belonging to a group.

It is the ratio of a group gap to the slope of the outcome on merit, in the domain's own currency
(credit points, years of experience). A ratio whose denominator may be 0 has intervals that may be
unbounded; Fieller's method says so instead of inventing ends.
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Flags, Vector, check_clusters, check_fraction, finite_vector

__all__ = ["MeritContrasts", "MeritPrice", "merit_contrasts", "merit_price"]

_ROUNDING = 1e-10
"""Share of a merit's spread within a cluster's arms below which the ladder counts as flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeritContrasts:
    """Each cluster's gap at equal merit and its slope on merit."""

    gaps: Vector
    """Group minus reference at equal merit, in the outcome's unit, shape (T,), by ascending cluster."""
    slopes: Vector
    """Outcome per unit of merit, shape (T,)."""
    clusters: Codes
    """Cluster codes, ascending, shape (T,)."""
    n_rows: int
    n_missing: int
    """Rows whose value is nan."""
    clusters_dropped: int
    """Clusters in which gap and slope cannot be told apart: one arm only, or no step of merit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeritPrice:
    """A price in units of merit, with a confidence set that may be unbounded."""

    point: float
    """Units of merit that make up for the group; above 0 if the group is disadvantaged."""
    kind: Literal["interval", "outside", "everything"]
    """`interval`: from low to high. `outside`: at most low or at least high. `everything`: any price fits."""
    low: float
    """Lower end; -infinity if `everything`."""
    high: float
    """Upper end; infinity if `everything`."""
    level: float
    says: str
    """The set in words."""
    method: str
    gap: float
    slope: float
    n_clusters: int

    def contains(self, price: float) -> bool:
        """Whether a price is in the confidence set.

        Args:
            price: Units of merit.

        Returns:
            True if it is compatible with what was seen, at the level.
        """
        if self.kind == "outside":
            return price <= self.low or price >= self.high
        return self.low <= price <= self.high


def merit_contrasts(
    values: npt.ArrayLike, merit: npt.ArrayLike, is_group: npt.ArrayLike, cluster: npt.ArrayLike
) -> MeritContrasts:
    """Gap at equal merit and slope on merit of each cluster, by least squares of the outcome on both.

    slope = sum over arms of covariance(merit, value) / sum over arms of variance(merit), within the
    cluster; gap = difference of means of the outcome less slope times the difference of means of merit.

    Not where the outcome is flat at the ends of the ladder (all clearly qualified are accepted): fit
    on the rungs in between, since a straight line is assumed.

    Args:
        values: Outcome of each row, nan if missing, shape (n,).
        merit: Merit of each row, in the domain's unit, shape (n,).
        is_group: True for rows of the group, False for the reference, shape (n,).
        cluster: Code of the row's cluster (template), an integer from 0, shape (n,).

    Returns:
        One gap and one slope a cluster, to be given to `merit_price`.

    Raises:
        NotMeasuredError: No cluster has both arms and two steps of merit in an arm.
        ValueError: The shapes differ, or a value or merit is infinite or a merit is missing.

    Source:
        Analysis of covariance: Cochran (1957), Biometrics 13:261-281.

    >>> found = merit_contrasts([0.2, 0.4, 0.1, 0.3], [1, 2, 1, 2], [False, False, True, True], [0] * 4)
    >>> found.gaps.round(3).tolist(), found.slopes.round(3).tolist()
    ([-0.1], [0.2])
    """
    value, worth, group, codes = _checked(values, merit, is_group, cluster)
    present = ~np.isnan(value)
    names, dense = np.unique(codes, return_inverse=True)
    arm = 2 * dense[present] + group[present]
    cells = 2 * names.size
    counts = np.maximum(np.bincount(arm, minlength=cells), 1)
    y, x = value[present], worth[present]
    mean_y = np.bincount(arm, weights=y, minlength=cells) / counts
    mean_x = np.bincount(arm, weights=x, minlength=cells) / counts
    apart = x - mean_x[arm]
    spread = np.bincount(arm, weights=apart**2, minlength=cells).reshape(-1, 2).sum(axis=1)
    joint = np.bincount(arm, weights=apart * (y - mean_y[arm]), minlength=cells).reshape(-1, 2).sum(axis=1)
    both = (np.bincount(arm, minlength=cells).reshape(-1, 2) > 0).all(axis=1)
    scale = float(np.ptp(worth)) if worth.size else 0.0
    usable = both & (spread > (_ROUNDING * scale) ** 2)
    if not usable.any():
        raise NotMeasuredError("no cluster has both arms and two steps of merit, so merit has no price")
    slopes = joint[usable] / spread[usable]
    differences = [np.diff(mean.reshape(-1, 2), axis=1)[usable, 0] for mean in (mean_y, mean_x)]
    return MeritContrasts(
        gaps=differences[0] - slopes * differences[1],
        slopes=slopes,
        clusters=names[usable],
        n_rows=int((present & usable[dense]).sum()),
        n_missing=int((~present).sum()),
        clusters_dropped=int((~usable).sum()),
    )


def merit_price(
    gaps: npt.ArrayLike, slopes: npt.ArrayLike, *, level: float = 0.95, unit: str = "units of merit"
) -> MeritPrice:
    """The merit that makes up for a group gap, -mean(gap) / mean(slope), with Fieller's confidence set.

    A price r fits if the mean over clusters of gap + r slope is not shown to differ from 0: |mean| <=
    t(T - 1) * its standard error. The prices that fit form an interval if the slope is shown to differ from
    0. If it is not, they are unbounded: all but an interval if the gap is shown to differ from
    0, else possibly everything. For normal clusters the set has exactly its level.

    Not where merit does not move the outcome: then nothing is its equivalent, and the set says so.

    Args:
        gaps: Group minus reference at equal merit, one a cluster, shape (T,).
        slopes: Outcome per unit of merit in the same clusters, shape (T,).
        level: Nominal coverage, a fraction in (0, 1).
        unit: What merit is counted in, for the words ("credit points").

    Returns:
        The price, in units of merit.

    Raises:
        NotMeasuredError: Fewer than 2 clusters, the mean slope is 0, or neither gaps nor slopes differ
            between clusters.
        ValueError: The shapes differ, or a value is not finite.

    Source:
        Fieller (1954), J. Royal Statistical Society B 16:175-185; on the unbounded sets:
        von Luxburg & Franz (2009), Statistica Sinica 19:1095-1117.

    >>> price = merit_price([-0.20, -0.16, -0.24, -0.18], [0.004, 0.006, 0.005, 0.005], unit="credit points")
    >>> round(price.point, 1), price.kind, price.says
    (39.0, 'interval', 'between 24.09 and 62.46 credit points')
    """
    check_fraction("level", level)
    gap, slope = finite_vector("gaps", gaps), finite_vector("slopes", slopes)
    if gap.shape != slope.shape:
        raise ValueError(f"gaps and slopes must be over the same clusters; got {gap.size} and {slope.size}")
    n = gap.size
    check_clusters("a merit-equivalent price", n)
    if np.ptp(gap) == 0 and np.ptp(slope) == 0:
        raise NotMeasuredError(f"all {n} clusters have one gap and one slope, so the price has no error")
    mean_gap, mean_slope = float(gap.mean()), float(slope.mean())
    if mean_slope == 0:
        raise NotMeasuredError("a merit-equivalent price needs a slope on merit; its mean is 0")
    quantile = float(stdtrit(n - 1, 0.5 + level / 2))
    kind, low, high = _fieller(gap, slope, quantile**2 / n)
    return MeritPrice(
        point=-mean_gap / mean_slope,
        kind=kind,
        low=low,
        high=high,
        level=level,
        says=_words(kind, low, high, unit),
        method=f"Fieller over clusters (t, df {n - 1})",
        gap=mean_gap,
        slope=mean_slope,
        n_clusters=n,
    )


def _fieller(
    gap: Vector, slope: Vector, scale: float
) -> tuple[Literal["interval", "outside", "everything"], float, float]:
    """Solve (mean gap + r mean slope)^2 <= scale * variance(gap + r slope) for r."""
    covariance = np.cov(gap, slope)
    # a r^2 + 2 b r + c <= 0
    a = float(slope.mean() ** 2 - scale * covariance[1, 1])
    b = float(gap.mean() * slope.mean() - scale * covariance[0, 1])
    c = float(gap.mean() ** 2 - scale * covariance[0, 0])
    discriminant = b * b - a * c
    if a > 0:
        # The point always fits, so the parabola dips below 0 and has both roots.
        root = sqrt(max(discriminant, 0.0))
        return "interval", (-b - root) / a, (-b + root) / a
    if a == 0 or discriminant <= 0:
        return "everything", -inf, inf
    root = sqrt(discriminant)
    return "outside", (-b + root) / a, (-b - root) / a


def _words(kind: str, low: float, high: float, unit: str) -> str:
    if kind == "interval":
        return f"between {low:.4g} and {high:.4g} {unit}"
    if kind == "outside":
        return (
            f"at most {low:.4g} or at least {high:.4g} {unit}: merit is not shown to move the outcome, so "
            "the price has no bound"
        )
    return f"any number of {unit}: merit is not shown to move the outcome"


def _checked(
    values: npt.ArrayLike, merit: npt.ArrayLike, is_group: npt.ArrayLike, cluster: npt.ArrayLike
) -> tuple[Vector, Vector, Flags, Codes]:
    value = np.asarray(values, dtype=np.float64)
    worth = finite_vector("merit", merit)
    group = np.asarray(is_group, dtype=np.bool_)
    codes = np.asarray(cluster, dtype=np.int64)
    if not value.shape == worth.shape == group.shape == codes.shape:
        shapes = sorted({value.shape, worth.shape, group.shape, codes.shape})
        raise ValueError(f"values, merit, is_group and cluster must share one shape (n,); got {shapes}")
    if np.isinf(value).any():
        raise ValueError("values must be finite or nan")
    return value, worth, group, codes
