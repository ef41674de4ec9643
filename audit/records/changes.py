"""What changed between two runs of one plan."""

from typing import Literal

from audit.records.answers import DeclaredMeasure
from audit.records.results import EstimateKind, Verdict
from audit.records.stated import Stated
from probes.records import Record, Signal

__all__ = ["Change", "GroupChange", "NonInferiority"]


class NonInferiority(Record):
    """Whether something that must not get worse did: a one-sided bound against a declared margin."""

    margin: float
    """Largest loss that is accepted, declared before the run, in the measure's unit."""
    worse: Literal["lower", "higher"]
    """Which direction is a loss."""
    bound: float
    """The change is no worse than this, at the level of the estimate, one-sided."""
    verdict: Literal["non_inferior", "inferior", "not_shown"]
    """`non_inferior`: the bound lies within the margin. `inferior`: the loss surely exceeds it.
    `not_shown`: neither."""


class GroupChange(Record):
    """One group's own rate, after minus before, so that levelling down shows."""

    change: float
    ci_low: float
    ci_high: float


class Change(Stated, Record):
    """One estimate before and after, paired by prompt; change = after - before."""

    finding: str = ""
    """Id that a finding about it has, in any run; empty in documents of earlier versions."""
    measure: str
    kind: EstimateKind
    probe: str = ""
    """Which probe asked; empty in documents of earlier versions."""
    language: str = "en"
    attribute: str | None
    group: str | None
    reference_group: str | None
    signal: Signal | None
    domain: str
    technique: str | None
    before: float | None
    after: float | None
    change: float | None
    ci_low: float | None
    ci_high: float | None
    level: float
    method: str
    n_outputs: int
    n_clusters: int
    p_value: float | None
    p_adjusted: float | None
    selected_ci_low: float | None = None
    """Interval adjusted for having been selected (FCR); only where the adjusted p passed its family."""
    selected_ci_high: float | None = None
    before_group_rate: float | None = None
    after_group_rate: float | None = None
    before_reference_rate: float | None = None
    after_reference_rate: float | None = None
    before_verdict: Verdict
    after_verdict: Verdict
    verdict: Literal[
        "smaller",
        "larger",
        "reversed",
        "no_material_change",
        "inconclusive",
        "not_measured",
        "not_comparable",
    ]
    """`smaller` and `larger` speak of the size |after| against |before| of a disparity, and of the value
    itself for a rate; the change's interval must exclude 0 after adjustment. `reversed`: the
    intervals of the two runs lie on opposite sides of 0, and neither smaller nor larger is shown."""
    reasons: tuple[str, ...] = ()
    non_inferiority: NonInferiority | None = None
    """Of rates that have a worse direction: whether it got worse by less than the declared margin."""
    group_change: GroupChange | None = None
    """Of disparities of rates: the group's own change."""
    reference_change: GroupChange | None = None
    """Likewise the reference group's."""
    declared: DeclaredMeasure | None = None
    """The measure, where an analyzer declares it; None for a built-in one."""
