"""Scales of numbers and ordered choices on which one absurd reply cannot decide."""

from typing import Literal

import numpy as np
import pandas as pd

from audit.statistics.arguments import Vector

__all__ = ["scaled"]


def scaled(rows: pd.DataFrame, scale: Literal["log", "dominance"] | None) -> pd.DataFrame:
    """The rows with their values on another scale; no row is dropped.

    Args:
        rows: Rows of a measure with `set_id`, `grp`, `reference` and `value`.
        scale: `log`: the natural logarithm; a value of 0 or below has none and is missing, as it is in
            `unread`. `dominance`: for each row of a set, the share of the reference's replies in that set
            that lie below it, less the share above; 0 for the reference's own, whose mean is 0 by symmetry,
            and missing outside sets and where the reference has no reply.

    Returns:
        The rows; group less reference is then a log ratio of geometric means, or Cliff's delta.

    Source:
        Cliff (1993), Psychological Bulletin 114:494-509; delta = 2 P - 1 with P the probability of
        superiority, McGraw & Wong (1992), Psychological Bulletin 111:361-365.
    """
    if scale is None or rows.empty:
        return rows
    values = rows["value"].to_numpy(dtype=np.float64)
    if scale == "dominance":
        return rows.assign(value=_dominance(rows, values))
    with np.errstate(divide="ignore", invalid="ignore"):
        return rows.assign(value=np.where(values > 0, np.log(values), np.nan))


def _dominance(rows: pd.DataFrame, values: Vector) -> Vector:
    sets = rows["set_id"].astype("category").cat.codes.to_numpy(dtype=np.int64)
    is_reference = (rows["grp"].astype(str) == rows["reference"].astype(str)).to_numpy()
    usable = (sets >= 0) & ~np.isnan(values)
    levels, rank = np.unique(values[usable], return_inverse=True)
    width = max(levels.size, 1)
    # A set's replies are one stretch of sorted keys, so that one search finds those below and above.
    keys = np.full(values.size, -1, dtype=np.int64)
    keys[usable] = sets[usable] * width + rank
    against = np.sort(keys[usable & is_reference])
    first = np.searchsorted(against, sets * width)
    last = np.searchsorted(against, (sets + 1) * width)
    n = last - first
    below = np.searchsorted(against, keys, side="left") - first
    above = last - np.searchsorted(against, keys, side="right")
    known = usable & (n > 0)
    found = np.full(values.size, np.nan)
    found[known] = (below[known] - above[known]) / n[known]
    found[known & is_reference] = 0.0
    return found
