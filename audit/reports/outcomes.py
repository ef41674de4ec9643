"""What a report shows besides disparities and rates: which rows, in which order, and where a table ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.estimates.contrasts import POOLED
from audit.estimates.outcome_records import CellRow, CellTable, DomainTable, LabelTable, SelectionTable
from audit.findings.document import RunDocument
from audit.records import Estimate, Verdict

__all__ = ["Grid", "GridLine", "OutcomeContent", "outcome_content"]

MOST_TABLES = 12
"""Tables of one kind."""
MOST_ROWS = 60
"""Rows of one table; the rest is counted and lies in findings.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLine:
    """One line of a grid: a combination of control features, and a cell a group where there is one."""

    controls: tuple[str, ...]
    cells: tuple[CellRow | None, ...]
    shades: tuple[int, ...]
    """Depth of each cell's ground from 0 to 9, by its rate within the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of cells as a heat map: groups across, control features down."""

    table: CellTable
    groups: tuple[str, ...]
    lines: tuple[GridLine, ...]
    lines_left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeContent:
    """The tables of the section on sizes and kinds of outcome."""

    prices: tuple[Estimate, ...]
    """Merit-equivalent prices, those furthest from 0 first; the refused ones last."""
    prices_left_out: int
    distances: tuple[Estimate, ...]
    """How far apart paired replies lie beside placebo pairs, findings first."""
    distances_left_out: int
    associations: tuple[Estimate, ...]
    """How unevenly words go with words for two groups, each beside its excess."""
    associations_left_out: int
    selection: tuple[SelectionTable, ...]
    """Tables over all domains where several were asked about, those that the law names first."""
    selection_left_out: int
    grids: tuple[Grid, ...]
    """Cells laid out in a grid, with the count in each."""
    grids_left_out: int
    domains: tuple[DomainTable, ...]
    domains_left_out: int
    labels: tuple[LabelTable, ...]
    labels_left_out: int

    @property
    def empty(self) -> bool:
        """Whether the run states nothing of this kind."""
        return not (self.prices or self.distances or self.associations or self.selection or self.labels)


def outcome_content(document: RunDocument) -> OutcomeContent:
    """Choose and order the rows.

    Args:
        document: What the run found.
    """
    prices = sorted((one for one in document.estimates if one.kind == "price"), key=_price_place)
    distances = sorted((one for one in document.estimates if one.kind == "distance"), key=_distance_place)
    associations = [one for one in document.estimates if one.kind == "association"]
    selection = sorted(document.outcomes.selection, key=_selection_place)
    return OutcomeContent(
        prices=tuple(prices[:MOST_ROWS]),
        prices_left_out=_left(prices, MOST_ROWS),
        distances=tuple(distances[:MOST_ROWS]),
        distances_left_out=_left(distances, MOST_ROWS),
        associations=tuple(associations[:MOST_ROWS]),
        associations_left_out=_left(associations, MOST_ROWS),
        selection=tuple(selection[:MOST_TABLES]),
        selection_left_out=_left(selection, MOST_TABLES),
        grids=tuple(_grid(table) for table in document.outcomes.cells[:MOST_TABLES]),
        grids_left_out=_left(document.outcomes.cells, MOST_TABLES),
        domains=document.outcomes.domains[:MOST_TABLES],
        domains_left_out=_left(document.outcomes.domains, MOST_TABLES),
        labels=document.outcomes.labels[:MOST_TABLES],
        labels_left_out=_left(document.outcomes.labels, MOST_TABLES),
    )


def _grid(table: CellTable) -> Grid:
    groups = tuple(dict.fromkeys(row.group for row in table.rows))
    at = {(tuple(row.controls.values()), row.group): row for row in table.rows}
    places = list(dict.fromkeys(tuple(row.controls.values()) for row in table.rows))
    rates = [_best(row) for row in table.rows]
    low, width = min(rates, default=0.0), max(max(rates, default=0.0) - min(rates, default=0.0), 1e-9)
    lines = []
    for place in places[:MOST_ROWS]:
        cells = tuple(at.get((place, group)) for group in groups)
        shades = tuple(0 if cell is None else round(9 * (_best(cell) - low) / width) for cell in cells)
        lines.append(GridLine(controls=place, cells=cells, shades=shades))
    return Grid(table=table, groups=groups, lines=tuple(lines), lines_left_out=_left(places, MOST_ROWS))


def _best(row: CellRow) -> float:
    return row.rate if row.shrunk is None else row.shrunk


def _left(rows: Sequence[object], most: int) -> int:
    return max(0, len(rows) - most)


def _distance_place(distance: Estimate) -> tuple[object, ...]:
    """Differences that the data support first, then over all domains before single ones."""
    where = (distance.attribute or "", distance.group or "", distance.signal or "", distance.domain)
    shown = distance.verdict is Verdict.DISPARITY, distance.domain == POOLED
    return not shown[0], not shown[1], distance.measure, *where


def _selection_place(table: SelectionTable) -> tuple[object, ...]:
    """The law's tables first, over all domains before single ones."""
    law = ("sex", "race_ethnicity", "intersectional", "other").index(table.table)
    return table.domain != POOLED, table.rate, law, table.attribute, table.signal, table.domain


def _price_place(price: Estimate) -> tuple[object, ...]:
    """Refused prices last, then by domain; within one, the interval furthest from 0 first."""
    low, high = price.ci_low or 0.0, price.ci_high or 0.0
    surely = max(low, -high, 0.0)
    where = (price.attribute or "", price.group or "", price.signal or "")
    return price.verdict is Verdict.NOT_MEASURED, price.measure, price.domain, -surely, *where
