"""What probes about people share: the options that say who is asked about, and the norms that hold."""

from collections.abc import Mapping
from typing import Literal, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from probes.attributes import Attribute, load_attributes
from probes.base import Options
from probes.counterfactual import SetPlan
from probes.data import data_root
from probes.errors import OptionError
from probes.merit import Level
from probes.norms import load_norms, most_permissive
from probes.records import Arm, Norm

__all__ = ["NormTable", "PeopleOptions", "each_once"]

V = TypeVar("V")
_ATTRIBUTES = ("gender", "race_ethnicity", "age")


class PeopleOptions(Options):
    """What a spec may say of any probe about people."""

    domains: tuple[str, ...] = ("lending", "hiring")
    attributes: tuple[str, ...] = _ATTRIBUTES
    groups: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Attribute → the groups to ask about, its reference group among them; an attribute that is not there is
    asked about with all its groups."""
    signals: tuple[Literal["explicit", "name"], ...] = ("explicit", "name")
    merit: tuple[Level, ...] = ("weak", "borderline", "strong")
    templates: int | None = Field(default=None, ge=1)
    """At most that many templates a domain, drawn at random; None for all. Fewer than 12 clusters
    cannot be measured."""
    crossed: tuple[tuple[str, ...], ...] = ()
    """Lists of attributes to cross, such as `[[gender, race_ethnicity]]`. By name only gender with
    race_ethnicity can be crossed; other crossings are made with explicit labels only."""
    sets_per_template: int = Field(default=1, ge=1)
    """Replicates, each with its own facts, for every template and merit level."""
    norms: Mapping[str, Mapping[str, Norm]] = Field(default_factory=dict)
    """Overrides: attribute → domain → norm."""
    language: Literal["en"] = "en"

    @field_validator("domains", "attributes", "signals", "merit", "crossed")
    @classmethod
    def _each_once(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        return each_once(value)

    @field_validator("domains", "signals", "merit")
    @classmethod
    def _not_empty(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        # A length limit on the field would add a second, misleading line to every bad value.
        if not value:
            raise ValueError("must list at least one value")
        return value

    @field_validator("domains")
    @classmethod
    def _known_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        _must_be_known("domain", value, _domains())
        return value

    @field_validator("attributes")
    @classmethod
    def _known_attributes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        _must_be_known("attribute", value, _attribute_names())
        return value

    @field_validator("crossed")
    @classmethod
    def _known_crossings(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for crossing in value:
            _must_be_known("attribute", crossing, _attribute_names())
            if len(crossing) < 2 or len(set(crossing)) != len(crossing):  # noqa: PLR2004 - crossing takes two
                raise ValueError("a crossing must list at least two different attributes")
        return value

    @field_validator("norms")
    @classmethod
    def _known_norms(cls, value: Mapping[str, Mapping[str, Norm]]) -> Mapping[str, Mapping[str, Norm]]:
        _must_be_known("attribute", tuple(value), _attribute_names())
        for norms in value.values():
            _must_be_known("domain", tuple(norms), _domains())
        return value

    @field_validator("groups")
    @classmethod
    def _known_groups(cls, value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        _must_be_known("attribute", tuple(value), _attribute_names())
        for attribute in load_attributes():
            chosen = value.get(attribute.name)
            if chosen is None:
                continue
            _must_be_known(f"group of {attribute.name}", chosen, tuple(one.name for one in attribute.groups))
            others = len(set(chosen) - {attribute.reference})
            if len(set(chosen)) != len(chosen) or len(chosen) - others != 1 or not others:
                raise ValueError(
                    f"{attribute.name} must list its reference group {attribute.reference} and at least one "
                    f"other, each once; got {', '.join(chosen) or 'none'}"
                )
        return value

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.attributes and not self.crossed:
            raise ValueError("attributes and crossed are both empty; name at least one attribute")
        asked = {*self.attributes, *(name for crossing in self.crossed for name in crossing)}
        _must_be_known("attribute in groups", tuple(self.groups), tuple(sorted(asked)))
        return self

    def chosen_attributes(self) -> dict[str, Attribute]:
        """Every attribute by name, with the groups that are asked about."""
        return {one.name: one.among(self.groups.get(one.name)) for one in load_attributes()}


def each_once(value: tuple[V, ...]) -> tuple[V, ...]:
    """The values.

    Raises:
        ValueError: One is given twice.
    """
    if len(set(value)) != len(value):
        raise ValueError("every value may be given once only")
    return value


class NormTable:
    """The norm of every attribute asked about in every domain, overrides included."""

    def __init__(self, options: PeopleOptions) -> None:
        """Look up what the options ask for.

        Raises:
            OptionError: There is no norm for an attribute in a domain, shipped or given.
        """
        self._norms = {
            (row.attribute, row.domain): row.norm
            for row in load_norms("decisions")
            if row.language == options.language
        }
        self._norms |= {
            (name, domain): norm for name, own in options.norms.items() for domain, norm in own.items()
        }
        asked = {*options.attributes, *(name for crossing in options.crossed for name in crossing)}
        missing = [
            f"{name} in {domain}"
            for name in sorted(asked)
            for domain in options.domains
            if (name, domain) not in self._norms
        ]
        if missing:
            raise OptionError(f"norms: none is shipped for {missing[0]}; state one of {', '.join(Norm)}")

    def of(self, plan: SetPlan, domain: str) -> Norm | None:
        """The norm of a set; None for a placebo set."""
        if plan.arm is Arm.PLACEBO or plan.attribute is None:
            return None
        return most_permissive([self._norms[name, domain] for name in plan.attribute.split("*")])


def _domains() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in (data_root() / "merit").glob("*/data.yaml")))


def _attribute_names() -> tuple[str, ...]:
    return tuple(attribute.name for attribute in load_attributes())


def _must_be_known(what: str, values: tuple[str, ...], accepted: tuple[str, ...]) -> None:
    for value in values:
        if value not in accepted:
            raise ValueError(f"unknown {what} {value!r}; accepted: {', '.join(accepted)}")
