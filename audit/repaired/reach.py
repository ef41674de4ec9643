"""How far a repair reaches: its change on templates, identities and attributes that files held or not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import POOLED, Contrast, contrasts, interval
from audit.estimates.frame import Readings
from audit.estimates.measures import Measure, known_measures
from audit.estimates.paired_prompts import paired
from probes.records import Record

__all__ = ["ReachCell", "reach"]

Touched = Literal["seen", "unseen", "mixed"]
_Key = tuple[str | None, ...]


class ReachCell(Record):
    """The change of one contrast on the prompts of one cell: templates and identities, seen or unseen."""

    measure: str
    attribute: str | None
    group: str
    reference_group: str
    signal: str | None
    domain: str
    template: Touched
    """Whether the files hold examples of these templates."""
    identity: Touched
    """Whether they hold all (`seen`), some (`mixed`) or none (`unseen`) of a set's names; of its groups where
    no name is given."""
    trained: bool
    """Whether any example is about the attribute."""
    before: float | None
    after: float | None
    change: float | None
    ci_low: float | None
    """Of this change alone: the changes of cells are not adjusted for their number."""
    ci_high: float | None
    level: float
    n_prompts: int
    n_clusters: int


def reach(
    before: Readings, after: Readings, seen: Mapping[str, Sequence[str]], *, level: float
) -> tuple[ReachCell, ...]:
    """The changes of disparities, by what the files touched.

    Args:
        before: Readings of the earlier run.
        after: Readings of the later one, of the same plan.
        seen: What the examples touch: values by key (`template`, `name`, `group`, `attribute`).
        level: Nominal coverage of each interval, a fraction in (0, 1).

    Returns:
        Over all domains where several were asked about; cells without prompts are left out.
    """
    found: list[ReachCell] = []
    for measure in known_measures(()):
        if not measure.compare_groups:
            continue
        first, second = before.measure(measure), after.measure(measure)
        frame = paired(first, second)
        frame = frame[frame["arm"] == "counterfactual"] if "arm" in frame else frame
        if frame.empty:
            continue
        places = _places(frame, seen)
        own = paired(second, first, own=True), paired(first, second, own=True)
        for place in sorted(set(places)):
            prompts = frame["prompt_id"][(places == place).to_numpy()]
            parts = [rows[rows["prompt_id"].isin(prompts)] for rows in (frame, *own)]
            found += _cells(parts, measure, place, seen, level)
    return tuple(found)


def _places(frame: pd.DataFrame, seen: Mapping[str, Sequence[str]]) -> "pd.Series[str]":
    """The cell of each row, of whole sets: a set whose names are only partly seen is mixed."""
    named = frame["name"].notna()
    known = frame["name"].isin(seen.get("name", ())).where(named, frame["grp"].isin(seen.get("group", ())))
    by_set = known.astype(float).groupby(frame["set_id"].astype(str)).transform("mean")
    identity = pd.Series("mixed", index=frame.index)
    identity = identity.mask(by_set == 1.0, "seen").mask(by_set == 0.0, "unseen")
    template = frame["template"].isin(seen.get("template", ())).map({True: "seen", False: "unseen"})
    return template.astype(str) + "/" + identity


def _cells(
    parts: Sequence[pd.DataFrame],
    measure: Measure,
    place: str,
    seen: Mapping[str, Sequence[str]],
    level: float,
) -> Iterator[ReachCell]:
    moved, earlier, later = ({_key(one): one for one in contrasts(rows, measure)} for rows in parts)
    over_all = {key[1:] for key in moved if key[0] == POOLED}
    bounds = (-2.0, 2.0) if measure.unit == "rate" else None
    template, identity = place.split("/")
    for key, contrast in moved.items():
        if key[0] != POOLED and key[1:] in over_all:
            continue
        try:
            change = interval(contrast, level=level, bounds=bounds) if contrast.strata else None
        except NotMeasuredError:
            change = None
        cell = contrast.cell
        yield ReachCell.model_validate(
            {
                "measure": measure.name,
                "attribute": cell.attribute,
                "group": cell.group,
                "reference_group": cell.reference,
                "signal": cell.signal,
                "domain": cell.domain,
                "template": template,
                "identity": identity,
                "trained": cell.attribute in seen.get("attribute", ()),
                "before": _point(earlier.get(key)),
                "after": _point(later.get(key)),
                "change": None if change is None else change.point,
                "ci_low": None if change is None else change.interval.low,
                "ci_high": None if change is None else change.interval.high,
                "level": level,
                "n_prompts": contrast.n_group + contrast.n_reference,
                "n_clusters": 0 if change is None else change.n_clusters,
            }
        )


def _point(contrast: Contrast | None) -> float | None:
    return contrast.group_mean - contrast.reference_mean if contrast is not None and contrast.strata else None


def _key(contrast: Contrast) -> _Key:
    cell = contrast.cell
    return cell.domain, cell.probe, cell.language, cell.attribute, cell.group, cell.reference, cell.signal
