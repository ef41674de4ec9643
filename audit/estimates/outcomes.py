"""All tables that a run states beside its estimates."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import pandas as pd

from audit.estimates.cells import cell_tables, domain_tables
from audit.estimates.labels import label_tables
from audit.estimates.measures import Measure
from audit.estimates.outcome_records import CellTable, DomainTable, LabelTable, Outcomes, SelectionTable
from audit.estimates.selection import selection_tables
from audit.estimates.stops import Stops, at_look
from audit.spec import Judgement

__all__ = ["outcomes"]

Table = TypeVar("Table", SelectionTable, CellTable, DomainTable, LabelTable)


def outcomes(
    frame_of: Callable[[Measure], pd.DataFrame], judgement: Judgement, *, stops: Stops | None = None
) -> Outcomes:
    """The tables of a run.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        judgement: Thresholds declared in the spec; the level and the control features are used.
        stops: Probes that were stopped after a look; their tables have its stricter level, and say so.
    """
    plain = _tables(frame_of, judgement)
    if stops is None:
        return plain
    late = _tables(frame_of, at_look(judgement, stops.boundaries, stops.look))
    return Outcomes(
        selection=_by_probe(plain.selection, late.selection, stops),
        cells=_by_probe(plain.cells, late.cells, stops),
        domains=_by_probe(plain.domains, late.domains, stops),
        labels=_by_probe(plain.labels, late.labels, stops),
    )


def _tables(frame_of: Callable[[Measure], pd.DataFrame], judgement: Judgement) -> Outcomes:
    level = judgement.level
    return Outcomes(
        selection=tuple(selection_tables(frame_of, level=level)),
        cells=tuple(cell_tables(frame_of, controls=judgement.control_features, level=level)),
        domains=tuple(domain_tables(frame_of, level=level)),
        labels=tuple(label_tables(frame_of, controls=judgement.control_features, level=level)),
    )


def _by_probe(plain: Sequence[Table], late: Sequence[Table], stops: Stops) -> tuple[Table, ...]:
    """Tables of probes asked in full at the plain level, then those of stopped ones at that of their look."""
    in_full = [table for table in plain if table.probe not in stops.probes]
    return tuple(in_full + [table for table in late if table.probe in stops.probes])
