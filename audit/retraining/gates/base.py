"""The seam of gates: one question asked of every candidate."""

from collections.abc import Callable
from dataclasses import dataclass

from audit.retraining.records import Example

__all__ = ["Gate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One reason for which candidates are refused."""

    name: str
    rule: str
    """What is refused, in words."""
    reason: Callable[[Example], str | None]
    """Why a candidate is refused; None: it passes. Asked once for each candidate that gets here, in order."""
