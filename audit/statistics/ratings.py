"""Ratings of items by several raters, some of them missing, as counts by category."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Vector

__all__ = ["Matrix", "Ratings", "disagreeing", "read_ratings"]

Matrix = npt.NDArray[np.float64]
_ITEMS_BY_RATERS = 2
"""Dimensions of a table of ratings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What the raters gave."""

    counts: Matrix
    """How many raters gave each category, by item, shape (n, K)."""
    values: Vector
    """The categories, ascending, shape (K,)."""
    cluster: Codes
    """Dense cluster of each item, shape (n,)."""
    n_missing: int

    @property
    def sizes(self) -> Vector:
        """Ratings of each item, shape (n,)."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def paired(self) -> npt.NDArray[np.bool_]:
        """Items with at least 2 ratings, shape (n,)."""
        return np.asarray(self.sizes > 1)


def read_ratings(
    ratings: npt.ArrayLike, cluster: npt.ArrayLike | None, categories: npt.ArrayLike | None
) -> Ratings:
    """A table of ratings as counts.

    Args:
        ratings: Category numbers, nan if missing, shape (items, raters).
        cluster: Code of what makes items dependent, shape (items,); None for each item its own.
        categories: Every category that could be given; None for those seen.

    Raises:
        NotMeasuredError: Every rating is missing.
        ValueError: The shapes do not fit, or a rating is infinite or not among `categories`.
    """
    given = np.asarray(ratings, dtype=np.float64)
    if given.ndim != _ITEMS_BY_RATERS or np.isinf(given).any():
        raise ValueError(f"ratings must be of shape (items, raters), finite or nan; got shape {given.shape}")
    n = given.shape[0]
    codes = np.arange(n) if cluster is None else np.asarray(cluster, dtype=np.int64)
    if codes.shape != (n,):
        raise ValueError(f"cluster must be of shape ({n},), one an item; got {codes.shape}")
    present = ~np.isnan(given)
    seen = np.unique(given[present])
    values = seen if categories is None else np.unique(np.asarray(categories, dtype=np.float64))
    if not np.isin(seen, values).all():
        raise ValueError(
            f"ratings must be among {values.tolist()}; got {np.setdiff1d(seen, values).tolist()}"
        )
    if not present.any():
        raise NotMeasuredError("agreement needs ratings; all are missing")
    item, _ = np.nonzero(present)
    at = item * values.size + np.searchsorted(values, given[present])
    return Ratings(
        counts=np.bincount(at, minlength=n * values.size).reshape(n, -1).astype(np.float64),
        values=values,
        cluster=np.unique(codes, return_inverse=True)[1],
        n_missing=int((~present).sum()),
    )


def disagreeing(read: Ratings) -> Vector:
    """Share of each item's pairs of raters that disagree; 0 for items without a pair, shape (n,)."""
    agreeing = (read.counts * (read.counts - 1)).sum(axis=1)
    pairs = read.sizes * (read.sizes - 1)
    return np.asarray(np.where(read.paired, 1 - agreeing / np.maximum(pairs, 1), 0.0))
