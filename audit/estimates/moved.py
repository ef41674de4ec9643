"""What became of a quantity between two runs, and the word for it; or the one reason why none is said."""

from dataclasses import dataclass
from typing import Literal

from audit.estimates.contrasts import MINIMUM_TEMPLATES
from audit.records import Estimate, GroupChange, Verdict
from audit.spec import Judgement
from audit.statistics.intervals import ClusterEstimate

__all__ = ["SHARED", "Moved", "Word", "few_shared", "why_withheld", "word_of"]

SHARED = (
    "a run stopped early: before, after and change are of the prompts that both runs asked, not of all that "
    "either states in its own findings"
)
_OPEN = "the change is told apart from 0, but not whether the disparity became smaller or turned round"
Word = Literal["smaller", "larger", "reversed", "no_material_change", "inconclusive", "not_measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A quantity in both runs, and its paired change."""

    before: Estimate
    after: Estimate
    change: ClusterEstimate | None
    n_outputs: int
    corrected: bool = False
    """True if both sides and the change are corrected by labels of their own answers."""
    total: ClusterEstimate | None = None
    """Of a disparity: before plus after, which tells sizes on opposite sides of 0 apart."""
    sides: tuple[GroupChange, GroupChange] | None = None
    """Of a disparity of rates: the group's own change, and the reference group's."""
    lost: float = 0.0
    """Of a rate: by how much the share of answers that could not be read rose; 0 where it did not."""
    shared: bool = False
    """True if a side is of the prompts that both runs asked, and differs from what its run states."""
    unstated: str = "no template was answered in both runs with all that it compares"
    """Why there is no change, where both runs measured their side and there is none."""


def word_of(one: Moved, p_adjusted: float | None, judgement: Judgement) -> tuple[Word, tuple[str, ...]]:
    """The word for a change, with the reason where it is not decided.

    Args:
        one: The quantity in both runs.
        p_adjusted: Of the change, in its family.
        judgement: Thresholds of the later run.
    """
    found = one.change
    withheld = why_withheld(one)
    if withheld is not None or found is None or p_adjusted is None:
        return "not_measured", (withheld or one.unstated,)
    low, high = found.interval.low, found.interval.high
    apart = low > 0 or high < 0
    if apart and p_adjusted <= judgement.false_discovery_rate:
        return _direction(one, found)
    margin = one.after.margin if one.after.kind == "disparity" else judgement.smallest_disparity_of_concern
    if margin is not None and -margin < low and high < margin:
        return "no_material_change", ()
    return "inconclusive", (
        "the interval of this change alone excludes 0, but adjusted for all changes compared it is not told "
        "apart from 0, nor shown to be below the margin"
        if apart
        else "the change is not told apart from 0, nor shown to be below the margin",
    )


def why_withheld(one: Moved) -> str | None:
    """Why no change is stated, nor tested with the others; None: it is."""
    unfit = _unfit(one)
    if unfit is not None:
        return unfit
    if one.change is None or None in {one.before.point, one.after.point}:
        return one.unstated
    return few_shared(one.change.n_clusters) if one.change.n_clusters < MINIMUM_TEMPLATES else None


def few_shared(templates: int) -> str:
    """That too few templates were answered in both runs."""
    said = f"{templates} template{'' if templates == 1 else 's'} that both runs answered"
    return f"{said}; at least {MINIMUM_TEMPLATES} are needed to state a change"


def _unfit(one: Moved) -> str | None:
    """What a run says that did not measure its side; what one that did says of its verdict is no reason."""
    sides = {"the run before": one.before, "the run after": one.after}
    said = {
        name: next(iter(side.reasons), "too little data")
        for name, side in sides.items()
        if side.verdict is Verdict.NOT_MEASURED
    }
    if len(said) == len(sides) and len(set(said.values())) == 1:
        return f"neither run measured it: {next(iter(said.values()))}"
    return ", and ".join(f"{name}: {reason}" for name, reason in said.items()) or None


def _direction(one: Moved, change: ClusterEstimate) -> tuple[Word, tuple[str, ...]]:
    """Which way it went, by the change itself; of a disparity only what is shown is said.

    Before and after are of all that each run could read and may go the other way than the prompts that both
    answered. A size |after| lies below or above |before| where after - before and after + before both have a
    sign: their product is after² - before². Points of equal sign show no more, as the true ones may differ.
    """
    grew = change.point
    if one.after.kind == "disparity":
        before, after = one.before.point or 0.0, one.after.point or 0.0
        bounds = None if one.total is None else one.total.interval
        apart = before * after < 0
        if apart if bounds is None else bounds.low <= 0 <= bounds.high:
            turned = apart and _excludes_zero(one.before) and _excludes_zero(one.after)
            return ("reversed", ()) if turned else ("inconclusive", (_OPEN,))
        grew *= before + after if one.total is None else one.total.point
    return ("smaller" if grew < 0 else "larger"), ()


def _excludes_zero(estimate: Estimate) -> bool:
    low, high = estimate.stated_interval
    return low is not None and high is not None and (low > 0 or high < 0)
