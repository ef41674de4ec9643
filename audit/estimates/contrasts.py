"""Contrasts between a group and its reference group: which rows belong together, and their differences.

A contrast is paired within counterfactual sets and clustered by template. Where names signal the
group, first and last names are samples too, and the errors are clustered by each of them. Domains
(and languages) are strata: the pooled contrast weighs each stratum alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.measures import Measure
from audit.estimates.name_arms import NameArms, name_arms, name_codes
from audit.estimates.norms import pooled_norm
from audit.estimates.pooled import distinct_templates, large_enough, left_out_words, pooled_interval, weighed
from audit.estimates.shared_names import SharedNames, shared_names
from audit.statistics.arguments import Vector
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.measurement_error import with_label_error
from audit.statistics.paired import PairedDifferences, template_differences
from probes.records import Norm, Placebo, Signal

__all__ = [
    "OF_ITS_DOMAIN",
    "POOLED",
    "Cell",
    "Contrast",
    "Corrected",
    "Stratum",
    "contrasts",
    "flattened",
    "interval",
    "placebo_contrasts",
    "seed_names",
]

POOLED = "all"
"""Domain or language of an estimate that pools several."""

_USED = [
    "arm",
    "probe",
    "language",
    "attribute",
    "signal",
    "placebo",
    "grp",
    "reference",
    "domain",
    "template",
    "set_id",
    "norm",
    "name",
    "value",
]
"""Columns that a contrast looks at; carrying the others along costs more than the statistics."""

MINIMUM_TEMPLATES = 12
"""Below this a single stratum is not measured, only pooled upward (docs/explanation/intervals.md)."""

OF_ITS_DOMAIN = ("number",)
"""Units that mean something else in every domain, such as credits here and years there: never pooled over."""


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
    """The paired differences of one domain in one language, with what the missing rows do."""

    language: str
    domain: str
    paired: PairedDifferences
    missing: PairedDifferences | None
    """The same contrast of the indicator "no value"; None if nothing is missing."""
    names: NameArms | SharedNames | None
    """For name signals: what each set (and arm) adds to the error, with its template and names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """How a contrast was corrected for the errors of the analyzer that read its values."""

    raw: "Contrast"
    """The contrast of the readings as they are."""
    source: Literal["review", "calibration"]
    method: str
    labels: str
    """Which labels it rests on, in words."""
    n_labels: int
    added: tuple[tuple[float, float], ...] = ()
    """Variance that the labels add to that between clusters, and its degrees of freedom."""
    spread: float = 0.0
    """Variance that stands in where the clusters show none."""
    most_df: float | None = None
    """Largest number of degrees of freedom that the labels allow."""
    unfit: str | None = None
    """Why nothing can be stated; None if it can."""
    facts: tuple[tuple[str, float], ...] = ()
    """What the record of the correction states besides, by field name."""


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
    correction: Corrected | None = None
    """If given, the values are corrected ones, and can lie outside [0, 1]."""
    left_out: tuple[str, ...] = ()
    """Domains with too few templates to enter what is pooled over others."""
    uncorrected: str | None = None
    """Why labels that were attached do not correct it; None if they do, or if there are none."""

    @property
    def n_clusters(self) -> int:
        """Templates with at least one complete set; one that several domains ask is one."""
        return distinct_templates([stratum.paired for stratum in self.strata])

    @property
    def n_outputs(self) -> int:
        """Rows used."""
        return sum(stratum.paired.n_rows for stratum in self.strata)

    @property
    def group_mean(self) -> float:
        """The group's own mean, each stratum and each template weighing alike.

        Of a comparison of people: over both orders, where one side has what the other has not.
        """
        own = float(np.mean([stratum.paired.group_means.mean() for stratum in self.strata]))
        return (1 + own - self._reference_arm) / 2 if self.cell.measure.between else own

    @property
    def reference_mean(self) -> float:
        """The reference group's own mean, weighed as `group_mean` is."""
        return 1 - self.group_mean if self.cell.measure.between else self._reference_arm

    @property
    def _reference_arm(self) -> float:
        return float(np.mean([stratum.paired.reference_means.mean() for stratum in self.strata]))


def contrasts(frame: pd.DataFrame, measure: Measure) -> Iterator[Contrast]:
    """Every contrast of the counterfactual sets: each domain by itself, then pooled, then over languages.

    Args:
        frame: One row a planned output (see `audit.estimates.frame.measure_frame`), `value` nan if missing.
        measure: What the values are.

    Yields:
        Contrasts in a fixed order; one without a complete set has no strata: it is not measured.
    """
    keys = ["probe", "language", "attribute", "signal", "reference"]
    each: list[Contrast] = []
    for (probe, language, attribute, signal, reference), found in _blocks(frame, "counterfactual", keys):
        block = _coded(found)
        for group in sorted(set(block["grp"].unique()) - {reference}):
            # Where a set is about two groups only, the reference is in sets of other groups too.
            asked = block["set_code"].isin(block.loc[block["grp"] == group, "set_code"])
            pair = block[asked & block["grp"].isin([group, reference])]
            cell = Cell(
                measure=measure,
                probe=str(probe),
                domain=POOLED,
                language=str(language),
                attribute=str(attribute),
                group=str(group),
                reference=str(reference),
                signal=Signal(str(signal)),
                norm=pooled_norm(pair["norm"].dropna().unique()),
            )
            each.extend(_by_domain(pair, cell))
    yield from each
    yield from _over_languages(each)


def placebo_contrasts(frame: pd.DataFrame, measure: Measure) -> Iterator[Contrast]:
    """Every placebo contrast, `b` against `a`: each domain, then pooled, then over languages."""
    keys = ["probe", "language", "placebo"]
    each: list[Contrast] = []
    for (probe, language, kind), found in _blocks(frame, "placebo", keys):
        block = _coded(found)
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
        each.extend(_by_domain(block, cell))
    yield from each
    yield from _over_languages(each)


def interval(
    contrast: Contrast, *, level: float, bounds: tuple[float, float] | None = None
) -> ClusterEstimate:
    """The contrast's estimate and interval.

    One stratum: cluster-t over templates. Several: equal-weight strata. Names: clusters of template,
    first and last name. A corrected contrast has the variance of its labels added, with Satterthwaite's
    degrees of freedom.

    Args:
        contrast: The contrast.
        level: Nominal coverage, a fraction in (0, 1).
        bounds: Smallest and largest difference one template can have; those of the measure by default.

    Raises:
        NotMeasuredError: Too few clusters to state an error, or a correction that cannot be made.
    """
    if contrast.correction is not None:
        return _corrected_interval(contrast, contrast.correction, level)
    return _clustered(contrast, level, contrast.cell.measure.bounds if bounds is None else bounds)


def _corrected_interval(contrast: Contrast, correction: Corrected, level: float) -> ClusterEstimate:
    if correction.unfit is not None:
        raise NotMeasuredError(correction.unfit)
    seen = np.concatenate([stratum.paired.differences for stratum in contrast.strata])
    # Corrected values are not bounded; these bounds only let clusters without spread through.
    found = _clustered(contrast, level, (min(-1.0, float(seen.min())), max(1.0, float(seen.max()))))
    return with_label_error(
        found,
        correction.added,
        spread=correction.spread,
        most_df=correction.most_df,
        method=correction.method,
    )


def _clustered(contrast: Contrast, level: float, bounds: tuple[float, float] | None) -> ClusterEstimate:
    named = [stratum.names for stratum in contrast.strata if stratum.names is not None]
    parts = [stratum.paired for stratum in contrast.strata]
    by_name = named if len(named) == len(parts) else []
    found = pooled_interval(parts, by_name, level=level, bounds=bounds)
    if not contrast.left_out:
        return found
    method = f"{found.interval.method}{left_out_words(contrast.left_out)}"
    return replace(found, interval=replace(found.interval, method=method))


def flattened(contrast: Contrast) -> tuple[Vector, Vector]:
    """Template differences of all strata, and the weight of each in the pooled mean, both of shape (T,)."""
    return weighed([stratum.paired for stratum in contrast.strata])


def seed_names(contrast: Contrast) -> tuple[str, ...]:
    """What tells a contrast from all others of a run: its random stream, and its key at planned looks."""
    cell = contrast.cell
    place = (cell.measure.name, cell.probe, cell.domain, cell.language)
    asked = (cell.attribute, cell.group, cell.reference, cell.signal, cell.placebo)
    return tuple(str(part) for part in (*place, *asked))


def _blocks(
    frame: pd.DataFrame, arm: str, keys: Sequence[str]
) -> Iterator[tuple[tuple[object, ...], pd.DataFrame]]:
    """Rows of one arm by its keys, with codes of templates and names that mean the same in all of them."""
    rows = frame.loc[frame["arm"] == arm, _USED]
    if rows.empty:
        # Most measures have no rows in a run, and grouping none takes as long as grouping some.
        return
    name = rows["name"].astype("category").cat
    codes = np.append(name_codes([str(one) for one in name.categories]), [[-1, -1]], axis=0)[name.codes]
    coded = rows.assign(
        template_code=rows["template"].astype("category").cat.codes.to_numpy(dtype=np.int64),
        first_name=codes[:, 0],
        last_name=codes[:, 1],
    )
    yield from coded.groupby(list(keys), observed=True, sort=True)


def _coded(block: pd.DataFrame) -> pd.DataFrame:
    """The rows of a block with dense codes of their sets, made once for all its contrasts."""
    # A block has few of the sets of a run, and arrays are as long as the largest code.
    _, sets = np.unique(block["set_id"].astype("category").cat.codes.to_numpy(), return_inverse=True)
    return block.assign(set_code=sets.astype(np.int64))


def _over_languages(each: Sequence[Contrast]) -> Iterator[Contrast]:
    """One contrast for each that several languages state: every domain of every language is a stratum."""
    asked: dict[tuple[str | None, ...], dict[str, list[Contrast]]] = {}
    for contrast in each:
        cell = contrast.cell
        domain = cell.domain if cell.measure.unit in OF_ITS_DOMAIN else None
        key = (cell.probe, cell.attribute, cell.group, cell.reference, cell.signal, cell.placebo, domain)
        asked.setdefault(key, {}).setdefault(cell.language, []).append(contrast)
    for (*_, domain), by_language in asked.items():
        # The last of a language that has strata is the one that pools its domains, or the only one.
        measured = [[one for one in of_one if one.strata] for of_one in by_language.values()]
        parts = [of_one[-1] for of_one in measured if of_one]
        if len(parts) > 1:
            used, small = _large_enough([stratum for part in parts for stratum in part.strata])
            yield Contrast(
                cell=replace(
                    parts[0].cell,
                    domain=domain or POOLED,
                    language=POOLED,
                    norm=pooled_norm([part.cell.norm for part in parts if part.cell.norm is not None]),
                ),
                strata=used,
                left_out=tuple(dict.fromkeys((*(one for part in parts for one in part.left_out), *small))),
                n_group=sum(part.n_group for part in parts),
                n_reference=sum(part.n_reference for part in parts),
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
    if len(strata) > 1 and cell.measure.unit not in OF_ITS_DOMAIN:
        used, left_out = _large_enough(strata)
        kept = pair[pair["domain"].isin([stratum.domain for stratum in used])]
        yield replace(_contrast(kept, cell, used), left_out=left_out)


def _large_enough(strata: Sequence[Stratum]) -> tuple[tuple[Stratum, ...], tuple[str, ...]]:
    """Strata whose spread can be seen, and the domains of the others; all of them if none is large."""
    large = large_enough([one.paired.differences.size for one in strata])
    used = tuple(one for one, enters in zip(strata, large, strict=True) if enters)
    return used, tuple(one.domain for one, enters in zip(strata, large, strict=True) if not enters)


def _contrast(rows: pd.DataFrame, cell: Cell, strata: tuple[Stratum, ...]) -> Contrast:
    valued = rows["value"].notna().to_numpy()
    return Contrast(
        cell=cell,
        strata=strata,
        n_group=int((valued & (rows["grp"] == cell.group).to_numpy()).sum()),
        n_reference=int((valued & (rows["grp"] == cell.reference).to_numpy()).sum()),
    )


def _in_domain(cell: Cell, domain: str, rows: pd.DataFrame) -> Cell:
    norm = cell.norm if cell.placebo is not None else pooled_norm(rows["norm"].dropna().unique())
    return replace(cell, domain=domain, norm=norm)


def _stratum(domain: str, rows: pd.DataFrame, cell: Cell) -> Stratum | None:
    template, sets = rows["template_code"].to_numpy(), rows["set_code"].to_numpy()
    is_group = (rows["grp"] == cell.group).to_numpy()
    values = rows["value"].to_numpy(dtype=float)
    try:
        paired = template_differences(values, template, sets, is_group)
    except NotMeasuredError:
        return None
    absent = np.isnan(values)
    missing = template_differences(absent.astype(float), template, sets, is_group) if absent.any() else None
    name = rows[["first_name", "last_name"]].to_numpy()
    names: NameArms | SharedNames | None = None
    if cell.signal is Signal.NAME and bool((name >= 0).all()) and cell.placebo is None:
        names = name_arms(values, template, sets, is_group, name)
        if cell.measure.between:
            names = shared_names(paired, sets, is_group, rows["name"])
    return Stratum(language=cell.language, domain=domain, paired=paired, missing=missing, names=names)
