"""Labels of a random sample of rows, scores of all: each row rectified, whatever the machine's bias.

The sum of what a machine says and of what people, on a sample with known probabilities, say otherwise.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import Codes, Vector, finite_vector

__all__ = ["RectifiedRows", "rectified_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RectifiedRows:
    """One number a row whose mean over rows is that of what people would have said."""

    rectified: Vector
    """Rectified values, shape (n,); single ones lie far outside [0, 1]."""
    tuning: float
    """lambda, in [0, 1]: 0 ignores the machine, 1 takes it as it is but for the sample's corrections."""


def rectified_rows(
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    probability: npt.ArrayLike,
    part: npt.ArrayLike,
) -> RectifiedRows:
    """Rows rectified by a labelled sample, with the machine's weight tuned.

    v_i = a + lambda (f_i - b) + (labelled_i / pi_i) ((y_i - a) - lambda (f_i - b)), with a and b the weighted
    means of label y and prediction f over the labelled rows of the part (such as the group), and lambda =
    cov(y, f) / var(f) within parts, weighted by 1 / pi and cut to [0, 1]. E(v) = y whatever f is, so paired
    differences and clusters can be taken of v as of y; the spread of v holds the sampling error.

    Not for labels that were not drawn at random: what a reviewer picked says nothing of the rest.

    Args:
        labels: What people said, in [0, 1]; nan where nobody was asked, shape (n,).
        predictions: What the machine said, shape (n,).
        probability: Probability of having been labelled, in (0, 1]; read where there is a label, shape (n,).
        part: Code of the part that a row belongs to, at least 0, shape (n,).

    Returns:
        The rows, in the unit of the labels; rows of a part without a label are nan.

    Raises:
        ValueError: The shapes differ, a prediction is not finite, or a probability is outside (0, 1].

    Source:
        Angelopoulos, Duchi & Zrnic (2023), PPI++, arXiv:2311.01453; unequal probabilities: Zrnic & Candes
        (2024), Active Statistical Inference, arXiv:2403.03208; centring: the regression estimator of
        Cochran (1977), Sampling Techniques, 3rd ed., section 7.3.

    >>> found = rectified_rows([1.0, float("nan")], [0.0, 0.0], [0.5, 0.5], [0, 0])
    >>> found.rectified.tolist(), found.tuning
    ([1.0, 1.0], 0.0)
    """
    said, found = np.asarray(labels, dtype=np.float64), finite_vector("predictions", predictions)
    chance, parts = np.asarray(probability, dtype=np.float64), np.asarray(part, dtype=np.int64)
    if not said.shape == found.shape == chance.shape == parts.shape:
        raise ValueError("labels, predictions, probability and part must share one shape (n,)")
    asked = ~np.isnan(said)
    if not ((chance[asked] > 0) & (chance[asked] <= 1)).all():
        raise ValueError("probability must be in (0, 1] wherever there is a label")
    weight = np.where(asked, 1 / np.where(asked, chance, 1.0), 0.0)
    y = np.where(asked, said, 0.0)
    label_mean, prediction_mean = _part_means(weight, y, found, parts)
    left, right = y - label_mean, found - prediction_mean
    tuning = _tuning(weight, left, right)
    base = label_mean + tuning * right
    return RectifiedRows(rectified=base + weight * (left - tuning * right) * asked, tuning=tuning)


def _part_means(weight: Vector, y: Vector, f: Vector, part: Codes) -> tuple[Vector, Vector]:
    """Weighted means of labels and predictions over the labelled rows of each row's part."""
    if part.size == 0:
        return y, f
    total = np.bincount(part, weights=weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [np.bincount(part, weights=weight * value) / total for value in (y, f)]
    return means[0][part], means[1][part]


def _tuning(weight: Vector, left: Vector, right: Vector) -> float:
    kept = weight > 0
    spread = float(weight[kept] @ right[kept] ** 2)
    if spread <= 0:
        return 0.0
    return float(min(max(float(weight[kept] @ (left[kept] * right[kept])) / spread, 0.0), 1.0))
