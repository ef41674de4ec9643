"""Contrasts and rates corrected by people's labels of a random sample of this run's own answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import pandas as pd
from scipy.special import stdtr

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED, Contrast, Corrected, contrasts
from audit.estimates.error_rates import was_read
from audit.estimates.measures import Measure
from audit.estimates.review_labels import ReviewLabels
from audit.records import Correction
from audit.statistics.arguments import Codes, Flags, Vector
from audit.statistics.measurement_error import paired_variance
from audit.statistics.rates import RateEstimate, clustered_wilson
from audit.statistics.sampled_labels import rectified_rows

__all__ = ["ReviewedRate", "contrasts_by_reviews", "rate_by_reviews", "reviewed_changes"]

METHOD = "PPI++ over a labelled sample"
_PARTS = ["probe", "language", "attribute", "signal", "grp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rectified:
    """A frame's rows with their labels, and the rectified values."""

    frame: pd.DataFrame
    labels: Vector
    chance: Vector
    strata: "pd.Series[str]"
    disagrees: Vector
    """|label - reading| of labelled rows, shape (n,)."""
    tuning: float

    @property
    def asked(self) -> Flags:
        """Labelled rows."""
        return ~np.isnan(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedRate:
    """A rate by reviews, with its interval and, if it has a limit, its p against "at most the limit"."""

    point: float
    low: float
    high: float
    method: str
    p_value: float | None
    record: Correction


def contrasts_by_reviews(
    raw: Sequence[Contrast],
    frame: pd.DataFrame,
    measure: Measure,
    reviews: ReviewLabels,
    *,
    made: Callable[[pd.DataFrame, Measure], Iterator[Contrast]] = contrasts,
) -> list[Contrast | str]:
    """Each contrast corrected by the labels; or why it cannot be.

    Rows are rectified (see `audit.statistics.sampled_labels`), so pairing and clusters stay as they are; a
    handful of labels without a disagreement does not prove that there is none, so the variance of each arm's
    disagreements is at least that of (x + 1) / (n + 2) in each stratum of the sample.

    Args:
        raw: The contrasts as read.
        frame: Rows of the measure.
        measure: What the values are.
        reviews: The labels.
        made: What makes the contrasts of a frame: those of groups, or `placebo_contrasts`.
    """
    known = _rectified(frame, measure, reviews, _parts(frame))
    found: list[Contrast | str] = []
    for before, after in zip(raw, made(known.frame, measure), strict=True):
        arms = [_arm(known, before, group) for group in (before.cell.group, before.cell.reference)]
        few = min(known.frame.loc[arm & known.asked, "template"].nunique() for arm in arms)
        if few < MINIMUM_TEMPLATES or not after.strata:
            found.append(
                f"reviews of {few} templates in one of the groups; at least {MINIMUM_TEMPLATES} are needed"
            )
            continue
        spread = [
            paired_variance(part.paired.group_means, part.paired.reference_means, 1, 1)
            for part in before.strata
        ]
        correction = Corrected(
            raw=before,
            source="review",
            method=METHOD,
            labels=reviews.source,
            n_labels=int(sum((arm & known.asked).sum() for arm in arms)),
            added=tuple((_unseen(known, arm), float(few - 1)) for arm in arms),
            spread=sum(spread) / max(len(spread), 1) ** 2,
            most_df=float(few - 1),
            facts=(("tuning", known.tuning),),
        )
        found.append(replace(after, correction=correction))
    return found


def rate_by_reviews(
    rows: pd.DataFrame,
    measure: Measure,
    found: RateEstimate,
    reviews: ReviewLabels,
    *,
    limit: float | None,
) -> ReviewedRate:
    """A rate from the labels of a sample and the readings of all rows.

    Its interval is Wilson's with the variance between templates, as that of a rate that is read: one that is
    as long on both sides misses one rare rate in eight from 12 templates.

    Args:
        rows: Rows with a value.
        measure: What the values are.
        found: The raw rate of the same rows.
        reviews: The labels.
        limit: Largest accepted rate, if one is declared.

    Raises:
        NotMeasuredError: Fewer than 12 templates have a label.
    """
    known = _rectified(rows, measure, reviews, np.zeros(len(rows), dtype=np.int64))
    few = int(known.frame.loc[known.asked, "template"].nunique())
    if few < MINIMUM_TEMPLATES:
        raise NotMeasuredError(f"reviews of {few} templates; at least {MINIMUM_TEMPLATES} are needed")
    values = known.frame["value"]
    point = float(values.mean())
    influence = (values - point).groupby(known.frame["template"], observed=True).sum().to_numpy() / len(
        values
    )
    n = influence.size
    everyone = np.ones(len(values), dtype=np.bool_)
    variance = float(influence @ influence) * n / (n - 1) + _unseen(known, everyone)
    df, level = float(min(n, few) - 1), found.interval.level
    error = sqrt(variance)
    low, high = clustered_wilson(point, error, df=df, level=level)
    return ReviewedRate(
        point=min(max(point, 0.0), 1.0),
        low=low,
        high=high,
        method=f"{METHOD} (Wilson, t, df {df:.0f})",
        p_value=None if limit is None else float(stdtr(df, (limit - point) / error)) if error else 1.0,
        record=Correction(
            source="review",
            method=METHOD,
            labels=reviews.source,
            n_labels=int(known.asked.sum()),
            raw_point=found.point,
            raw_ci_low=found.interval.low,
            raw_ci_high=found.interval.high,
            tuning=known.tuning,
        ),
    )


def _rectified(frame: pd.DataFrame, measure: Measure, reviews: ReviewLabels, parts: Codes) -> _Rectified:
    readings = frame["value"].to_numpy(dtype=np.float64)
    usable = was_read(frame, measure) & ~np.isnan(readings)
    labels, chance, strata = reviews.of(frame, measure)
    labels = np.where(usable, labels, np.nan)
    rows = rectified_rows(labels[usable], readings[usable], chance[usable], parts[usable])
    values = readings.copy()
    # A part without any label stays as read; what needs it is not corrected.
    values[usable] = np.where(np.isnan(rows.rectified), readings[usable], rows.rectified)
    return _Rectified(
        frame=frame.assign(value=values),
        labels=labels,
        chance=chance,
        strata=pd.Series(strata, index=frame.index, dtype=object),
        disagrees=np.abs(np.where(usable, labels - np.nan_to_num(readings), np.nan)),
        tuning=rows.tuning,
    )


def _parts(frame: pd.DataFrame) -> Codes:
    """Code of each row's group within its probe, language, attribute and signal."""
    groups = frame.groupby(_PARTS, observed=True, dropna=False, sort=True)
    return np.asarray(groups.ngroup(), dtype=np.int64)


def _arm(known: _Rectified, contrast: Contrast, group: str) -> Flags:
    """Rows of one group in a contrast."""
    cell, frame = contrast.cell, known.frame
    mine = (frame["probe"] == cell.probe) & (frame["grp"] == group)
    if cell.placebo is None:
        mine &= frame["arm"] == "counterfactual"
        mine &= (frame["attribute"] == cell.attribute) & (frame["signal"] == cell.signal)
    else:
        mine &= (frame["arm"] == "placebo") & (frame["placebo"] == cell.placebo)
    if cell.language != POOLED:
        mine &= frame["language"] == cell.language
    if cell.domain != POOLED:
        mine &= frame["domain"] == cell.domain
    return np.asarray(mine.to_numpy(), dtype=np.bool_)


def _unseen(known: _Rectified, arm: Flags) -> float:
    """Variance of a mean of disagreements by (x + 1) / (n + 2) in each stratum, beyond that by x / n."""
    asked = arm & known.asked
    if not asked.any():
        return 0.0
    weight = 1 / known.chance[asked]
    table = pd.DataFrame(
        {"stratum": known.strata[asked].to_numpy(), "weight": weight, "off": known.disagrees[asked]}
    ).groupby("stratum")
    n = table.size().to_numpy(dtype=np.float64)
    share = table["weight"].sum().to_numpy() / weight.sum()
    seen = table["off"].mean().to_numpy()
    moved = (seen * n + 1) / (n + 2)
    extra = np.maximum(moved * (1 - moved) - seen * (1 - seen), 0) / n
    return float(share**2 @ extra)


def reviewed_changes(
    before: tuple[pd.DataFrame, ReviewLabels],
    after: tuple[pd.DataFrame, ReviewLabels],
    measure: Measure,
    paired: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame],
) -> Iterator[Contrast]:
    """The change of each contrast between two runs of one plan, each corrected by labels of its own answers.

    Args:
        before: Rows of the measure in the earlier run, and its reviews.
        after: The same of the later run.
        measure: What the values are.
        paired: Gives the rows that both runs have, with after - before as value.

    Yields:
        Contrasts of the change; those without enough labels in both runs are left out.
    """
    runs = [_rectified(frame, measure, reviews, _parts(frame)) for frame, reviews in (before, after)]
    labels = f"{before[1].source}; {after[1].source}"
    for change in contrasts(paired(runs[0].frame, runs[1].frame), measure):
        groups = (change.cell.group, change.cell.reference)
        arms = [(run, _arm(run, change, group)) for run in runs for group in groups]
        few = min(run.frame.loc[arm & run.asked, "template"].nunique() for run, arm in arms)
        if few < MINIMUM_TEMPLATES or not change.strata:
            continue
        correction = Corrected(
            raw=change,
            source="review",
            method=METHOD,
            labels=labels,
            n_labels=int(sum((arm & run.asked).sum() for run, arm in arms)),
            added=tuple((_unseen(run, arm), float(few - 1)) for run, arm in arms),
            most_df=float(few - 1),
        )
        yield replace(change, correction=correction)
