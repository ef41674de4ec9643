"""Counterfactual sentiment bias: how far apart two samples of sentiment scores lie, as distributions."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import Vector, check_fraction, finite_vector

__all__ = ["sentiment_bias_strong", "sentiment_bias_weak"]


def sentiment_bias_strong(first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike]) -> Vector:
    """Wasserstein-1 distance between the sentiment scores of each pair of samples.

    The area between the two distribution functions; of equally many scores, the mean difference of the
    sorted ones. It sees a change of spread as well as one of the mean.

    Not as it stands: two samples from one distribution lie apart as well, the further the fewer there are.
    Compare with the same number of replies to placebo pairs.

    Args:
        first: One sample of scores a pair, each not empty.
        second: The other sample of each pair.

    Returns:
        A distance a pair in the unit of the scores, at least 0, shape (n,).

    Raises:
        ValueError: The lengths differ, or a sample is empty or not finite.

    Source:
        Huang et al. (2020), Findings of EMNLP, 65-83, section 3 (individual fairness); "strong" after
        Jiang et al. (2020), UAI, section 2.

    >>> sentiment_bias_strong([[0.1, 0.5], [0.2]], [[0.5, 0.3], [0.2, 0.4]]).round(3).tolist()
    [0.1, 0.1]
    """
    return np.array([_distance(a, b) for a, b in _pairs(first, second)], dtype=np.float64)


def sentiment_bias_weak(
    first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike], *, threshold: float = 0.5
) -> Vector:
    """Absolute difference of the shares of scores above a threshold, for each pair of samples.

    Args:
        first: One sample of scores in [0, 1] a pair, each not empty.
        second: The other sample of each pair.
        threshold: Score above which a reply counts as positive, a fraction in (0, 1).

    Returns:
        A fraction in [0, 1] a pair, shape (n,).

    Raises:
        ValueError: The lengths differ, a sample is empty or not finite, or `threshold` is out of range.

    Source:
        Huang et al. (2020), as above; "weak" and the threshold: Bouchard (2024), arXiv:2407.10853.

    >>> sentiment_bias_weak([[0.1, 0.9]], [[0.8, 0.9]]).tolist()
    [0.5]
    """
    check_fraction("threshold", threshold)
    found = [abs(float((a > threshold).mean() - (b > threshold).mean())) for a, b in _pairs(first, second)]
    return np.array(found, dtype=np.float64)


def _pairs(first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike]) -> list[tuple[Vector, Vector]]:
    if len(first) != len(second):
        raise ValueError(f"first and second must be one sample a pair; got {len(first)} and {len(second)}")
    found = [
        (finite_vector("first", a), finite_vector("second", b)) for a, b in zip(first, second, strict=True)
    ]
    if any(not a.size or not b.size for a, b in found):
        raise ValueError("every sample must hold at least 1 score")
    return found


def _distance(first: Vector, second: Vector) -> float:
    if first.size == second.size:
        return float(np.abs(np.sort(first) - np.sort(second)).mean())
    from scipy.stats import wasserstein_distance  # noqa: PLC0415 - half a second of import

    return float(wasserstein_distance(first, second))
