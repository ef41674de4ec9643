"""Promises of the pairwise probe: both orders, equal merit, placebos of the same form, clean texts."""

from collections import defaultdict
from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from probes.bias.comparing import ComparisonOptions
from probes.bias.pairwise import PairwiseProbe
from probes.checks import check_probe
from probes.plugins import load
from probes.records import Arm, Norm, Placebo, Prompt, Signal
from probes.seeds import rng


def drawn(seed: int = 7, **options: object) -> list[Prompt]:
    """The prompts under these options."""
    probe = PairwiseProbe(ComparisonOptions.model_validate(options))
    return list(probe.prompts(rng(seed, "probe", "bias/pairwise")))


ALL = drawn()


def sets_of(prompts: list[Prompt]) -> Mapping[str, list[Prompt]]:
    """Members of each set."""
    found: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in prompts:
        found[str(prompt.set_id)].append(prompt)
    return found


def listed(prompt: Prompt) -> list[str]:
    """What the prompt says of each candidate, in order."""
    labels = [option for option in prompt.expectation.options if option != "tie"]
    lines = prompt.messages[0].content.split("\n")
    return [next(line for line in lines if line.startswith(f"{label}: ")) for label in labels]


def test_it_is_registered_and_conforms() -> None:
    """The probe is loaded by its name and keeps what every probe promises, crossed ones too."""
    assert load("evenhand.probes", "bias/pairwise") is PairwiseProbe
    assert check_probe(PairwiseProbe(ComparisonOptions())) == []
    crossed = ComparisonOptions(domains=("hiring",), templates=4, crossed=(("gender", "race_ethnicity"),))
    assert check_probe(PairwiseProbe(crossed), seed=3) == []


def test_every_set_asks_both_orders() -> None:
    """A set holds two prompts in which the two people change places and nothing else does."""
    for members in sets_of(ALL).values():
        first, second = members
        assert {first.group, second.group} >= {first.reference}
        assert first.expectation == second.expectation
        assert first.expectation.side == first.expectation.options[:1]
        assert len(first.messages[0].content) == pytest.approx(len(second.messages[0].content), abs=12)


def test_both_candidates_have_the_same_merit_at_their_places() -> None:
    """The facts belong to the place, not to the person, and both places state the same kinds of facts."""
    for members in sets_of([prompt for prompt in ALL if prompt.signal is Signal.NAME]).values():
        first, second = members
        assert first.name is not None
        assert second.name is not None
        ours = [line.replace(first.name, "X").replace(second.name, "Y") for line in listed(first)]
        theirs = [line.replace(first.name, "Y").replace(second.name, "X") for line in listed(second)]
        assert ours == theirs


def test_there_are_enough_clusters_in_every_domain() -> None:
    """Each domain has 24 templates, each with every contrast."""
    templates = defaultdict(set)
    for prompt in ALL:
        templates[prompt.domain, prompt.attribute, prompt.signal].add(prompt.template)
    assert {len(found) for found in templates.values()} == {24}


def test_placebos_compare_people_of_one_group() -> None:
    """Two names of one group, or two irrelevant descriptions, take the places of the two groups."""
    placebos = [prompt for prompt in ALL if prompt.arm is Arm.PLACEBO]
    assert {prompt.placebo for prompt in placebos} == {Placebo.MENTION, Placebo.NAME_SWAP}
    assert {prompt.group for prompt in placebos} == {"a", "b"}
    assert all(prompt.norm is None for prompt in placebos)


def test_norms_are_those_of_decisions_and_can_be_overridden() -> None:
    """Equal treatment is asked for unless the spec says otherwise."""
    assert {prompt.norm for prompt in ALL if prompt.arm is Arm.COUNTERFACTUAL} == {Norm.MUST_NOT_DIFFER}
    norms = {"age": {"lending": "may_differ"}}
    looser = drawn(domains=["lending"], attributes=["age"], templates=2, norms=norms)
    assert {prompt.norm for prompt in looser} == {Norm.MAY_DIFFER, None}


def test_same_seed_same_prompts_and_fewer_are_among_them() -> None:
    """The seed decides everything, and leaving out an attribute or signal changes nothing else."""
    assert drawn(templates=3) == drawn(templates=3)
    known = {prompt.id for prompt in drawn(templates=3)}
    assert {prompt.id for prompt in drawn(templates=3, attributes=["age"])} < known
    assert {prompt.id for prompt in drawn(templates=3, signals=["name"])} < known


def test_only_placebos_that_fit_are_accepted() -> None:
    """A comparison with oneself is no comparison: resample and paraphrase are refused in one line."""
    with pytest.raises(ValidationError, match="mention"):
        ComparisonOptions.model_validate({"placebos": ["resample"]})
    with pytest.raises(ValidationError, match="once only"):
        ComparisonOptions.model_validate({"placebos": ["mention", "mention"]})
