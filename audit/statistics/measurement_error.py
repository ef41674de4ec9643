"""Rates and gaps corrected for the errors of the classifier that measured them.

A classifier that flags one group's harmless texts more often shows a gap where there is none. With its
error rates known for each group, the gap can be corrected; with pooled rates only, it cannot.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_clusters, check_fraction, finite_vector
from audit.statistics.intervals import ClusterEstimate, Interval, check_bounds, t_estimate

__all__ = [
    "Calibration",
    "CorrectedRate",
    "calibrate",
    "corrected_gap",
    "corrected_rate",
    "paired_variance",
]

_UNIT = (0.0, 1.0)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedRate:
    """A rate as it would be without the classifier's errors, a fraction in [0, 1]."""

    point: float
    """Within [0, 1]; `unbounded` if that is so by itself."""
    unbounded: float
    """The formula's value, which noise can put outside [0, 1]."""
    apparent: float
    """The flagged share, uncorrected."""
    standard_error: float
    df: float
    n_clusters: int
    interval: Interval


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
        pooled=pooled,
    )


def corrected_rate(
    flag_rates: npt.ArrayLike, calibration: Calibration, *, level: float = 0.95
) -> CorrectedRate:
    """One population's rate from a classifier's flags and its error rates in that population.

    p = (q - f) / (s - f): q the mean flagged share over clusters, s sensitivity, f false-positive rate.
    Variance by the delta method: (V(q) + V(p s + (1 - p) f)) / (s - f)^2; t with Satterthwaite's degrees
    of freedom. The calibration texts must be independent of those that were flagged.

    Not with a classifier that is hardly better than a coin, and not with error rates of other texts.

    Args:
        flag_rates: Flagged share of each cluster, in [0, 1], shape (T,).
        calibration: Error rates on labelled texts of the same population.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The corrected rate, with its interval cut to [0, 1].

    Raises:
        NotMeasuredError: Fewer than 2 clusters, or sensitivity is not above the false-positive rate
            beyond its own error.
        ValueError: A rate is outside [0, 1].

    Source:
        Rogan & Gladen (1978), Am. J. Epidemiology 107:71-76, with their delta-method variance.

    >>> labelled = calibrate([1] * 9 + [0] + [0] * 9 + [1], [1] * 10 + [0] * 10)
    >>> round(corrected_rate([0.2, 0.3, 0.4, 0.3], labelled).point, 3)
    0.25
    """
    check_fraction("level", level)
    rates = _shares("flag_rates", flag_rates)
    _check_informative(calibration, level)
    apparent, youden = float(rates.mean()), calibration.youden
    value = (apparent - calibration.false_positive_rate) / youden
    parts = [(_mean_variance(rates), rates.size - 1), _calibration_part(calibration, value)]
    variance, df = _satterthwaite([(part / youden**2, freedom) for part, freedom in parts])
    error = sqrt(variance)
    reach = float(stdtrit(df, 0.5 + level / 2)) * error
    return CorrectedRate(
        point=_cut(value),
        unbounded=value,
        apparent=apparent,
        standard_error=error,
        df=df,
        n_clusters=rates.size,
        interval=Interval(
            low=_cut(value - reach), high=_cut(value + reach), level=level, method=_method("rate", df)
        ),
    )


def corrected_gap(
    group_rates: npt.ArrayLike,
    reference_rates: npt.ArrayLike,
    group_calibration: Calibration,
    reference_calibration: Calibration,
    *,
    level: float = 0.95,
) -> ClusterEstimate:
    """A paired gap between two groups, each corrected with the classifier's error rates in that group.

    gap = p_g - p_r with p as in `corrected_rate`. The flags are paired by cluster: their part of the
    variance is that of q_g / J_g - q_r / J_r over clusters (J = sensitivity - false-positive rate); the two
    calibrations add theirs. They must be of different texts, and not of the texts that were flagged.

    Not with pooled error rates, which assume the very thing in question: see `gap_band`.

    Args:
        group_rates: Flagged share of each cluster in the group's arm, in [0, 1], shape (T,).
        reference_rates: The same for the reference's arm, shape (T,).
        group_calibration: Error rates on labelled texts of the group.
        reference_calibration: Error rates on labelled texts of the reference.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        Group minus reference; noise can put its interval outside [-1, 1].

    Raises:
        NotMeasuredError: A calibration is pooled or both are the same, fewer than 2 clusters, or a
            classifier not above a coin.
        ValueError: The shapes differ, or a rate is outside [0, 1].

    Source:
        Rogan & Gladen (1978), as for `corrected_rate`, applied to each arm.
    """
    check_fraction("level", level)
    if group_calibration.pooled or reference_calibration.pooled or group_calibration is reference_calibration:
        raise NotMeasuredError(
            "a corrected gap needs error rates of each group; got pooled ones, which would assume that "
            "the classifier errs alike in both",
            next_step="label texts of each group, or state the sensitivity band (gap_band) instead",
        )
    group, reference = _paired_shares(group_rates, reference_rates)
    values, parts = [], []
    for rates, calibration in ((group, group_calibration), (reference, reference_calibration)):
        _check_informative(calibration, level)
        value = (float(rates.mean()) - calibration.false_positive_rate) / calibration.youden
        part, freedom = _calibration_part(calibration, value)
        values.append(value)
        parts.append((part / calibration.youden**2, freedom))
    flags = paired_variance(group, reference, group_calibration.youden, reference_calibration.youden)
    variance, df = _satterthwaite([(flags, group.size - 1), *parts])
    found = t_estimate(
        values[0] - values[1],
        sqrt(variance),
        df,
        n_clusters=group.size,
        level=level,
        method=_method("gap, error rates by group", df),
    )
    return replace(found, bounds=(-1.0, 1.0))


def paired_variance(group: Vector, reference: Vector, of_group: float, of_reference: float) -> float:
    """Variance of mean(group) / a - mean(reference) / b over paired clusters; never 0.

    Args:
        group: Flagged shares of the group's arm, shape (T,).
        reference: Flagged shares of the reference's arm, shape (T,).
        of_group: a, above 0.
        of_reference: b, above 0.

    Returns:
        The variance; where all clusters are equal, that of both arms by (x + 1) / (n + 2).
    """
    scaled = group / of_group - reference / of_reference
    if np.ptp(scaled) > 0:
        return float(scaled.var(ddof=1)) / scaled.size
    return _mean_variance(group) / of_group**2 + _mean_variance(reference) / of_reference**2


def _paired_shares(group_rates: npt.ArrayLike, reference_rates: npt.ArrayLike) -> tuple[Vector, Vector]:
    group, reference = _shares("group_rates", group_rates), _shares("reference_rates", reference_rates)
    if group.shape != reference.shape:
        raise ValueError(
            f"both arms must be over the same clusters; got {group.size} and {reference.size} rates"
        )
    return group, reference


def _shares(name: str, values: npt.ArrayLike) -> Vector:
    rates = finite_vector(name, values)
    check_clusters("a corrected rate", rates.size)
    check_bounds(rates, _UNIT)
    return rates


def _error_rate(
    name: str, flags: Vector, of: Vector, at: npt.NDArray[np.int64]
) -> tuple[float, Vector, float]:
    """A rate among the rows `of`, what each cluster adds to its error, and its variance if they show none."""
    asked = np.bincount(at, weights=of)
    n = int((asked > 0).sum())
    check_clusters(f"an error rate among {name}", n)
    rate = float(flags @ of) / float(of.sum())
    influence = (np.bincount(at, weights=flags * of) - rate * asked) / asked.sum()
    floor = 0.0 if np.abs(influence).max() > np.finfo(np.float64).eps else _floor(rate, n)
    return rate, np.asarray(influence, dtype=np.float64), floor


def _floor(rate: float, n: int) -> float:
    """Variance of a rate whose clusters show none, from (x + 1) / (n + 2)."""
    moved = (rate * n + 1) / (n + 2)
    return moved * (1 - moved) / n


def _mean_variance(rates: Vector) -> float:
    if np.ptp(rates) > 0:
        return float(rates.var(ddof=1)) / rates.size
    return _floor(float(rates[0]), rates.size)


def _check_informative(calibration: Calibration, level: float) -> None:
    error = sqrt(calibration.variance(1.0, -1.0))
    low = calibration.youden - float(stdtrit(calibration.n_clusters - 1, 0.5 + level / 2)) * error
    if low <= 0:
        raise NotMeasuredError(
            "the classifier is not shown to be better than a coin: sensitivity - false-positive rate is "
            f"{calibration.youden:.3f}, and may be {low:.3f}"
        )


def _calibration_part(calibration: Calibration, value: float) -> tuple[float, float]:
    """Variance that the error rates add to the numerator of a corrected rate, and its degrees of freedom."""
    # Beyond [0, 1] the value is noise, and would weigh one error rate negatively.
    rate = _cut(value)
    return calibration.variance(rate, 1 - rate), calibration.n_clusters - 1


def _satterthwaite(parts: list[tuple[float, float]]) -> tuple[float, float]:
    variance = sum(part for part, _ in parts)
    return variance, variance**2 / sum(part**2 / freedom for part, freedom in parts)


def _cut(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _method(what: str, df: float) -> str:
    return f"Rogan-Gladen {what}, delta method (t, df {df:.1f})"
