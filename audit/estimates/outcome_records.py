"""Tables that a run states beside its estimates, as they are written to `findings.json`."""

from typing import Literal

from pydantic import Field

from probes.records import Placebo, Record, Signal

__all__ = [
    "CellRow",
    "CellTable",
    "DomainRow",
    "DomainTable",
    "LabelRate",
    "LabelRow",
    "LabelTable",
    "Outcomes",
    "PlaceboRatio",
    "Ratio",
    "SelectionRow",
    "SelectionTable",
]


class Ratio(Record):
    """A rate over another's; neutral value 1."""

    point: float | None
    """None where a rate is missing; `method` says why."""
    ci_low: float | None
    """None where the interval cannot be stated; `method` says why."""
    ci_high: float | None
    method: str


class SelectionRow(Record):
    """One group of a selection table."""

    group: str
    considered: int
    """Decisions (or numbers) read."""
    selected: int
    missing: int
    """Outputs in which none could be read: in no rate."""
    share: float
    """Of all decisions read in this table."""
    rate: float | None
    """None where no decision of the group could be read."""
    ci_low: float | None
    ci_high: float | None
    method: str
    impact_ratio: Ratio
    """Against the group with the highest rate."""
    reference_ratio: Ratio | None
    """Against the declared reference group; None for that group itself, or if its rate is 0."""
    below_four_fifths: bool
    """The impact ratio is below 4/5: a screen, not a verdict."""
    n_clusters: int


class PlaceboRatio(Record):
    """The same ratio between two placebo arms, whose true value is 1."""

    placebo: Placebo
    ratio: Ratio
    holds: bool
    """Whether the interval contains 1."""


class SelectionTable(Record):
    """Rates of the groups of one attribute and their impact ratios, by the arithmetic of Local Law 144."""

    rate: Literal["selection", "scoring"]
    """`selection`: favourable decisions among those read. `scoring`: numbers strictly above the median of
    all numbers read in this table."""
    table: Literal["sex", "race_ethnicity", "intersectional", "other"]
    """Which of the law's tables it is; `other` is none of them."""
    probe: str
    domain: str
    language: str
    attribute: str
    signal: Signal
    highest: str
    """The group with the highest rate, which impact ratios divide by: picked after the fact, so they
    lean below 1."""
    reference: str
    """The declared reference group."""
    median: float | None = None
    """Of the numbers, for a scoring rate."""
    level: float
    rows: tuple[SelectionRow, ...]
    placebos: tuple[PlaceboRatio, ...]
    n_clusters: int


class LabelRate(Record):
    """One rate of one group, given what the rule blind to identity says."""

    rate: float | None
    """None if the group has nobody in the denominator."""
    ci_low: float | None
    ci_high: float | None
    n: int
    """Decisions in the denominator."""
    n_clusters: int


class LabelRow(Record):
    """One group's rates within one combination of control features."""

    group: str
    controls: dict[str, str]
    """Control features with their values, such as `{"domain": "lending"}`."""
    selection_rate: LabelRate
    tpr: LabelRate
    """Favourable decisions among those the rule decides favourably."""
    fpr: LabelRate
    """Favourable decisions among those it does not."""
    missing: int = 0
    """Labelled outputs in which no decision could be read: in no rate."""


class LabelTable(Record):
    """True and false positive rates by group: equalised odds, labelled by the rule blind to identity."""

    probe: str
    language: str
    attribute: str
    signal: Signal
    reference: str
    level: float
    rows: tuple[LabelRow, ...]
    equalized_odds_difference: dict[str, float | None] = Field(default_factory=dict)
    """By control value: the widest gap of both rates between any two groups. It leans above 0 by chance
    alone and has no verdict: the disparities of `true_positive_rate` and `false_positive_rate` have."""
    not_measured: dict[str, str] = Field(default_factory=dict)
    """By control value without a difference: why there is none."""
    unlabelled: int
    """Decisions without a label: in no rate but nowhere counted as wrong."""


class CellRow(Record):
    """One cell: a group (or intersection of groups) within one combination of control features."""

    group: str
    parts: dict[str, str]
    """Attribute to group: one entry, or one for each crossed attribute, to lay cells out in a grid."""
    controls: dict[str, str]
    n: int
    n_clusters: int
    rate: float
    ci_low: float | None
    ci_high: float | None
    shrunk: float | None
    """The rate drawn towards the mean of all cells as far as it is noise; None if they were not shrunk."""
    shrunk_ci_low: float | None
    shrunk_ci_high: float | None


class CellTable(Record):
    """Favourable decisions cell by cell: groups or intersections by domain and control features."""

    probe: str
    language: str
    attribute: str
    signal: Signal
    level: float
    mean: float | None
    """What the cells are drawn to."""
    spread: float | None
    """Standard deviation of the true rates between cells."""
    method: str
    """How they were shrunk, or why they were not."""
    rows: tuple[CellRow, ...]


class DomainRow(Record):
    """A disparity in one domain, raw and drawn towards the mean of its domains."""

    domain: str
    point: float
    ci_low: float
    ci_high: float
    shrunk: float
    shrunk_ci_low: float
    shrunk_ci_high: float
    n_outputs: int
    n_clusters: int


class DomainTable(Record):
    """One contrast in every domain, beside the pooled estimate."""

    measure: str
    probe: str
    language: str
    attribute: str
    signal: Signal
    group: str
    reference: str
    level: float
    pooled: float
    """The equal-weight estimate over all domains, which the disparity states."""
    spread: float
    """Standard deviation of the true disparities between domains."""
    method: str
    rows: tuple[DomainRow, ...]


class Outcomes(Record):
    """All tables of a run."""

    selection: tuple[SelectionTable, ...] = ()
    """Selection and scoring rates with impact ratios, by the arithmetic of Local Law 144."""
    cells: tuple[CellTable, ...] = ()
    """Favourable decisions by group or intersection and control features, raw and shrunk."""
    domains: tuple[DomainTable, ...] = ()
    """Single domains with shrinkage beside the pooled disparity, from 4 domains on."""
    labels: tuple[LabelTable, ...] = ()
    """True and false positive rates by group, where a rule says what is right."""
