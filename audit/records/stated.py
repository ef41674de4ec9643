"""What estimates and changes of them say alike: where they are about, and which of two intervals counts."""

from typing import Protocol

__all__ = ["Stated"]

_Interval = tuple[float | None, float | None]


class _Stateable(Protocol):
    """A record with the figures that `Stated` speaks of."""

    @property
    def domain(self) -> str: ...

    @property
    def technique(self) -> str | None: ...

    @property
    def ci_low(self) -> float | None: ...

    @property
    def ci_high(self) -> float | None: ...

    @property
    def selected_ci_low(self) -> float | None: ...

    @property
    def selected_ci_high(self) -> float | None: ...


class Stated:
    """For records with an interval, and another one if they were picked among many."""

    @property
    def where(self: _Stateable) -> str:
        """Its domain, and the technique if there is one."""
        return self.domain if self.technique in {None, "none"} else f"{self.domain} ({self.technique})"

    @property
    def widened(self: _Stateable) -> bool:
        """Whether the interval stated is the one that allows for having been picked among many."""
        return self.selected_ci_low is not None and self.selected_ci_high is not None

    @property
    def stated_interval(self: _Stateable) -> _Interval:
        """The interval that allows for the picking, where there is one; else the plain one.

        Those called out of many are called because they came out large, so the plain interval of one that
        was called holds less often than its level says (Benjamini & Yekutieli 2005, JASA 100:71-81).
        """
        picked = (self.selected_ci_low, self.selected_ci_high)
        return (self.ci_low, self.ci_high) if None in picked else picked
