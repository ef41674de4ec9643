"""True and false positive rates by group, where a rule blind to identity says what is right.

The label is the rule's answer (`Expectation.answer`), such as that of the merit ladder or of a user's own
table: a convention, not the truth about anybody.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate

from audit.errors import NotMeasuredError
from audit.estimates.frame import tag_values
from audit.estimates.measures import Measure, measure_named
from audit.estimates.outcome_records import LabelRate, LabelRow, LabelTable
from audit.statistics.arguments import Codes
from audit.statistics.rates import clustered_rate_interval
from probes.records import Signal

__all__ = ["label_tables", "with_controls"]

_KEYS = ["probe", "language", "attribute", "signal"]


def label_tables(
    frame_of: Callable[[Measure], pd.DataFrame], *, controls: Sequence[str], level: float
) -> list[LabelTable]:
    """Selection rate, TPR and FPR of every group within every combination of control features.

    The points are fairlearn's `MetricFrame` with the group as sensitive feature and the domain (and the
    tags named) as control features. Its own bootstrap takes rows as independent, so the intervals are
    ours, clustered by template.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        controls: Tags of the prompts to control for besides the domain, such as `merit`.
        level: Nominal coverage of every interval, a fraction in (0, 1).

    Returns:
        One table an attribute and signal, in a fixed order; none without labels.

    Source:
        Hardt, Price & Srebro (2016), NeurIPS 29 (equalised odds).
    """
    frame = frame_of(measure_named("favourable_rate"))
    rows = frame[(frame["arm"] == "counterfactual") & frame["value"].notna()]
    found: list[LabelTable] = []
    for (probe, language, attribute, signal), block in rows.groupby(_KEYS, observed=True, sort=True):
        labelled = block[block["qualified"].notna()]
        if labelled.empty:
            continue
        marked = with_controls(labelled, controls)
        stated = tuple(_rows(marked, ["domain", *controls], level))
        found.append(
            LabelTable(
                probe=str(probe),
                language=str(language),
                attribute=str(attribute),
                signal=Signal(str(signal)),
                reference=str(block["reference"].iloc[0]),
                level=level,
                rows=stated,
                equalized_odds_difference=_odds(stated),
                unlabelled=len(block) - len(labelled),
            )
        )
    return found


def with_controls(rows: pd.DataFrame, controls: Sequence[str]) -> pd.DataFrame:
    """The rows with a column for each tag that is controlled for; a prompt without it has `not stated`."""
    columns = {name: tag_values(rows["tags"], name).fillna("not stated").astype(str) for name in controls}
    return rows.assign(domain=rows["domain"].astype(str), **columns)


def _rows(rows: pd.DataFrame, controls: list[str], level: float) -> Iterator[LabelRow]:
    label: Codes = rows["qualified"].to_numpy(dtype=np.int64)
    chosen: Codes = rows["value"].to_numpy(dtype=np.int64)
    points = MetricFrame(
        metrics={"selection_rate": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate},
        y_true=label,
        y_pred=chosen,
        sensitive_features=rows["grp"].astype(str).rename("group").reset_index(drop=True),
        control_features=rows[controls].reset_index(drop=True),
    ).by_group
    cells = rows.assign(grp=rows["grp"].astype(str)).groupby([*controls, "grp"], observed=True).indices
    template = np.asarray(rows["template"].astype("category").cat.codes, dtype=np.int64)
    for place, point in points.sort_index().iterrows():
        members = cells.get(place)
        if members is None:
            continue
        at, right, got = template[members], label[members] == 1, chosen[members]
        yield LabelRow(
            group=str(place[-1]),
            controls=dict(zip(controls, (str(value) for value in place[:-1]), strict=True)),
            selection_rate=_rate(point["selection_rate"], got, at, level),
            tpr=_rate(point["tpr"], got[right], at[right], level),
            fpr=_rate(point["fpr"], got[~right], at[~right], level),
        )


def _rate(
    point: float,
    chosen: Codes,
    template: Codes,
    level: float,
) -> LabelRate:
    """Point of fairlearn with our interval; fairlearn says 0 where nobody is in the denominator."""
    trials = np.bincount(template)
    hits = np.bincount(template, weights=chosen, minlength=trials.size)
    low: float | None = None
    high: float | None = None
    try:
        found = clustered_rate_interval(hits, trials, level=level)
        low, high = found.interval.low, found.interval.high
    except NotMeasuredError:
        pass
    return LabelRate(
        rate=float(point) if chosen.size else None,
        ci_low=low,
        ci_high=high,
        n=int(chosen.size),
        n_clusters=int((trials > 0).sum()),
    )


def _odds(rows: Sequence[LabelRow]) -> dict[str, float | None]:
    """Widest gap of TPR and FPR between groups, by control value; None where a group lacks one of the two."""
    found: dict[str, float | None] = {}
    for key in dict.fromkeys(_control_key(row) for row in rows):
        mine = [row for row in rows if _control_key(row) == key]
        gaps: list[float] = []
        for rates in ([row.tpr.rate for row in mine], [row.fpr.rate for row in mine]):
            known = [rate for rate in rates if rate is not None]
            if len(known) == len(rates):
                gaps.append(max(known) - min(known))
        found[key] = max(gaps) if len(gaps) == 2 else None  # noqa: PLR2004 - both rates
    return found


def _control_key(row: LabelRow) -> str:
    return ", ".join(row.controls.values())
