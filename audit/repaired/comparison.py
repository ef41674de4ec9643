"""Two runs of one plan side by side, with all that a comparison states of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.findings.document import RunDocument
from audit.records import Change
from audit.repaired.outcomes import Beside, FindingOutcome
from audit.repaired.reach import ReachCell

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs side by side."""

    before: str
    after: str
    changes: tuple[Change, ...]
    not_comparable: str | None
    """Why the runs cannot be compared; then there are no changes."""
    outcomes: tuple[FindingOutcome, ...] = ()
    """What became of each finding."""
    beside: tuple[Beside, ...] = ()
    """Each change beside those of a repeat and of a repair by prompt alone, where there were such runs."""
    cells: tuple[ReachCell, ...] = ()
    """Changes by what the retraining files touched, where they are given and no run stopped early."""
    gated: Mapping[str, str] = field(default_factory=dict)
    """Measures that are read by an analyzer that also gated the files, with its name."""
    documents: Mapping[str, RunDocument] = field(default_factory=dict)
    """What each run found: `before`, `after`, and `base` and `prompt_only` where they are given."""
