"""Squared sums of influences over clusters: what every clustered variance is made of."""

from collections.abc import Sequence

import numpy as np

from audit.statistics.arguments import Codes, Vector
from audit.statistics.codes import dense_codes, joined_codes

__all__ = ["cluster_squares"]


def cluster_squares(parts: Vector, codes: Sequence[Codes], *, lost: int = 0) -> float:
    """Sum over clusters of the squared sum of their influences.

    Args:
        parts: What each part adds to the error of an estimate, shape (n,).
        codes: Dimensions of which a cluster shares every code, shape (n,) each; at least one.
        lost: Sums that are 0 whatever the data, such as 1 for a mean; the result is times G / (G - lost),
            with G clusters.

    Returns:
        The variance by these clusters, in the unit of the influences squared.

    Source:
        Cameron, Gelbach & Miller (2011), J. Business & Economic Statistics 29:238-249, eq. 2.10-2.13.

    >>> cluster_squares(np.array([1.0, 1.0, -2.0]), [np.array([0, 0, 1])], lost=1)
    16.0
    """
    cluster = np.zeros(parts.size, dtype=np.int64)
    for code in codes:
        cluster = joined_codes((cluster, dense_codes(code)))
    sums = np.bincount(cluster, weights=parts)
    return float(sums @ sums) * sums.size / max(1, sums.size - lost)
