"""Promises of the ranking probe: a Latin square of people and places, and placebos of the same form."""

from collections import defaultdict

from probes.bias.comparing import ComparisonOptions
from probes.bias.ranking import RankingProbe
from probes.checks import check_probe
from probes.plugins import load
from probes.records import Arm, Prompt, Signal
from probes.seeds import rng


def drawn(**options: object) -> list[Prompt]:
    """The prompts under these options."""
    probe = RankingProbe(ComparisonOptions.model_validate(options))
    return list(probe.prompts(rng(7, "probe", "bias/ranking")))


FEW = drawn(templates=6)


def names_in(prompt: Prompt) -> list[str]:
    """Full names in the order in which the prompt lists them."""
    lines = prompt.messages[0].content.split("\n")
    listed = [
        next(one for one in lines if one.startswith(f"{label}: ")) for label in prompt.expectation.options
    ]
    known = {name for other in FEW if other.name for name in other.name.split("; ")}
    return [next(name for name in known if name in line) for line in listed]


def test_it_is_registered_and_conforms() -> None:
    """The probe is loaded by its name and keeps what every probe promises."""
    assert load("evenhand.probes", "bias/ranking") is RankingProbe
    assert check_probe(RankingProbe(ComparisonOptions(templates=8))) == []


def test_everybody_stands_at_every_place_once() -> None:
    """The four prompts about two groups by name are a Latin square of four people and four places."""
    squares: dict[str, list[list[str]]] = defaultdict(list)
    for prompt in FEW:
        if prompt.signal is Signal.NAME:
            squares[str(prompt.set_id).rpartition(":")[0]].append(names_in(prompt))
    assert len(squares) > 12
    for rows in squares.values():
        people = set(rows[0])
        assert len(rows) == len(people) == 4
        assert all({row[place] for row in rows} == people for place in range(4))


def test_either_group_has_every_place_once_in_a_set() -> None:
    """Two prompts change the sides, each of which has two of the four places."""
    sets: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in FEW:
        sets[str(prompt.set_id)].append(prompt)
    for first, second in sets.values():
        assert first.expectation == second.expectation
        assert len(first.expectation.side) == 2
        assert first.expectation.side[0] == first.expectation.options[0]
        assert {first.group, second.group} >= {first.reference}


def test_the_places_of_the_sides_vary_over_templates() -> None:
    """No pattern such as the two ends against the middle is asked alone."""
    sides = {tuple(label[-1] for label in prompt.expectation.side) for prompt in FEW}
    assert sides == {("A", "B"), ("A", "C"), ("A", "D")}


def test_placebos_rank_people_of_one_group() -> None:
    """Placebo lists have the form of the others."""
    placebos = [prompt for prompt in FEW if prompt.arm is Arm.PLACEBO]
    assert {prompt.group for prompt in placebos} == {"a", "b"}
    assert len(placebos) == 2 * 6 * 2 * 4
