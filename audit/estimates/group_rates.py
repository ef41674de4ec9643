"""Each group's own rate, the points of fairlearn's MetricFrame, with clustered intervals around them."""

import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.measures import Measure
from audit.records import GroupRate
from audit.spec import Judgement
from audit.statistics.rates import clustered_rate_interval
from probes.records import Signal

__all__ = ["group_rates"]


def group_rates(frame: pd.DataFrame, measure: Measure, judgement: Judgement) -> list[GroupRate]:
    """Rates of every group of every attribute, by domain and signal.

    The points and counts are those of fairlearn's `MetricFrame` with the group as sensitive feature and the
    domain as control feature; making one for each took more than a third of the time of `findings`. Its own
    bootstrap takes rows as independent, so the intervals are ours, clustered by template.

    Args:
        frame: Rows of the measure (see `audit.estimates.frame.Readings`), a rate in [0, 1].
        measure: What the values are.
        judgement: Thresholds declared in the spec; the level is used.

    Returns:
        Rates in a fixed order; a group without a value has none.
    """
    rows = frame[(frame["arm"] == "counterfactual") & frame["value"].notna()]
    found: list[GroupRate] = []
    keys = ["probe", "language", "attribute", "signal"]
    for (probe, language, attribute, signal), block in rows.groupby(keys, observed=True, sort=True):
        named = block.assign(domain=block["domain"].astype(str), grp=block["grp"].astype(str))
        for (domain, group), mine in named.groupby(["domain", "grp"], sort=True):
            low, high, method = _interval(mine, judgement.level)
            found.append(
                GroupRate(
                    measure=measure.name,
                    probe=str(probe),
                    domain=str(domain),
                    language=str(language),
                    attribute=str(attribute),
                    signal=Signal(str(signal)),
                    group=str(group),
                    rate=float(mine["value"].mean()),
                    ci_low=low,
                    ci_high=high,
                    level=judgement.level,
                    method=method,
                    n_outputs=len(mine),
                    n_clusters=int(mine["template"].nunique()),
                )
            )
    return found


def _interval(rows: pd.DataFrame, level: float) -> tuple[float | None, float | None, str]:
    by_template = rows.groupby("template", observed=True)["value"].agg(["sum", "count"])
    try:
        found = clustered_rate_interval(by_template["sum"], by_template["count"], level=level)
    except NotMeasuredError:
        return None, None, "not measured: fewer than 2 templates"
    return found.interval.low, found.interval.high, found.interval.method
