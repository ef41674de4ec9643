"""True and false positive rates by group, where a rule blind to identity says what is right.

The label is the rule's answer (`Expectation.answer`), such as that of the merit ladder or of a user's own
table: a convention, not the truth about anybody.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

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
    rows = frame[frame["arm"] == "counterfactual"]
    found: list[LabelTable] = []
    for (probe, language, attribute, signal), block in rows.groupby(_KEYS, observed=True, sort=True):
        labelled = block[block["qualified"].notna()]
        if not labelled["value"].notna().any():
            continue
        stated = tuple(_rows(with_controls(labelled, controls), ["domain", *controls], level))
        differences, reasons = _odds(stated)
        found.append(
            LabelTable(
                probe=str(probe),
                language=str(language),
                attribute=str(attribute),
                signal=Signal(str(signal)),
                reference=str(block["reference"].iloc[0]),
                level=level,
                rows=stated,
                equalized_odds_difference=differences,
                not_measured=reasons,
                unlabelled=int((block["qualified"].isna() & block["value"].notna()).sum()),
            )
        )
    return found


def with_controls(rows: pd.DataFrame, controls: Sequence[str]) -> pd.DataFrame:
    """The rows with a column for each tag that is controlled for; a prompt without it has `not stated`."""
    columns = {name: tag_values(rows["tags"], name).fillna("not stated").astype(str) for name in controls}
    return rows.assign(domain=rows["domain"].astype(str), **columns)


def _rows(asked: pd.DataFrame, controls: list[str], level: float) -> Iterator[LabelRow]:
    """A row for every group and combination that was asked about, also where nothing could be read."""
    # It brings scikit-learn, half a second of import that commands which estimate nothing do without.
    from fairlearn.metrics import (  # noqa: PLC0415 - see above
        MetricFrame,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )

    asked = asked.assign(grp=asked["grp"].astype(str))
    rows = asked[asked["value"].notna()]
    label: Codes = rows["qualified"].to_numpy(dtype=np.int64)
    chosen: Codes = rows["value"].to_numpy(dtype=np.int64)
    points = MetricFrame(
        metrics={"selection_rate": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate},
        y_true=label,
        y_pred=chosen,
        sensitive_features=rows["grp"].rename("group").reset_index(drop=True),
        control_features=rows[controls].reset_index(drop=True),
    ).by_group
    keys = [*controls, "grp"]
    cells = rows.groupby(keys, observed=True).indices
    template = np.asarray(rows["template"].astype("category").cat.codes, dtype=np.int64)
    nobody = np.empty(0, dtype=np.int64)
    for place, those in asked.groupby(keys, observed=True, sort=True):
        members = np.asarray(cells.get(place, nobody), dtype=np.int64)
        point = points.loc[place] if members.size else dict.fromkeys(("selection_rate", "tpr", "fpr"), 0.0)
        at, right, got = template[members], label[members] == 1, chosen[members]
        yield LabelRow(
            group=str(place[-1]),
            controls=dict(zip(controls, (str(value) for value in place[:-1]), strict=True)),
            selection_rate=_rate(point["selection_rate"], got, at, level),
            tpr=_rate(point["tpr"], got[right], at[right], level),
            fpr=_rate(point["fpr"], got[~right], at[~right], level),
            missing=len(those) - int(members.size),
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


def _odds(rows: Sequence[LabelRow]) -> tuple[dict[str, float | None], dict[str, str]]:
    """Widest gap of TPR and FPR between groups, by control value, and why there is none where it is None."""
    found: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for key in dict.fromkeys(_control_key(row) for row in rows):
        mine = [row for row in rows if _control_key(row) == key]
        reason = next((said for row in mine if (said := _lacks(row)) is not None), None)
        if reason is not None:
            found[key], reasons[key] = None, reason
            continue
        rates = [[row.tpr.rate for row in mine], [row.fpr.rate for row in mine]]
        known = [[rate for rate in some if rate is not None] for some in rates]
        found[key] = max(max(some) - min(some) for some in known)
    return found, reasons


def _lacks(row: LabelRow) -> str | None:
    """Why a group has not both rates; None if it has."""
    if row.selection_rate.n == 0:
        return f"no decision about {row.group} could be read ({row.missing} asked for)"
    for rate, right in ((row.tpr, "for"), (row.fpr, "against")):
        if rate.rate is None:
            return f"no decision about {row.group} was read where the rule decides {right} them"
    return None


def _control_key(row: LabelRow) -> str:
    return ", ".join(row.controls.values())
