"""The design of comparisons: who stands where, so that position, profile and wording cancel.

A comparison has two sides, each with people of one group. The places of a prompt (letter, facts and their
wording) stay as they are while the two sides change places: the members of a set are two prompts that
differ in nothing but who stands where. Whatever a place is worth is therefore worth the same to both
groups, exactly and in every set.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import field_validator

from probes.attributes import load_mentions
from probes.bias.people import NormTable, PeopleOptions, each_once
from probes.candidates import Comparison, load_comparisons
from probes.counterfactual import SetPlan, explicit_set, mention_set, name_set, name_swap_set
from probes.merit import Ladder, Level, load_ladder
from probes.names import NameRotation, load_names
from probes.records import Expectation, Message, Placebo, Prompt
from probes.rendering import Person
from probes.seeds import derive
from probes.seeds import rng as named_rng

__all__ = ["Case", "ComparisonOptions", "Seating", "comparison_prompts"]

KIND = Literal["pair", "ranking"]


class ComparisonOptions(PeopleOptions):
    """What a spec may say of a probe that compares people."""

    merit: tuple[Level, ...] = ("borderline",)
    """Levels of merit; within a prompt all candidates share one merit index."""
    placebos: tuple[Literal[Placebo.MENTION, Placebo.NAME_SWAP], ...] = (Placebo.MENTION, Placebo.NAME_SWAP)
    """Kinds of placebo set; without them there is no noise floor and no negative control."""

    @field_validator("placebos")
    @classmethod
    def _each_placebo_once(cls, value: tuple[Placebo, ...]) -> tuple[Placebo, ...]:
        return each_once(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """Who stands where in one set: places of the first side, and the order within each side."""

    key: str
    """What tells this set from the others about the same people; empty if there is one only."""
    side: tuple[int, ...]
    """Places of the counted side, from 0; the other side has the rest."""
    reverse: bool = False
    """Whether the people of each side stand in reverse order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One comparison at one level of merit, of which several sets are made."""

    comparison: Comparison
    kind: KIND
    turn: int
    """Counts up over templates, levels and replicates."""
    root: int
    names: tuple[str | int, ...]
    places: tuple[Mapping[str, str], ...]
    """Noun phrases of the facts at each place."""
    level: str
    index: float
    rotation: NameRotation

    def rng(self, *purpose: str | int) -> np.random.Generator:
        """A generator for one purpose of this case."""
        return named_rng(self.root, *self.names, *purpose)

    @property
    def side_size(self) -> int:
        """People on either side."""
        return len(self.places) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """Two groups to compare: the plan they come from, and their people."""

    plan: SetPlan
    people: Mapping[str, tuple[Person, ...]]
    """Group to people, the set's reference last."""


def comparison_prompts(
    options: ComparisonOptions,
    norms: NormTable,
    rng: np.random.Generator,
    *,
    probe: str,
    kind: KIND,
    seatings: Callable[[int], Sequence[Seating]],
) -> Iterator[Prompt]:
    """The prompts of a probe that compares people, members of a set together.

    Args:
        options: The probe's options.
        norms: The norms of what is asked.
        rng: The only source of randomness; one number is drawn from it.
        probe: The probe's name.
        kind: Kind of comparison: `pair` is about two people, `ranking` about four.
        seatings: The sets to make of each pair of groups, by the number of the case.
    """
    root = int(rng.integers(2**63))
    for domain in options.domains:
        for case in _cases(options, domain, kind, root):
            for sides in _sides(case, options):
                for seating in seatings(case.turn):
                    yield from _members(case, sides, seating, probe, norms)


def _cases(options: ComparisonOptions, domain: str, kind: KIND, root: int) -> Iterator[Case]:
    ladder = load_ladder(domain)
    rotation = NameRotation(load_names(pool="audit"), derive(root, domain))
    available = load_comparisons(domain)
    # The first of one fixed shuffle, so that asking for more templates keeps the ones already asked.
    order = named_rng(root, "templates", domain).permutation(len(available))
    for turn, place in enumerate(sorted(int(i) for i in order[: options.templates])):
        for step, level in enumerate(options.merit):
            for replicate in range(options.sets_per_template):
                comparison = available[place]
                names = (comparison.id, level, replicate)
                index, places = _profiles(ladder, comparison, level, kind, named_rng(root, *names, "facts"))
                yield Case(
                    comparison=comparison,
                    kind=kind,
                    turn=turn + step + replicate,
                    root=root,
                    names=names,
                    places=places,
                    level=level,
                    index=index,
                    rotation=rotation,
                )


def _profiles(
    ladder: Ladder, comparison: Comparison, level: Level, kind: KIND, rng: np.random.Generator
) -> tuple[float, tuple[Mapping[str, str], ...]]:
    """One merit index for all places; each place has its own small departures and wordings."""
    first = ladder.draw(level, comparison.facts, rng)
    count = 2 if kind == "pair" else 4
    others = [ladder.at(first.index, comparison.facts, rng, level=level) for _ in range(count - 1)]
    return first.index, tuple(draw.phrases for draw in (first, *others))


def _sides(case: Case, options: ComparisonOptions) -> Iterator[_Sides]:
    known = options.chosen_attributes()
    for labels in (*((name,) for name in options.attributes), *options.crossed):
        attributes = [known[name] for name in labels]
        if "explicit" in options.signals:
            draw = case.rng("*".join(labels), "explicit")
            yield from _against_reference([explicit_set(attributes, draw) for _ in range(case.side_size)])
        if "name" in options.signals:
            plans = [name_set(attributes, case.rotation, case.turn) for _ in range(case.side_size)]
            yield from _against_reference([plan for plan in plans if plan is not None])
    for kind in options.placebos:
        yield from _placebo(case, kind, options)


def _against_reference(plans: Sequence[SetPlan]) -> Iterator[_Sides]:
    if not plans:
        return
    people = [{member.group: member.person for member in plan.members} for plan in plans]
    reference = plans[0].reference
    for group in people[0]:
        if group != reference:
            yield _Sides(
                plan=plans[0],
                people={name: tuple(one[name] for one in people) for name in (group, reference)},
            )


def _placebo(case: Case, kind: Placebo, options: ComparisonOptions) -> Iterator[_Sides]:
    rng = case.rng("placebo", kind.value)
    if kind is Placebo.MENTION and "explicit" in options.signals:
        plan = mention_set(load_mentions(), case.turn, rng)
        yield from _against_reference([plan] * case.side_size)
    elif kind is Placebo.NAME_SWAP and "name" in options.signals:
        plans = [name_swap_set(case.rotation, case.turn, rng) for _ in range(case.side_size)]
        yield from _against_reference(plans)


def _members(case: Case, sides: _Sides, seating: Seating, probe: str, norms: NormTable) -> Iterator[Prompt]:
    comparison, plan = case.comparison, sides.plan
    labels = comparison.labels(len(case.places))
    group, reference = sides.people
    parts = [*(str(name) for name in case.names), plan.key, group, seating.key]
    expectation = Expectation(
        kind=case.kind,
        options=(*labels, "tie") if case.kind == "pair" and comparison.tie else labels,
        side=tuple(labels[place] for place in seating.side),
    )
    for counted, other in ((group, reference), (reference, group)):
        people = _seated(sides.people[counted], sides.people[other], seating, len(case.places))
        listed = [(person, dict(facts)) for person, facts in zip(people, case.places, strict=True)]
        question = comparison.pair if case.kind == "pair" else comparison.ranking
        names = [person.name for person in sides.people[counted] if person.name is not None]
        yield Prompt.make(
            messages=(Message(role="user", content=comparison.render(listed, question)),),
            probe=probe,
            template=comparison.id,
            domain=comparison.domain,
            expectation=expectation,
            set_id=":".join(part for part in parts if part),
            arm=plan.arm,
            placebo=plan.placebo,
            attribute=plan.attribute,
            group=counted,
            reference=plan.reference,
            signal=plan.signal,
            norm=norms.of(plan, comparison.domain),
            name="; ".join(names) or None,
            tags={"merit": case.level, "merit_index": f"{case.index:.3f}"},
        )


def _seated(
    counted: Sequence[Person], other: Sequence[Person], seating: Seating, places: int
) -> list[Person]:
    step = -1 if seating.reverse else 1
    first, second = iter(counted[::step]), iter(other[::step])
    return [next(first) if place in seating.side else next(second) for place in range(places)]
