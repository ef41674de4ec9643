"""Rates and gaps corrected for the errors of the classifier that measured them.

A classifier that flags one group's harmless texts more often shows a gap where there is none. With its
error rates known for each group, the gap can be corrected; with pooled rates only, it cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_clusters, check_fraction, finite_vector
from audit.statistics.error_rates import Calibration, check_informative, corrected_ends, variance_floor
from audit.statistics.intervals import ClusterEstimate, Interval, check_bounds, t_estimate
from audit.statistics.rates import clustered_wilson
from audit.statistics.unseen import with_unseen

__all__ = [
    "CorrectedRate",
    "corrected_gap",
    "corrected_rate",
    "mean_variance",
    "paired_variance",
    "with_label_error",
]

_UNIT = (0.0, 1.0)


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


def corrected_rate(
    flag_rates: npt.ArrayLike, calibration: Calibration, *, level: float = 0.95
) -> CorrectedRate:
    """One population's rate from a classifier's flags and its error rates in that population.

    p = (q - f) / (s - f): q the mean flagged share over clusters, s sensitivity, f false-positive rate.
    Variance by the delta method: (V(q) + V(p s + (1 - p) f)) / (s - f)^2. The interval is not symmetric:
    it joins Wilson's of the flagged share, clustered, and those of both error rates (`corrected_ends`),
    since few errors seen are no proof that there are few. The calibration texts must be independent of
    those that were flagged.

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
        Rogan & Gladen (1978), Am. J. Epidemiology 107:71-76, with their delta-method variance; Zou & Donner
        (2008), Statistics in Medicine 27:1693-1702 (MOVER).

    >>> from audit.statistics import calibrate
    >>> labelled = calibrate([1] * 9 + [0] + [0] * 9 + [1], [1] * 10 + [0] * 10)
    >>> round(corrected_rate([0.2, 0.3, 0.4, 0.3], labelled).point, 3)
    0.25
    """
    check_fraction("level", level)
    rates = _shares("flag_rates", flag_rates)
    check_informative(calibration, level=level)
    apparent, youden = float(rates.mean()), calibration.youden
    value = (apparent - calibration.false_positive_rate) / youden
    parts = [(mean_variance(rates), rates.size - 1), _calibration_part(calibration, value)]
    variance, df = _satterthwaite([(part / youden**2, freedom) for part, freedom in parts])
    point = _cut(value)
    seen = clustered_wilson(apparent, sqrt(mean_variance(rates)), df=rates.size - 1.0, level=level)
    low, high = corrected_ends(
        point,
        (apparent - seen[0], seen[1] - apparent),
        calibration,
        (point / youden, (1 - point) / youden),
        level=level,
    )
    return CorrectedRate(
        point=point,
        unbounded=value,
        apparent=apparent,
        standard_error=sqrt(variance),
        df=df,
        n_clusters=rates.size,
        interval=Interval(
            low=low,
            high=high,
            level=level,
            method="Rogan-Gladen rate, Wilson of flags and error rates (MOVER)",
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
        check_informative(calibration, level=level)
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
    return mean_variance(group) / of_group**2 + mean_variance(reference) / of_reference**2


def with_label_error(
    found: ClusterEstimate,
    added: Sequence[tuple[float, float]],
    *,
    spread: float,
    most_df: float | None = None,
    method: str,
) -> ClusterEstimate:
    """An estimate over corrected values with the error of the labels that corrected them.

    variance = that between clusters + those of the labels, which are of other texts; degrees of freedom by
    Satterthwaite.

    Args:
        found: The estimate over corrected values.
        added: Variances that the labels add, at least 0, each with its degrees of freedom.
        spread: Variance that stands in where the clusters show none.
        most_df: Largest number of degrees of freedom that the labels allow.
        method: How the values were corrected, in words.

    Returns:
        The estimate, at the level of `found`; noise can put its interval outside [-1, 1].

    Source:
        Satterthwaite (1946), Biometrics Bulletin 2:110-114.
    """
    own = spread if found.degenerate else found.standard_error**2
    variance, df = _satterthwaite([(own, found.df), *added])
    df = df if most_df is None else min(df, most_df)
    seen = found.interval
    corrected = t_estimate(
        found.point,
        sqrt(variance),
        df,
        n_clusters=found.n_clusters,
        level=seen.level,
        method=f"{method}; {seen.method} with the error of the labels (df {df:.1f})",
    )
    corrected = replace(corrected, bounds=(-1.0, 1.0))
    return corrected if found.unseen is None else with_unseen(corrected, found.unseen)


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


def mean_variance(rates: Vector) -> float:
    """Variance of the mean of clusters' rates; where all are equal, by (x + 1) / (n + 2)."""
    if np.ptp(rates) > 0:
        return float(rates.var(ddof=1)) / rates.size
    return variance_floor(float(rates[0]), rates.size)


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
