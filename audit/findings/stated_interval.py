"""The interval that a finding states and is graded by."""

from audit.records import Estimate

__all__ = ["stated_interval", "widened"]


def widened(estimate: Estimate) -> bool:
    """Whether the interval stated is the one that allows for having been picked among many."""
    return estimate.selected_ci_low is not None and estimate.selected_ci_high is not None


def stated_interval(estimate: Estimate) -> tuple[float | None, float | None]:
    """The interval that allows for the picking, where there is one; else the plain one.

    Those called out of many are called because they came out large, so the plain interval of one that was
    called holds less often than its level says.

    Args:
        estimate: The estimate behind a finding.

    Returns:
        Lower and upper end in the estimate's unit; None where nothing is measured.

    Source:
        Benjamini & Yekutieli (2005), JASA 100:71-81.
    """
    if widened(estimate):
        return estimate.selected_ci_low, estimate.selected_ci_high
    return estimate.ci_low, estimate.ci_high
