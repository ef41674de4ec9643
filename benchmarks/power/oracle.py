"""The best that could be known: tests that are told the variances, which no audit can be."""

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr

from benchmarks.calibration.designs import SLOPE_SD, TEMPLATE_SD, mean_slope

__all__ = ["best_linear_p", "oracle_p", "template_sd"]

Vector = npt.NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


class _Moments:
    """Mean and variance of one template's paired difference, given the template's own level."""

    def __init__(self, repeats: int, gap: float) -> None:
        self._repeats = repeats
        self._slopes = mean_slope(gap) + SLOPE_SD * _NODES

    def of(self, template: Vector) -> tuple[Vector, Vector]:
        """Mean and variance of the difference of templates of these levels, each shaped as `template`."""
        logits = template[..., np.newaxis]
        group, reference = expit(logits + self._slopes / 2), expit(logits - self._slopes / 2)
        noise = (group * (1 - group) + reference * (1 - reference)) / self._repeats
        mean = (group - reference) @ _WEIGHTS
        return mean, (group - reference) ** 2 @ _WEIGHTS - mean**2 + noise @ _WEIGHTS


def template_sd(repeats: int, gap: float) -> float:
    """Standard deviation of a template's paired difference, over templates, slopes and answers."""
    mean, variance = _Moments(repeats, gap).of(TEMPLATE_SD * _NODES)
    return float(np.sqrt(variance @ _WEIGHTS + mean**2 @ _WEIGHTS - (mean @ _WEIGHTS) ** 2))


def oracle_p(differences: Vector, repeats: int) -> Vector:
    """Two-sided p of the z-test that knows the variance under no difference, shape (..., T) to (...).

    It is `cluster_t_interval` without the price of estimating the variance.
    """
    error = template_sd(repeats, 0.0) / np.sqrt(differences.shape[-1])
    return np.asarray(2 * ndtr(-np.abs(differences.mean(axis=-1)) / error))


def best_linear_p(differences: Vector, templates: Vector, repeats: int, gap: float) -> Vector:
    """Two-sided p of the most powerful weighted mean: it knows each template's level and the size of the gap.

    Weights are mean over variance of each template's difference, with the variance of no difference. It
    bounds what any weighting of templates, or adjustment for how easy they are, could gain.
    """
    expected, _ = _Moments(repeats, gap).of(templates)
    _, variance = _Moments(repeats, 0.0).of(templates)
    weight = expected / variance
    total = (weight * differences).sum(axis=-1) / np.sqrt((weight**2 * variance).sum(axis=-1))
    return np.asarray(2 * ndtr(-np.abs(total)))
