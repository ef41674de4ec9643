"""Pooling of results from several auditors, models or runs when their items cannot be put together."""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_fraction, finite_vector
from audit.statistics.intervals import Interval

__all__ = [
    "PooledEstimate",
    "RandomEffects",
    "StudyCounts",
    "leave_one_out",
    "mantel_haenszel_difference",
    "mantel_haenszel_ratio",
    "random_effects",
]

_LEAST_FOR_PREDICTION = 3
"""The prediction interval has K - 2 degrees of freedom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCounts:
    """2x2 counts of each study; each array has shape (K,)."""

    group_hits: npt.ArrayLike
    """Outputs of the group that show the behaviour."""
    group_outputs: npt.ArrayLike
    """Outputs of the group."""
    reference_hits: npt.ArrayLike
    reference_outputs: npt.ArrayLike


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEstimate:
    """A fixed effect pooled over studies, each a stratum of its own."""

    point: float
    """A difference of rates (neutral 0), or a ratio of rates (neutral 1)."""
    standard_error: float
    """Of the difference, or of the logarithm of the ratio."""
    p_value: float
    """Two-sided p against the neutral value."""
    interval: Interval
    n_studies: int
    """Studies with outputs in both arms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomEffects:
    """The mean over a population of studies, and how far a further study may be from it."""

    point: float
    standard_error: float
    p_value: float
    """Two-sided p against a mean of 0."""
    interval: Interval
    """Of the mean over studies."""
    prediction: Interval | None
    """For the true value of one further study; None with fewer than 3 studies."""
    tau_squared: float
    """Variance of the true values between studies, at least 0, in squared units."""
    i_squared: float
    """Share of the spread of the results that is between studies, a fraction in [0, 1]."""
    n_studies: int


def mantel_haenszel_difference(
    counts: StudyCounts, *, level: float = 0.95, design_effect: float = 1.0
) -> PooledEstimate:
    """Difference of rates (group minus reference) pooled over studies by Mantel-Haenszel weights.

    With a of n1 outputs of the group and c of n0 of the reference, N = n1 + n0: point = sum(w (a / n1 -
    c / n0)) / sum(w), w = n1 n0 / N. Standard error of Sato, valid for few large studies and for
    many small ones. Studies with an empty arm carry no weight; studies without a hit do.

    The counts are taken as independent outputs. Outputs share templates, so give the design effect
    known from the items (the standard error grows by its root): left at 1, the interval is too short.
    If items are at hand, pool them (`stratified_t`). Not where studies differ in their true
    difference: `random_effects`.

    Args:
        counts: 2x2 counts of K studies, K >= 1.
        level: Nominal coverage, a fraction in (0, 1).
        design_effect: Variance of an estimate over what independent outputs would give, at least 1.

    Returns:
        The pooled difference, in [-1, 1]; the interval may reach beyond.

    Raises:
        NotMeasuredError: No study has outputs in both arms, or there is no variance (no hits at all,
            or nothing but hits).
        ValueError: The shapes differ, a count is negative, no whole number or above its total, or an
            argument is out of range.

    Source:
        Mantel & Haenszel (1959), J. National Cancer Institute 22:719-748; standard error: Sato
        (1989), Biometrics 45:1323-1324.

    >>> found = mantel_haenszel_difference(StudyCounts(group_hits=[10, 30], group_outputs=[50, 100],
    ...     reference_hits=[15, 40], reference_outputs=[50, 100]))
    >>> round(found.point, 3), round(found.standard_error, 3)
    (-0.1, 0.053)
    """
    a, n1, c, n0 = _tables(counts, level, design_effect)
    total = n1 + n0
    weight = (n1 * n0 / total).sum()
    point = float(((a * n0 - c * n1) / total).sum() / weight)
    skew = (n1**2 * c - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / total**2
    spread = (a * (n0 - c) + c * (n1 - a)) / (2 * total)
    variance = float((point * skew + spread).sum() / weight**2) * design_effect
    if variance <= 0:
        raise NotMeasuredError("no study shows any variation, so the error of the difference is unknown")
    error = sqrt(variance)
    reach = float(ndtri(0.5 + level / 2)) * error
    method = f"Mantel-Haenszel difference, Sato ({a.size} studies, design effect {design_effect:g})"
    return PooledEstimate(
        point=point,
        standard_error=error,
        p_value=float(2 * ndtr(-abs(point) / error)),
        interval=Interval(low=point - reach, high=point + reach, level=level, method=method),
        n_studies=a.size,
    )


def mantel_haenszel_ratio(
    counts: StudyCounts, *, level: float = 0.95, design_effect: float = 1.0
) -> PooledEstimate:
    """Ratio of rates (group over reference) pooled over studies by Mantel-Haenszel weights.

    point = sum(a n0 / N) / sum(c n1 / N), letters as in `mantel_haenszel_difference`; variance of its
    logarithm = sum((n1 n0 (a + c) - a c N) / N^2) / (sum(a n0 / N) sum(c n1 / N)). No count is
    "corrected" by a half: studies without a hit add nothing.

    Independence, and when not to use it: as for `mantel_haenszel_difference`.

    Args:
        counts: 2x2 counts of K studies, K >= 1.
        level: Nominal coverage, a fraction in (0, 1).
        design_effect: Variance of an estimate over what independent outputs would give, at least 1.

    Returns:
        The pooled ratio, above 0.

    Raises:
        NotMeasuredError: No study has outputs in both arms, one arm has no hit in any study, or every
            output is a hit.
        ValueError: As for `mantel_haenszel_difference`.

    Source:
        Greenland & Robins (1985), Biometrics 41:55-68, eq. 4 and 13.

    >>> found = mantel_haenszel_ratio(StudyCounts(group_hits=[10, 30], group_outputs=[50, 100],
    ...     reference_hits=[15, 40], reference_outputs=[50, 100]))
    >>> round(found.point, 3)
    0.727
    """
    a, n1, c, n0 = _tables(counts, level, design_effect)
    total = n1 + n0
    above, below = float((a * n0 / total).sum()), float((c * n1 / total).sum())
    if above == 0 or below == 0:
        raise NotMeasuredError("a ratio of rates needs a hit of the group and one of the reference")
    variance = float(((n1 * n0 * (a + c) - a * c * total) / total**2).sum()) / (above * below) * design_effect
    if variance <= 0:
        raise NotMeasuredError("every output is a hit, so the error of the ratio is unknown")
    middle, error = log(above / below), sqrt(variance)
    reach = float(ndtri(0.5 + level / 2)) * error
    method = f"Mantel-Haenszel ratio, Greenland-Robins ({a.size} studies, design effect {design_effect:g})"
    return PooledEstimate(
        point=above / below,
        standard_error=error,
        p_value=float(2 * ndtr(-abs(middle) / error)),
        interval=Interval(low=exp(middle - reach), high=exp(middle + reach), level=level, method=method),
        n_studies=a.size,
    )


def random_effects(
    points: npt.ArrayLike, standard_errors: npt.ArrayLike, *, level: float = 0.95
) -> RandomEffects:
    """Mean of studies whose true values differ, with an interval that knows how few studies there are.

    The variance between studies tau^2 solves sum(w (y - m)^2) = K - 1 with w = 1 / (se^2 + tau^2) and m
    the weighted mean (0 if the sum is smaller at tau^2 = 0). Variance of m by Hartung, Knapp, Sidik and
    Jonkman: q / sum(w), q = sum(w (y - m)^2) / (K - 1), with q at least 1 so that agreement by
    chance never makes it shorter; t with K - 1 degrees of freedom. Prediction interval:
    m -+ t(K - 2) sqrt(tau^2 + variance of m).

    Read the prediction interval for "what will the next model show"; where studies differ much it covered
    90 % with 8 studies and 93 % with 20 in place of 95 (docs/explanation/calibration-models.md). Not for
    results that share prompts or outputs, which are not independent; not for a single study. With 2 or 3
    studies the interval is honest and nearly useless.

    Args:
        points: Estimate of each study (differences, or logarithms of ratios), shape (K,), K >= 2.
        standard_errors: Its clustered standard error, above 0, shape (K,).
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The pooled mean, in the unit of the points.

    Raises:
        NotMeasuredError: Fewer than 2 studies.
        ValueError: The shapes differ, a number is not finite, a standard error is not above 0, or
            `level` is outside (0, 1).

    Source:
        Paule & Mandel (1982), J. Research National Bureau of Standards 87:377-385; IntHout, Ioannidis &
        Borm (2014), BMC Medical Research Methodology 14:25; q at least 1: Roever, Knapp & Friede (2015),
        BMC Medical Research Methodology 15:99; prediction: Higgins, Thompson & Spiegelhalter (2009), J.
        Royal Stat. Soc. A 172:137-159, eq. 12; I^2: Higgins & Thompson (2002), Statistics in
        Medicine 21:1539-1558, eq. 9.

    >>> found = random_effects([0.10, 0.02, 0.15, 0.05], [0.02, 0.03, 0.02, 0.03])
    >>> round(found.point, 3), round(found.tau_squared, 4), found.n_studies
    (0.083, 0.0026, 4)
    """
    check_fraction("level", level)
    values, errors = _studies(points, standard_errors)
    k = values.size
    tau_squared = _paule_mandel(values, errors)
    weight = 1 / (errors**2 + tau_squared)
    mean = float(weight @ values / weight.sum())
    inflation = max(1.0, _excess(tau_squared, values, errors) / (k - 1) + 1)
    error = sqrt(inflation / float(weight.sum()))
    reach = float(stdtrit(k - 1.0, 0.5 + level / 2)) * error
    prediction = None
    if k >= _LEAST_FOR_PREDICTION:
        far = float(stdtrit(k - 2.0, 0.5 + level / 2)) * sqrt(tau_squared + error**2)
        method = f"prediction for one more study (t, df {k - 2})"
        prediction = Interval(low=mean - far, high=mean + far, level=level, method=method)
    return RandomEffects(
        point=mean,
        standard_error=error,
        p_value=float(2 * stdtr(k - 1.0, -abs(mean) / error)),
        interval=Interval(
            low=mean - reach,
            high=mean + reach,
            level=level,
            method=f"random effects, Paule-Mandel with Hartung-Knapp ({k} studies)",
        ),
        prediction=prediction,
        tau_squared=tau_squared,
        i_squared=tau_squared / (tau_squared + _typical_variance(errors)),
        n_studies=k,
    )


def leave_one_out(
    points: npt.ArrayLike, standard_errors: npt.ArrayLike, *, level: float = 0.95
) -> tuple[RandomEffects, ...]:
    """`random_effects` without each study in turn: does one study carry the result?

    It is a look at influence and no test: do not drop a study because the rest agree better without it.

    Args:
        points: Estimate of each study, shape (K,), K >= 3.
        standard_errors: Its standard error, above 0, shape (K,).
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        K pooled means; the k-th is without study k.

    Raises:
        NotMeasuredError: Fewer than 3 studies.
        ValueError: As for `random_effects`.

    Source:
        Viechtbauer & Cheung (2010), Research Synthesis Methods 1:112-125, section 3.

    >>> [round(one.point, 2) for one in leave_one_out([0.1, 0.1, 0.4], [0.02, 0.02, 0.02])]
    [0.25, 0.25, 0.1]
    """
    values, errors = _studies(points, standard_errors)
    if values.size < _LEAST_FOR_PREDICTION:
        raise NotMeasuredError(f"leaving one study out needs at least 3 studies; got {values.size}")
    return tuple(
        random_effects(np.delete(values, k), np.delete(errors, k), level=level) for k in range(values.size)
    )


def _studies(points: npt.ArrayLike, standard_errors: npt.ArrayLike) -> tuple[Vector, Vector]:
    values = finite_vector("points", points)
    errors = finite_vector("standard_errors", standard_errors)
    if values.shape != errors.shape or (errors <= 0).any():
        raise ValueError("points and standard_errors must have one shape, and standard errors be above 0")
    if values.size < 2:  # noqa: PLR2004 - one study shows nothing of the spread between studies
        raise NotMeasuredError(f"random effects need at least 2 studies; got {values.size}")
    return values, errors


def _excess(tau_squared: float, values: Vector, errors: Vector) -> float:
    """Weighted squares about the weighted mean, less their expectation K - 1."""
    weight = 1 / (errors**2 + tau_squared)
    mean = weight @ values / weight.sum()
    return float(weight @ (values - mean) ** 2) - (values.size - 1)


def _paule_mandel(values: Vector, errors: Vector) -> float:
    from scipy.optimize import brentq  # noqa: PLC0415 - a third of a second, for what is rarely asked

    if _excess(0.0, values, errors) <= 0:
        return 0.0
    # At sum((y - mean)^2) every weight is so small that the sum of squares is below K - 1.
    most = float(((values - values.mean()) ** 2).sum())
    return float(brentq(_excess, 0.0, most, args=(values, errors), xtol=1e-14 * most))


def _typical_variance(errors: Vector) -> float:
    weight = 1 / errors**2
    total = float(weight.sum())
    return (errors.size - 1) * total / (total**2 - float(weight @ weight))


def _tables(counts: StudyCounts, level: float, design_effect: float) -> tuple[Vector, Vector, Vector, Vector]:
    """Hits and outputs of the group and of the reference, of the studies that have both arms."""
    check_fraction("level", level)
    if not 1 <= design_effect < float("inf"):
        raise ValueError(f"design_effect must be at least 1; got {design_effect!r}")
    a = finite_vector("group_hits", counts.group_hits)
    n1 = finite_vector("group_outputs", counts.group_outputs)
    c = finite_vector("reference_hits", counts.reference_hits)
    n0 = finite_vector("reference_outputs", counts.reference_outputs)
    if not a.shape == n1.shape == c.shape == n0.shape:
        raise ValueError(
            f"the four counts must share one shape (K,); got {a.shape}, {n1.shape}, {c.shape}, {n0.shape}"
        )
    table = np.stack([a, n1 - a, c, n0 - c])
    if (table < 0).any() or (table % 1 != 0).any():
        raise ValueError("counts must be whole numbers with 0 <= hits <= outputs")
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        raise NotMeasuredError("no study has outputs of both the group and the reference")
    return a[both], n1[both], c[both], n0[both]
