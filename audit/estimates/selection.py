"""Selection rates, scoring rates and impact ratios of a run, as Local Law 144 tables have them.

The prompts of a run are test data about signalled groups, not an employer's history: the tables are a
calculation by the law's arithmetic, not its audit.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import POOLED
from audit.estimates.measures import Measure, measure_named
from audit.estimates.outcome_records import PlaceboRatio, Ratio, SelectionRow, SelectionTable
from audit.statistics.arguments import Codes, Vector
from audit.statistics.impact import CategoryImpact, ImpactTable, above_median, impact_table
from audit.statistics.rates import clustered_rate_interval
from audit.statistics.ratios import untellable
from probes.records import Placebo, Signal

__all__ = ["selection_tables"]

_LAW: dict[str, Literal["sex", "race_ethnicity", "intersectional"]] = {
    "gender": "sex",
    "race_ethnicity": "race_ethnicity",
    "gender*race_ethnicity": "intersectional",
    "race_ethnicity*gender": "intersectional",
}
_KEYS = ["probe", "language", "attribute", "signal"]
_FOUR_FIFTHS = 0.8 - 1e-12
"""Less a rounding: 4 / 5 is no binary fraction."""
_NOTHING_READ = "not measured: no decision could be read"


def selection_tables(frame_of: Callable[[Measure], pd.DataFrame], *, level: float) -> list[SelectionTable]:
    """One table an attribute and signal, in each domain, and of decisions also over all domains.

    Numbers are not put together over domains: their units differ, so one median says nothing of them.
    Every rate has an interval clustered by template, every ratio one on the log scale. No group is
    excluded for being small: a design asks about all alike.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        level: Nominal coverage of every interval, a fraction in (0, 1).

    Returns:
        Tables in a fixed order; none where no decision was favourable to anybody.

    Source:
        NYC Admin. Code 20-870; 6 RCNY 5-300 and 5-301 (selection rate, scoring rate, impact ratio).
    """
    found: list[SelectionTable] = []
    for name in ("favourable_rate", "decision_number"):
        frame = frame_of(measure_named(name))
        rows = frame[frame["arm"] == "counterfactual"]
        placebos = frame[frame["arm"] == "placebo"]
        for (probe, language, attribute, signal), block in rows.groupby(_KEYS, observed=True, sort=True):
            around = placebos[(placebos["probe"] == probe) & (placebos["language"] == language)]
            around = around[around["signal"].isna() | (around["signal"] == signal)]
            known = {
                "probe": str(probe),
                "language": str(language),
                "attribute": str(attribute),
                "signal": Signal(str(signal)),
                "rate": "selection" if name == "favourable_rate" else "scoring",
                "table": _LAW.get(str(attribute), "other"),
                "level": level,
            }
            found.extend(_by_domain(block, around, known))
    return found


def _by_domain(
    block: pd.DataFrame, around: pd.DataFrame, known: Mapping[str, object]
) -> Iterator[SelectionTable]:
    domains = sorted(set(block["domain"].astype(str)))
    pooled = [POOLED] if len(domains) > 1 and known["rate"] == "selection" else []
    for domain in [*pooled, *domains]:
        mine = block if domain == POOLED else block[block["domain"] == domain]
        noise = around if domain == POOLED else around[around["domain"] == domain]
        table = _table(mine, noise, {**known, "domain": domain})
        if table is not None:
            yield table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Decisions of one table as arrays of one length."""

    selected: Vector
    """1 if selected, 0 if not, nan if not read."""
    groups: Codes
    clusters: Codes
    names: tuple[str, ...]
    """Name of each group code."""
    level: float

    @classmethod
    def of(cls, rows: pd.DataFrame, values: Vector, level: float) -> "_Rows":
        groups = rows["grp"].astype("category").cat.remove_unused_categories()
        return cls(
            selected=values,
            groups=np.asarray(groups.cat.codes, dtype=np.int64),
            clusters=np.asarray(rows["template"].astype("category").cat.codes, dtype=np.int64),
            names=tuple(str(name) for name in groups.cat.categories),
            level=level,
        )

    def ratios(self, reference: str | None = None) -> ImpactTable:
        """Rates and ratios against a group, or the one with the highest rate."""
        code = None if reference is None else self.names.index(reference)
        return impact_table(
            self.selected, self.groups, cluster=self.clusters, reference=code, level=self.level
        )

    def clusters_of(self, code: int) -> tuple[Vector, Vector]:
        """Selected and considered of one group by cluster."""
        mine = (self.groups == code) & ~np.isnan(self.selected)
        n = int(self.clusters.max(initial=0)) + 1
        selected = np.bincount(self.clusters[mine], weights=self.selected[mine], minlength=n)
        return np.asarray(selected, dtype=np.float64), np.bincount(self.clusters[mine], minlength=n).astype(
            float
        )


def _table(rows: pd.DataFrame, placebos: pd.DataFrame, known: Mapping[str, object]) -> SelectionTable | None:
    level = float(str(known["level"]))
    values, median = rows["value"].to_numpy(dtype=np.float64), None
    scored = known["rate"] == "scoring"
    reference = str(rows["reference"].iloc[0])
    try:
        if scored:
            marked = above_median(values)
            values, median = marked.above, marked.median
        arrays = _Rows.of(rows, values, level)
        table = arrays.ratios()
    except NotMeasuredError:
        return None
    stated = {
        **known,
        "highest": arrays.names[table.reference],
        "reference": reference,
        "median": median,
        "rows": tuple(_rows(arrays, table, reference)),
        "placebos": () if scored else tuple(_placebos(placebos, level)),
        "n_clusters": int(np.unique(arrays.clusters[~np.isnan(values)]).size),
    }
    return SelectionTable.model_validate(stated)


def _rows(arrays: _Rows, table: ImpactTable, reference: str) -> Iterator[SelectionRow]:
    """A row a group, in the order of their names; one that nothing could be read of has its count."""
    against = _against(arrays, reference)
    few = untellable(*arrays.clusters_of(table.reference))
    measured = {row.category: row for row in table.rows}
    for code, name in enumerate(arrays.names):
        missing = int(np.isnan(arrays.selected[arrays.groups == code]).sum())
        row = measured.get(code)
        if row is None:
            yield _unread(name, missing)
            continue
        selected, considered = arrays.clusters_of(code)
        low, high, method = _interval(selected, considered, arrays.level)
        yield SelectionRow(
            group=name,
            considered=row.considered,
            selected=row.selected,
            missing=missing,
            share=row.share,
            rate=row.rate,
            ci_low=low,
            ci_high=high,
            method=method,
            impact_ratio=_ratio(row, few, is_reference=code == table.reference),
            reference_ratio=against.get(name),
            below_four_fifths=row.ratio is not None and row.ratio < _FOUR_FIFTHS,
            n_clusters=int((considered > 0).sum()),
        )


def _unread(name: str, missing: int) -> SelectionRow:
    """The row of a group that was asked about and of which nothing could be read."""
    return SelectionRow(
        group=name,
        considered=0,
        selected=0,
        missing=missing,
        share=0.0,
        rate=None,
        ci_low=None,
        ci_high=None,
        method=_NOTHING_READ,
        impact_ratio=Ratio(point=None, ci_low=None, ci_high=None, method=_NOTHING_READ),
        reference_ratio=None,
        below_four_fifths=False,
        n_clusters=0,
    )


def _against(arrays: _Rows, reference: str) -> dict[str, Ratio]:
    """Ratios to the declared reference group; none if its rate is 0 or nobody of it was asked about."""
    try:
        table = arrays.ratios(reference)
    except (NotMeasuredError, ValueError):
        return {}
    few = untellable(*arrays.clusters_of(table.reference))
    return {
        arrays.names[row.category]: _ratio(row, few, is_reference=False)
        for row in table.rows
        if row.category != table.reference
    }


def _ratio(row: CategoryImpact, few: str | None, *, is_reference: bool) -> Ratio:
    """The ratio; without an interval where the reference has too `few` favourable outcomes to tell one."""
    found = row.estimate
    point = row.ratio
    if found is None:
        reason = "the group that ratios divide by" if is_reference else f"not measured: {row.not_measured}"
        return Ratio(point=point, ci_low=None, ci_high=None, method=reason)
    if few is not None:
        return Ratio(point=point, ci_low=None, ci_high=None, method=few)
    return Ratio(
        point=point, ci_low=found.interval.low, ci_high=found.interval.high, method=found.interval.method
    )


def _interval(selected: Vector, considered: Vector, level: float) -> tuple[float | None, float | None, str]:
    try:
        found = clustered_rate_interval(selected, considered, level=level)
    except NotMeasuredError:
        return None, None, "not measured: fewer than 2 templates"
    return found.interval.low, found.interval.high, found.interval.method


def _placebos(rows: pd.DataFrame, level: float) -> Iterator[PlaceboRatio]:
    """Ratio of the arms `b` and `a` of each kind of placebo, where there is one."""
    for kind, block in rows.groupby("placebo", observed=True, sort=True):
        arrays = _Rows.of(block, block["value"].to_numpy(dtype=np.float64), level)
        ratio = _against(arrays, "a").get("b")
        if ratio is None or ratio.ci_low is None or ratio.ci_high is None:
            continue
        yield PlaceboRatio(placebo=Placebo(str(kind)), ratio=ratio, holds=ratio.ci_low <= 1 <= ratio.ci_high)
