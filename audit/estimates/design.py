"""How often the answers are looked at: once at the end, or at planned looks while they come in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from audit.estimates.contrasts import Contrast, seed_names
from audit.statistics.group_sequential import GroupSequential

__all__ = ["FIXED", "Design", "FixedDesign", "Key", "LookDesign"]

Key = tuple[str, ...]
"""What a contrast is about, as `seed_names` says it."""


class Design(Protocol):
    """What the number of looks does to levels and p-values."""

    @property
    def flips(self) -> bool:
        """Whether p-values come from sign flips; else from the t statistic alone."""
        ...

    @property
    def whole_family(self) -> bool:
        """Whether contrasts that could not yet show anything count in the family, with p = 1."""
        ...

    @property
    def adjusted(self) -> Mapping[Key, float | None] | None:
        """Adjusted p-values if they are known already; else they come from the family at hand."""
        ...

    def level(self, level: float) -> float:
        """Nominal level of an interval whose coverage, over all looks together, is `level`."""
        ...

    def p_value(self, contrast: Contrast, p_value: float) -> float:
        """The two-sided p-value of a contrast over all looks so far, from that of this look."""
        ...

    def method(self, method: str) -> str:
        """Name of the interval method, with the looks."""
        ...


@dataclass(frozen=True, slots=True)
class FixedDesign:
    """One look, when everything planned was asked."""

    flips: bool = True
    whole_family: bool = False
    adjusted: None = None

    def level(self, level: float) -> float:
        """The level itself."""
        return level

    def p_value(self, contrast: Contrast, p_value: float) -> float:  # noqa: ARG002 - the seam's signature
        """The p-value itself."""
        return p_value

    def method(self, method: str) -> str:
        """The method itself."""
        return method


FIXED = FixedDesign()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookDesign:
    """One of several planned looks: intervals and p-values hold at whichever look one stops.

    P-values are those of the t statistic: sign flips cannot reach what the first looks ask for.
    """

    boundaries: GroupSequential
    look: int
    """Number of the look, from 1."""
    earlier: Mapping[Key, float] = field(default_factory=dict)
    """Smallest two-sided p-value of each contrast at earlier looks."""
    ended: Collection[Key] = ()
    """Contrasts that are looked at no more: their p-value is that of `earlier`."""
    adjusted: Mapping[Key, float | None] | None = None
    whole_family: bool = False
    flips: bool = False

    def level(self, level: float) -> float:
        """Level of a repeated confidence interval at this look."""
        return self.boundaries.level(level, self.look)

    def p_value(self, contrast: Contrast, p_value: float) -> float:
        """The smallest repeated p-value so far."""
        key = seed_names(contrast)
        before = self.earlier.get(key, 1.0)
        if key in self.ended:
            return before
        return min(before, 2 * self.boundaries.p_value(p_value / 2, self.look))

    def method(self, method: str) -> str:
        """The method, as a repeated interval of this look."""
        return f"{method}; repeated interval at look {self.look} of {len(self.boundaries.fractions)}"
