"""Cells: groups and intersections within domains and control features, raw and drawn towards their mean.

The largest of many small cells is mostly noise. Shrinkage takes that out on average over the cells; the
raw rate and its count stand beside it, since shrinkage also hides a cell that is truly far out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import POOLED, Contrast, contrasts, interval
from audit.estimates.labels import with_controls
from audit.estimates.measures import Measure, measure_named
from audit.estimates.outcome_records import CellRow, CellTable, DomainRow, DomainTable
from audit.statistics.arguments import Vector
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.rates import RateEstimate, clustered_rate_interval
from audit.statistics.shrinkage import ShrunkCells, shrink, shrink_rates
from probes.records import Signal

__all__ = ["cell_tables", "domain_tables"]

_MANY = 8
"""Cells from which on the largest is mostly noise."""
_SMALL = 50
"""Outputs below which a cell is noise by itself."""
_LEAST_DOMAINS = 4
"""Fewer leave no degree of freedom (see `audit.statistics.shrink`)."""
_KEYS = ["probe", "language", "attribute", "signal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    place: tuple[str, ...]
    """Values of the control features, then the group."""
    hits: float
    n: int
    n_clusters: int
    estimate: RateEstimate | None


def cell_tables(
    frame_of: Callable[[Measure], pd.DataFrame], *, controls: Sequence[str], level: float
) -> list[CellTable]:
    """Favourable decisions of every cell, shrunk where there are 8 cells or more, or one of fewer than 50.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        controls: Tags of the prompts to control for besides the domain, such as `merit`.
        level: Nominal coverage of every interval, a fraction in (0, 1).

    Returns:
        One table an attribute (or crossing) and signal, in a fixed order.

    Source:
        Morris (1983), JASA 78:47-55; for intersectional audits: Molina & Loiseau (2024), arXiv:2401.14893.
    """
    frame = frame_of(measure_named("favourable_rate"))
    rows = frame[(frame["arm"] == "counterfactual") & frame["value"].notna()]
    found: list[CellTable] = []
    names = ["domain", *controls]
    for (probe, language, attribute, signal), block in rows.groupby(_KEYS, observed=True, sort=True):
        cells = _cells(with_controls(block, controls), names, level)
        shrunk, method = _shrunk(cells, level)
        found.append(
            CellTable(
                probe=str(probe),
                language=str(language),
                attribute=str(attribute),
                signal=Signal(str(signal)),
                level=level,
                mean=None if shrunk is None else shrunk.mean,
                spread=None if shrunk is None else shrunk.spread,
                method=method,
                rows=tuple(
                    _row(cell, number, shrunk, (str(attribute), names)) for number, cell in enumerate(cells)
                ),
            )
        )
    return found


def domain_tables(frame_of: Callable[[Measure], pd.DataFrame], *, level: float) -> list[DomainTable]:
    """Every contrast of decisions domain by domain, shrunk, where there are four domains or more.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        level: Nominal coverage of every interval, a fraction in (0, 1).

    Returns:
        One table a contrast, in a fixed order.
    """
    found: list[DomainTable] = []
    for name in ("favourable_rate", "decision_number"):
        measure = measure_named(name)
        by_contrast: dict[tuple[object, ...], list[Contrast]] = {}
        for contrast in contrasts(frame_of(measure), measure):
            cell = contrast.cell
            if cell.language == POOLED or not contrast.strata:
                continue
            key = (cell.probe, cell.language, cell.attribute, cell.signal, cell.group, cell.reference)
            by_contrast.setdefault(key, []).append(contrast)
        for members in by_contrast.values():
            table = _domain_table([one for one in members if one.cell.domain != POOLED], level)
            if table is not None:
                found.append(table)
    return found


def _cells(rows: pd.DataFrame, names: Sequence[str], level: float) -> list[_Cell]:
    by_template = (
        rows.assign(grp=rows["grp"].astype(str), template=rows["template"].astype(str))
        .groupby([*names, "grp", "template"], observed=True, sort=True)["value"]
        .agg(["sum", "count"])
    )
    found: list[_Cell] = []
    for place, sums in by_template.groupby(level=list(range(len(names) + 1)), sort=True):
        hits, asked = sums["sum"].to_numpy(dtype=np.float64), sums["count"].to_numpy(dtype=np.float64)
        try:
            estimate = clustered_rate_interval(hits, asked, level=level)
        except NotMeasuredError:
            estimate = None
        found.append(
            _Cell(
                place=tuple(str(part) for part in place),
                hits=float(hits.sum()),
                n=int(asked.sum()),
                n_clusters=asked.size,
                estimate=estimate,
            )
        )
    return found


def _shrunk(cells: Sequence[_Cell], level: float) -> tuple[ShrunkCells | None, str]:
    if len(cells) < _MANY and all(cell.n >= _SMALL for cell in cells):
        return None, f"not shrunk: {len(cells)} cells, none with fewer than {_SMALL} outputs"
    try:
        found = shrink_rates(
            [cell.hits for cell in cells],
            [cell.n for cell in cells],
            design_effect=_design_effect(cells),
            level=level,
        )
    except NotMeasuredError as error:
        return None, f"not shrunk: {error}"
    return found, found.method


def _design_effect(cells: Sequence[_Cell]) -> float:
    """Median over cells of the clustered variance over that of independent outputs; 1 if none has one."""
    found = [
        cell.estimate.standard_error**2 * cell.n / (rate * (1 - rate))
        for cell in cells
        if cell.estimate is not None and 0 < (rate := cell.hits / cell.n) < 1 and not cell.estimate.degenerate
    ]
    return float(np.median(found)) if found else 1.0


def _row(cell: _Cell, number: int, shrunk: ShrunkCells | None, asked: tuple[str, Sequence[str]]) -> CellRow:
    attribute, names = asked
    *controls, group = cell.place
    parts = zip(attribute.split("*"), group.split("*"), strict=False)
    interval_ = None if cell.estimate is None else cell.estimate.interval
    return CellRow(
        group=group,
        parts=dict(parts),
        controls=dict(zip(names, controls, strict=True)),
        n=cell.n,
        n_clusters=cell.n_clusters,
        rate=cell.hits / cell.n,
        ci_low=None if interval_ is None else interval_.low,
        ci_high=None if interval_ is None else interval_.high,
        shrunk=None if shrunk is None else float(np.clip(shrunk.point[number], 0, 1)),
        shrunk_ci_low=None if shrunk is None else float(shrunk.low[number]),
        shrunk_ci_high=None if shrunk is None else float(shrunk.high[number]),
    )


def _domain_table(members: Sequence[Contrast], level: float) -> DomainTable | None:
    stated: list[tuple[Contrast, ClusterEstimate]] = []
    for contrast in members:
        try:
            one = interval(contrast, level=level)
        except NotMeasuredError:
            continue
        if not one.degenerate:
            stated.append((contrast, one))
    if len(stated) < _LEAST_DOMAINS:
        return None
    points: Vector = np.array([one.point for _, one in stated])
    shrunk = shrink(points, [one.standard_error for _, one in stated], level=level)
    cell = stated[0][0].cell
    rows = tuple(
        DomainRow(
            domain=contrast.cell.domain,
            point=one.point,
            ci_low=one.interval.low,
            ci_high=one.interval.high,
            shrunk=float(shrunk.point[place]),
            shrunk_ci_low=float(shrunk.low[place]),
            shrunk_ci_high=float(shrunk.high[place]),
            n_outputs=contrast.n_outputs,
            n_clusters=contrast.n_clusters,
        )
        for place, (contrast, one) in enumerate(stated)
    )
    return DomainTable(
        measure=cell.measure.name,
        probe=cell.probe,
        language=cell.language,
        attribute=str(cell.attribute),
        signal=cell.signal or Signal.EXPLICIT,
        group=cell.group,
        reference=cell.reference,
        level=level,
        pooled=float(points.mean()),
        spread=shrunk.spread,
        method=shrunk.method,
        rows=rows,
    )
