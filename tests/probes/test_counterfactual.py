"""Promises of the sets: who is in them, what varies, and that placebos are null in expectation."""

from collections import Counter

import pytest

from probes.attributes import Attribute, load_attributes, load_mentions
from probes.counterfactual import explicit_set, mention_set, name_set, name_swap_set, plain_placebo_set
from probes.errors import DataError
from probes.names import NameRotation, load_names
from probes.records import Arm, Placebo, Signal
from probes.seeds import rng

ATTRIBUTES = {attribute.name: attribute for attribute in load_attributes()}
GENDER, RACE, AGE = ATTRIBUTES["gender"], ATTRIBUTES["race_ethnicity"], ATTRIBUTES["age"]
NAMES = load_names(pool="audit")


def test_explicit_sets_have_all_groups() -> None:
    """An explicit set names every group once, and says nothing else about the person."""
    plan = explicit_set([RACE], rng(1, "x"))
    assert [member.group for member in plan.members] == ["asian", "black", "hispanic", "white"]
    assert plan.reference == "white"
    assert all(member.person.gender is None and member.person.age is None for member in plan.members)


def test_crossed_sets_cross_everything() -> None:
    """A crossing has every combination, and the members of one age group share one age."""
    plan = explicit_set([GENDER, RACE, AGE], rng(1, "x"))
    assert len(plan.members) == len({member.group for member in plan.members}) == 36
    assert (plan.attribute, plan.reference) == ("gender*race_ethnicity*age", "male*white*middle")
    assert "female*black*older" in {member.group for member in plan.members}
    ages = {(member.group.split("*")[2], member.person.age) for member in plan.members}
    assert len(ages) == 3


def test_ages_lie_in_their_group() -> None:
    """Every year of a group's range is drawn sooner or later, and none outside it."""
    drawn = {
        member.person.age for seed in range(80) for member in explicit_set([AGE], rng(seed, "x")).members
    }
    assert drawn == {*range(24, 30), *range(40, 47), *range(61, 67)}


@pytest.mark.parametrize("turn", range(8))
def test_name_sets_vary_one_thing(turn: int) -> None:
    """By name, gender varies in one race, race in one gender, age in one gender, and nothing else does."""
    rotation = NameRotation(NAMES, 5)
    signals = {}
    for attribute in (GENDER, RACE, AGE):
        plan = name_set([attribute], rotation, turn)
        assert plan is not None
        assert plan.signal is Signal.NAME
        found = [NAMES.signals(str(member.person.name).split()[0]) for member in plan.members]
        signals[attribute.name] = [(name.gender, name.race_ethnicity, name.cohort) for name in found if name]
        assert [member.person.gender for member in plan.members] == [
            row[0] for row in signals[attribute.name]
        ]
    assert [row[0] for row in signals["gender"]] == ["female", "male"]
    assert len({row[1] for row in signals["gender"]}) == 1
    assert [row[1] for row in signals["race_ethnicity"]] == ["asian", "black", "hispanic", "white"]
    assert len({row[0] for row in signals["race_ethnicity"]}) == 1
    assert [row[2] for row in signals["age"]] == ["younger", "middle", "older"]
    assert len({row[0] for row in signals["age"]}) == 1


def test_gender_and_race_can_be_crossed_by_name() -> None:
    """Names cross gender with race in either order, and no other attributes."""
    rotation = NameRotation(NAMES, 5)
    plan, other = name_set([GENDER, RACE], rotation, 0), name_set([RACE, GENDER], rotation, 0)
    assert plan is not None
    assert other is not None
    assert len(plan.members) == 8
    assert (plan.reference, other.reference) == ("male*white", "white*male")
    assert name_set([GENDER, AGE], rotation, 0) is None


def test_a_reference_without_names_is_an_error() -> None:
    """A set that cannot hold its reference group is refused."""
    odd = Attribute(name="gender", groups=GENDER.groups, reference="nonbinary")
    with pytest.raises(DataError, match="no names for the reference group nonbinary"):
        name_set([odd], NameRotation(NAMES, 5), 0)


def test_resample_is_one_text_twice() -> None:
    """The members of a resample placebo do not differ at all."""
    plan = plain_placebo_set(Placebo.RESAMPLE, rng(1, "x"))
    assert plan.arm is Arm.PLACEBO
    assert plan.members[0].person == plan.members[1].person
    assert plan.members[0].paraphrase == plan.members[1].paraphrase


def test_placebo_order_is_random() -> None:
    """Which wording, description or name is `a` is a fair draw, so placebo contrasts are 0 in expectation."""
    wordings = Counter(
        plain_placebo_set(Placebo.PARAPHRASE, rng(s, "x")).members[0].paraphrase for s in range(400)
    )
    first = {pair[0] for pair in load_mentions()}
    said = Counter(
        mention_set(load_mentions(), s, rng(s, "x")).members[0].person.mention in first for s in range(400)
    )
    for counts in (wordings, said):
        assert 160 <= counts[True] <= 240


def test_name_swaps_stay_in_one_cell() -> None:
    """Both names of a swap signal the same groups, and all cells have their turn."""
    rotation = NameRotation(NAMES, 5)
    cells = set()
    for turn in range(28):
        plan = name_swap_set(rotation, turn, rng(turn, "x"))
        found = [NAMES.signals(str(member.person.name).split()[0]) for member in plan.members]
        signals = {(name.gender, name.race_ethnicity, name.cohort) for name in found if name}
        assert len(signals) == 1
        assert plan.members[0].person.name != plan.members[1].person.name
        cells |= signals
    assert len(cells) == 14
