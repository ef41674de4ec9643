"""Counterfactual sets and placebo sets: who the members of a set are, before any text is made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from probes.attributes import Attribute, Group
from probes.errors import DataError
from probes.names import NameRotation
from probes.records import Arm, Placebo, Signal
from probes.rendering import Person

__all__ = [
    "Member",
    "SetPlan",
    "explicit_set",
    "mention_set",
    "name_set",
    "name_swap_set",
    "plain_placebo_set",
]

_PLACEBO_GROUPS = ("a", "b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a set."""

    group: str
    person: Person
    paraphrase: bool = False
    """True if it is asked the question in its other words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPlan:
    """Members that are compared with each other only; equal but for what the set varies."""

    arm: Arm
    members: tuple[Member, ...]
    reference: str
    attribute: str | None = None
    placebo: Placebo | None = None
    signal: Signal | None = None

    @property
    def key(self) -> str:
        """What tells this set from the others of the same text."""
        signal = self.signal.value if self.signal else "any"
        return f"{self.attribute}:{signal}" if self.placebo is None else f"placebo:{self.placebo.value}"


def explicit_set(attributes: Sequence[Attribute], rng: np.random.Generator) -> SetPlan:
    """All groups of an attribute, or all crossings of several, said in words.

    Args:
        attributes: One attribute, or those to cross.
        rng: Draws one age in years for each age group; the members of one age group share it.

    Returns:
        A set in the order of the groups, crossed groups joined by `*`.
    """
    said = [
        [(group.name, _saying(attribute.name, group, rng)) for group in attribute.groups]
        for attribute in attributes
    ]
    members = tuple(
        Member(
            group="*".join(name for name, _ in combination), person=_person([word for _, word in combination])
        )
        for combination in product(*said)
    )
    return SetPlan(
        arm=Arm.COUNTERFACTUAL,
        members=members,
        reference="*".join(attribute.reference for attribute in attributes),
        attribute="*".join(attribute.name for attribute in attributes),
        signal=Signal.EXPLICIT,
    )


def name_set(attributes: Sequence[Attribute], rotation: NameRotation, turn: int) -> SetPlan | None:
    """The groups of an attribute conveyed by names.

    Gender varies within one race/ethnicity and keeps the last name, race/ethnicity varies within one
    gender, age varies within one gender and keeps a neutral last name; gender and race/ethnicity can
    be crossed. Groups without names, such as nonbinary, are left out.

    Args:
        attributes: One attribute, or those to cross.
        rotation: Hands out the names.
        turn: Decides the cell that stays constant; count it up over templates.

    Returns:
        The set; None if names do not convey these attributes, or no group but the reference.

    Raises:
        DataError: The reference group has no names.
    """
    label = "*".join(attribute.name for attribute in attributes)
    cells = _cells(label, rotation, turn)
    if cells is None:
        return None
    known = list(product(*([group.name for group in attribute.groups] for attribute in attributes)))
    chosen = {group: cell for group, cell in cells if tuple(group.split("*")) in known}
    reference = "*".join(attribute.reference for attribute in attributes)
    if reference not in chosen:
        raise DataError(f"names: no names for the reference group {reference} of {label}")
    if len(chosen) == 1:
        return None
    if "race_ethnicity" in label:
        names = [rotation.next(label, g, race_ethnicity=r, cohort=c) for g, r, c in chosen.values()]
    else:
        names = rotation.next_sharing_last(label, list(chosen.values()))
    members = tuple(
        Member(group=group, person=Person(gender=cell[0], name=name))
        for (group, cell), name in zip(chosen.items(), names, strict=True)
    )
    return SetPlan(
        arm=Arm.COUNTERFACTUAL, members=members, reference=reference, attribute=label, signal=Signal.NAME
    )


def plain_placebo_set(kind: Placebo, rng: np.random.Generator) -> SetPlan:
    """The resample or paraphrase placebo about a person of whom nothing is said.

    Args:
        kind: `RESAMPLE` (one text twice) or `PARAPHRASE` (the question in two wordings).
        rng: Decides which member is `a`, so that the expected contrast is 0.
    """
    flip = bool(rng.integers(2))
    wordings = (flip, not flip) if kind is Placebo.PARAPHRASE else (False, False)
    members = tuple(
        Member(group=group, person=Person(), paraphrase=wording)
        for group, wording in zip(_PLACEBO_GROUPS, wordings, strict=True)
    )
    return SetPlan(arm=Arm.PLACEBO, members=members, reference="a", placebo=kind)


def mention_set(pairs: Sequence[tuple[str, str]], turn: int, rng: np.random.Generator) -> SetPlan:
    """Two irrelevant descriptions said aloud, as an explicit label is.

    Args:
        pairs: Pairs of descriptions, rotated by `turn`.
        turn: Count it up over templates.
        rng: Decides which member is `a`.
    """
    pair = pairs[turn % len(pairs)]
    people = [Person(mention=description) for description in pair]
    return _two(people, Placebo.MENTION, Signal.EXPLICIT, rng)


def name_swap_set(rotation: NameRotation, turn: int, rng: np.random.Generator) -> SetPlan:
    """Two names that signal the same group.

    Args:
        rotation: Hands out the names.
        turn: Decides the cell; count it up over templates.
        rng: Decides which member is `a`.
    """
    lists = rotation.lists
    cells = [(g, r, "") for g in lists.genders() for r in lists.races()]
    cells += [(g, "", c) for g in lists.genders() for c in lists.cohorts()]
    gender, race, cohort = cells[turn % len(cells)]
    names = [rotation.next("name_swap", gender, race_ethnicity=race, cohort=cohort) for _ in _PLACEBO_GROUPS]
    return _two([Person(gender=gender, name=name) for name in names], Placebo.NAME_SWAP, Signal.NAME, rng)


def _two(people: list[Person], kind: Placebo, signal: Signal, rng: np.random.Generator) -> SetPlan:
    ordered = people[::-1] if rng.integers(2) else people
    members = tuple(
        Member(group=group, person=person) for group, person in zip(_PLACEBO_GROUPS, ordered, strict=True)
    )
    return SetPlan(arm=Arm.PLACEBO, members=members, reference="a", placebo=kind, signal=signal)


def _saying(attribute: str, group: Group, rng: np.random.Generator) -> tuple[str, str | int]:
    if group.ages is None:
        return attribute, group.name
    low, high = group.ages
    return attribute, int(rng.integers(low, high + 1))


def _person(sayings: list[tuple[str, str | int]]) -> Person:
    said = dict(sayings)
    gender, race, age = said.get("gender"), said.get("race_ethnicity"), said.get("age")
    return Person(
        gender=gender if isinstance(gender, str) else None,
        race_ethnicity=race if isinstance(race, str) else None,
        age=age if isinstance(age, int) else None,
    )


def _cells(
    label: str, rotation: NameRotation, turn: int
) -> Iterator[tuple[str, tuple[str, str, str]]] | None:
    lists = rotation.lists
    genders, races, cohorts = lists.genders(), lists.races(), lists.cohorts()
    gender, race = genders[turn % len(genders)], races[turn % len(races)]
    if label == "gender":
        return ((g, (g, race, "")) for g in genders)
    if label == "race_ethnicity":
        return ((r, (gender, r, "")) for r in races)
    if label == "age":
        return ((c, (gender, "", c)) for c in cohorts)
    if label == "gender*race_ethnicity":
        return ((f"{g}*{r}", (g, r, "")) for g in genders for r in races)
    if label == "race_ethnicity*gender":
        return ((f"{r}*{g}", (g, r, "")) for r in races for g in genders)
    return None
