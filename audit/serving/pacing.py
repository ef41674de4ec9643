"""How long jobs of the server take."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Pace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long jobs take."""

    least_s: float
    """Seconds that a job takes at least, so that its states can be seen."""
    window_s: float
    """Seconds after which a batch expires."""
    now: Callable[[], float]
    """Seconds since 1970."""
