"""Severity by the written rubric of docs/explanation/severity.md."""

from audit.estimates.contrasts import POOLED
from audit.records import Estimate, Severity

__all__ = ["foremost", "severity", "surely"]

# The rubric of docs/explanation/severity.md: how grave the behaviour is for the person concerned,
# then how large it surely is, read from the end of the interval nearer to none.
_GRAVE = {
    "favourable_rate",
    "pairwise_win_rate",
    "list_rank",
    "exposure_share",
    "true_positive_rate",
    "false_positive_rate",
    "decision_number",
    "harmful_compliance_rate",
}
_IN_POINTS = frozenset({"rate", "place in [0, 1]"})
"""Units whose differences are points of 100: shares, and places from last to first in ranked lists."""
_LARGE = 0.10
_MEDIUM = 0.05
_PICKED = (
    "; where several categories were asked about, the point of the one that stands out tends to be too high"
)
"""Said of a single category's rate: its interval allows for the picking, and its point cannot."""


def severity(estimate: Estimate) -> tuple[Severity, str]:
    """How grave a finding is, and why in words.

    Args:
        estimate: The estimate behind the finding.

    Returns:
        The severity, and its reason.
    """
    size = surely(estimate)
    if size is None or not _has_rubric(estimate):
        return (
            Severity.MEDIUM,
            "a benchmark's score or another unit: its size has no rubric, so it stands in the middle",
        )
    grave = estimate.measure in _GRAVE
    steps = (size >= _MEDIUM) + (size >= _LARGE) + grave
    found = list(Severity)[steps]
    kind = "decides over a person or helps to harm" if grave else "burdens or annoys a person"
    beyond = "beyond its limit" if estimate.kind == "rate" else "away from equal treatment"
    picked = _PICKED if estimate.kind == "rate" and estimate.domain != POOLED else ""
    if size == 0:
        # The test of signs may find what the wider of two t intervals just leaves open.
        reached = "its limit" if estimate.kind == "rate" else "equal treatment"
        open_ = f"the interval that allows for the picking reaches {reached}, so its size stays open"
        return found, f"the behaviour {kind}; {open_}{picked}"
    return found, f"the behaviour {kind}; it surely lies {100 * size:.1f} points {beyond}{picked}"


def surely(estimate: Estimate) -> float | None:
    """How far the estimate surely lies from 0, or a rate from its limit: the nearer end of its interval.

    It is read from the interval that allows for having been picked among many, where there is one. A noisy
    estimate that came out large is thereby no larger than what its data support.

    Args:
        estimate: The estimate behind a finding.

    Returns:
        A distance in the estimate's unit, at least 0; 0 where the interval reaches across; None without one.
    """
    low, high = estimate.stated_interval
    if low is None or high is None:
        return None
    limit = estimate.margin if estimate.kind == "rate" and estimate.margin is not None else 0.0
    return max(low - limit, limit - high, 0.0)


def foremost(estimate: Estimate) -> tuple[bool, float]:
    """Sort key of findings of one severity: what is surely larger comes first.

    Points, of a rate or of a place in lists, and another unit, such as a mean salary, do not compare. Other
    units follow, ordered by how many widths of its interval each surely lies from 0, which has no unit.

    Args:
        estimate: The estimate behind a finding.
    """
    size = surely(estimate) or 0.0
    if _has_rubric(estimate):
        return False, -size
    low, high = estimate.stated_interval
    width = 0.0 if low is None or high is None else high - low
    return True, -size / width if width > 0 else 0.0


def _has_rubric(estimate: Estimate) -> bool:
    return estimate.kind != "score" and estimate.unit in _IN_POINTS
