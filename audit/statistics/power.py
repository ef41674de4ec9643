"""Planning: what a design can see before it costs anything."""

from math import ceil, sqrt

from scipy.special import ndtri, stdtrit

from audit.statistics.arguments import check_at_least, check_fraction
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.unseen import reaches

__all__ = [
    "clusters_for_equivalence",
    "clusters_needed",
    "detectable_by",
    "detectable_from_standard_error",
    "difference_variance",
    "smallest_detectable",
]

_LEAST_POWER = 0.5
"""Below even odds the approximation by one tail fails, and nobody plans for it."""


def difference_variance(*, slope_sd: float, noise_sd: float, repeats: int) -> float:
    """Variance of one cluster's mean paired difference: s_tg^2 + s_e^2 / R.

    Templates react differently to a group (s_tg), which repeats never average away; the rest is
    noise of single outputs. More templates help always, more repeats only until s_e^2 / R is
    small beside s_tg^2.

    Args:
        slope_sd: s_tg, standard deviation over templates of the true difference, at least 0.
        noise_sd: s_e, standard deviation of the difference of one pair of single outputs, at least 0.
        repeats: R, pairs of outputs a template, at least 1.

    Returns:
        The variance, in the measure's unit squared.

    Raises:
        ValueError: An argument is outside the range above, or both deviations are 0.

    >>> round(difference_variance(slope_sd=0.1, noise_sd=0.6, repeats=4), 3)
    0.1
    """
    check_at_least("repeats", repeats, 1)
    if slope_sd < 0 or noise_sd < 0 or slope_sd + noise_sd <= 0:
        raise ValueError(f"deviations must be at least 0 and not both 0; got {slope_sd!r} and {noise_sd!r}")
    return slope_sd**2 + noise_sd**2 / repeats


def detectable_from_standard_error(
    standard_error: float, df: float, *, level: float = 0.95, power: float = 0.8
) -> float:
    """The true disparity that a two-sided t test with this error finds with the given power.

    (t(df, 1 - alpha / 2) + t(df, power)) * se, the t form of (z + z) * se. Use it after a run, to say
    what an inconclusive estimate could have seen. It is not "observed power", which would put the
    estimate itself in the place of a disparity of interest.

    Args:
        standard_error: Standard error of the estimate, above 0.
        df: Its degrees of freedom, above 0.
        level: 1 - alpha, a fraction in (0, 1).
        power: Chance of finding it, a fraction in [0.5, 1).

    Returns:
        The disparity, in the estimate's unit, above 0.

    Raises:
        ValueError: An argument is outside the range above.

    Source:
        Bloom (1995), Evaluation Review 19:547-556 (minimum detectable effect).

    >>> round(detectable_from_standard_error(0.02, 59), 3)
    0.057
    """
    if not (standard_error > 0 and df > 0):
        raise ValueError(f"standard error and df must be above 0; got {standard_error!r} and {df!r}")
    check_fraction("level", level)
    _check_power(power)
    return standard_error * float(stdtrit(df, 0.5 + level / 2) + stdtrit(df, power))


def detectable_by(found: ClusterEstimate, *, level: float = 0.95, power: float = 0.8) -> float | None:
    """The true disparity, in either direction, that an estimate like this one finds with the given power.

    `detectable_from_standard_error`, with what clusters not met may hide in the interval that has to exclude
    0: the longer reach at 1 - alpha / 2 + t(df, power) * se.

    Args:
        found: The estimate.
        level: 1 - alpha, a fraction in (0, 1).
        power: Chance of finding it, a fraction in [0.5, 1).

    Returns:
        The disparity, in the estimate's unit; None where all clusters are equal, so that how much others
        would differ is not known.

    Raises:
        ValueError: An argument is outside the range above.

    Source:
        As for `detectable_from_standard_error`.

    >>> from audit.statistics.cluster_t import cluster_t_interval
    >>> few = cluster_t_interval([0.1] + [0.0] * 43, bounds=(-1, 1))
    >>> round(detectable_by(few), 3), round(detectable_from_standard_error(few.standard_error, few.df), 3)
    (0.083, 0.007)
    """
    if found.degenerate:
        return None
    plain = detectable_from_standard_error(found.standard_error, found.df, level=level, power=power)
    if found.unseen is None:
        return plain
    tail = (1 - level) / 2
    return plain + max(reaches(found, found.unseen, tail)) - reaches(found, None, tail)[0]


def smallest_detectable(
    n_clusters: int,
    *,
    slope_sd: float,
    noise_sd: float,
    repeats: int,
    level: float = 0.95,
    power: float = 0.8,
) -> float:
    """The smallest disparity a planned design sees, from pilot variances.

    Solves T = (z(1 - alpha / 2) + z(power))^2 (s_tg^2 + s_e^2 / R) / Delta^2 for Delta, with
    quantiles of t with T - 1 degrees of freedom for z: at 12 templates z alone promises 10 % too much.

    Args:
        n_clusters: T, number of templates, at least 2.
        slope_sd: s_tg, as in `difference_variance`.
        noise_sd: s_e, as in `difference_variance`.
        repeats: R, pairs of outputs a template, at least 1.
        level: 1 - alpha of the two-sided test, a fraction in (0, 1);
            for a family of m tests give 1 - alpha / m.
        power: Chance of finding it, a fraction in [0.5, 1).

    Returns:
        The disparity, in the measure's unit.

    Raises:
        ValueError: An argument is outside the range above.

    Source:
        Cohen (1988), Statistical Power Analysis, 2nd ed., section 2.4, with the two variance
        components of Cochran (1977), Sampling Techniques, 3rd ed., eq. 10.5.

    >>> round(smallest_detectable(60, slope_sd=0.1, noise_sd=0.6, repeats=4), 3)
    0.116
    """
    check_at_least("n_clusters", n_clusters, 2)
    variance = difference_variance(slope_sd=slope_sd, noise_sd=noise_sd, repeats=repeats)
    return detectable_from_standard_error(
        sqrt(variance / n_clusters), n_clusters - 1.0, level=level, power=power
    )


def clusters_needed(
    disparity: float,
    *,
    slope_sd: float,
    noise_sd: float,
    repeats: int,
    level: float = 0.95,
    power: float = 0.8,
) -> int:
    """The fewest templates that see a disparity: the inverse of `smallest_detectable`.

    Args:
        disparity: The true disparity to be found, in the measure's unit, above 0.
        slope_sd: s_tg, as in `difference_variance`.
        noise_sd: s_e, as in `difference_variance`.
        repeats: R, pairs of outputs a template, at least 1.
        level: 1 - alpha of the two-sided test, a fraction in (0, 1).
        power: Chance of finding it, a fraction in [0.5, 1).

    Returns:
        Number of templates, at least 2.

    Raises:
        ValueError: An argument is outside the range above.

    Source:
        As for `smallest_detectable`.

    >>> clusters_needed(0.1, slope_sd=0.1, noise_sd=0.6, repeats=4)
    81
    """
    if not disparity > 0:
        raise ValueError(f"disparity must be above 0; got {disparity!r}")
    check_fraction("level", level)
    _check_power(power)
    variance = difference_variance(slope_sd=slope_sd, noise_sd=noise_sd, repeats=repeats)
    quantiles = float(ndtri(0.5 + level / 2) + ndtri(power))
    # The normal answer is too small by a few clusters; the t answer is found by walking up from it.
    n = max(2, ceil(quantiles**2 * variance / disparity**2))
    while detectable_from_standard_error(sqrt(variance / n), n - 1.0, level=level, power=power) > disparity:
        n += 1
    return n


def clusters_for_equivalence(
    margin: float, *, slope_sd: float, noise_sd: float, repeats: int, level: float = 0.95, power: float = 0.8
) -> int:
    """The fewest templates with which TOST calls a true disparity of 0 equivalent with the given power.

    Solves (t(T - 1, 1 - alpha) + t(T - 1, (1 + power) / 2)) sqrt((s_tg^2 + s_e^2 / R) / T) <= margin.
    Showing sameness within 5 points takes several times the templates that finding 10 does.

    Args:
        margin: Smallest disparity of concern, in the measure's unit, above 0.
        slope_sd: s_tg, as in `difference_variance`.
        noise_sd: s_e, as in `difference_variance`.
        repeats: R, pairs of outputs a template, at least 1.
        level: 1 - alpha of each one-sided test, a fraction in (0.5, 1).
        power: Chance of the verdict, a fraction in [0.5, 1).

    Returns:
        Number of templates, at least 2.

    Raises:
        ValueError: An argument is outside the range above.

    Source:
        Julious (2004), Statistics in Medicine 23:1921-1986, eq. 30 (equivalence, true difference 0).

    >>> clusters_for_equivalence(0.05, slope_sd=0.1, noise_sd=0.6, repeats=4)
    345
    """
    if not margin > 0:
        raise ValueError(f"margin must be above 0; got {margin!r}")
    check_fraction("2 * level - 1", 2 * level - 1)
    return clusters_needed(
        margin,
        slope_sd=slope_sd,
        noise_sd=noise_sd,
        repeats=repeats,
        level=2 * level - 1,
        power=(1 + _check_power(power)) / 2,
    )


def _check_power(power: float) -> float:
    if not _LEAST_POWER <= power < 1:
        raise ValueError(f"power must be in [0.5, 1); got {power!r}")
    return power
