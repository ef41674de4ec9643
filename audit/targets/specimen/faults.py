"""The faults that a specimen is planted with, as options, with the check that they can be had exactly.

All rates and gaps are fractions and add up on that scale, so a planted gap of -0.10 is a difference of ten
points in expectation whatever else is planted. That needs every sum to stay a probability: options under
which some prompt would fall outside [0, 1] are refused, never clipped.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from probes.attributes import load_attributes
from probes.base import Options

__all__ = ["SPREAD", "Gaps", "RefusalFaults", "SpecimenOptions", "Technique", "ToxicityFaults", "gap_of"]

Rate = Annotated[float, Field(ge=0, le=1)]
Gap = Annotated[float, Field(ge=-1, le=1)]
Gaps = dict[str, dict[str, Gap]]
"""Attribute to group to points; crossed attributes and groups are joined by `*`."""
Technique = Literal["base64", "rot13", "leetspeak", "homoglyph"]

SPREAD = math.sqrt(3)
"""Half the width of a uniform distribution with standard deviation 1: effects never leave sd * SPREAD."""

_ROUNDING = 1e-9


class RefusalFaults(Options):
    """How it meets harmful and harmless requests; requests are known by `datasets/goals`."""

    harmful_compliance: Rate = Field(
        default=0.0, description="Rate of compliance with a plain harmful request."
    )
    techniques: dict[Technique, Rate] = Field(
        default_factory=dict,
        description="Rate of compliance when the request is disguised by this technique; others as if plain.",
    )
    over_refusal: Rate = Field(default=0.0, description="Rate of refusal of a harmless request.")


class ToxicityFaults(Options):
    """How often an answer (not a refusal) ends with an insult."""

    rate: Rate = 0.0
    gaps: Gaps = Field(default_factory=dict, description="Added to the rate for a group, in points.")

    @field_validator("gaps")
    @classmethod
    def _known(cls, given: Gaps) -> Gaps:
        return _known_groups(given)

    @model_validator(mode="after")
    def _stays_a_rate(self) -> Self:
        _check_range("toxicity rate", self.rate, _lowest(self.gaps), _highest(self.gaps))
        return self


class SpecimenOptions(Options):
    """Planted faults; the default specimen has none and decides by a fair coin."""

    favourable_rate: Rate = Field(
        default=0.5, description="Rate of favourable decisions for reference groups."
    )
    gaps: Gaps = Field(
        default_factory=dict,
        description="Added for a group, in points, such as `gender: {female: -0.10}`; a group listed with 0 "
        "takes part in slope_sd.",
    )
    only_where: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="Gaps hold only in texts with one of these words; none means in all texts."
    )
    merit_effect: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="Points added from the border to the top of the merit ladder, and taken to its foot.",
    )
    template_sd: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.0, description="Standard deviation of the favourable rate over wordings, in points."
    )
    slope_sd: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.0, description="Standard deviation of each listed group's gap over wordings, in points."
    )
    wording_seed: Annotated[int, Field(ge=0, lt=2**64)] = Field(
        default=0, description="Another number draws other effects of wordings (template_sd and slope_sd)."
    )
    preferences: Gaps = Field(
        default_factory=dict,
        description="Of a comparison of people: added to a group's chance to be preferred, in points, such "
        "as -0.05 to win 45 of 100 against a group without an entry.",
    )
    first_listed: Annotated[float, Field(ge=-0.5, le=0.5)] = Field(
        default=0.0, description="Of a comparison of people: added to the chance of whoever is listed first."
    )
    refusal: RefusalFaults = Field(default_factory=RefusalFaults)
    toxicity: ToxicityFaults = Field(default_factory=ToxicityFaults)
    unparsed_rate: Rate = Field(default=0.0, description="Rate of decisions that name no option.")
    empty_rate: Rate = Field(default=0.0, description="Rate of empty answers, to any request.")

    @field_validator("gaps", "preferences")
    @classmethod
    def _known(cls, given: Gaps) -> Gaps:
        return _known_groups(given)

    @model_validator(mode="after")
    def _stays_a_rate(self) -> Self:
        apart = _highest(self.preferences) - _lowest(self.preferences) + abs(self.first_listed)
        _check_range("chance of even preference 0.5", 0.5, -apart, apart)
        spread = SPREAD * (self.template_sd + self.slope_sd * len(self.gaps)) + self.merit_effect
        below, above = _lowest(self.gaps) - spread, _highest(self.gaps) + spread
        _check_range("favourable_rate", self.favourable_rate, below, above)
        return self


def gap_of(gaps: Gaps, groups: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    """The planted gaps that hold for somebody.

    Args:
        gaps: As planted.
        groups: Attribute to group of the person, as far as conveyed.

    Yields:
        Attribute, group (crossed ones joined by `*`) and points.
    """
    for attribute, planted in gaps.items():
        group = "*".join(groups.get(part, "") for part in attribute.split("*"))
        if group in planted:
            yield attribute, group, planted[group]


def _known_groups(gaps: Gaps) -> Gaps:
    known = {attribute.name: {group.name for group in attribute.groups} for attribute in load_attributes()}
    for attribute, planted in gaps.items():
        parts = attribute.split("*")
        if not set(parts) <= set(known) or len(set(parts)) < len(parts):
            raise ValueError(
                f"unknown attribute {attribute!r}; accepted: {', '.join(sorted(known))}, joined by *"
            )
        for group in planted:
            members = group.split("*")
            fits = len(members) == len(parts) and all(
                member in known[part] for part, member in zip(parts, members, strict=True)
            )
            if not fits:
                accepted = " * ".join("{" + ", ".join(sorted(known[part])) + "}" for part in parts)
                raise ValueError(f"unknown group {group!r} of {attribute}; accepted: {accepted}")
    return gaps


def _lowest(gaps: Gaps) -> float:
    return sum(min(0.0, *planted.values()) for planted in gaps.values() if planted)


def _highest(gaps: Gaps) -> float:
    return sum(max(0.0, *planted.values()) for planted in gaps.values() if planted)


def _check_range(name: str, rate: float, below: float, above: float) -> None:
    low, high = rate + below, rate + above
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise ValueError(
            f"{name} {rate:g} with these gaps and spreads would range from {low:.3f} to {high:.3f}; "
            "accepted: within [0, 1], so that planted gaps are exact"
        )
