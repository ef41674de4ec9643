"""Before and after: the change of every estimate, paired by prompt and clustered by template."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.change_family import Standing, selected_interval, standings
from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED, Contrast, contrasts, interval
from audit.estimates.correction_reviews import reviewed_changes
from audit.estimates.frame import Readings, absent
from audit.estimates.ids import finding_id, question
from audit.estimates.measures import Measure, known_measures
from audit.estimates.moved import SHARED, Moved, few_shared, why_withheld, word_of
from audit.estimates.non_inferiority import levelling, non_inferiority_of, own_changes
from audit.estimates.paired_prompts import paired, rate_change, rate_of, summed
from audit.estimates.review_labels import ReviewLabels
from audit.estimates.stops import Stops
from audit.records import Change, Estimate
from audit.spec import Judgement
from audit.statistics.intervals import ClusterEstimate

__all__ = ["Side", "changes"]

AS_READ = (
    "of the readings, uncorrected: an analyzer's error rates on the answers of one model do not travel to "
    "another's"
)
_ROUNDING = 1e-9
_TOLD = 0.001
"""Rise of the share of unread answers that is told."""
OTHERWISE = (
    "before and after are of all that each run could read, and moved the other way than what both read; "
    "the verdict is of the latter"
)
CORRECTED = "each run corrected by people's labels of its own answers"
_Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two runs: its readings and its estimates."""

    readings: Readings
    estimates: Sequence[Estimate]
    reviews: Sequence[ReviewLabels] = ()
    """People's labels of the run's own answers."""

    def reviews_of(self, measure: Measure) -> ReviewLabels | None:
        """The reviews of a measure's reading, if any."""
        return next((one for one in self.reviews if one.fit(measure)), None)


def changes(before: Side, after: Side, judgement: Judgement, *, stops: Stops | None = None) -> list[Change]:
    """The change of every disparity and rate that both sides state, after minus before.

    A prompt counts when both sides have a value for it; repeats are averaged first. Changes are adjusted as
    the estimates of a run are: those of disparities form one family, in which the contrasts that the run was
    made to decide have their declared share of the rate (weighted Benjamini-Hochberg); those of rates form
    another, all weighing alike (Benjamini-Hochberg).

    Args:
        before: The earlier run (or the baseline).
        after: The later run of the same plan.
        judgement: Thresholds declared in the spec of the later run.
        stops: Probes that a run stopped early: theirs are repeated intervals and p-values, valid at any look.

    Returns:
        Changes in a fixed order.
    """
    moved = [_repeated(one, stops) for one in _moved(before, after, _Levels(judgement, stops))]
    found = []
    for one, standing in zip(moved, standings(moved, judgement), strict=True):
        changed = _change(one, standing, judgement, stops)
        found.append(changed if stops is None else stops.restated(changed, one.after.probe, judgement.level))
    return found


@dataclass(frozen=True, slots=True)
class _Levels:
    """The nominal level of what is stated of a probe."""

    judgement: Judgement
    stops: Stops | None

    def of(self, probe: str) -> float:
        if self.stops is None:
            return self.judgement.level
        return self.stops.judgement(self.judgement, probe).level


def _repeated(one: Moved, stops: Stops | None) -> Moved:
    """The change with its p-value over all looks, so that all changes share one family."""
    if stops is None or one.change is None:
        return one
    p_value = min(1.0, 2 * stops.p_value(one.change.p_value / 2, one.after.probe))
    return replace(one, change=replace(one.change, p_value=p_value))


def _moved(before: Side, after: Side, levels: _Levels) -> Iterator[Moved]:
    # The change is of the readings where there are no labels of both: what corrects one model's answers
    # says nothing of the other's.
    earlier = {question(estimate): _as_read(estimate) for estimate in before.estimates}
    later = {question(estimate): _as_read(estimate) for estimate in after.estimates}
    declared = {one.declared.name: one.declared for one in after.estimates if one.declared is not None}
    for measure in known_measures(declared.values()):
        rows = before.readings.measure(measure), after.readings.measure(measure)
        frame = paired(*rows)
        if frame.empty:
            continue
        shared = _Shared(before, after, measure, levels.stops)
        if measure.compare_groups:
            reviewed = dict(_by_reviews(before, after, measure, levels))
            totals = _totals(frame, measure, levels)
            for contrast in contrasts(frame, measure):
                key = _key_of(contrast)
                if key in reviewed:
                    yield reviewed[key]
                elif key in earlier and key in later:
                    stated = (earlier[key], later[key])
                    sides = shared.disparities(contrast, *stated)
                    yield replace(
                        _disparity(contrast, *sides, levels),
                        total=totals.get(key),
                        shared=_differ(stated, sides),
                    )
        if measure.limit or not measure.compare_groups:
            for key, estimate in later.items():
                if estimate.kind == "rate" and estimate.measure == measure.name and key in earlier:
                    stated = (earlier[key], estimate)
                    sides = shared.rates(*stated)
                    found = _rate(frame, *sides, levels.of(estimate.probe))
                    lost = _unread(rows[1], estimate) - _unread(rows[0], estimate)
                    yield replace(found, lost=max(0.0, lost), shared=_differ(stated, sides))


def _by_reviews(before: Side, after: Side, measure: Measure, levels: _Levels) -> Iterator[tuple[_Key, Moved]]:
    """The changes of which both sides are corrected by labels of their own answers."""
    first, second = before.reviews_of(measure), after.reviews_of(measure)
    if first is None or second is None:
        return
    earlier = {question(estimate): estimate for estimate in before.estimates}
    later = {question(estimate): estimate for estimate in after.estimates}
    pair = (before.readings.measure(measure), first), (after.readings.measure(measure), second)
    for contrast in reviewed_changes(*pair, measure, paired):
        key = _key_of(contrast)
        sides = earlier.get(key), later.get(key)
        if sides[0] is None or sides[1] is None:
            continue
        if all(one.correction is not None and one.correction.source == "review" for one in sides if one):
            moved = _disparity(contrast, sides[0], sides[1], levels)
            yield key, replace(moved, corrected=True)


def _as_read(estimate: Estimate) -> Estimate:
    """The estimate from the readings as they are, so that both sides and their change are of one kind."""
    raw = estimate.correction
    if raw is None:
        return estimate
    return estimate.model_copy(
        update={
            "point": raw.raw_point,
            "ci_low": raw.raw_ci_low,
            "ci_high": raw.raw_ci_high,
            "group_rate": raw.raw_group_rate,
            "reference_rate": raw.raw_reference_rate,
        }
    )


def _totals(frame: pd.DataFrame, measure: Measure, levels: _Levels) -> dict[_Key, ClusterEstimate]:
    """Before plus after of each disparity, by prompt as its change is."""
    found = {}
    for contrast in contrasts(summed(frame), measure):
        try:
            bounds = (-2.0, 2.0) if measure.unit == "rate" else None
            found[_key_of(contrast)] = interval(contrast, level=levels.of(contrast.cell.probe), bounds=bounds)
        except NotMeasuredError:
            continue
    return found


def _disparity(contrast: Contrast, before: Estimate, after: Estimate, levels: _Levels) -> Moved:
    level = levels.of(after.probe)
    moved = Moved(
        before=before,
        after=after,
        change=None,
        n_outputs=contrast.n_outputs,
        sides=own_changes(contrast, level=level),
    )
    if not contrast.strata:
        return moved
    bounds = (-2.0, 2.0) if contrast.cell.measure.unit == "rate" else None
    try:
        return replace(moved, change=interval(contrast, level=level, bounds=bounds))
    except NotMeasuredError as error:
        templates = sum(len(stratum.paired.differences) for stratum in contrast.strata)
        few = templates < MINIMUM_TEMPLATES
        return replace(moved, unstated=few_shared(templates) if few else str(error))


class _Shared:
    """Both sides of a change on the prompts that both runs have a value for, of probes stopped early.

    The estimate of a run that stopped early is as of the look that ended it, and rests on fewer prompts than
    that of a run that went on. What each states stays in its own findings; a change needs one footing.
    """

    def __init__(self, before: Side, after: Side, measure: Measure, stops: Stops | None) -> None:
        self._probes: frozenset[str] = frozenset() if stops is None else stops.probes
        self._frames: tuple[pd.DataFrame, pd.DataFrame] | None = None
        self._contrasts: tuple[dict[_Key, Contrast], dict[_Key, Contrast]] = ({}, {})
        if stops is None:
            return
        earlier, later = before.readings.measure(measure), after.readings.measure(measure)
        # Each side's own means, on the rows of the change.
        self._frames = (paired(later, earlier, own=True), paired(earlier, later, own=True))
        if measure.compare_groups:
            first, second = ({_key_of(one): one for one in contrasts(f, measure)} for f in self._frames)
            self._contrasts = (first, second)

    def disparities(self, contrast: Contrast, before: Estimate, after: Estimate) -> tuple[Estimate, Estimate]:
        if after.probe not in self._probes:
            return before, after
        key = _key_of(contrast)
        first, second = (side.get(key) for side in self._contrasts)
        return _on_shared(before, first), _on_shared(after, second)

    def rates(self, before: Estimate, after: Estimate) -> tuple[Estimate, Estimate]:
        if after.probe not in self._probes or self._frames is None:
            return before, after
        first, second = (rate_of(_rows_of(rows, after)) for rows in self._frames)
        return before.model_copy(update={"point": first}), after.model_copy(update={"point": second})


def _on_shared(stated: Estimate, contrast: Contrast | None) -> Estimate:
    known = contrast is not None and bool(contrast.strata)
    group = contrast.group_mean if contrast is not None and known else None
    reference = contrast.reference_mean if contrast is not None and known else None
    point = None if group is None or reference is None else group - reference
    update = {"point": point, "group_rate": group, "reference_rate": reference}
    return stated.model_copy(update=update)


def _differ(stated: tuple[Estimate, Estimate], shared: tuple[Estimate, Estimate]) -> bool:
    """Whether a side on the shared prompts is not what its run states."""
    points = ((own.point, other.point) for own, other in zip(stated, shared, strict=True))
    return any(
        own is not other and (own is None or other is None or abs(own - other) > _ROUNDING)
        for own, other in points
    )


def _rows_of(frame: pd.DataFrame, after: Estimate) -> pd.DataFrame:
    """The rows that a rate is of."""
    rows = frame[(frame["probe"] == after.probe) & (frame["language"] == after.language)]
    rows = rows[rows["arm"] != "placebo"]
    if after.domain != POOLED:
        rows = rows[rows["domain"] == after.domain]
    if after.technique is not None:
        rows = rows[rows["technique"].fillna("none") == after.technique]
    return rows


def _unread(frame: pd.DataFrame, stated: Estimate) -> float:
    """Share of the answers that a rate is of which could not be read; 0 where there are none."""
    rows = _rows_of(frame, stated)
    answers = int(rows["value"].notna().sum()) + (missing := int(absent(rows).sum()))
    return missing / answers if answers else 0.0


def _rate(frame: pd.DataFrame, before: Estimate, after: Estimate, level: float) -> Moved:
    rows = _rows_of(frame, after)
    found = rate_change(rows, level)
    return Moved(before=before, after=after, change=found, n_outputs=len(rows))


def _cautions(one: Moved, word: str) -> Iterator[str]:
    """What a reader of a stated change must know besides."""
    if word == "smaller" and one.sides is not None:
        yield from levelling(one.before, one.after, one.sides)
    if one.lost >= _TOLD:
        more = f"{100 * one.lost:.1f} points more of the answers could not be read than before"
        yield f"{more}; in the bound of what must not get worse they count as lost"
    if one.shared:
        yield SHARED
    elif _otherwise(one):
        yield OTHERWISE
    if one.corrected:
        yield CORRECTED
    elif one.before.correction is not None or one.after.correction is not None:
        yield AS_READ


def _otherwise(one: Moved) -> bool:
    """Whether the change of the prompts that both runs answered contradicts the figures beside it."""
    if one.change is None or one.before.point is None or one.after.point is None:
        return False
    return one.change.point * (one.after.point - one.before.point) < 0


def _change(one: Moved, standing: Standing, judgement: Judgement, stops: Stops | None) -> Change:
    before, after = one.before, one.after
    found = one.change if why_withheld(one) is None else None
    word, reasons = word_of(one, standing.p_adjusted, judgement)
    picked = selected_interval(found, standing, after, stops)
    if word != "not_measured":
        reasons = (*reasons, *_cautions(one, word))
    return Change(
        finding=finding_id(after),
        measure=after.measure,
        kind=after.kind,
        probe=after.probe,
        language=after.language,
        attribute=after.attribute,
        group=after.group,
        reference_group=after.reference_group,
        signal=after.signal,
        domain=after.domain,
        technique=after.technique,
        before=before.point,
        after=after.point,
        change=None if found is None else found.point,
        ci_low=None if found is None else found.interval.low,
        ci_high=None if found is None else found.interval.high,
        level=judgement.level,
        method="none" if found is None else f"paired by prompt, {found.interval.method}",
        n_outputs=one.n_outputs,
        n_clusters=0 if one.change is None else one.change.n_clusters,
        p_value=None if found is None else found.p_value,
        p_adjusted=standing.p_adjusted,
        selected_ci_low=None if picked is None else picked.low,
        selected_ci_high=None if picked is None else picked.high,
        before_group_rate=before.group_rate,
        after_group_rate=after.group_rate,
        before_reference_rate=before.reference_rate,
        after_reference_rate=after.reference_rate,
        before_verdict=before.verdict,
        after_verdict=after.verdict,
        verdict=word,
        reasons=reasons,
        non_inferiority=None
        if word == "not_measured"
        else non_inferiority_of(
            after,
            found,
            judgement if stops is None else stops.judgement(judgement, after.probe),
            lost=one.lost,
        ),
        group_change=None if one.sides is None or found is None else one.sides[0],
        reference_change=None if one.sides is None or found is None else one.sides[1],
        declared=after.declared,
    )


def _key_of(contrast: Contrast) -> _Key:
    cell = contrast.cell
    return (
        "disparity",
        cell.measure.name,
        cell.probe,
        cell.domain,
        cell.language,
        cell.attribute,
        cell.group,
        cell.reference,
        cell.signal,
        None,
    )
