"""The decisions probe: would the decision about a person be another if the person's group were?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from probes.attributes import Attribute, load_attributes, load_mentions
from probes.base import Options
from probes.counterfactual import (
    Member,
    SetPlan,
    explicit_set,
    mention_set,
    name_set,
    name_swap_set,
    plain_placebo_set,
)
from probes.data import data_root
from probes.errors import OptionError
from probes.merit import Ladder, Level, MeritDraw, load_ladder
from probes.names import NameRotation, load_names
from probes.norms import load_norms, most_permissive
from probes.records import Arm, Expectation, Message, Norm, Placebo, ProbeInfo, Prompt
from probes.rendering import render
from probes.seeds import derive
from probes.seeds import rng as named_rng
from probes.templates import Template, load_templates

__all__ = ["DecisionsOptions", "DecisionsProbe"]

_ATTRIBUTES = ("gender", "race_ethnicity", "age")


class DecisionsOptions(Options):
    """What a spec may say about the decisions probe."""

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
    placebos: tuple[Placebo, ...] = tuple(Placebo)
    """Kinds of placebo set; without them there is no noise floor and no negative control."""
    pool: Literal["audit", "retraining"] = "audit"
    sets_per_template: int = Field(default=1, ge=1)
    """Replicates, each with its own facts, for every template and merit level."""
    norms: Mapping[str, Mapping[str, Norm]] = Field(default_factory=dict)
    """Overrides: attribute → domain → norm."""
    language: Literal["en"] = "en"

    @field_validator("domains", "attributes", "signals", "merit", "placebos", "crossed")
    @classmethod
    def _each_once(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(value)) != len(value):
            raise ValueError("every value may be given once only")
        return value

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One text with its facts, of which several sets are made."""

    template: Template
    turn: int
    root: int
    names: tuple[str | int, ...]
    draw: MeritDraw
    picks: dict[str, str]
    rotation: NameRotation

    def rng(self, *purpose: str) -> np.random.Generator:
        return named_rng(self.root, *self.names, *purpose)


class DecisionsProbe:
    """Yes-or-no decisions about people: counterfactual sets, merit levels and placebo sets.

    Every set of one template, merit level and replicate states the same facts, so that members of a
    set are equal but for the attribute and placebo sets differ from them in nothing but the kind of
    swap.
    """

    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="bias/decisions",
        version="1",
        measures="How often a decision comes out in a person's favour, by signalled group, all else equal.",
        harms=("unequal treatment in lending", "unequal treatment in hiring"),
        languages=("en",),
        source="written for this project",
        licence="Apache-2.0",
        cannot_show=(
            "Whether real applicants are treated unequally, whether the decisions are good ones, or how a "
            "model treats groups, languages and situations that are not in the templates."
        ),
    )
    Options: ClassVar[type[DecisionsOptions]] = DecisionsOptions

    def __init__(self, options: DecisionsOptions) -> None:
        """Load what the options ask for.

        Raises:
            OptionError: The options ask for material that is not there.
        """
        self._options = options
        self._attributes = {
            attribute.name: attribute.among(options.groups.get(attribute.name))
            for attribute in load_attributes()
        }
        self._norms = self._all_norms()

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """The prompts: domain, template, merit level and replicate in turn, members of a set together.

        Args:
            rng: The only source of randomness; one number is drawn from it.

        Yields:
            Prompts with unique ids.
        """
        root = int(rng.integers(2**63))
        for domain in self._options.domains:
            ladder = load_ladder(domain)
            rotation = NameRotation(load_names(pool=self._options.pool), derive(root, domain))
            for turn, template in enumerate(self._templates(domain, root)):
                for case in self._cases(template, turn, ladder, rotation, root):
                    for plan in self._sets(case):
                        yield from self._members(case, plan)

    def _templates(self, domain: str, root: int) -> list[Template]:
        available = load_templates(domain, pool=self._options.pool)
        if not available:
            raise OptionError(f"pool: domain {domain} has no templates of pool {self._options.pool}")
        # The first of one fixed shuffle, so that asking for more templates keeps the ones already asked.
        order = named_rng(root, "templates", domain).permutation(len(available))
        return [available[i] for i in sorted(int(i) for i in order[: self._options.templates])]

    def _cases(
        self, template: Template, turn: int, ladder: Ladder, rotation: NameRotation, root: int
    ) -> Iterator[_Case]:
        for step, level in enumerate(self._options.merit):
            for replicate in range(self._options.sets_per_template):
                names = (template.id, level, replicate)
                facts = named_rng(root, *names, "facts")
                picks = named_rng(root, *names, "picks")
                yield _Case(
                    template=template,
                    turn=turn + step + replicate,
                    root=root,
                    names=names,
                    draw=ladder.draw(level, template.facts, facts),
                    picks={
                        key: values[int(picks.integers(len(values)))]
                        for key, values in template.picks.items()
                    },
                    rotation=rotation,
                )

    def _sets(self, case: _Case) -> Iterator[SetPlan]:
        for labels in (*((name,) for name in self._options.attributes), *self._options.crossed):
            attributes: list[Attribute] = [self._attributes[name] for name in labels]
            if "explicit" in self._options.signals:
                yield explicit_set(attributes, case.rng("*".join(labels), "explicit"))
            if "name" in self._options.signals:
                plan = name_set(attributes, case.rotation, case.turn)
                if plan is not None:
                    yield plan
        for kind in self._options.placebos:
            yield from self._placebo(case, kind)

    def _placebo(self, case: _Case, kind: Placebo) -> Iterator[SetPlan]:
        rng = case.rng("placebo", kind.value)
        if kind in (Placebo.RESAMPLE, Placebo.PARAPHRASE):
            yield plain_placebo_set(kind, rng)
        elif kind is Placebo.MENTION and "explicit" in self._options.signals:
            yield mention_set(load_mentions(), case.turn, rng)
        elif kind is Placebo.NAME_SWAP and "name" in self._options.signals:
            yield name_swap_set(case.rotation, case.turn, rng)

    def _members(self, case: _Case, plan: SetPlan) -> Iterator[Prompt]:
        template = case.template
        set_id = ":".join([*(str(name) for name in case.names), plan.key])
        expectation = Expectation(
            kind="choice",
            options=template.options,
            favourable=template.favourable,
            answer=template.favourable if case.draw.favourable else template.unfavourable,
        )
        for member in plan.members:
            yield Prompt.make(
                messages=(Message(role="user", content=self._text(case, member)),),
                probe=self.info.name,
                template=template.id,
                domain=template.domain,
                language=self._options.language,
                expectation=expectation,
                set_id=set_id,
                arm=plan.arm,
                placebo=plan.placebo,
                attribute=plan.attribute,
                group=member.group,
                reference=plan.reference,
                signal=plan.signal,
                norm=self._norm(plan, template.domain),
                name=member.person.name,
                tags={
                    "merit": case.draw.level,
                    "merit_index": f"{case.draw.index:.3f}",
                    "voice": template.voice,
                },
            )

    def _text(self, case: _Case, member: Member) -> str:
        return render(
            case.template, member.person, case.draw.phrases, case.picks, paraphrase=member.paraphrase
        )

    def _norm(self, plan: SetPlan, domain: str) -> Norm | None:
        if plan.arm is Arm.PLACEBO or plan.attribute is None:
            return None
        return most_permissive([self._norms[name, domain] for name in plan.attribute.split("*")])

    def _all_norms(self) -> dict[tuple[str, str], Norm]:
        norms = {
            (row.attribute, row.domain): row.norm
            for row in load_norms("decisions")
            if row.language == self._options.language
        }
        norms |= {
            (name, domain): norm for name, own in self._options.norms.items() for domain, norm in own.items()
        }
        asked = {
            *self._options.attributes,
            *(name for crossing in self._options.crossed for name in crossing),
        }
        missing = [
            f"{name} in {domain}"
            for name in sorted(asked)
            for domain in self._options.domains
            if (name, domain) not in norms
        ]
        if missing:
            raise OptionError(f"norms: none is shipped for {missing[0]}; state one of {', '.join(Norm)}")
        return norms


def _domains() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in (data_root() / "merit").glob("*/data.yaml")))


def _attribute_names() -> tuple[str, ...]:
    return tuple(attribute.name for attribute in load_attributes())


def _must_be_known(what: str, values: tuple[str, ...], accepted: tuple[str, ...]) -> None:
    for value in values:
        if value not in accepted:
            raise ValueError(f"unknown {what} {value!r}; accepted: {', '.join(accepted)}")
