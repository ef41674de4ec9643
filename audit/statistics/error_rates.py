"""Error rates of a classifier, from texts that people labelled, and what their error is made of."""

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Vector, check_clusters

__all__ = [
    "Calibration",
    "calibrate",
    "check_informative",
    "corrected_ends",
    "label_reaches",
    "shared_covariance",
    "variance_floor",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Error rates of a classifier on texts that people labelled, with what each cluster adds to the error."""

    sensitivity: float
    """Share of positives that it flags."""
    false_positive_rate: float
    """Share of negatives that it flags: 1 - specificity."""
    sensitivity_influence: Vector
    """What each cluster adds to the error of the sensitivity, shape (C,)."""
    false_positive_influence: Vector
    """What each cluster adds to the error of the false-positive rate, shape (C,)."""
    sensitivity_floor: float
    """Variance of the sensitivity where its clusters show none (as with no miss seen); else 0."""
    false_positive_floor: float
    """Variance of the false-positive rate where its clusters show none; else 0."""
    n_positive: int
    n_negative: int
    n_missing: int
    """Rows without a flag or a label, in no rate."""
    n_clusters: int
    clusters: Codes
    """Code of each cluster, ascending, shape (C,): by it two calibrations know what they share."""
    pooled: bool
    """True if the texts are of several groups together: then it corrects no gap between them."""

    @property
    def youden(self) -> float:
        """Sensitivity - false-positive rate: 0 is a coin, 1 is perfect."""
        return self.sensitivity - self.false_positive_rate

    def variance(self, of_sensitivity: float, of_false_positive: float) -> float:
        """Variance of a * sensitivity + b * false-positive rate, as the clusters show it.

        Args:
            of_sensitivity: a.
            of_false_positive: b.

        Returns:
            A variance, above 0 unless both are 0.
        """
        influence = (
            of_sensitivity * self.sensitivity_influence + of_false_positive * self.false_positive_influence
        )
        return (
            float(influence @ influence) * self.n_clusters / (self.n_clusters - 1)
            + of_sensitivity**2 * self.sensitivity_floor
            + of_false_positive**2 * self.false_positive_floor
        )


def calibrate(
    flagged: npt.ArrayLike,
    positive: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    pooled: bool = False,
) -> Calibration:
    """Sensitivity and false-positive rate of a classifier, from texts that people labelled.

    A rate of 0 or 1, or any whose clusters do not differ, shows no spread: its variance is then that of
    (x + 1) / (n + 2) with clusters as trials, since 20 positives all found are no proof that none is missed.

    Error rates do not travel: calibrate on texts of the group, the model and the style that is measured,
    and again after retraining.

    Args:
        flagged: 1 if the classifier flagged the text, 0 if not, nan if it gave no answer, shape (n,).
        positive: 1 if people labelled it positive, 0 if not, nan if unlabelled, shape (n,).
        cluster: Code of what makes texts dependent (such as the template), shape (n,); by default none.
        pooled: Whether the texts are of several groups together.

    Returns:
        The rates, with what their error is made of.

    Raises:
        NotMeasuredError: Fewer than 2 clusters have a positive, or fewer than 2 a negative.
        ValueError: The shapes differ, or a value is not 0, 1 or nan.

    Source:
        Ratio estimator: Cochran (1977), Sampling Techniques, 3rd ed., eq. 6.13; (x + 1) / (n + 2):
        Lang & Reiczigel (2014), Preventive Veterinary Medicine 113:13-22.

    >>> found = calibrate([1, 1, 0, 0, 0, 1], [1, 1, 1, 0, 0, 0])
    >>> round(found.sensitivity, 3), round(found.false_positive_rate, 3)
    (0.667, 0.333)
    """
    flags, truth = np.asarray(flagged, dtype=np.float64), np.asarray(positive, dtype=np.float64)
    codes = np.arange(flags.size) if cluster is None else np.asarray(cluster, dtype=np.int64)
    if flags.ndim != 1 or not flags.shape == truth.shape == codes.shape:
        raise ValueError(
            "flagged, positive and cluster must share one shape (n,); "
            f"got {flags.shape}, {truth.shape} and {codes.shape}"
        )
    for name, values in (("flagged", flags), ("positive", truth)):
        if not (np.isnan(values) | (values == 0) | (values == 1)).all():
            raise ValueError(f"{name} must be 0, 1 or nan")
    present = ~(np.isnan(flags) | np.isnan(truth))
    names, at = np.unique(codes[present], return_inverse=True)
    flags, truth = flags[present], truth[present]
    sensitivity, by_positive, floor = _error_rate("positives", flags, truth, at)
    false_positive_rate, by_negative, other_floor = _error_rate("negatives", flags, 1 - truth, at)
    return Calibration(
        sensitivity=sensitivity,
        false_positive_rate=false_positive_rate,
        sensitivity_influence=by_positive,
        false_positive_influence=by_negative,
        sensitivity_floor=floor,
        false_positive_floor=other_floor,
        n_positive=int(truth.sum()),
        n_negative=int((1 - truth).sum()),
        n_missing=int((~present).sum()),
        n_clusters=names.size,
        clusters=names,
        pooled=pooled,
    )


def check_informative(calibration: Calibration, *, level: float) -> None:
    """Refuse a classifier that may be no better than a coin: nothing can be corrected with it.

    Args:
        calibration: Its error rates.
        level: Level of the interval of sensitivity - false-positive rate, a fraction in (0, 1).

    Raises:
        NotMeasuredError: The interval reaches 0, so that a corrected rate could be anything.
    """
    error = sqrt(calibration.variance(1.0, -1.0))
    low = calibration.youden - float(stdtrit(calibration.n_clusters - 1, 0.5 + level / 2)) * error
    if low <= 0:
        raise NotMeasuredError(
            "the classifier is not shown to be better than a coin: sensitivity - false-positive rate is "
            f"{calibration.youden:.3f}, and may be {low:.3f}"
        )


def label_reaches(
    calibration: Calibration, slopes: tuple[float, float], *, level: float
) -> tuple[float, float]:
    """How far labels reach below and above a - a * sensitivity - b * false-positive rate.

    Each error rate reaches to the ends of Wilson's interval at its effective number of labels,
    x (1 - x) / variance, with the t quantile, and the two are joined by MOVER; labels that share clusters add
    their covariance. Few errors seen leave room for many more, and hardly any for fewer.

    Args:
        calibration: Its error rates.
        slopes: a and b, at least 0.
        level: Level of the reaches, a fraction in (0, 1).

    Returns:
        The reach down, towards larger error rates, and the reach up, both at least 0.

    Source:
        Zou & Donner (2008), Statistics in Medicine 27:1693-1702; Wilson (1927), JASA 22:209-212.
    """
    t = float(stdtrit(calibration.n_clusters - 1, 0.5 + level / 2))
    rates = calibration.sensitivity, calibration.false_positive_rate
    parts = calibration.variance(1.0, 0.0), calibration.variance(0.0, 1.0)
    own = sum(slope**2 * part for slope, part in zip(slopes, parts, strict=True))
    shared = t**2 * (calibration.variance(*slopes) - own)
    ends = [_wilson_ends(rate, part, t) for rate, part in zip(rates, parts, strict=True)]
    below, above = (
        sum((slope * each[side]) ** 2 for slope, each in zip(slopes, ends, strict=True)) for side in (1, 0)
    )
    return sqrt(max(below + shared, 0.0)), sqrt(max(above + shared, 0.0))


def corrected_ends(
    point: float,
    flags: tuple[float, float],
    calibration: Calibration,
    slopes: tuple[float, float],
    *,
    level: float,
) -> tuple[float, float]:
    """Ends of the interval of a rate that error rates correct: the reach of the flags and that of the labels.

    low = p - sqrt((down / J)^2 + label_reaches[0]^2) and high likewise, cut to [0, 1] (MOVER).

    Args:
        point: The corrected rate p, in [0, 1].
        flags: How far the interval of the flagged share reaches down and up from it, both at least 0.
        calibration: Error rates, with J = sensitivity - false-positive rate.
        slopes: Derivatives of the rate by sensitivity and false-positive rate, but for their sign.
        level: Level of both intervals, a fraction in (0, 1).

    Source:
        Zou & Donner (2008), Statistics in Medicine 27:1693-1702.
    """
    below, above = label_reaches(calibration, slopes, level=level)
    down, up = (reach / calibration.youden for reach in flags)
    return max(0.0, point - hypot(down, below)), min(1.0, point + hypot(up, above))


def shared_covariance(
    first: Calibration, of_first: tuple[float, float], second: Calibration, of_second: tuple[float, float]
) -> float:
    """Covariance of two calibrations that share clusters, as where each template has texts of both groups.

    Args:
        first: One calibration, whose cluster codes mean the same as those of `second`.
        of_first: a and b of a * sensitivity + b * false-positive rate.
        second: The other.
        of_second: Its a and b.

    Returns:
        The covariance of the two sums; 0 if no cluster is shared.
    """
    _, here, there = np.intersect1d(first.clusters, second.clusters, return_indices=True)
    if here.size == 0:
        return 0.0
    parts = [
        (a * one.sensitivity_influence + b * one.false_positive_influence)[at]
        for one, (a, b), at in ((first, of_first, here), (second, of_second, there))
    ]
    n = min(first.n_clusters, second.n_clusters)
    return float(parts[0] @ parts[1]) * n / (n - 1)


def _wilson_ends(rate: float, variance: float, t: float) -> tuple[float, float]:
    """How far Wilson's interval of a rate with this variance reaches below and above it."""
    # At 0 and 1 the variance is `variance_floor`, about 1 / n^2.
    trials = rate * (1 - rate) / variance if 0 < rate < 1 else 1 / sqrt(variance)
    spread = t**2 / trials
    centre = (rate + spread / 2) / (1 + spread)
    reach = sqrt(spread * (rate * (1 - rate) + spread / 4)) / (1 + spread)
    return max(rate - centre + reach, 0.0), max(centre + reach - rate, 0.0)


def variance_floor(rate: float, n: int) -> float:
    """Variance of a rate whose clusters show none, from (x + 1) / (n + 2).

    Args:
        rate: The rate, in [0, 1].
        n: Clusters it is over, at least 1.
    """
    moved = (rate * n + 1) / (n + 2)
    return moved * (1 - moved) / n


def _error_rate(
    name: str, flags: Vector, of: Vector, at: npt.NDArray[np.int64]
) -> tuple[float, Vector, float]:
    """A rate among the rows `of`, what each cluster adds to its error, and its variance if they show none."""
    asked = np.bincount(at, weights=of)
    n = int((asked > 0).sum())
    check_clusters(f"an error rate among {name}", n)
    rate = float(flags @ of) / float(of.sum())
    influence = (np.bincount(at, weights=flags * of) - rate * asked) / asked.sum()
    floor = 0.0 if np.abs(influence).max() > np.finfo(np.float64).eps else variance_floor(rate, n)
    return rate, np.asarray(influence, dtype=np.float64), floor
