"""All tables that a run states beside its estimates."""

from collections.abc import Callable

import pandas as pd

from audit.estimates.cells import cell_tables, domain_tables
from audit.estimates.labels import label_tables
from audit.estimates.measures import Measure
from audit.estimates.outcome_records import Outcomes
from audit.estimates.selection import selection_tables
from audit.spec import Judgement

__all__ = ["outcomes"]


def outcomes(frame_of: Callable[[Measure], pd.DataFrame], judgement: Judgement) -> Outcomes:
    """The tables of a run.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        judgement: Thresholds declared in the spec; the level and the control features are used.
    """
    level = judgement.level
    return Outcomes(
        selection=tuple(selection_tables(frame_of, level=level)),
        cells=tuple(cell_tables(frame_of, controls=judgement.control_features, level=level)),
        domains=tuple(domain_tables(frame_of, level=level)),
        labels=tuple(label_tables(frame_of, controls=judgement.control_features, level=level)),
    )
