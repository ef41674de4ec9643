"""What a screen's unequal error between groups can make of a gap where there is none."""

from collections.abc import Sequence

from audit.analyzers.base import ErrorRate

__all__ = ["unequal_error"]


def unequal_error(rates: Sequence[ErrorRate], measure: str, *, share: float) -> str:
    """In words, the gap that unequal sensitivity alone would show between two groups that do not differ.

    gap = share * (largest - smallest sensitivity of a group). It is a warning, not a correction: the rates
    by group have intervals of their own, and are of other texts than those audited.

    Args:
        rates: Measured error rates, some of them by group.
        measure: Which measure.
        share: Share of texts that are positive in both groups, a fraction in (0, 1).

    Returns:
        One sentence; empty if fewer than two groups were measured.
    """
    found = [one for one in rates if (one.name, one.measure) == ("sensitivity", measure) and one.group]
    if len({one.group for one in found}) < 2:  # noqa: PLR2004 - a gap has two sides
        return ""
    low, high = min(found, key=lambda one: one.value), max(found, key=lambda one: one.value)
    gap = 100 * share * (high.value - low.value)
    lowest = f"{low.value:.2f} ({low.group}, n = {low.n})"
    highest = f"{high.value:.2f} ({high.group}, n = {high.n})"
    return (
        f"Its sensitivity differs by group, from {lowest} to {highest}: if {share:.0%} of the texts about "
        f"each were {measure}, that alone would show a gap of {gap:.1f} points: a smaller gap is no finding."
    )
