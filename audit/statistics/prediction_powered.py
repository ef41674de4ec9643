"""Few labels by people, many scores by a machine: means that use both, whatever the machine's bias.

The labels alone give a valid but wide interval; the scores narrow it as far as they agree with the
labels, and a useless or biased machine costs nothing but the narrowing.
"""

from dataclasses import dataclass, replace
from math import fsum, sqrt

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import Vector, check_clusters, check_fraction, finite_vector
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.intervals import ClusterEstimate, check_bounds, t_estimate

__all__ = ["PoweredEstimate", "powered_gap", "powered_mean"]

_LEAST_LABELLED = 4
"""Fewer labelled clusters leave no degree of freedom to tune with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoweredEstimate:
    """A mean of what people would have said, with what the machine's scores contributed."""

    estimate: ClusterEstimate
    tuning: float
    """lambda, in [0, 1]: 0 ignores the machine, 1 trusts it as far as plain prediction-powered inference."""
    labels_only: ClusterEstimate
    """The estimate from the labels alone, which is valid too."""
    gain: float | None
    """Labels alone would have to be so many times as many for the same variance; None if no spread."""


def powered_mean(
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    unlabelled: npt.ArrayLike,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> PoweredEstimate:
    """A mean (such as of template gaps) over templates of which people labelled some, and a machine all.

    mean = mean(Y) + lambda (mean(f over unlabelled) - mean(f over labelled)), with lambda =
    cov(Y, f) / ((1 + n / N) var(f)), cut to [0, 1], which makes the variance var(Y - lambda f) / n +
    lambda^2 var(f) / N smallest. Degrees of freedom by Satterthwaite, with one less on the
    labelled side for the tuning.

    Not unless the labelled templates were drawn at random: labels where the machine was unsure, or where
    someone complained, bias it. Where labels are spread over all templates, use `powered_gap`. Tuning
    costs a little: false alarms of nominal 5 % were 7 % at 12 labelled templates, 5 to 6 % from 30.

    Args:
        labels: What people found, one value a labelled cluster, shape (n,).
        predictions: What the machine found in the same clusters, shape (n,).
        unlabelled: What the machine found in the other clusters, shape (N,).
        level: Nominal coverage, a fraction in (0, 1).
        bounds: Smallest and largest value one cluster can have; needed if no label differs.

    Returns:
        The estimate, in the unit of the labels; `n_clusters` counts labelled ones.

    Raises:
        NotMeasuredError: Fewer than 2 clusters on either side, or no label differs and `bounds` is not given.
        ValueError: The shapes differ, or a value is not finite or outside `bounds`.

    Source:
        Angelopoulos, Duchi & Zrnic (2023), PPI++, arXiv:2311.01453: estimator, variance and
        optimal lambda for means.
    """
    alone, said, scored = _labelled(labels, predictions, level, bounds)
    others = finite_vector("unlabelled", unlabelled)
    check_clusters("the machine's mean over unlabelled clusters", others.size)
    check_bounds(others, bounds)
    n, m = said.size, others.size
    spread = float(np.concatenate([scored, others]).var(ddof=1))
    tuning = _tuned(float(np.cov(said, scored)[0, 1]), (1 + n / m) * spread, n)
    point = alone.point + tuning * (fsum(others.tolist()) / m - fsum(scored.tolist()) / n)
    parts = ((said - tuning * scored).var(ddof=1) / n, tuning**2 * others.var(ddof=1) / m)
    variance = float(sum(parts))
    if alone.degenerate or tuning == 0 or variance <= 0:
        return _unaided(alone)
    df = variance**2 / (parts[0] ** 2 / (n - 2) + parts[1] ** 2 / (m - 1))
    return _aided(alone, _replaced(point, variance, float(df), alone), tuning)


def powered_gap(
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    unlabelled: npt.ArrayLike,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> PoweredEstimate:
    """A mean gap over templates in each of which people labelled some counterfactual sets, a machine all.

    mean over templates of A + lambda B: A is the gap that people found in the labelled sets, B the
    machine's gap in the other sets less its gap in the labelled ones, which is 0 on average. lambda =
    -cov(A, B) / var(B), cut to [0, 1]. One cluster-t interval serves, with T - 2 degrees of freedom.

    Not unless the labelled sets were drawn at random within each template. False alarms of nominal 5 %
    were 7 % at 12 templates, 5 % from 30 (docs/explanation/calibration-rates.md).

    Args:
        labels: People's gap in the labelled sets, one value a template, shape (T,).
        predictions: The machine's gap in the same sets, shape (T,).
        unlabelled: The machine's gap in the other sets of the same templates, shape (T,).
        level: Nominal coverage, a fraction in (0, 1).
        bounds: Smallest and largest value one gap can have, such as (-1, 1); needed if no label differs.

    Returns:
        The estimate, group minus reference, in the unit of the labels.

    Raises:
        NotMeasuredError: Fewer than 2 templates, or no label differs and `bounds` is not given.
        ValueError: The shapes differ, or a value is not finite or outside `bounds`.

    Source:
        Angelopoulos, Duchi & Zrnic (2023), as for `powered_mean`, with the template as the unit: then
        the optimal lambda is the regression coefficient of a control variate.
    """
    alone, said, scored = _labelled(labels, predictions, level, bounds)
    others = finite_vector("unlabelled", unlabelled)
    if others.shape != said.shape:
        raise ValueError(f"unlabelled must have one gap a template: {said.size}; got {others.size}")
    check_bounds(others, bounds)
    n = said.size
    control = others - scored
    tuning = _tuned(-float(np.cov(said, control)[0, 1]), float(control.var(ddof=1)), n)
    moved = said + tuning * control
    variance = float(moved.var(ddof=1)) / n
    if alone.degenerate or tuning == 0 or variance <= 0:
        return _unaided(alone)
    return _aided(alone, _replaced(fsum(moved.tolist()) / n, variance, n - 2.0, alone), tuning)


def _replaced(point: float, variance: float, df: float, alone: ClusterEstimate) -> ClusterEstimate:
    """The estimate that takes the place of the one from labels alone, at its level and with its bounds."""
    found = t_estimate(
        point,
        sqrt(variance),
        df,
        n_clusters=alone.n_clusters,
        level=alone.interval.level,
        method=f"PPI++ over clusters (t, df {df:.1f})",
    )
    return replace(found, bounds=alone.bounds)


def _labelled(
    labels: npt.ArrayLike, predictions: npt.ArrayLike, level: float, bounds: tuple[float, float] | None
) -> tuple[ClusterEstimate, Vector, Vector]:
    check_fraction("level", level)
    said, scored = finite_vector("labels", labels), finite_vector("predictions", predictions)
    if said.shape != scored.shape:
        raise ValueError(f"predictions must be over the labelled clusters: {said.size}; got {scored.size}")
    alone = cluster_t_interval(said, level=level, bounds=bounds)
    check_bounds(scored, bounds)
    return alone, said, scored


def _tuned(covariance: float, variance: float, n: int) -> float:
    """lambda, cut to [0, 1]; 0 where it cannot be told or would not help."""
    if n < _LEAST_LABELLED or variance <= 0:
        return 0.0
    return min(max(covariance / variance, 0.0), 1.0)


def _unaided(alone: ClusterEstimate) -> PoweredEstimate:
    return PoweredEstimate(
        estimate=alone, tuning=0.0, labels_only=alone, gain=None if alone.degenerate else 1.0
    )


def _aided(alone: ClusterEstimate, found: ClusterEstimate, tuning: float) -> PoweredEstimate:
    gain = (alone.standard_error / found.standard_error) ** 2
    return PoweredEstimate(estimate=found, tuning=tuning, labels_only=alone, gain=gain)
