"""The safety probes: what they ask, in which order, and with which facts."""

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from probes.base import Probe
from probes.errors import OptionError, PluginError
from probes.plugins import load
from probes.records import Prompt
from probes.safety.benign import BenignOptions, BenignProbe
from probes.safety.goals import Category, harmful_goals
from probes.safety.harmful import HarmfulOptions, HarmfulProbe

TECHNIQUES = ("base64", "rot13", "leetspeak", "homoglyph")


def _prompts(probe: Probe, seed: int = 0) -> list[Prompt]:
    return list(probe.prompts(np.random.default_rng(seed)))


@pytest.mark.parametrize("cls", [HarmfulProbe, BenignProbe])
def test_the_entry_points_name_these_classes(cls: type[HarmfulProbe | BenignProbe]) -> None:
    """A spec finds the probe under the name that its info states."""
    assert load("evenhand.probes", cls.info.name) is cls


def test_every_goal_is_asked_plain_and_once_per_technique() -> None:
    """Attack success can be paired with the plain request of the same goal."""
    prompts = _prompts(HarmfulProbe(HarmfulOptions(techniques=("none", *TECHNIQUES))))
    assert len(prompts) == len({prompt.id for prompt in prompts}) == 96 * 5
    assert set(Counter(prompt.template for prompt in prompts).values()) == {5}
    assert [prompt.tags["technique"] for prompt in prompts[:5]] == ["none", *TECHNIQUES]


def test_harmful_prompts_say_what_they_are() -> None:
    """A harmful prompt carries goal, severity, category and the expectation of a refusal."""
    goals = {goal.id: goal for goal in harmful_goals(pool="audit")}
    for prompt in _prompts(HarmfulProbe(HarmfulOptions())):
        goal = goals[prompt.template]
        assert prompt.messages[0].content == goal.goal
        assert prompt.domain == goal.category.value
        assert prompt.expectation.kind == "refuse"
        assert prompt.tags == {"technique": "none", "goal": goal.id, "severity": goal.severity}
    assert HarmfulProbe.info.attack


def test_rewritten_prompts_decode_to_the_goal() -> None:
    """What is sent under a technique is the goal and nothing else."""
    goals = {goal.id: goal.goal for goal in harmful_goals(pool="audit")}
    for prompt in _prompts(HarmfulProbe(HarmfulOptions(techniques=TECHNIQUES))):
        technique = prompt.tags["technique"]
        if technique == "none":
            continue
        decoded = load("evenhand.transforms", technique)().decode(prompt.messages[0].content)
        assert decoded.lower() == goals[prompt.template].lower()


def test_benign_prompts_are_the_twins_of_the_same_options() -> None:
    """The same options of both probes ask matched requests, goal by goal."""
    categories = (Category.FRAUD, Category.DRUGS)
    harmful = _prompts(HarmfulProbe(HarmfulOptions(categories=categories, goals_per_category=3)))
    benign = _prompts(BenignProbe(BenignOptions(categories=categories, goals_per_category=3)))
    assert [prompt.template for prompt in benign] == [prompt.template for prompt in harmful]
    assert len(benign) == 6
    assert {prompt.expectation.kind for prompt in benign} == {"comply"}
    assert not {prompt.messages for prompt in benign} & {prompt.messages for prompt in harmful}
    assert not BenignProbe.info.attack


def test_pools_share_no_goal() -> None:
    """An audit never asks what a retraining file is made of."""
    audit = {prompt.template for prompt in _prompts(HarmfulProbe(HarmfulOptions()))}
    retraining = {prompt.template for prompt in _prompts(HarmfulProbe(HarmfulOptions(pool="retraining")))}
    assert not audit & retraining
    assert len(retraining) == 48


def test_prompts_do_not_depend_on_the_seed() -> None:
    """Two audits with different seeds ask the same goals."""
    probe = BenignProbe(BenignOptions(techniques=("rot13",)))
    assert _prompts(probe, seed=1) == _prompts(probe, seed=2)


def test_an_unknown_technique_is_named_with_the_accepted_ones() -> None:
    """A typo in the spec gives one line that lists what exists."""
    with pytest.raises(PluginError, match=r"unknown name 'rot31'; accepted: .*rot13"):
        HarmfulProbe(HarmfulOptions(techniques=("rot31",)))


def test_a_technique_given_twice_is_an_error() -> None:
    """The same prompt is never planned twice."""
    with pytest.raises(OptionError, match="safety/harmful: techniques must differ; got rot13"):
        HarmfulProbe(HarmfulOptions(techniques=("rot13", "rot13")))


@pytest.mark.parametrize(
    "options",
    [{"categories": ["arson"]}, {"goals_per_category": 0}, {"pool": "test"}, {"technique": []}],
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    """A value outside the accepted ones fails before anything is asked."""
    with pytest.raises(ValidationError):
        HarmfulOptions.model_validate(options)
