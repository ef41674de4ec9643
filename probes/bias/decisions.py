"""The decisions probe: would the decision about a person be another if the person's group were?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import field_validator

from probes.attributes import Attribute, load_mentions
from probes.bias.people import NormTable, PeopleOptions, each_once
from probes.counterfactual import (
    Member,
    SetPlan,
    explicit_set,
    mention_set,
    name_set,
    name_swap_set,
    plain_placebo_set,
)
from probes.errors import OptionError
from probes.merit import Ladder, MeritDraw, load_ladder
from probes.names import NameRotation, load_names
from probes.records import Expectation, Message, Placebo, ProbeInfo, Prompt
from probes.rendering import render
from probes.seeds import derive
from probes.seeds import rng as named_rng
from probes.templates import Template, load_templates

__all__ = ["DecisionsOptions", "DecisionsProbe"]


class DecisionsOptions(PeopleOptions):
    """What a spec may say about the decisions probe."""

    placebos: tuple[Placebo, ...] = tuple(Placebo)
    """Kinds of placebo set; without them there is no noise floor and no negative control."""
    pool: Literal["audit", "retraining"] = "audit"

    @field_validator("placebos")
    @classmethod
    def _each_placebo_once(cls, value: tuple[Placebo, ...]) -> tuple[Placebo, ...]:
        return each_once(value)


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
        self._attributes = options.chosen_attributes()
        self._norms = NormTable(options)

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
                norm=self._norms.of(plan, template.domain),
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
