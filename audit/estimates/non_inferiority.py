"""What must not get worse: one-sided bounds of a change, and each group's own change."""

from collections.abc import Iterator

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import Contrast
from audit.estimates.measures import measure_of
from audit.estimates.pooled import TemplateValues, pooled_interval
from audit.records import Estimate, GroupChange, NonInferiority
from audit.spec import Judgement
from audit.statistics.equivalence import non_inferiority
from audit.statistics.intervals import ClusterEstimate

__all__ = ["levelling", "non_inferiority_of", "own_changes"]


def non_inferiority_of(
    after: Estimate, change: ClusterEstimate | None, judgement: Judgement, *, lost: float = 0.0
) -> NonInferiority | None:
    """Whether a rate got worse by less than the declared margin, one-sided at the declared level.

    Each measure is asked by itself: to say that nothing got worse every one of them must pass, and then no
    correction for their number is needed (Berger 1982, Technometrics 24:295-300).

    Args:
        after: The later estimate.
        change: After minus before; None if it could not be had.
        judgement: Thresholds of the later run.
        lost: By how much the share of answers that could not be read rose, at least 0. A change is of what
            both runs could read; nothing is known of the others, so each counts as a loss.

    Returns:
        The bound and what it says; None for a disparity, for what has no worse direction, or where no change
        is known.
    """
    measure = measure_of(after)
    # What the first place in a list is worth is even at one half: neither direction is worse.
    if after.kind != "rate" or change is None or measure is None or measure.between:
        return None
    margin = judgement.non_inferiority_margins.get(measure.name, judgement.non_inferiority_margin)
    worse = measure.worse
    if change.degenerate or change.unseen is not None:
        # Where templates changed alike, the two-sided bound for such clusters errs on the safe side.
        bound = change.interval.low if worse == "lower" else change.interval.high
        other = change.interval.high if worse == "lower" else change.interval.low
    else:
        error = (change.point, change.standard_error, change.df)
        found = non_inferiority(*error, margin=margin, worse=worse, level=judgement.level)
        bound, other = found.bound, 2 * change.point - found.bound
    sign = 1.0 if worse == "lower" else -1.0
    inferior = sign * other < -margin
    bound = sign * max(-1.0, sign * bound - lost)
    return NonInferiority(
        margin=margin,
        worse=worse,
        bound=bound,
        verdict="non_inferior" if sign * bound > -margin else "inferior" if inferior else "not_shown",
    )


def own_changes(contrast: Contrast, *, level: float) -> tuple[GroupChange, GroupChange] | None:
    """The group's own change and the reference group's, by template; None where there are too few.

    Args:
        contrast: Group against reference, of changes.
        level: Nominal coverage, a fraction in (0, 1).
    """
    measure = contrast.cell.measure
    # Of a comparison one side's gain is the other's loss: there is no change of one group alone.
    if not contrast.strata or measure.unit != "rate" or measure.between:
        return None
    sides = (
        [stratum.paired.group_means for stratum in contrast.strata],
        [stratum.paired.reference_means for stratum in contrast.strata],
    )
    found = []
    if any(float(abs(part).max(initial=0.0)) > 1 for means in sides for part in means):
        # Corrected by labels: what stands for a template's own rate is no rate.
        return None
    for means in sides:
        # Strata that ask the same templates are not independent.
        parts = [
            TemplateValues(differences=own, clusters=stratum.paired.clusters)
            for own, stratum in zip(means, contrast.strata, strict=True)
        ]
        try:
            one = pooled_interval(parts, (), level=level, bounds=(-1.0, 1.0))
        except NotMeasuredError:
            return None
        found.append(GroupChange(change=one.point, ci_low=one.interval.low, ci_high=one.interval.high))
    return found[0], found[1]


def levelling(before: Estimate, after: Estimate, sides: tuple[GroupChange, GroupChange]) -> Iterator[str]:
    """Who is treated worse where a gap closed, in words; nothing if nobody surely is.

    Args:
        before: The earlier disparity.
        after: The later one.
        sides: The group's own change and the reference group's.
    """
    measure = measure_of(after)
    if measure is None or before.point is None:
        return
    sign = 1.0 if measure.worse == "lower" else -1.0
    for group, change in zip((after.group, after.reference_group), sides, strict=True):
        loss = change.ci_high < 0 if sign > 0 else change.ci_low > 0
        if loss:
            size = (
                f"{100 * change.change:+.1f} points [{100 * change.ci_low:+.1f}, {100 * change.ci_high:+.1f}]"
            )
            yield f"levelling down: {group} is treated worse than before ({size})"
