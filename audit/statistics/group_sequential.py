"""Looking at a run a planned number of times while it accrues, at one error rate for all looks together."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from audit.statistics.arguments import Vector, check_fraction

__all__ = ["GroupSequential", "group_sequential", "spent_share"]

_LEAST_ALPHA = 1e-12
"""Below this no test is wanted, and a p-value is reported as this."""
_MOST_ALPHA = 0.5
"""One-sided error rates above even odds decide nothing."""
_ALPHAS = 120
"""Error rates for which boundaries are tabulated, evenly spaced on the logarithm."""
_NODES = 128
"""Gauss-Legendre nodes of one density; the kernel spans at least two of them down to steps of 0.02."""
_LEAST_STEP = 0.02
"""Smallest share of the information between two looks."""
_LOWEST = 8.0
"""Standard deviations below 0 where the density is cut off: beyond it lies less than 1e-15."""
_BISECTIONS = 48

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSequential:
    """Nominal error rate of every look, for any error rate of all looks together."""

    fractions: tuple[float, ...]
    """Share of the information that each look has, ascending; the last is 1."""
    alphas: Vector
    """One-sided error rates of all looks together, ascending, shape (A,)."""
    nominal: Matrix
    """One-sided p-value that crosses the boundary at each look, shape (A, looks), ascending in alpha."""

    def nominal_alpha(self, alpha: float, look: int) -> float:
        """The one-sided p-value that suffices at a look, so that all looks together err with rate alpha.

        Args:
            alpha: One-sided error rate of all looks together, a fraction in (0, 0.5].
            look: Number of the look, from 1.

        Returns:
            A fraction below `alpha`, except that the only look of a design of one has alpha itself.

        Raises:
            ValueError: `alpha` is outside the range above.
        """
        if not 0 < alpha <= _MOST_ALPHA:
            raise ValueError(f"alpha must be in (0, {_MOST_ALPHA}]; got {alpha!r}")
        x, known = np.log(max(alpha, _LEAST_ALPHA)), np.log(self.alphas)
        return float(np.exp(np.interp(x, known, np.log(self.nominal[:, look - 1]))))

    def p_value(self, one_sided: float, look: int) -> float:
        """The repeated p-value: the smallest alpha whose boundary a look's p-value crosses.

        Under the null its minimum over all looks is at or below alpha with chance at most alpha,
        so it may be read at whichever look one stops.

        Args:
            one_sided: The look's own one-sided p-value, a fraction in [0, 1].
            look: Number of the look, from 1.

        Returns:
            One-sided, in [1e-12, 1]; 1 if not even alpha 0.5 would do.

        Raises:
            ValueError: `one_sided` is outside the range above.

        Source:
            Jennison & Turnbull (2000), Group Sequential Methods, section 9.2 (repeated p-values).
        """
        if not 0 <= one_sided <= 1:
            raise ValueError(f"a p-value must be in [0, 1]; got {one_sided!r}")
        boundary = self.nominal[:, look - 1]
        if one_sided > boundary[-1]:
            return 1.0
        x = np.log(max(one_sided, boundary[0]))
        return float(np.exp(np.interp(x, np.log(boundary), np.log(self.alphas))))

    def level(self, level: float, look: int) -> float:
        """Nominal level of a two-sided interval at a look, for coverage at every look together.

        Such repeated intervals hold whatever made one stop.

        Args:
            level: Chance that the truth lies inside at every look together, a fraction in (0, 1).
            look: Number of the look, from 1.

        Returns:
            A fraction in [level, 1).

        Raises:
            ValueError: `level` is outside the range above.

        Source:
            Jennison & Turnbull (1989), J. Royal Stat. Soc. B 51:305-361 (repeated confidence intervals).
        """
        check_fraction("level", level)
        return 1 - 2 * self.nominal_alpha((1 - level) / 2, look)


def spent_share(fraction: npt.ArrayLike, shape: float) -> Vector:
    """Share of the error rate spent once a fraction of the information is in.

    (1 - exp(-shape t)) / (1 - exp(-shape)), and t itself for shape 0. At -4 nearly all is kept for
    the end, as O'Brien and Fleming do; at 1 it is spent evenly, as Pocock does.

    Args:
        fraction: Share of the information, each in [0, 1], any shape.
        shape: Parameter gamma, from -10 to 10.

    Returns:
        Shares in [0, 1], in the shape of `fraction`.

    Raises:
        ValueError: `shape` is outside the range above.

    Source:
        Hwang, Shih & De Cani (1990), Statistics in Medicine 9:1439-1445.

    >>> spent_share([0.5, 1.0], -4.0).round(4).tolist()
    [0.1192, 1.0]
    """
    if not -10 <= shape <= 10:  # noqa: PLR2004 - beyond it everything is spent at one look
        raise ValueError(f"shape must be in [-10, 10]; got {shape!r}")
    t = np.asarray(fraction, dtype=np.float64)
    return np.asarray(t if shape == 0 else np.expm1(-shape * t) / np.expm1(-shape))


def group_sequential(fractions: npt.ArrayLike, *, shape: float = -4.0) -> GroupSequential:
    """Boundaries for looks at given shares of the information, with the error rate spent by `spent_share`.

    The statistic at look k is a sum of independent template differences over its own standard error,
    so the looks are jointly normal with correlation sqrt(t_j / t_k). The boundary c_k solves
    P(Z_k >= c_k, no crossing before) = alpha (f(t_k) - f(t_(k-1))), by integrating the density of the
    paths that have not crossed. A two-sided test is two one-sided ones of half the error rate each.

    Guarantee: at the planned looks only, and as exact as the p-values are at each; where looks hang
    together more than assumed (names shared by templates) it errs on the safe side. To look at any other
    time, or where the family's tests depend on each other in any way, use `betting_sequence`.

    Args:
        fractions: Share of the templates that each look has, ascending by at least 0.02, the last 1,
            shape (looks,).
        shape: Shape of the spending.

    Returns:
        Nominal error rates for any alpha.

    Raises:
        ValueError: The fractions are not as above, or `shape` is out of range.

    Source:
        Armitage, McPherson & Rowe (1969), J. Royal Stat. Soc. A 132:235-244 (recursion);
        Lan & DeMets (1983), Biometrika 70:659-663 (spending).

    >>> design = group_sequential([0.2, 0.4, 0.6, 0.8, 1.0])
    >>> round(design.nominal_alpha(0.025, 5), 4), round(design.level(0.95, 1), 4)
    (0.0214, 0.9989)
    """
    t = np.asarray(fractions, dtype=np.float64)
    if t.ndim != 1 or t.size == 0 or t[0] < _LEAST_STEP or t[-1] != 1 or (np.diff(t) < _LEAST_STEP).any():
        raise ValueError(f"fractions must ascend by at least {_LEAST_STEP} and end with 1; got {t.tolist()}")
    alphas = np.geomspace(_LEAST_ALPHA, _MOST_ALPHA, _ALPHAS)
    spends = np.diff(spent_share(np.concatenate([[0.0], t]), shape))
    nominal = np.empty((alphas.size, t.size))
    nominal[:, 0] = alphas * spends[0]
    paths = _Paths.start(float(t[0]), -ndtri(nominal[:, 0]))
    for look, (before, now) in enumerate(pairwise(t.tolist()), start=1):
        bounds = paths.boundary(alphas * spends[look], now, now - before)
        nominal[:, look] = ndtr(-bounds)
        paths = paths.advanced(bounds, now, now - before)
    return GroupSequential(fractions=tuple(t.tolist()), alphas=alphas, nominal=nominal)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paths:
    """The score's density at one look among the paths that have not crossed, one row an error rate."""

    places: Matrix
    """Nodes, shape (A, nodes)."""
    weights: Matrix
    """Density times quadrature weight, shape (A, nodes)."""

    @classmethod
    def start(cls, fraction: float, bounds: Vector) -> "_Paths":
        places, widths = _nodes(fraction, bounds)
        density = np.exp(-(places**2) / (2 * fraction)) / np.sqrt(2 * np.pi * fraction)
        return cls(places=places, weights=density * widths)

    def boundary(self, spend: Vector, fraction: float, step: float) -> Vector:
        """The z-values above which exactly `spend` crosses at the next look, shape (A,)."""
        low, high = np.full(spend.size, -_LOWEST), np.full(spend.size, _LOWEST + 2)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            reach = (self.places - (middle * np.sqrt(fraction))[:, np.newaxis]) / np.sqrt(step)
            more = (self.weights * ndtr(reach)).sum(axis=1) > spend
            low, high = np.where(more, middle, low), np.where(more, high, middle)
        return np.asarray(high)

    def advanced(self, bounds: Vector, fraction: float, step: float) -> "_Paths":
        places, widths = _nodes(fraction, bounds)
        moves = places[:, :, np.newaxis] - self.places[:, np.newaxis, :]
        kernel = np.exp(-(moves**2) / (2 * step)) / np.sqrt(2 * np.pi * step)
        return _Paths(places=places, weights=np.einsum("aij,aj->ai", kernel, self.weights) * widths)


def _nodes(fraction: float, bounds: Vector) -> tuple[Matrix, Matrix]:
    x, w = np.polynomial.legendre.leggauss(_NODES)
    scale = np.sqrt(fraction)
    half = (bounds + _LOWEST)[:, np.newaxis] * scale / 2
    return np.asarray(half * (x + 1) - _LOWEST * scale), np.asarray(half * w)
