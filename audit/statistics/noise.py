"""The noise floor: what disparity an estimator finds where there is none."""

from math import sqrt

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import check_at_least, check_clusters, check_fraction, finite_vector
from audit.statistics.signflip import random_sums

__all__ = ["noise_floor"]


def noise_floor(
    placebo_differences: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    exchanges: int = 2000,
    n_clusters: int | None = None,
    quantile: float = 0.95,
) -> float:
    """A high quantile of the absolute placebo estimate when its two arms are exchanged at random.

    Which member of a placebo set is called `b` was decided by chance, so each cluster's difference might
    as well have come with the other sign: the estimates under random signs are those that the same
    design would have shown. The floor is the quantile of their absolute value, and never less than
    the placebo estimate itself, which did occur.

    The placebo's cluster differences are made by the same estimator as the disparity's (same repeats,
    same averaging), so the floor is at the estimate's own level; an estimate over n clusters
    instead of T has the floor of T times sqrt(T / n).

    A floor of 0 means that the placebo never moved (as with a model without randomness), not that
    there is no uncertainty. It is a screen for unsigned reading and no replacement for testing the
    placebo against 0: a design whose placebo is far from 0 has a high floor and is invalid.

    Args:
        placebo_differences: One placebo difference a cluster, shape (T,), T >= 2.
        rng: Source of the random signs.
        exchanges: Number of random exchanges, at least 100.
        n_clusters: Clusters behind the estimate that the floor is for; T by default.
        quantile: Which quantile, a fraction in (0, 1).

    Returns:
        The floor, at least 0, in the unit of the differences.

    Raises:
        NotMeasuredError: Fewer than 2 clusters.
        ValueError: An argument is outside the range above.

    Source:
        The randomisation distribution of a paired design: Fisher (1935), The Design of Experiments,
        section 21.

    >>> noise_floor([0.0, 0.0, 0.0], rng=np.random.default_rng(0))
    0.0
    """
    # Sorted by size, so that neither the order of the clusters nor a common sign changes the floor.
    differences = finite_vector("placebo_differences", placebo_differences)
    check_at_least("exchanges", exchanges, 100)
    check_fraction("quantile", quantile)
    n = differences.size
    check_clusters("a noise floor", n)
    size = n if n_clusters is None else n_clusters
    check_at_least("n_clusters", size, 1)
    sizes = np.sort(np.abs(differences))[:, np.newaxis]
    exchanged = np.concatenate(list(random_sums(sizes, exchanges, rng))) / n
    floor = float(np.quantile(np.abs(exchanged), quantile))
    return max(floor, abs(float(differences.mean()))) * sqrt(n / size)
