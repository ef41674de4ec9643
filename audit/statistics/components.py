"""Pilot variances: how much templates' own reactions differ, and how noisy one pair of answers is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import fdtri, gammaincinv

from audit.errors import NotMeasuredError
from audit.statistics.arguments import finite_vector

__all__ = ["Components", "pair_components"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Two sources of error of a mean paired difference."""

    slope_sd: float
    """s_tg: standard deviation over clusters of the true difference, at least 0."""
    slope_low: float
    slope_high: float
    """Its interval, at the level asked for: few clusters, or noisy answers, tell little of it."""
    noise_sd: float
    """s_e: standard deviation of the difference of one pair within its cluster, at least 0."""
    n_clusters: int
    n_pairs: int


def pair_components(
    differences: npt.ArrayLike,
    cluster: npt.ArrayLike,
    stratum: npt.ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> Components:
    """Variance of single pairs' differences between and within clusters, by analysis of variance.

    s_e^2 = MSW and s_tg^2 = (MSB - MSW) / n0, not below 0, with n0 = (N - sum n_t^2 / N) / (T - 1) in each
    stratum; strata are pooled by their degrees of freedom, so that differences between domains are no noise.

    What pairs of one cluster have in common beyond the group (the merit of a case) counts as noise here, so
    that repeats of the same pair average away a little less than s_e says.

    Args:
        differences: Difference of each pair (one repeat of one set), shape (n,).
        cluster: Code of its cluster, shape (n,).
        stratum: Code of its stratum; clusters of different strata are different. None for one stratum.
        level: Of the interval of s_tg (Williams 1962), exact at neither end but close for balanced clusters.

    Returns:
        Both deviations, in the unit of the values.

    Raises:
        NotMeasuredError: There are not two clusters in a stratum, or no cluster has two pairs.
        ValueError: The shapes differ or a value is not finite.

    Source:
        Searle, Casella & McCulloch (1992), Variance Components, section 3.6 (unbalanced one-way layout);
        Williams (1962), Biometrika 49:278-281, for the interval.

    >>> found = pair_components([0.0, 0.2, 1.0, 1.2], [0, 0, 1, 1])
    >>> round(found.slope_sd, 3), round(found.noise_sd, 3)
    (0.7, 0.141)
    """
    values = finite_vector("differences", differences)
    codes = np.asarray(cluster)
    strata = np.zeros(values.size, dtype=np.int64) if stratum is None else np.asarray(stratum)
    if codes.shape != values.shape or strata.shape != values.shape:
        raise ValueError(f"shapes must be equal; got {values.shape}, {codes.shape} and {strata.shape}")
    within, within_df, between, between_df, sizes = 0.0, 0, 0.0, 0, 0.0
    for one in np.unique(strata):
        inside = strata == one
        part = values[inside]
        _, place = np.unique(codes[inside], return_inverse=True)
        counts = np.bincount(place)
        means = np.bincount(place, weights=part) / counts
        within += float(((part - means[place]) ** 2).sum())
        within_df += part.size - counts.size
        between += float((counts * (means - part.mean()) ** 2).sum())
        between_df += counts.size - 1
        sizes += float(part.size - (counts**2).sum() / part.size)
    if between_df == 0 or within_df == 0:
        raise NotMeasuredError("variances need two clusters of one stratum, and two pairs in one of them")
    noise = within / within_df
    slope = max(0.0, (between / between_df - noise) / (sizes / between_df))
    clusters = between_df + int(np.unique(strata).size)
    low, high = _interval(between, between_df, noise, within_df, level)
    return Components(
        slope_sd=float(np.sqrt(slope)),
        slope_low=float(np.sqrt(low * between_df / sizes)),
        slope_high=float(np.sqrt(high * between_df / sizes)),
        noise_sd=float(np.sqrt(noise)),
        n_clusters=clusters,
        n_pairs=values.size,
    )


def _interval(
    between: float, between_df: int, noise: float, within_df: int, level: float
) -> tuple[float, float]:
    """Of n0 times the variance between clusters, from the sums of squares."""
    tail = (1 - level) / 2

    def end(share: float) -> float:
        by_noise = noise * between_df * float(fdtri(between_df, within_df, share))
        return max(0.0, (between - by_noise) / float(2 * gammaincinv(between_df / 2, share)))

    return end(1 - tail), end(tail)
