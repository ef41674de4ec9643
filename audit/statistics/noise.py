"""The noise floor: what disparity an estimator finds where there is none."""

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import check_at_least, check_clusters, check_fraction, finite_vector
from audit.statistics.resampling import resample_counts

__all__ = ["noise_floor"]


def noise_floor(
    placebo_differences: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    n_clusters: int | None = None,
    quantile: float = 0.95,
) -> float:
    """A high quantile of the absolute placebo estimate under resampling of its clusters.

    The placebo's cluster differences are made by the same estimator as the disparity's (same repeats,
    same averaging), so the floor is at the estimate's own level. Resampled means vary too little by the
    factor sqrt((T - 1) / T); their deviations are widened by its inverse.

    A floor of 0 means that the placebo never moved (as with a model without randomness), not that
    there is no uncertainty. It is a screen for unsigned reading and no replacement for testing the
    placebo against 0: a design whose placebo is far from 0 has a high floor and is invalid.

    Args:
        placebo_differences: One placebo difference a cluster, shape (T,), T >= 2.
        rng: Source of the resampling.
        resamples: Number of resamples, at least 100.
        n_clusters: Clusters behind the estimate that the floor is for; T by default.
        quantile: Which quantile, a fraction in (0, 1).

    Returns:
        The floor, at least 0, in the unit of the differences.

    Raises:
        NotMeasuredError: Fewer than 2 clusters.
        ValueError: An argument is outside the range above.

    Source:
        Cluster resampling of means: Davison & Hinkley (1997), Bootstrap Methods, sections 2.3 and
        3.8, with the variance correction of their eq. 2.22.

    >>> noise_floor([0.0, 0.0, 0.0], rng=np.random.default_rng(0))
    0.0
    """
    # Sorted, so that the order in which clusters arrive does not change which one a draw means.
    differences = np.sort(finite_vector("placebo_differences", placebo_differences))
    check_at_least("resamples", resamples, 100)
    check_fraction("quantile", quantile)
    n = differences.size
    check_clusters("a noise floor", n)
    size = n if n_clusters is None else n_clusters
    check_at_least("n_clusters", size, 1)
    mean = float(differences.mean())
    deviations = (differences - mean) * np.sqrt(n / (n - 1))
    shifts = np.concatenate([counts @ deviations for counts in resample_counts(n, resamples, rng, size=size)])
    return float(np.quantile(np.abs(mean + shifts / size), quantile))
