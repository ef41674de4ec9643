"""Tables of impact ratios by category: selection rates, scoring rates, unknown and tiny categories.

They follow the arithmetic of New York City's Local Law 144; the rule itself names no passing ratio.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Flags, Vector, check_fraction
from audit.statistics.ratios import RatioEstimate, impact_ratio

__all__ = ["AboveMedian", "CategoryImpact", "ImpactTable", "above_median", "impact_table"]

_UNKNOWN = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class AboveMedian:
    """Who scored strictly above the full sample's median."""

    median: float
    above: Vector
    """1 if above, 0 if not, nan where the score is missing, shape (n,)."""
    n_missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryImpact:
    """One category's row of the table."""

    category: int
    considered: int
    selected: int
    share: float
    """Share of all rows with a known category and outcome, a fraction."""
    rate: float
    included: bool
    """False if the category is too small to be compared; its count and rate stand all the same."""
    ratio: float | None
    """Rate over the reference category's; None if not included."""
    estimate: RatioEstimate | None
    """The ratio with its interval; None for the reference itself and where it cannot be stated."""
    not_measured: str | None
    """Why an included category has no interval, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactTable:
    """Impact ratios against one reference category."""

    rows: tuple[CategoryImpact, ...]
    """Categories by ascending code."""
    reference: int
    """Code of the category that all are divided by."""
    reference_was_chosen: bool
    """True if it is the highest rate seen, and not named beforehand: ratios then lean below 1."""
    n_unknown: int
    """Rows without a known category, in no rate."""
    n_missing: int
    """Rows of a known category without an outcome, in no rate."""


def above_median(scores: npt.ArrayLike) -> AboveMedian:
    """Mark the scores strictly above the median of the full sample, which a scoring rate counts.

    The median is of all scores given, whatever their category, unknown ones too. Where many scores
    are tied at the median, far fewer than half lie above it: look at `above` before reading ratios.

    Args:
        scores: One score a row, nan if missing, shape (n,).

    Returns:
        The marks, to be given to `impact_table` as outcomes. Its intervals take the median as
        fixed, so they are for this sample's median.

    Raises:
        NotMeasuredError: No score is there.
        ValueError: The array has not one dimension, or holds infinity.

    Source:
        6 RCNY sections 5-300 and 5-301(c) (scoring rate).

    >>> above_median([1.0, 2.0, 3.0, 4.0]).above.tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or np.isinf(values).any():
        raise ValueError("scores must have one dimension and be finite or nan")
    present = ~np.isnan(values)
    if not present.any():
        raise NotMeasuredError("a median needs at least 1 score; got 0")
    median = float(np.median(values[present]))
    return AboveMedian(
        median=median,
        above=np.where(present, (values > median).astype(np.float64), np.nan),
        n_missing=int((~present).sum()),
    )


def impact_table(
    outcomes: npt.ArrayLike,
    category: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    exclude_below: float | None = None,
    reference: int | None = None,
    level: float = 0.95,
) -> ImpactTable:
    """Rates and impact ratios of every category against the highest included one, or a named one.

    A category whose share of the rows is below `exclude_below` is neither compared nor ever the
    denominator: a handful of people who were all selected would otherwise make every other
    category look worse. Its count and rate stay in the table, with the reason to be
    given by whoever excludes it.

    Not for a verdict: no ratio passes or fails here.

    Args:
        outcomes: 1 if favourable, 0 if not, nan if missing, shape (n,).
        category: Code from 0, or -1 where it is unknown, shape (n,); intersections have codes of their own.
        cluster: Code of what is independent, shape (n,); by default each row.
        exclude_below: Share of rows below which a category is not compared, a fraction (0.02 in Local
            Law 144, where exclusion is allowed, not required); None compares all.
        reference: Code to divide by; None takes the highest rate among the included (the smallest code
            of several).
        level: Nominal coverage of the intervals, a fraction in (0, 1).

    Returns:
        The table.

    Raises:
        NotMeasuredError: No row has a category and an outcome, no category is included, or the reference
            has a rate of 0.
        ValueError: The shapes differ, an outcome is not 0, 1 or nan, or `reference` is not an
            included category.

    Source:
        6 RCNY sections 5-300 (selection rate, impact ratio) and 5-301(b)-(d) (unknown, below 2 %).

    >>> table = impact_table([1, 1, 1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, -1])
    >>> table.reference, round(table.rows[1].ratio, 3), table.n_unknown
    (0, 0.444, 1)
    """
    check_fraction("level", level)
    value, codes, clusters = _checked(outcomes, category, cluster)
    known = codes != _UNKNOWN
    used = known & ~np.isnan(value)
    if not used.any():
        raise NotMeasuredError("no row has both a known category and an outcome")
    found, position = np.unique(codes[used], return_inverse=True)
    considered = np.bincount(position)
    selected = np.bincount(position, weights=value[used])
    shares = considered / considered.sum()
    included = np.full(found.size, fill_value=True) if exclude_below is None else shares >= exclude_below
    rates = selected / considered
    against = _reference(found, rates, included, reference)
    sums = _ClusterSums.of(value[used], position, clusters[used])
    return ImpactTable(
        rows=tuple(
            _row(
                CategoryImpact(
                    category=int(found[k]),
                    considered=int(considered[k]),
                    selected=int(selected[k]),
                    share=float(shares[k]),
                    rate=float(rates[k]),
                    included=bool(included[k]),
                    ratio=float(rates[k] / rates[against]) if included[k] else None,
                    estimate=None,
                    not_measured=None,
                ),
                sums,
                (k, against),
                level,
            )
            for k in range(found.size)
        ),
        reference=int(found[against]),
        reference_was_chosen=reference is None,
        n_unknown=int((~known).sum()),
        n_missing=int((known & np.isnan(value)).sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClusterSums:
    """Outcomes by category, from which the sums of one category at a time are made."""

    value: Vector
    position: Codes
    cluster: Codes
    n_clusters: int

    @classmethod
    def of(cls, value: Vector, position: Codes, clusters: Codes) -> "_ClusterSums":
        """Keep rows under dense cluster codes."""
        names, dense = np.unique(clusters, return_inverse=True)
        return cls(value=value, position=position, cluster=dense, n_clusters=names.size)

    def category(self, position: int) -> tuple[Vector, Vector]:
        """Selected and considered of one category by cluster, each of shape (T,)."""
        rows = self.position == position
        at, n = self.cluster[rows], self.n_clusters
        selected = np.bincount(at, weights=self.value[rows], minlength=n)
        return np.asarray(selected, dtype=np.float64), np.bincount(at, minlength=n).astype(np.float64)


def _row(row: CategoryImpact, sums: _ClusterSums, pair: tuple[int, int], level: float) -> CategoryImpact:
    """The row with its interval, where it is to have one."""
    own, against = pair
    if not row.included or own == against:
        return row
    estimate, reason = None, None
    try:
        estimate = impact_ratio(*sums.category(own), *sums.category(against), level=level)
    except NotMeasuredError as error:
        reason = str(error)
    return replace(row, estimate=estimate, not_measured=reason)


def _reference(found: Codes, rates: Vector, included: Flags, reference: int | None) -> int:
    """Position of the category to divide by."""
    if not included.any():
        raise NotMeasuredError("every category is below the share that is compared")
    if reference is None:
        against = int(np.argmax(np.where(included, rates, -1.0)))
    else:
        matches = np.flatnonzero((found == reference) & included)
        if not matches.size:
            raise ValueError(
                f"reference must be an included category, one of {found[included].tolist()}; got {reference}"
            )
        against = int(matches[0])
    if rates[against] == 0:
        raise NotMeasuredError(
            f"an impact ratio needs a reference rate above 0; category {int(found[against])} has 0"
        )
    return against


def _checked(
    outcomes: npt.ArrayLike, category: npt.ArrayLike, cluster: npt.ArrayLike | None
) -> tuple[Vector, Codes, Codes]:
    value = np.asarray(outcomes, dtype=np.float64)
    codes = np.asarray(category, dtype=np.int64)
    clusters = np.arange(value.size) if cluster is None else np.asarray(cluster, dtype=np.int64)
    if value.ndim != 1 or not value.shape == codes.shape == clusters.shape:
        raise ValueError(
            "outcomes, category and cluster must share one shape (n,); "
            f"got {value.shape}, {codes.shape} and {clusters.shape}"
        )
    if not (np.isnan(value) | (value == 0) | (value == 1)).all() or (codes < _UNKNOWN).any():
        raise ValueError("outcomes must be 0, 1 or nan, and category codes at least -1 (unknown)")
    return value, codes, clusters
