"""Whether labels can be of answers like those at hand: what is read lies between the two error rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector
from audit.statistics.error_rates import Calibration, variance_floor

__all__ = ["ReadRate", "check_fit", "read_rate", "read_rate_of_strata"]

_LEAST = 2
"""Fewer clusters show no spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRate:
    """The share of answers that a classifier flagged, with its error."""

    value: float
    """A fraction in [0, 1]."""
    variance: float
    """Above 0."""
    df: float


def read_rate(flagged: npt.ArrayLike, rows: npt.ArrayLike) -> ReadRate:
    """The flagged share over clusters of unequal size.

    Args:
        flagged: Flagged rows of each cluster, shape (T,).
        rows: Rows of each cluster, at least one in all, shape (T,).

    Source:
        Ratio estimator: Cochran (1977), Sampling Techniques, 3rd ed., eq. 6.13.
    """
    count, size = np.asarray(flagged, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    count, size = count[size > 0], size[size > 0]
    value, n = float(count.sum() / size.sum()), size.size
    influence = (count - value * size) / size.sum()
    if n < _LEAST or np.abs(influence).max() <= np.finfo(np.float64).eps:
        return ReadRate(value=value, variance=variance_floor(value, n), df=float(max(n - 1, 1)))
    return ReadRate(value=value, variance=float(influence @ influence) * n / (n - 1), df=float(n - 1))


def read_rate_of_strata(flagged: Sequence[Vector], rows: Sequence[Vector]) -> ReadRate:
    """The flagged share over strata that weigh alike.

    Args:
        flagged: By stratum, the flagged weight of each cluster, shape (T,).
        rows: By stratum, the weight of each cluster that the classifier read, shape (T,).

    Returns:
        Each stratum's own share, averaged over those of which anything was read.
    """
    parts = [read_rate(one, of) for one, of in zip(flagged, rows, strict=True) if of.sum() > 0]
    variances = np.array([part.variance for part in parts])
    return ReadRate(
        value=float(np.mean([part.value for part in parts])),
        variance=float(variances.sum()) / len(parts) ** 2,
        df=float(variances.sum() ** 2 / sum(part.variance**2 / part.df for part in parts)),
    )


def check_fit(read: ReadRate, calibration: Calibration, *, level: float, of: str) -> None:
    """Refuse labels that surely are not of answers like these.

    Whatever the true rate is, what is read is a mixture of sensitivity and false-positive rate. A read rate
    surely below the false-positive rate, or above the sensitivity, implies a true rate below 0 or above 1.

    One-sided at the level, with the error of what is read and that of the labels: where the true rate is 0
    (or 1) itself, and the labels fit, about 1 - level of audits are refused; elsewhere fewer.

    Args:
        read: What the classifier flagged of the answers that it read.
        calibration: Its error rates by the labels.
        level: A fraction in (0, 1).
        of: Whose answers, in words.

    Raises:
        NotMeasuredError: The labels do not fit.
    """
    for name, bound, distance, weights in (
        (
            "below the false-positive rate",
            calibration.false_positive_rate,
            calibration.false_positive_rate - read.value,
            (0.0, 1.0),
        ),
        ("above the sensitivity", calibration.sensitivity, read.value - calibration.sensitivity, (1.0, 0.0)),
    ):
        if distance <= 0:
            continue
        labels = calibration.variance(*weights)
        variance = read.variance + labels
        df = variance**2 / (read.variance**2 / read.df + labels**2 / (calibration.n_clusters - 1))
        if distance > float(stdtrit(df, level)) * sqrt(variance):
            raise NotMeasuredError(
                f"labels do not fit these answers: {100 * read.value:.1f} % of the answers of {of} are read "
                f"as positive, surely {name} of {100 * bound:.1f} % that the labels show"
            )
