"""An attribute as a whole: whether any of its groups differs, and each group against the mean of all.

One reference group hides half of the comparisons, and the largest minus the smallest is never 0. So each
group is also held against the mean of all, with intervals that hold for all groups together.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED, Contrast, contrasts
from audit.estimates.measures import MEASURES, Measure
from audit.records import GroupDeviation, Omnibus
from audit.spec import Judgement
from audit.statistics.arguments import Vector
from audit.statistics.maximum import GroupContrasts, SimultaneousEstimates, group_contrasts, max_t_intervals
from probes.records import Signal
from probes.seeds import rng

__all__ = ["omnibus"]

RESAMPLES = 10_000
_LEAST_CONTRASTS = 2
"""Of one contrast the whole attribute is that contrast."""


def omnibus(
    frame_of: Callable[[Measure], pd.DataFrame],
    judgement: Judgement,
    *,
    seed: int,
    measures: Sequence[Measure] = MEASURES,
    labelled: Callable[[Measure], bool] = lambda _: False,
) -> list[Omnibus]:
    """Every attribute of three or more groups as a whole, pooled as far as its estimates are.

    Printed beside the single disparities and no gate to them: those are judged in their own family. Names
    as a signal are left out, since signs flipped by template do not see that names are a sample too.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        judgement: Thresholds declared in the spec; the level is used.
        seed: Root seed; resampling draws from it by name.
        measures: What to look at; those that compare no groups are passed over.
        labelled: Whether labels are attached that correct a measure's disparities; the whole is of the
            readings as they are, and then says so.

    Returns:
        One entry a measure, probe, attribute and signal, in a fixed order; none where no answer differs.
    """
    return [
        found.model_copy(update={"as_read": True}) if labelled(measure) else found
        for measure in measures
        if measure.compare_groups
        for group in _attributes(contrasts(frame_of(measure), measure))
        if (found := _tested(group, judgement.level, seed=seed)) is not None
    ]


def _attributes(each: Iterator[Contrast]) -> Iterator[list[Contrast]]:
    """The widest contrasts of each attribute: one a group, over all domains and languages."""
    widest: dict[tuple[str | None, ...], dict[str, Contrast]] = {}
    for contrast in each:
        cell = contrast.cell
        if cell.signal is Signal.NAME or not contrast.strata:
            continue
        # A unit that is of its domain has one whole a domain.
        domain = cell.domain if cell.measure.unit == "number" else None
        key = (cell.probe, cell.attribute, cell.reference, cell.signal, domain)
        # Contrasts come narrow first, so the last of a group is the widest.
        widest.setdefault(key, {})[cell.group] = contrast
    for by_group in widest.values():
        language = {contrast.cell.language for contrast in by_group.values()}
        if len(by_group) >= _LEAST_CONTRASTS and len(language) == 1:
            yield [by_group[group] for group in sorted(by_group)]


def _tested(group: Sequence[Contrast], level: float, *, seed: int) -> Omnibus | None:
    cell = group[0].cell
    names = (cell.measure.name, cell.probe, str(cell.attribute), str(cell.signal))
    bounds = cell.measure.bounds
    strata = list(_strata(group))
    # Where no template differs at all, nothing can be told of the groups, nor of their intervals.
    if sum(len(means) for means in strata) < MINIMUM_TEMPLATES or not any(map(np.any, strata)):
        return None
    try:
        against_reference = _simultaneous(strata, 0, (level, bounds), rng(seed, "omnibus", *names))
        against_all = _simultaneous(strata, None, (level, bounds), rng(seed, "omnibus-mean", *names))
    except NotMeasuredError:
        # A domain of one template, or a group without spread in a unit without bounds.
        return None
    groups = (cell.reference, *(contrast.cell.group for contrast in group))
    return Omnibus(
        measure=cell.measure.name,
        unit=cell.measure.unit,
        probe=cell.probe,
        domain=cell.domain if len(strata) == 1 else POOLED,
        language=cell.language,
        attribute=str(cell.attribute),
        signal=cell.signal,
        p_value=min(one.p_value for one in against_reference.estimates),
        level=level,
        method=against_all.estimates[0].interval.method,
        n_clusters=sum(len(means) for means in strata),
        groups=tuple(
            GroupDeviation(group=name, point=one.point, ci_low=one.interval.low, ci_high=one.interval.high)
            for name, one in zip(groups, against_all.estimates, strict=True)
        ),
    )


def _strata(group: Sequence[Contrast]) -> Iterator[Vector]:
    """Differences from the reference in templates that know every group, shape (T, 1 + K), a stratum each."""
    for parts in zip(*(contrast.strata for contrast in group), strict=False):
        if len({part.domain for part in parts}) > 1:
            return
        kept = parts[0].paired.clusters
        for part in parts[1:]:
            kept = np.intersect1d(kept, part.paired.clusters)
        columns = [part.paired.differences[np.searchsorted(part.paired.clusters, kept)] for part in parts]
        if kept.size:
            yield np.column_stack([np.zeros(kept.size), *columns])


def _simultaneous(
    strata: Sequence[Vector],
    reference: int | None,
    limits: tuple[float, tuple[float, float] | None],
    draw: np.random.Generator,
) -> SimultaneousEstimates:
    """Contrasts pooled over strata that weigh alike, with their joint intervals."""
    level, bounds = limits
    parts = [group_contrasts(means, reference=reference) for means in strata]
    pooled = GroupContrasts(
        points=np.mean([part.points for part in parts], axis=0),
        influence=np.concatenate([part.influence for part in parts]) / len(parts),
        n_clusters=np.sum([part.n_clusters for part in parts], axis=0),
        groups=parts[0].groups,
    )
    return max_t_intervals(pooled, rng=draw, level=level, resamples=RESAMPLES, bounds=bounds)
