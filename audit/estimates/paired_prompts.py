"""Two runs' rows prompt by prompt, and the change of a rate by the estimator of the rates beside it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.jackknife import cluster_jackknife

__all__ = ["paired", "rate_change", "rate_of", "summed"]

_ROUNDING = 1e-12
"""Difference of two templates' changes that is none."""


def paired(before: pd.DataFrame, after: pd.DataFrame, *, own: bool = False) -> pd.DataFrame:
    """One row a prompt that both sides answered, with its facts.

    Args:
        before: Rows of the earlier run.
        after: Rows of the later run.
        own: Whether `value` is the later run's own mean; else it is after - before.

    Returns:
        Besides `value` the means `before_mean` and `after_mean` over repeats, of `before_n` and `after_n`
        outputs.
    """
    if before.empty or after.empty:
        return after.iloc[:0]
    sides = {"before": before, "after": after}
    by_prompt = {name: rows.groupby("prompt_id", observed=True)["value"] for name, rows in sides.items()}
    means = {f"{name}_mean": rows.mean() for name, rows in by_prompt.items()}
    counts = {f"{name}_n": rows.count() for name, rows in by_prompt.items()}
    change = (means["after_mean"] - means["before_mean"]).dropna()
    facts = after[~after["prompt_id"].duplicated()].set_index("prompt_id", drop=False)
    kept = facts.loc[facts.index.isin(change.index)]
    known = {
        name: column.reindex(kept.index).to_numpy(dtype=np.float64)
        for name, column in (means | counts | {"value": means["after_mean"] if own else change}).items()
    }
    return kept.assign(**known)


def summed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with before + after as their value, of which the sign tells sizes across 0 apart."""
    return rows.assign(value=rows["before_mean"] + rows["after_mean"])


def rate_of(rows: pd.DataFrame) -> float | None:
    """The later run's rate over outputs, as rates are stated; None without any output."""
    outputs = float(rows["after_n"].sum())
    return float((rows["after_mean"] * rows["after_n"]).sum()) / outputs if outputs else None


def rate_change(rows: pd.DataFrame, level: float) -> ClusterEstimate | None:
    """Rate after less rate before, both over outputs, with the spread of templates.

    Args:
        rows: Of `paired`.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The change as a fraction; None where its spread cannot be seen.
    """
    counts = pd.DataFrame(
        {
            "template": rows["template"],
            "after": rows["after_mean"] * rows["after_n"],
            "after_n": rows["after_n"],
            "before": rows["before_mean"] * rows["before_n"],
            "before_n": rows["before_n"],
        }
    )
    sums = counts.groupby("template", observed=True).sum().to_numpy(dtype=np.float64)
    try:
        return _possible(cluster_jackknife(_rise, sums, level=level, bounds=(-1.0, 1.0)))
    except NotMeasuredError:
        own = _rise(sums)
        if not own.size or np.ptp(own) > _ROUNDING:
            return None
    try:
        return cluster_t_interval(np.full(own.size, own[0]), level=level, bounds=(-1.0, 1.0))
    except NotMeasuredError:
        return None


def _possible(found: ClusterEstimate) -> ClusterEstimate:
    """A t interval cut off where no change of a rate can lie."""
    within = replace(found.interval, low=max(-1.0, found.interval.low), high=min(1.0, found.interval.high))
    return replace(found, interval=within)


def _rise(sums: Vector) -> Vector:
    after, before = (np.full(sums.shape[0], np.nan) for _ in range(2))
    np.divide(sums[:, 0], sums[:, 1], out=after, where=sums[:, 1] > 0)
    np.divide(sums[:, 2], sums[:, 3], out=before, where=sums[:, 3] > 0)
    rise: Vector = after - before
    return rise
