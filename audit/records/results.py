"""What an audit states: estimates with their uncertainty and verdict, and findings."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from audit.records.answers import DeclaredMeasure
from audit.records.stated import Stated
from probes.records import Norm, Placebo, Record, Signal

__all__ = [
    "MOST_UNREAD",
    "Control",
    "Correction",
    "ErrorBand",
    "Estimate",
    "EstimateKind",
    "Evidence",
    "Finding",
    "GroupDeviation",
    "GroupRate",
    "Omnibus",
    "Severity",
    "ThresholdTest",
    "Verdict",
]

MOST_UNREAD = 0.2
"""Share of unread answers above which a rate of the others says too little of all of them."""


class Verdict(StrEnum):
    """What the data say about an estimate; one definition everywhere (docs/explanation/verdicts.md)."""

    DISPARITY = "disparity"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    NOT_MEASURED = "not_measured"
    EXCEEDS = "exceeds"
    """For a rate with a declared limit: the interval lies above the limit."""
    WITHIN = "within"
    """For a rate with a declared limit: the interval lies at or below the limit."""
    OBSERVED = "observed"
    """For a quantity nobody declared a limit for: stated, not judged."""


class Control(Record):
    """A negative control: the same estimator on a placebo, where the truth is 0."""

    placebo: Placebo
    point: float
    ci_low: float
    ci_high: float
    noise_floor: float
    """95th percentile of the absolute placebo estimate when its clusters' signs are drawn anew."""
    n_clusters: int
    holds: bool
    """False if the placebo itself differs from 0 after adjustment: the design is then invalid."""
    as_read: bool = False
    """True where labels are attached that may correct the disparities of the measure, and this placebo is of
    the readings as they are; a placebo that is corrected is by the error rates of all groups together."""


EstimateKind = Literal["disparity", "rate", "score", "price", "distance", "association"]
"""`disparity`: group minus reference group. `rate`: one population's rate. `score`: a published
benchmark's own statistic. `price`: merit that makes up for belonging to a group. `distance`: how far
apart the replies of a pair lie, less how far those of a placebo pair do. `association`: how unevenly words go
with words for two groups over all replies, and its excess over groups that are swapped by chance."""


class ThresholdTest(Record):
    """A test of an estimate against a threshold that the spec's gate declares."""

    value: float
    side: Literal["below", "above"]
    """On which side of `value` the estimate must not be shown to lie."""
    p_value: float
    """Two-sided: at most 1 - level exactly where the interval of that level lies beyond `value`."""


class Correction(Record):
    """How an estimate was corrected for the errors of the analyzer that read the answers."""

    source: Literal["review", "calibration"]
    """`review`: people's labels of this run's own answers. `calibration`: the analyzer's error rates on
    other labelled answers."""
    method: str
    labels: str
    """Which labels, in words."""
    n_labels: int = Field(ge=0)
    raw_point: float | None
    """The estimate from the readings as they are, shown beside the corrected one."""
    raw_ci_low: float | None
    raw_ci_high: float | None
    raw_group_rate: float | None = None
    raw_reference_rate: float | None = None
    sensitivity: float | None = None
    """Of a rate: the analyzer's error rates that corrected it."""
    specificity: float | None = None
    group_sensitivity: float | None = None
    """Of a disparity: the analyzer's error rates in the group."""
    group_specificity: float | None = None
    reference_sensitivity: float | None = None
    reference_specificity: float | None = None
    tuning: float | None = None
    """Weight of the readings beside the labels, in [0, 1]; of corrections by review."""


class ErrorBand(Record):
    """What an estimate may be if the analyzer errs unequally; not an interval, it has no coverage."""

    low: float
    high: float
    departure: float
    """How far, in rate, the error rates of each side may be from those measured."""
    sign_holds_to: float | None
    """Largest departure at which the estimate still lies beyond 0 (or its limit); None if it never does."""
    depends: bool
    """True if errors within `departure` could make the estimate alone."""
    source: str
    """Where the error rates are from."""
    says: str
    """The band in words."""
    unbounded: bool = False
    """True if anything is possible within `departure`: the band then says nothing."""


class Estimate(Stated, Record):
    """A quantity over many scores, with its uncertainty and what may be said of it."""

    kind: EstimateKind
    measure: str
    unit: str
    """`rate` (a fraction in [0, 1]) or the unit of the number."""
    probe: str
    domain: str
    """`all` when domains are pooled."""
    language: str = "en"
    attribute: str | None = None
    group: str | None = None
    reference_group: str | None = None
    signal: Signal | None = None
    norm: Norm | None = None
    technique: str | None = None
    """Transform a safety rate is about; `none` for the plain request."""
    point: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    level: float = 0.95
    method: str
    """Interval method and what was resampled or clustered."""
    selected_ci_low: float | None = None
    """Interval adjusted for having been selected (FCR); only where the adjusted p passed its family."""
    selected_ci_high: float | None = None
    naive_ci_low: float | None = None
    """What a tool that takes rows as independent would state; printed for comparison, never used."""
    naive_ci_high: float | None = None
    n_outputs: int = Field(ge=0)
    unread: int | None = Field(default=None, ge=0)
    """Of rates: further answers, of which nothing could be read; they are in none of the figures."""
    n_clusters: int = Field(ge=0)
    group_rate: float | None = None
    """The group's own mean, so that levelling down shows."""
    reference_rate: float | None = None
    group_outputs: int | None = None
    reference_outputs: int | None = None
    p_value: float | None = None
    weight: float | None = None
    """Share of the false discovery rate in the run's family, over the average share; None outside it."""
    primary: bool = False
    """Whether the run was made for this comparison (`judgement.primary`)."""
    p_adjusted: float | None = None
    noise_floor: float | None = None
    controls: tuple[Control, ...] = ()
    margin: float | None = None
    """Smallest disparity of concern (or the limit of a rate), declared before the run."""
    smallest_detectable: float | None = None
    """Disparity this design sees at 80 % power if it were the only question, given the variance it met."""
    ladder: float | None = None
    """Of a price: the whole merit ladder, from end to end, in the price's unit. A size beyond it lies outside
    what was asked and is stated as "more than the whole ladder"."""
    verdict: Verdict
    material: bool = False
    """True if the whole interval lies beyond the margin."""
    early_look: int | None = None
    """Number of the look, before the last one planned, that decided it; the point then tends to lie too far
    from 0. None for all others."""
    threshold_tests: tuple[ThresholdTest, ...] = ()
    """Against thresholds that the spec's gate declares for the measure, not adjusted for their number."""
    observation: bool = False
    """True if the norm allows or asks to justify a difference: not a finding by itself."""
    reasons: tuple[str, ...] = ()
    """Why the verdict is what it is, in words; never empty for `not_measured` and `inconclusive`."""
    notes: tuple[str, ...] = ()
    """What its analyzer says of itself that a reader must know, such as that its errors are unmeasured."""
    declared: DeclaredMeasure | None = None
    """The measure, where an analyzer declares it; None for a built-in one."""
    correction: Correction | None = None
    """If given, point, interval, p value and verdict are those of the corrected estimate."""
    error_band: ErrorBand | None = None
    """What the analyzer's unequal error could make of an uncorrected estimate that a verdict rests on."""

    @property
    def hardly_read(self) -> str | None:
        """Why so few of the answers were read that the others may be of another kind; None if enough were."""
        if self.unread is None or self.unread <= MOST_UNREAD * (self.n_outputs + self.unread):
            return None
        answers = self.n_outputs + self.unread
        return f"{self.unread} of {answers} answers could not be read, and nothing is known of those"


class Severity(StrEnum):
    """Ordinal severity by the written rubric (docs/explanation/severity.md)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class GroupRate(Record):
    """One group's own rate, so that levelling down shows and every disparity has its two ends."""

    measure: str
    probe: str
    domain: str
    language: str
    attribute: str
    signal: Signal
    group: str
    rate: float
    ci_low: float | None
    ci_high: float | None
    level: float
    method: str
    n_outputs: int
    n_clusters: int


class GroupDeviation(Record):
    """One group against the mean of all groups of its attribute."""

    group: str
    point: float
    """The group's mean less the mean over all groups, itself included, in the measure's unit."""
    ci_low: float
    ci_high: float
    """Bounds that hold for all groups of the attribute together."""


class Omnibus(Record):
    """An attribute as a whole, on one measure: whether any of its groups differs."""

    measure: str
    unit: str
    probe: str
    domain: str
    language: str
    attribute: str
    signal: Signal | None
    p_value: float
    """Against "no group differs from the reference", over all groups together; not adjusted for other
    attributes or measures."""
    level: float
    method: str
    n_clusters: int
    """Templates that know every group."""
    groups: tuple[GroupDeviation, ...]
    as_read: bool = False
    """True where labels correct the disparities of the measure: these figures are of the readings as they
    are."""


class Evidence(Record):
    """One exchange, or one member of a counterfactual pair, that shows a finding."""

    prompt_id: str
    output: int
    group: str | None = None
    set_id: str | None = None
    value: float | None = None


class Finding(Record):
    """A claim that the data support, with its size, its evidence and its limits."""

    id: str
    """Stable: the same question about the same plan has the same id."""
    claim: str
    """The claim in words, with its direction and both groups' rates."""
    severity: Severity
    severity_reason: str
    estimate: Estimate
    evidence: tuple[Evidence, ...]
    does_not_show: str
    next_step: str
