"""An attribute as a whole: whether any of its groups differs, and each group against the mean of all.

One reference group hides half of the comparisons, and the largest minus the smallest is never 0. So each
group is also held against the mean of all, with intervals that hold for all groups together.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED, Contrast, contrasts
from audit.estimates.measures import MEASURES, Measure
from audit.estimates.pooled import LEAST_IN_STRATUM
from audit.records import GroupDeviation, Omnibus
from audit.spec import Judgement
from audit.statistics.arguments import Codes, Vector
from audit.statistics.group_contrasts import group_contrasts
from audit.statistics.maximum import SimultaneousEstimates, max_t_intervals
from probes.records import Signal
from probes.seeds import rng

__all__ = ["RESAMPLES", "omnibus"]

RESAMPLES = 10_000
"""Draws that p-values are shares of."""
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
    common = _common(group)
    # Where no template differs at all, nothing can be told of the groups, nor of their intervals.
    if common is None or common.n_clusters < MINIMUM_TEMPLATES or not common.means.any():
        return None
    try:
        against_reference, against_all = (
            max_t_intervals(
                group_contrasts(
                    common.means,
                    reference=reference,
                    strata=common.strata,
                    clusters=common.templates,
                    bounds=cell.measure.bounds,
                ),
                rng=rng(seed, stream, *names),
                level=level,
                resamples=RESAMPLES,
            )
            for reference, stream in ((0, "omnibus"), (None, "omnibus-mean"))
        )
    except NotMeasuredError:
        # A domain of one template, or a group without spread in a unit without bounds.
        return None
    groups = (cell.reference, *(contrast.cell.group for contrast in group))
    return Omnibus(
        measure=cell.measure.name,
        unit=cell.measure.unit,
        probe=cell.probe,
        domain=common.domains[0] if len(common.domains) == 1 else POOLED,
        language=cell.language,
        attribute=str(cell.attribute),
        signal=cell.signal,
        p_value=min(one.p_value for one in against_reference.estimates),
        level=level,
        method=_method(against_all, common, group),
        n_clusters=common.n_clusters,
        groups=tuple(
            GroupDeviation(group=name, point=one.point, ci_low=one.interval.low, ci_high=one.interval.high)
            for name, one in zip(groups, against_all.estimates, strict=True)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """Differences from the reference in templates that know every group, strata one after the other."""

    means: Vector
    """Shape (T, 1 + K); the first column, of the reference, is 0."""
    strata: Codes
    """Shape (T,)."""
    templates: Codes
    """Shape (T,)."""
    domains: tuple[str, ...]
    """Domain of each stratum."""

    @property
    def n_clusters(self) -> int:
        """Templates; one that several strata ask is one."""
        return int(np.unique(self.templates).size)


def _common(group: Sequence[Contrast]) -> _Common | None:
    """What all contrasts have in common, stratum by stratum of the same domain and language."""
    found: list[tuple[str, Vector, Codes]] = []
    by_place = [{(part.language, part.domain): part.paired for part in one.strata} for one in group]
    for place in by_place[0]:
        if not all(place in parts for parts in by_place):
            continue
        paired = [parts[place] for parts in by_place]
        kept = reduce(np.intersect1d, [part.clusters for part in paired])
        columns = [part.differences[np.searchsorted(part.clusters, kept)] for part in paired]
        if kept.size:
            found.append((place[1], np.column_stack([np.zeros(kept.size), *columns]), kept))
    # As in the contrasts themselves, a small domain does not enter beside larger ones.
    large = [one for one in found if one[2].size >= LEAST_IN_STRATUM] or found
    if not large:
        return None
    domains, means, templates = zip(*large, strict=True)
    return _Common(
        means=np.concatenate(means),
        strata=np.repeat(np.arange(len(large)), [one.size for one in templates]),
        templates=np.concatenate(templates),
        domains=domains,
    )


def _method(found: SimultaneousEstimates, common: _Common, group: Sequence[Contrast]) -> str:
    """How the intervals were made, and which domains of some groups they leave out."""
    asked = {part.domain for contrast in group for part in contrast.strata}
    left_out = sorted(asked - set(common.domains))
    method = found.estimates[0].interval.method
    return f"{method}; not asked of every group: {', '.join(left_out)}" if left_out else method
