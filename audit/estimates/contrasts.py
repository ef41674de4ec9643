"""Contrasts between a group and its reference group: which rows belong together, and their differences.

A contrast is paired within counterfactual sets and clustered by template. Where names signal the
group, names are a sample too, and the errors are clustered both ways. Domains (and languages) are
strata: the pooled contrast weighs each stratum alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.measures import Measure
from audit.statistics.arguments import Vector
from audit.statistics.intervals import ClusterEstimate, cluster_t_interval
from audit.statistics.paired import PairedDifferences, template_differences
from audit.statistics.pooling import stratified_t
from audit.statistics.two_way import two_way_cluster
from probes.records import Norm, Placebo, Signal

__all__ = [
    "POOLED",
    "Cell",
    "Contrast",
    "Stratum",
    "contrasts",
    "flattened",
    "interval",
    "placebo_contrasts",
    "seed_names",
]

POOLED = "all"
"""Domain of an estimate that pools several."""

MINIMUM_TEMPLATES = 12
"""Below this a single stratum is not measured, only pooled upward (docs/explanation/intervals.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one contrast is about."""

    measure: Measure
    probe: str
    domain: str
    language: str
    attribute: str | None
    group: str
    reference: str
    signal: Signal | None
    norm: Norm | None
    placebo: Placebo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """The paired differences of one domain, with what the missing rows do."""

    domain: str
    paired: PairedDifferences
    missing: PairedDifferences | None
    """The same contrast of the indicator "no value"; None if nothing is missing."""
    names: pd.DataFrame | None
    """For name signals: one row a set and arm with its influence, template and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Group against reference on one measure, in one domain or pooled over several.

    Without strata there is nothing to state: the means and intervals may then not be asked for.
    """

    cell: Cell
    strata: tuple[Stratum, ...]
    n_group: int
    """Rows of the group with a value."""
    n_reference: int

    @property
    def n_clusters(self) -> int:
        """Templates with at least one complete set."""
        return sum(stratum.paired.differences.size for stratum in self.strata)

    @property
    def n_outputs(self) -> int:
        """Rows used."""
        return sum(stratum.paired.n_rows for stratum in self.strata)

    @property
    def group_mean(self) -> float:
        """The group's own mean, each stratum and each template weighing alike."""
        return float(np.mean([stratum.paired.group_means.mean() for stratum in self.strata]))

    @property
    def reference_mean(self) -> float:
        """The reference group's own mean, weighed as `group_mean` is."""
        return float(np.mean([stratum.paired.reference_means.mean() for stratum in self.strata]))


def contrasts(frame: pd.DataFrame, measure: Measure) -> Iterator[Contrast]:
    """Every contrast of the counterfactual sets, each domain by itself and then pooled.

    Args:
        frame: One row a planned output (see `audit.estimates.frame.measure_frame`), `value` nan if missing.
        measure: What the values are.

    Yields:
        Contrasts in a fixed order; one without a complete set has no strata: it is not measured.
    """
    rows = frame[frame["arm"] == "counterfactual"]
    keys = ["probe", "language", "attribute", "signal"]
    for (probe, language, attribute, signal), block in rows.groupby(keys, observed=True, sort=True):
        for group in sorted(set(block["grp"]) - set(block["reference"])):
            reference = str(block["reference"].iloc[0])
            pair = block[block["grp"].isin([group, reference])]
            cell = Cell(
                measure=measure,
                probe=str(probe),
                domain=POOLED,
                language=str(language),
                attribute=str(attribute),
                group=str(group),
                reference=reference,
                signal=Signal(str(signal)),
                norm=_most_permissive(pair),
            )
            yield from _by_domain(pair, cell)


def placebo_contrasts(frame: pd.DataFrame, measure: Measure) -> Iterator[Contrast]:
    """Every placebo contrast, `b` against `a`, each domain by itself and then pooled."""
    rows = frame[frame["arm"] == "placebo"]
    for (probe, language, kind), block in rows.groupby(
        ["probe", "language", "placebo"], observed=True, sort=True
    ):
        signal = block["signal"].iloc[0]
        cell = Cell(
            measure=measure,
            probe=str(probe),
            domain=POOLED,
            language=str(language),
            attribute=None,
            group="b",
            reference="a",
            signal=Signal(signal) if isinstance(signal, str) else None,
            norm=None,
            placebo=Placebo(str(kind)),
        )
        yield from _by_domain(block, cell)


def interval(
    contrast: Contrast, *, level: float, bounds: tuple[float, float] | None = None
) -> ClusterEstimate:
    """The contrast's estimate and interval.

    One stratum: cluster-t over templates. Several: equal-weight strata. Names: two-way clusters.

    Args:
        contrast: The contrast.
        level: Nominal coverage, a fraction in (0, 1).
        bounds: Smallest and largest difference one template can have; -1 and 1 for a rate by default.

    Raises:
        NotMeasuredError: Too few clusters to state an error.
    """
    if bounds is None and contrast.cell.measure.unit == "rate":
        bounds = (-1.0, 1.0)
    differences = [stratum.paired.differences for stratum in contrast.strata]
    tables = [stratum.names for stratum in contrast.strata]
    if all(table is not None for table in tables):
        named = [table for table in tables if table is not None]
        found = _two_way(contrast, named, level=level)
        if found is not None:
            return found
    if len(differences) == 1:
        return cluster_t_interval(differences[0], level=level, bounds=bounds)
    return stratified_t(differences, level=level, bounds=bounds)


def flattened(contrast: Contrast) -> tuple[Vector, Vector]:
    """Template differences of all strata, and the weight of each in the pooled mean, both of shape (T,)."""
    parts = [stratum.paired.differences for stratum in contrast.strata]
    weights = [np.full(part.size, 1.0 / (part.size * len(parts))) for part in parts]
    return np.concatenate(parts), np.concatenate(weights)


def seed_names(contrast: Contrast) -> tuple[str, ...]:
    """Names that give a contrast its own random stream."""
    cell = contrast.cell
    parts = (
        cell.measure.name,
        cell.probe,
        cell.domain,
        cell.language,
        cell.attribute,
        cell.group,
        cell.signal,
    )
    return tuple(str(part) for part in (*parts, cell.placebo))


def _two_way(contrast: Contrast, tables: Sequence[pd.DataFrame], *, level: float) -> ClusterEstimate | None:
    joined = pd.concat([table.assign(influence=table["influence"] / len(tables)) for table in tables])
    if not joined["influence"].to_numpy().any():
        return None
    return two_way_cluster(
        joined["influence"].to_numpy(),
        joined["template"].astype("category").cat.codes.to_numpy(),
        joined["name"].astype("category").cat.codes.to_numpy(),
        point=contrast.group_mean - contrast.reference_mean,
        level=level,
    )


def _by_domain(pair: pd.DataFrame, cell: Cell) -> Iterator[Contrast]:
    strata: list[Stratum] = []
    for domain, rows in pair.groupby("domain", observed=True, sort=True):
        stratum = _stratum(str(domain), rows, cell)
        here = _in_domain(cell, str(domain), rows)
        if stratum is None:
            yield _contrast(rows, here, ())
            continue
        strata.append(stratum)
        yield _contrast(rows, here, (stratum,))
    if len(strata) > 1:
        kept = pair[pair["domain"].isin([stratum.domain for stratum in strata])]
        yield _contrast(kept, cell, tuple(strata))


def _contrast(rows: pd.DataFrame, cell: Cell, strata: tuple[Stratum, ...]) -> Contrast:
    valued = rows[rows["value"].notna()]
    return Contrast(
        cell=cell,
        strata=strata,
        n_group=int((valued["grp"] == cell.group).sum()),
        n_reference=int((valued["grp"] == cell.reference).sum()),
    )


def _in_domain(cell: Cell, domain: str, rows: pd.DataFrame) -> Cell:
    norm = cell.norm if cell.placebo is not None else _most_permissive(rows)
    return replace(cell, domain=domain, norm=norm)


def _stratum(domain: str, rows: pd.DataFrame, cell: Cell) -> Stratum | None:
    template = rows["template"].astype("category").cat.codes.to_numpy()
    sets = rows["set_id"].astype("category").cat.codes.to_numpy()
    is_group = (rows["grp"] == cell.group).to_numpy()
    values = rows["value"].to_numpy(dtype=float)
    try:
        paired = template_differences(values, template, sets, is_group)
    except NotMeasuredError:
        return None
    absent = np.isnan(values)
    missing = template_differences(absent.astype(float), template, sets, is_group) if absent.any() else None
    by_name = cell.signal is Signal.NAME and rows["name"].notna().all() and cell.placebo is None
    return Stratum(
        domain=domain,
        paired=paired,
        missing=missing,
        names=_name_influence(rows, is_group) if by_name else None,
    )


def _name_influence(rows: pd.DataFrame, is_group: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pd.DataFrame:
    """Influence of each set's arm on the mean template difference, with its template and name.

    The arm of set s of template t has weight 1 / (sets of t x templates); its influence is that
    weight times its distance from the arm's own mean, negative for the reference arm.
    """
    valued = rows.assign(is_group=is_group)[rows["value"].notna().to_numpy()]
    arms = (
        valued.groupby(["template", "set_id", "is_group"], observed=True, sort=True)
        .agg(mean=("value", "mean"), name=("name", "first"))
        .reset_index()
    )
    complete = arms.groupby("set_id", observed=True)["is_group"].transform("size") == 2  # noqa: PLR2004 - both arms
    arms = arms[complete]
    sets_of = arms.groupby("template", observed=True)["set_id"].transform("nunique")
    weight = 1.0 / (sets_of * arms["template"].nunique())
    centre = (arms["mean"] * weight).groupby(arms["is_group"]).transform("sum")
    sign = np.where(arms["is_group"], 1.0, -1.0)
    return arms.assign(influence=sign * weight * (arms["mean"] - centre))[["template", "name", "influence"]]


def _most_permissive(rows: pd.DataFrame) -> Norm | None:
    # A pooled claim is a finding only where every domain forbids a difference.
    present = {Norm(value) for value in rows["norm"].dropna().unique()}
    for norm in (Norm.MAY_DIFFER, Norm.MUST_JUSTIFY, Norm.MUST_NOT_DIFFER):
        if norm in present:
            return norm
    return None
