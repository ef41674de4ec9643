"""Each group's own rate, through fairlearn's MetricFrame, with clustered intervals around the points."""

import pandas as pd
from fairlearn.metrics import MetricFrame, count, mean_prediction

from audit.errors import NotMeasuredError
from audit.estimates.measures import Measure
from audit.records import GroupRate
from audit.spec import Judgement
from audit.statistics.rates import clustered_rate_interval
from probes.records import Signal

__all__ = ["group_rates"]


def group_rates(frame: pd.DataFrame, measure: Measure, judgement: Judgement) -> list[GroupRate]:
    """Rates of every group of every attribute, by domain and signal.

    The points and counts are fairlearn's `MetricFrame` with the group as sensitive feature and the
    domain as control feature. Its own bootstrap takes rows as independent, so the intervals are ours,
    clustered by template.

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
        points = MetricFrame(
            metrics={"rate": mean_prediction, "n": count},
            y_true=block["value"],
            y_pred=block["value"],
            sensitive_features=block["grp"].astype(str).rename("group"),
            control_features=block["domain"].astype(str).rename("domain"),
        ).by_group
        for (domain, group), point in points.sort_index().iterrows():
            if pd.isna(point["rate"]):
                continue
            mine = block[(block["domain"] == domain) & (block["grp"] == group)]
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
                    rate=float(point["rate"]),
                    ci_low=low,
                    ci_high=high,
                    level=judgement.level,
                    method=method,
                    n_outputs=int(point["n"]),
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
