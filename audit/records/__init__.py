"""What an audit keeps: outputs, scores, estimates and findings.

Written to disk, so every class is a frozen pydantic model that rejects unknown keys and numbers
that are not finite. Missing is None, never 0.
"""

from audit.records.answers import (
    Counts,
    DeclaredMeasure,
    Exchange,
    HostileText,
    Outcome,
    Output,
    RaterUse,
    Request,
    Score,
    Usage,
)
from audit.records.changes import Change, GroupChange, NonInferiority
from audit.records.results import (
    Control,
    Correction,
    ErrorBand,
    Estimate,
    EstimateKind,
    Evidence,
    Finding,
    GroupDeviation,
    GroupRate,
    Omnibus,
    Severity,
    ThresholdTest,
    Verdict,
)
from audit.records.reviews import Review, SampledItem

__all__ = [
    "Change",
    "Control",
    "Correction",
    "Counts",
    "DeclaredMeasure",
    "ErrorBand",
    "Estimate",
    "EstimateKind",
    "Evidence",
    "Exchange",
    "Finding",
    "GroupChange",
    "GroupDeviation",
    "GroupRate",
    "HostileText",
    "NonInferiority",
    "Omnibus",
    "Outcome",
    "Output",
    "RaterUse",
    "Request",
    "Review",
    "SampledItem",
    "Score",
    "Severity",
    "ThresholdTest",
    "Usage",
    "Verdict",
]
