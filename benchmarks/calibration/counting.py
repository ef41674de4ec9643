"""What is counted of a simulated audit: whether an interval holds the truth, and what the naive test says."""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from audit.statistics import Interval
from benchmarks.calibration.designs import ALPHA, Arms

__all__ = ["holds", "naive_holds", "naive_p"]

Vector = npt.NDArray[np.float64]


def holds(interval: Interval, truth: float) -> bool:
    """Whether an interval contains the truth."""
    return interval.low <= truth <= interval.high


def naive_p(arms: Arms, repeats: int) -> Vector:
    """Two-sided p of the pooled two-proportion z-test that takes every output as independent."""
    group, reference = arms.group.mean(axis=-1), arms.reference.mean(axis=-1)
    outputs = repeats * arms.group.shape[-1]
    pooled = (group + reference) / 2
    error = np.sqrt(np.maximum(pooled * (1 - pooled) * 2 / outputs, 1e-300))
    return np.asarray(2 * ndtr(-np.abs(group - reference) / error))


def naive_holds(arms: Arms, repeats: int, truth: float) -> npt.NDArray[np.bool_]:
    """Whether the 95 % interval of two independent proportions contains the true difference."""
    group, reference = arms.group.mean(axis=-1), arms.reference.mean(axis=-1)
    outputs = repeats * arms.group.shape[-1]
    error = np.sqrt((group * (1 - group) + reference * (1 - reference)) / outputs)
    return np.asarray(np.abs(group - reference - truth) <= ndtri(1 - ALPHA / 2) * error)
