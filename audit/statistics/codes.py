"""Codes without gaps: what tables over clusters are indexed by."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import Codes

__all__ = ["count_codes", "dense_codes", "joined_codes"]

_WIDE = 4
"""Codes that span this many times as much as there are rows are sorted; a table of them would be too long."""


def dense_codes(codes: npt.ArrayLike) -> Codes:
    """Codes 0, 1, 2, ... in the order of the given ones: the inverse of `numpy.unique`, without sorting.

    Args:
        codes: Whole numbers, shape (n,).

    Returns:
        Shape (n,); every code up to the largest occurs.

    >>> dense_codes([7, 3, 7, 4]).tolist()
    [2, 0, 2, 1]
    """
    given = np.asarray(codes, dtype=np.int64)
    seen = _seen(given)
    if seen is None:
        return np.unique(given, return_inverse=True)[1].astype(np.int64)
    place: Codes = np.cumsum(seen) - 1
    found: Codes = place[given - int(given.min())]
    return found


def count_codes(codes: npt.ArrayLike) -> int:
    """How many different codes there are.

    >>> count_codes([7, 3, 7, 4])
    3
    """
    given = np.asarray(codes, dtype=np.int64)
    seen = _seen(given)
    return int(np.unique(given).size if seen is None else seen.sum())


def joined_codes(dimensions: Sequence[Codes]) -> Codes:
    """Dense codes of what shares its code in every dimension.

    Args:
        dimensions: Dense codes, shape (n,) each; at least one.

    >>> joined_codes([np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])]).tolist()
    [0, 1, 2, 2]
    """
    joined = dimensions[0]
    for one in dimensions[1:]:
        joined = dense_codes(joined * (int(one.max()) + 1) + one)
    return joined


def _seen(codes: Codes) -> npt.NDArray[np.bool_] | None:
    """Which codes from the smallest to the largest occur; None where that is a long table, or none at all."""
    if not codes.size:
        return None
    least = int(codes.min())
    span = int(codes.max()) - least + 1
    if span > _WIDE * codes.size:
        return None
    seen = np.zeros(span, dtype=np.bool_)
    seen[codes - least] = True
    return seen
