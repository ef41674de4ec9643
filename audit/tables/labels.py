"""Rates that need labels: true and false positives by group, and equalised odds."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_negative_rate,
    true_positive_rate,
)

from audit.tables.bases import Basis
from audit.tables.document import EqualizedOdds, LabelRate, MetricFramePoints
from audit.tables.measuring import Measured, measure
from audit.tables.reading import ABSENT, NO, YES, Cells

__all__ = [
    "CONTRASTED",
    "LABEL_MEASURES",
    "equalized_odds",
    "label_rates",
    "measure_labels",
    "metric_frame_points",
]

LABEL_MEASURES = ("tpr", "fpr", "fnr", "tnr", "precision", "accuracy")
"""True positive rate, false positive rate, false negative rate, true negative rate, precision, accuracy."""

CONTRASTED = ("tpr", "fpr")
"""Equalised odds: equal true positive rates and equal false positive rates."""

Flags = npt.NDArray[np.bool_]


def label_rates(basis: Basis, measured: Mapping[str, Sequence[Measured]]) -> dict[str, dict[str, LabelRate]]:
    """Each measure's rate by group, with intervals; rows of unknown category if there are any.

    Args:
        basis: The table.
        measured: What `measure_labels` gave for it.
    """
    names = [*basis.labels, *([basis.unknown_label] if basis.unknown_rows else [])]
    return {
        name: {label: _stated(one) for label, one in zip(names, groups, strict=False)}
        for name, groups in measured.items()
    }


def _stated(one: Measured) -> LabelRate:
    return LabelRate(
        rate=one.counts.rate,
        ci_low=None if one.interval is None else one.interval.low,
        ci_high=None if one.interval is None else one.interval.high,
        n=one.counts.trials,
        hits=one.counts.hits,
    )


def measure_labels(cells: Cells, basis: Basis, *, margin: float) -> dict[str, list[Measured]]:
    """State every measure of labels.

    A decision is positive if it is favourable, and a label if its value is. Rows without a decision
    or without a label are in no measure.

    Args:
        cells: The counted file.
        basis: The table.
        margin: Smallest difference that matters.

    Returns:
        By measure, one entry a group of the table; those of unknown category last.
    """
    right, chosen = cells.label == YES, cells.outcome == YES
    wrong, rejected = cells.label == NO, cells.outcome == NO
    known = (cells.label != ABSENT) & (cells.outcome != ABSENT)
    denominators: dict[str, tuple[Flags, Flags]] = {
        "tpr": (right & known, chosen),
        "fpr": (wrong & known, chosen),
        "fnr": (right & known, rejected),
        "tnr": (wrong & known, rejected),
        "precision": (chosen & known, right),
        "accuracy": (known, right == chosen),
    }
    return {
        name: measure(basis.count(cells, trials=trials, hits=hits), basis, margin=margin)
        for name, (trials, hits) in denominators.items()
    }


def metric_frame_points(cells: Cells, basis: Basis) -> tuple[MetricFramePoints, EqualizedOdds] | None:
    """Points of fairlearn's `MetricFrame` over the groups that are not excluded, from weighted counts.

    Args:
        cells: The counted file.
        basis: The table.

    Returns:
        Its points, and the equalised odds; None if no row of these groups has a decision and a label.
        A group without a single positive (negative) label has no true (false) positive rate, and the
        table then no equalised odds: fairlearn alone would say 0.
    """
    kept = np.array([*basis.included, False])[basis.groups] & (cells.label != ABSENT)
    kept &= cells.outcome != ABSENT
    if not kept.any():
        return None
    # Clusters and scores multiply the cells; fairlearn takes every one of them for a row.
    sizes = (len(basis.labels), ABSENT, ABSENT)
    keys = np.ravel_multi_index((basis.groups[kept], cells.label[kept], cells.outcome[kept]), sizes)
    summed = np.bincount(keys, weights=cells.counts[kept])
    present = np.flatnonzero(summed)
    groups, labels, outcomes = np.unravel_index(present, sizes)
    named = np.array(basis.labels, dtype=object)[groups]
    functions = {
        "selection_rate": selection_rate,
        "tpr": true_positive_rate,
        "fpr": false_positive_rate,
        "fnr": false_negative_rate,
        "tnr": true_negative_rate,
    }
    frame = MetricFrame(
        metrics=functions,
        y_true=labels,
        y_pred=outcomes,
        # As an array, a single cell would be taken for a number.
        sensitive_features=pd.Series(named, name="group"),
        sample_params={name: {"sample_weight": summed[present]} for name in functions},
    )
    by_group: dict[str, dict[str, float | None]] = {}
    for group, row in frame.by_group.sort_index().iterrows():
        mine = labels[named == group]
        empty = {"tpr": YES, "fnr": YES, "fpr": NO, "tnr": NO}
        by_group[str(group)] = {
            name: float(row[name]) if name not in empty or (mine == empty[name]).any() else None
            for name in functions
        }
    overall = {name: float(frame.overall[name]) for name in functions}
    points = MetricFramePoints(overall=overall, by_group=by_group)
    return points, equalized_odds(list(by_group.values()))


def equalized_odds(points: Sequence[Mapping[str, float | None]]) -> EqualizedOdds:
    """The widest gap, and the least ratio, of true and false positive rates between any two groups.

    The largest of several gaps is above 0 by chance alone, so no interval is stated for it and no
    verdict rests on it: read the contrasts with the reference.

    Args:
        points: `tpr` and `fpr` of every group; None where there is none.

    Returns:
        max over both rates of (max - min), and min over both of (min / max); None where a group has no
        rate or, for the ratio, where every group's rate is 0.

    Source:
        Hardt, Price & Srebro (2016), NeurIPS 29 (equalised odds), aggregated as fairlearn does.
    """
    gaps: list[float] = []
    ratios: list[float] = []
    for name in CONTRASTED:
        values = [value for one in points if (value := one[name]) is not None]
        if len(values) < len(points) or not values:
            return EqualizedOdds(difference=None, ratio=None)
        gaps.append(max(values) - min(values))
        if max(values) > 0:
            ratios.append(min(values) / max(values))
    return EqualizedOdds(difference=max(gaps), ratio=min(ratios) if len(ratios) == len(CONTRASTED) else None)
