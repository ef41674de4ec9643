"""Simulated audits whose truth is known: templates differ, and templates react differently to a group.

Every design draws yes/no outputs with a logit of template effect + half the slope for the group and
- half of it for the reference. The two halves make the true difference exactly 0 when the mean slope is 0.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

__all__ = [
    "ALPHA",
    "DESIGNS",
    "GAP",
    "ROOT",
    "SLOPE_SD",
    "TEMPLATE_SD",
    "UNIT",
    "Arms",
    "Named",
    "mean_slope",
    "named_pairs",
    "paired_arms",
    "true_rate",
]

Vector = npt.NDArray[np.float64]

ROOT = 20260
"""Seed of every table; the first name of a stream is that of its table."""
DESIGNS = tuple((templates, repeats) for templates in (12, 30, 100) for repeats in (1, 4, 16))
"""Templates and repeats."""
TEMPLATE_SD = 1.5
SLOPE_SD = 0.5
GAP = 0.10
"""True difference of rates, where there is one and nothing else is said."""
ALPHA = 0.05
UNIT = (-1.0, 1.0)
"""Bounds of a difference of rates."""
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(81)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Rates of both arms by simulation and template, shape (simulations, templates)."""

    group: Vector
    reference: Vector
    levels: Vector
    """Effect of each template on the logit, which no audit sees."""

    @property
    def differences(self) -> Vector:
        """Paired difference of each template."""
        return np.asarray(self.group - self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Rows of one simulation in which each pair carries two names."""

    values: Vector
    cluster: npt.NDArray[np.int64]
    set_code: npt.NDArray[np.int64]
    is_group: npt.NDArray[np.bool_]
    names: npt.NDArray[np.int64]
    """Names of each pair, group member first, shape (pairs, 2)."""


def true_rate(intercept: float, spread: float = TEMPLATE_SD) -> float:
    """Mean of expit(intercept + N(0, spread^2)), by Gauss-Hermite quadrature."""
    return float(_NODE_WEIGHTS @ expit(intercept + spread * _NODES))


def mean_slope(gap: float, *, intercept: float = 0.0, name_sd: float = 0.0) -> float:
    """Mean slope on the logit whose true difference of rates is `gap`.

    Args:
        gap: Difference of rates, a fraction.
        intercept: Mean logit of templates.
        name_sd: Standard deviation of the names' effects on the logit, in either arm.
    """
    spread = float(np.linalg.norm([TEMPLATE_SD, SLOPE_SD / 2, name_sd]))

    def excess(slope: float) -> float:
        return true_rate(intercept + slope / 2, spread) - true_rate(intercept - slope / 2, spread) - gap

    return float(brentq(excess, -8, 8))


def paired_arms(
    rng: np.random.Generator,
    shape: tuple[int, int],
    repeats: int,
    *,
    gap: float = 0.0,
    intercept: float = 0.0,
) -> Arms:
    """Both arms of each template, each averaged over repeats, shape (simulations, templates)."""
    template = intercept + TEMPLATE_SD * rng.standard_normal(shape)
    slope = mean_slope(gap, intercept=intercept) + SLOPE_SD * rng.standard_normal(shape)
    return Arms(
        group=rng.binomial(repeats, expit(template + slope / 2)) / repeats,
        reference=rng.binomial(repeats, expit(template - slope / 2)) / repeats,
        levels=template,
    )


def named_pairs(rng: np.random.Generator, templates: int, pairs: int, *, names: int, name_sd: float) -> Named:
    """One simulation without a true effect: `pairs` pairs a template, `names` names a group."""
    cluster = np.repeat(np.arange(templates), pairs)
    effects = name_sd * rng.standard_normal((2, names))
    drawn = rng.integers(0, names, size=(2, cluster.size))
    template = TEMPLATE_SD * rng.standard_normal(templates)[cluster]
    slope = SLOPE_SD * rng.standard_normal(templates)[cluster]
    group = rng.binomial(1, expit(template + slope / 2 + effects[0, drawn[0]]))
    reference = rng.binomial(1, expit(template - slope / 2 + effects[1, drawn[1]]))
    return Named(
        values=np.concatenate([group, reference]).astype(np.float64),
        cluster=np.concatenate([cluster, cluster]),
        set_code=np.tile(np.arange(cluster.size), 2),
        is_group=np.repeat([True, False], cluster.size),
        names=np.stack([drawn[0], names + drawn[1]], axis=1),
    )
