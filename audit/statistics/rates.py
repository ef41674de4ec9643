"""Intervals for rates: of independent trials, and of trials that share clusters."""

from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv, ndtri, stdtrit

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_at_least, check_clusters, check_fraction, finite_vector
from audit.statistics.intervals import Interval, equal_clusters_interval, t_estimate
from audit.statistics.unseen import reaches, unseen_of

__all__ = [
    "RateEstimate",
    "clopper_pearson_interval",
    "clustered_rate_interval",
    "clustered_wilson",
    "exceedance_p_value",
    "wilson_interval",
]

_ROUNDING = 1e-12
"""Standard error of a rate below which the clusters count as equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEstimate:
    """One population's rate over clusters, a fraction in [0, 1]."""

    point: float
    standard_error: float
    """0 exactly when `degenerate`."""
    n_clusters: int
    """Clusters with at least one trial."""
    n_trials: int
    interval: Interval
    degenerate: bool = False
    """True if the clusters show no spread (as with no or only successes)."""


def wilson_interval(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """Interval for a rate from independent yes/no trials.

    Not for outputs that share a template, which are not independent: use `clustered_rate_interval`.

    Args:
        successes: Number of trials that showed the behaviour, 0 <= successes <= trials.
        trials: Number of independent trials.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        Interval of the rate, a fraction in [0, 1]; it always contains successes / trials.

    Raises:
        NotMeasuredError: `trials` is 0, so there is no rate to state.
        ValueError: An argument is outside the range above.

    Source:
        Wilson (1927), JASA 22:209-212.

    >>> interval = wilson_interval(8, 10)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.4902, 0.9433)
    """
    _check_trials(successes, trials, level)
    z = float(ndtri(0.5 + level / 2))
    low, high = _wilson(successes / trials, trials, z)
    return Interval(low=low, high=high, level=level, method="Wilson")


def clopper_pearson_interval(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """Interval for a rate from independent trials that covers at least at its level, always.

    It is wider than Wilson's; use it where a miss is dear, as for rare harms. Not for outputs that
    share a template: use `clustered_rate_interval`.

    Args:
        successes: Number of trials that showed the behaviour, 0 <= successes <= trials.
        trials: Number of independent trials.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        Interval of the rate, a fraction in [0, 1]; it always contains successes / trials.

    Raises:
        NotMeasuredError: `trials` is 0, so there is no rate to state.
        ValueError: An argument is outside the range above.

    Source:
        Clopper & Pearson (1934), Biometrika 26:404-413, in its beta form.

    >>> round(clopper_pearson_interval(0, 30).high, 4)
    0.1157
    """
    _check_trials(successes, trials, level)
    tail = (1 - level) / 2
    failures = trials - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return Interval(low=low, high=high, level=level, method="Clopper-Pearson")


def clustered_rate_interval(
    successes: npt.ArrayLike, trials: npt.ArrayLike, *, level: float = 0.95
) -> RateEstimate:
    """One population's rate from trials that share clusters (prompts of a template, replies to a prompt).

    The point is the ratio p = sum(s) / sum(n). Its standard error comes from the linearised
    influence of each cluster, u = (s - p n) / mean(n): sqrt(sum(u^2) / (T (T - 1))). The interval is
    Wilson's, with the t quantile of T - 1 degrees of freedom for z and the effective number of trials
    p (1 - p) / se^2 for n, which keeps it inside [0, 1] and lopsided where a rate is rare.

    With no success, or nothing else, there is no spread to see, and the interval is
    Clopper-Pearson's with the number of clusters as the number of trials: as if each cluster
    answered once. If the clusters are equal in between, it is `equal_clusters_interval`. Where few
    clusters differ from the most frequent rate, each end moves out by the share of clusters not met that
    lengthens the reach of a t interval (`reaches`), so that one success never tells more than none.

    Not for a difference between groups: use paired differences and `cluster_t_interval`.

    Args:
        successes: Trials of each cluster that showed the behaviour, shape (T,).
        trials: Trials of each cluster, shape (T,); clusters with 0 do not count.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The rate, a fraction in [0, 1].

    Raises:
        NotMeasuredError: Fewer than 2 clusters have a trial.
        ValueError: The shapes differ, or some cluster has more successes than trials or fewer than 0.

    Source:
        Cochran (1977), Sampling Techniques, 3rd ed., eq. 6.13 (ratio estimator); Dean & Pagano
        (2015), J. Survey Statistics and Methodology 3:484-503 (Wilson's interval for clusters).

    >>> estimate = clustered_rate_interval([0, 0, 3, 1], [4, 4, 4, 4])
    >>> estimate.point, round(estimate.interval.low, 3), round(estimate.interval.high, 3)
    (0.25, 0.03, 0.784)
    """
    check_fraction("level", level)
    hits, asked = finite_vector("successes", successes), finite_vector("trials", trials)
    if hits.shape != asked.shape or (hits < 0).any() or (hits > asked).any():
        raise ValueError("successes and trials must have one shape and 0 <= successes <= trials everywhere")
    hits, asked = hits[asked > 0], asked[asked > 0]
    n, total = hits.size, int(asked.sum())
    check_clusters("a clustered rate", n)
    point = float(hits.sum()) / total
    influence = (hits - point * asked) / (total / n)
    # An exactly rounded sum does not depend on the order of the clusters.
    standard_error = sqrt(fsum((influence**2).tolist()) / (n * (n - 1.0)))
    degenerate = standard_error <= _ROUNDING
    if degenerate:
        interval = _alike(point, n, level)
    else:
        interval = _clustered_wilson(point, standard_error, hits / asked, level)
    return RateEstimate(
        point=point,
        standard_error=0.0 if degenerate else standard_error,
        n_clusters=n,
        n_trials=total,
        interval=interval,
        degenerate=degenerate,
    )


def exceedance_p_value(successes: npt.ArrayLike, trials: npt.ArrayLike, limit: float) -> float:
    """One-sided p against "the rate is at most the limit", from trials that share clusters.

    The exact binomial tail P(X >= k; n, limit) in its beta form, at the effective number of trials
    n = p (1 - p) / se^2 (at most the trials there are, and shortened for the few degrees of freedom
    of se) and k = p n. It stays honest for the one hit among a dozen that an interval from a normal
    approximation takes for proof.

    Not for a difference between groups, nor below about 12 clusters, where se is itself a guess.

    Args:
        successes: Trials of each cluster that showed the behaviour, shape (T,).
        trials: Trials of each cluster, shape (T,); clusters with 0 do not count.
        limit: Largest accepted rate, in [0, 1].

    Returns:
        A probability; 1 if the behaviour never occurred.

    Raises:
        NotMeasuredError: Fewer than 2 clusters have a trial.
        ValueError: `limit` is outside [0, 1], or the counts are impossible.

    Source:
        Korn & Graubard (1998), Survey Methodology 24:193-201 (Clopper-Pearson for clusters).

    >>> round(exceedance_p_value([1] + [0] * 11, [1] * 12, 0.01), 4)
    0.1307
    """
    if not 0 <= limit <= 1:
        raise ValueError(f"limit must be in [0, 1]; got {limit!r}")
    found = clustered_rate_interval(successes, trials)
    if found.point == 0:
        return 1.0
    clusters, total = found.n_clusters, found.n_trials
    effective = float(clusters)
    if not found.degenerate:
        shortened = float(stdtrit(total - 1.0, 0.975) / stdtrit(clusters - 1.0, 0.975)) ** 2
        effective = min(float(total), found.point * (1 - found.point) / found.standard_error**2 * shortened)
    hits = found.point * effective
    return float(betainc(hits, effective - hits + 1, limit))


def _alike(point: float, n: int, level: float) -> Interval:
    """Interval of n clusters that show no spread."""
    if point in (0.0, 1.0):
        bound = clopper_pearson_interval(n * int(point), n, level=level)
        return Interval(
            low=bound.low, high=bound.high, level=level, method="Clopper-Pearson, clusters as trials"
        )
    return equal_clusters_interval(point, n, bounds=(0.0, 1.0), level=level)


def _clustered_wilson(point: float, standard_error: float, rates: Vector, level: float) -> Interval:
    """Wilson's interval with the error of clusters, whose own rates are given, and what others may hide."""
    n, df = rates.size, rates.size - 1.0
    low, high = _wilson(point, point * (1 - point) / standard_error**2, float(stdtrit(df, 0.5 + level / 2)))
    method = f"clustered Wilson (t, df {n - 1})"
    unseen = unseen_of([rates], np.ones(1), (0.0, 1.0))
    if unseen is not None:
        alone = t_estimate(point, standard_error, df, n_clusters=n, level=level, method=method)
        (below, above), (plain, _) = (reaches(alone, one, (1 - level) / 2) for one in (unseen, None))
        # Other clusters, all 0 or all 1, leave the rest of the rate as it is: no end gets to 0 or 1.
        low -= low * (below - plain) / point
        high += (1 - high) * (above - plain) / (1 - point)
        method += ", with a bound for clusters not met"
    return Interval(low=low, high=high, level=level, method=method)


def clustered_wilson(point: float, standard_error: float, *, df: float, level: float) -> tuple[float, float]:
    """Wilson's interval of a rate with a standard error of its own, as that of clusters or labels.

    The effective number of trials is x (1 - x) / se^2 and the quantile Student's, with x = p, but no nearer
    to 0 or 1 than one standard error: what is corrected may come out at 0 or beyond, with an error even so.

    Args:
        point: The estimate p; it may lie outside [0, 1].
        standard_error: Its standard error, at least 0.
        df: Degrees of freedom, above 0.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        Both ends, fractions in [0, 1].

    Source:
        Dean & Pagano (2015), J. Survey Statistics and Methodology 3:484-503.

    >>> [round(end, 3) for end in clustered_wilson(0.05, 0.03, df=11.0, level=0.95)]
    [0.014, 0.161]
    """
    rate = min(max(point, 0.0), 1.0)
    if standard_error == 0:
        return rate, rate
    inside = min(max(rate, min(standard_error, 0.5)), max(1 - standard_error, 0.5))
    return _wilson(rate, inside * (1 - inside) / standard_error**2, float(stdtrit(df, 0.5 + level / 2)))


def _wilson(rate: float, trials: float, quantile: float) -> tuple[float, float]:
    spread = quantile**2 / trials
    centre = (rate + spread / 2) / (1 + spread)
    reach = sqrt(spread * (rate * (1 - rate) + spread / 4)) / (1 + spread)
    # Rounding can put an end a hair beyond the rate at 0 or 1.
    return max(0.0, min(rate, centre - reach)), min(1.0, max(rate, centre + reach))


def _check_trials(successes: int, trials: int, level: float) -> None:
    check_fraction("level", level)
    check_at_least("trials", trials, 0)
    if trials == 0:
        raise NotMeasuredError("a rate needs at least 1 trial; got 0")
    if not 0 <= successes <= trials:
        raise ValueError(f"successes must be between 0 and trials; got {successes!r} of {trials!r}")
