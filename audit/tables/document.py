"""What the audit of a decision table found, as it is written and printed."""

from audit.records import Verdict
from probes.records import Record

__all__ = [
    "EqualizedOdds",
    "FourFifthsRow",
    "GroupRow",
    "LabelContrast",
    "LabelRate",
    "Labels",
    "LawCategory",
    "LawTable",
    "MetricFramePoints",
    "Scores",
    "TableDocument",
    "Tables",
    "Unknown",
]


class GroupRow(Record):
    """One group of one table; with several group columns `group` is `column=value`."""

    group: str
    table: str
    """The group column, or columns joined by ` & `."""
    n: int
    """Rows with a decision."""
    favourable: int
    undecided: int
    """Rows of the group without a decision, in no rate."""
    share: float | None
    """Share of the rows with a known category and a decision; None for the unknown."""
    rate: float | None
    ci_low: float | None
    ci_high: float | None
    method: str | None
    n_clusters: int | None
    """Clusters behind the rate; None if rows were taken as independent."""
    reference: str | None
    """The group this one is compared with."""
    impact_ratio: float | None
    impact_ratio_ci_low: float | None
    impact_ratio_ci_high: float | None
    impact_ratio_method: str | None
    """How the interval was made, or why there is none."""
    difference: float | None
    """Rate minus the reference's."""
    difference_ci_low: float | None
    difference_ci_high: float | None
    selected_ci_low: float | None
    """The same interval with allowance for having been picked out of the family; None if it was not."""
    selected_ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    """After correction for a reference picked for its rate and for all tests of the audit."""
    smallest_detectable: float | None
    excluded: bool
    """In no impact ratio: too small a share, by the justification given, or of unknown category."""
    verdict: Verdict | None
    """None for the reference itself."""
    material: bool
    """The whole interval of the difference that allows for the picking lies beyond the margin."""
    reasons: tuple[str, ...]


class Unknown(Record):
    """Rows of one table whose category is not known."""

    table: str
    rows: int
    spellings: dict[str, int]
    """What the file says there, with counts; a missing cell is the empty text."""


class FourFifthsRow(Record):
    """The four-fifths screen of one group: a screen, not a verdict."""

    group: str
    reference: str
    ratio: float
    below: bool
    one_more_clears: bool
    one_moved_reverses: bool


class LawCategory(Record):
    """One category of a table by the arithmetic of Local Law 144."""

    category: str
    applicants: int
    """Rows with a decision."""
    selected: int
    share: float | None
    selection_rate: float | None
    impact_ratio: float | None
    """Against the most selected category that is not excluded."""
    scored: int | None
    """Rows with a score; None without a score column."""
    scoring_rate: float | None
    """Share of them strictly above the median of the full sample."""
    scoring_impact_ratio: float | None
    """Against the category with the highest scoring rate that is not excluded."""
    excluded: bool


class LawTable(Record):
    """One table by the arithmetic of Local Law 144; the rule names no ratio that passes."""

    table: str
    intersectional: bool
    categories: tuple[LawCategory, ...]
    unknown: int
    """Rows left out because their category is not known."""
    exclusion_justification: str | None
    """Why categories are excluded; None if none is."""


class Scores(Record):
    """The score column as a whole."""

    median: float
    rows: int
    missing: int


class Tables(Record):
    """Tables that follow rules made elsewhere."""

    local_law_144: tuple[LawTable, ...]
    four_fifths: tuple[FourFifthsRow, ...]
    scores: Scores | None


class LabelRate(Record):
    """One rate of one group, given its labels."""

    rate: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    """Rows in the denominator."""
    hits: int


class LabelContrast(Record):
    """One group's true or false positive rate minus the reference's."""

    measure: str
    group: str
    reference: str
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    selected_ci_low: float | None
    """The interval with allowance for having been picked out of the family; None if it was not."""
    selected_ci_high: float | None
    p_value: float | None
    p_adjusted: float | None
    verdict: Verdict
    material: bool
    reasons: tuple[str, ...]


class EqualizedOdds(Record):
    """The widest gap of one table's true and false positive rates; it leans above 0 by chance alone."""

    difference: float | None
    ratio: float | None


class MetricFramePoints(Record):
    """fairlearn's points for one table, over the groups that are not excluded."""

    overall: dict[str, float]
    by_group: dict[str, dict[str, float | None]]


class Labels(Record):
    """Rates that need to know what was right; by group name, over all tables."""

    tpr: dict[str, LabelRate]
    fpr: dict[str, LabelRate]
    fnr: dict[str, LabelRate]
    tnr: dict[str, LabelRate]
    precision: dict[str, LabelRate]
    accuracy: dict[str, LabelRate]
    contrasts: tuple[LabelContrast, ...]
    equalized_odds: dict[str, EqualizedOdds]
    metric_frame: dict[str, MetricFramePoints]
    unlabelled: int
    """Rows without a label, in no rate above."""


class TableDocument(Record):
    """Everything that is stated of one decision table."""

    file: str
    sha256: str
    rows: int
    outcome: str
    favourable: tuple[str, ...]
    outcome_values: dict[str, int]
    """Every value of the outcome with its count; a missing decision is the empty text."""
    undecided: int
    cluster: str | None
    level: float
    margin: float
    false_discovery_rate: float
    tests: int
    """Size of the family that p-values were adjusted for."""
    groups: tuple[GroupRow, ...]
    reference: str | dict[str, str | None] | None
    """The reference group; of each table if there are several."""
    unknown: tuple[Unknown, ...]
    tables: Tables
    labels: Labels | None
    notes: tuple[str, ...]
