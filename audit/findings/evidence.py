"""Evidence: the exchanges that show a finding."""

from collections.abc import Callable

import pandas as pd

from audit.estimates.contrasts import POOLED
from audit.estimates.measures import Measure, measure_named, measure_of
from audit.records import Estimate, Evidence

__all__ = ["evidence"]

SHOWN = 5
"""Counterfactual pairs kept for a disparity, and outputs kept for a rate."""


def evidence(estimate: Estimate, frame_of: Callable[[Measure], pd.DataFrame]) -> tuple[Evidence, ...]:
    """The exchanges that show an estimate most plainly, in the direction it has.

    Args:
        estimate: The estimate behind the finding.
        frame_of: Gives the rows of a measure.

    Returns:
        For a disparity whole pairs, group first; for a rate outputs that show the behaviour.
    """
    if estimate.kind == "distance":
        return _examples(frame_of(measure_named("incomplete_rate")), estimate)
    measure = measure_of(estimate)
    if measure is None or estimate.kind not in {"disparity", "rate"}:
        return ()
    frame = frame_of(measure)
    rows = frame[(frame["probe"] == estimate.probe) & frame["value"].notna()]
    if estimate.language != POOLED:
        rows = rows[rows["language"] == estimate.language]
    if estimate.domain != POOLED:
        rows = rows[rows["domain"] == estimate.domain]
    return _pairs(rows, estimate) if estimate.kind == "disparity" else _replies(rows, estimate)


def _examples(frame: pd.DataFrame, estimate: Estimate) -> tuple[Evidence, ...]:
    """Pairs that a distance rests on, in the order of the plan: it is a mean, and no pair shows it alone."""
    mine = frame[
        (frame["probe"] == estimate.probe)
        & (frame["language"] == estimate.language)
        & (frame["arm"] == "counterfactual")
        & (frame["attribute"] == estimate.attribute)
        & (frame["signal"] == estimate.signal)
        & (frame["outcome"] == "answered")
    ]
    if estimate.domain != POOLED:
        mine = mine[mine["domain"] == estimate.domain]
    found: list[Evidence] = []
    for _, members in mine.groupby("set_id", observed=True, sort=False):
        own = [members[members["grp"] == name] for name in (estimate.group, estimate.reference_group)]
        if all(len(one) for one in own) and len(found) < 2 * SHOWN:
            found.extend(
                _record(row).model_copy(update={"value": None})
                for one in own
                for row in one.sort_values("repeat", kind="stable").head(1).itertuples()
            )
    return tuple(found)


def _pairs(rows: pd.DataFrame, estimate: Estimate) -> tuple[Evidence, ...]:
    """Members of the sets that show the difference most, in the direction of the estimate."""
    sign = 1 if (estimate.point or 0) > 0 else -1
    mine = rows[
        (rows["arm"] == "counterfactual")
        & (rows["attribute"] == estimate.attribute)
        & (rows["signal"] == estimate.signal)
        & rows["grp"].isin([estimate.group, estimate.reference_group])
    ]
    means = (
        mine.groupby(["set_id", "grp"], observed=True)["value"]
        .mean()
        .reset_index()
        .pivot_table(index="set_id", columns="grp", values="value", observed=True)
        .dropna()
    )
    if means.empty:
        return ()
    gaps = sign * (means[estimate.group] - means[estimate.reference_group])
    shown = gaps[gaps > 0].sort_index().sort_values(ascending=False, kind="stable").index[:SHOWN]
    found: list[Evidence] = []
    for set_id in shown:
        members = mine[mine["set_id"] == set_id].sort_values("repeat", kind="stable")
        # Of several repeats the one that shows the difference: any other would show none, or its opposite.
        for group, falling in ((estimate.group, sign > 0), (estimate.reference_group, sign < 0)):
            own = members[members["grp"] == group].sort_values("value", ascending=not falling, kind="stable")
            found.extend(_record(row) for row in own.head(1).itertuples())
    return tuple(found)


def _replies(rows: pd.DataFrame, estimate: Estimate) -> tuple[Evidence, ...]:
    # Placebo prompts take no part in the rate, so they are no evidence of it.
    mine = rows[(rows["value"] == 1.0) & (rows["arm"] != "placebo")]
    if estimate.technique is not None:
        mine = mine[mine["technique"].fillna("none") == estimate.technique]
    # In the order of the plan, which no server's pace changes, and of as many templates as there are.
    again = mine["template"].duplicated()
    shown = pd.concat([mine[~again], mine[again]]).head(SHOWN)
    return tuple(_record(row) for row in shown.itertuples())


def _record(row: object) -> Evidence:
    group, set_id = getattr(row, "grp", None), getattr(row, "set_id", None)
    return Evidence(
        prompt_id=str(getattr(row, "prompt_id", "")),
        output=int(getattr(row, "output", 0)),
        group=group if isinstance(group, str) else None,
        set_id=set_id if isinstance(set_id, str) else None,
        value=float(getattr(row, "value", 0.0)),
    )
