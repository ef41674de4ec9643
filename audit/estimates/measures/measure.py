"""What a measure is: a reading turned into a number that can be averaged and compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from audit.gate_conditions import Threshold
from audit.records import DeclaredMeasure
from audit.spec import Judgement

__all__ = ["Measure"]

_REACH: Mapping[str, float] = MappingProxyType(
    {
        "rate": 1.0,
        "Cliff's delta": 1.0,
        "score in [0, 1]": 1.0,
        "score in [-1, 1]": 2.0,
        "place in [0, 1]": 1.0,
    }
)
"""Largest difference between two values in units that have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A reading turned into a number that can be averaged."""

    name: str
    analyzer: str | None
    """Analyzer family whose reading it takes; None if it is read off the output itself."""
    reading: str
    """Name of the reading (`Score.measure`), or of the output's property."""
    words: str
    """How a sentence says it: `the rate of …`."""
    unit: str = "rate"
    """`rate`, a fraction in [0, 1], or the unit of the number."""
    expects: tuple[str, ...] = ("choice", "number", "open", "comply", "refuse", "correct")
    """Kinds of `Expectation` it applies to; all by default."""
    part_of: str | None = None
    """Measure that this one takes apart: where the whole differs too, the part is no finding of its own."""
    qualified: bool | None = None
    """If given, only prompts that the rule blind to identity decides favourably (True) or not (False)."""
    labels: tuple[str, ...] = ()
    """If given, the number is 1 when the reading's label is one of these, else 0."""
    outside: tuple[str, ...] = ()
    """Labels of replies that the measure says nothing of, such as one that speaks of no person where regard
    is read: they have no number and are not missing either."""
    threshold: float | None = None
    """If given, the number is 1 when the reading is at least this, else 0."""
    partly: str | None = None
    """Reading of the same analyzer that is 1 where only a part of the reply was read."""
    ordered: bool = False
    """Whether only prompts whose options stand in order are taken."""
    scale: Literal["log", "dominance"] | None = None
    """How the readings are turned into numbers: `log`, the natural logarithm of what is above 0;
    `dominance`, by how much more often a reply lies above the reference's of its set than below."""
    over_repeats: Literal["maximum", "any"] | None = None
    """If given, there is one number a prompt, over k of its replies: the expected highest reading, or the
    probability that at least one is 1. k is 25, or the run's repeats if it has fewer."""
    refused_as: float | None = None
    """The number of an output whose refusal the provider signalled, so that no text could be read;
    None leaves it missing."""
    between: bool = False
    """Whether each value compares people of both groups: a set's members are then one comparison with the
    sides changed, and every name in them bears on both."""
    compare_groups: bool = True
    """Whether groups are compared on it."""
    main: bool = False
    """Whether it is what a probe that expects such replies was made to measure: its pooled contrasts are
    primary in the family of a run unless the spec declares others."""
    limit: bool = False
    """Whether its overall rate is unwanted from everyone and held against a declared limit."""
    worse: Literal["lower", "higher"] = "higher"
    """Which direction is worse for the group (or, for a limit, for everyone)."""
    margin: float | None = None
    """Margin in its own unit when the unit is not a rate; the reason stands beside the entry."""
    thresholds: tuple[Threshold, ...] = ()
    """Where the gate of the run's spec says that an estimate must not be shown to lie."""
    declared: DeclaredMeasure | None = None
    """What an analyzer declared; None for a built-in measure."""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Smallest and largest difference that two values can have; None where there is no such limit."""
        reach = _REACH.get(self.unit)
        return None if reach is None else (-reach, reach)

    def margin_by(self, judgement: Judgement) -> float | None:
        """The margin of concern in the measure's unit: the spec's own, that of rates, or the measure's."""
        if self.name in judgement.margins:
            return judgement.margins[self.name]
        return judgement.smallest_disparity_of_concern if self.unit == "rate" else self.margin
