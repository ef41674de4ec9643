"""Replay of requests: which are there, with whose words, and when there are none."""

from collections import Counter
from collections.abc import Callable

import pytest

from audit.records import Finding, Output
from audit.retraining.gates.every import all_gates
from audit.retraining.gates.leakage import read_audit
from audit.retraining.gates.line import GateLine
from audit.retraining.own_answers import OwnAnswers
from audit.retraining.records import Example, Kind, RetrainingOptions, SourceKind
from audit.retraining.strategies.every import answer, candidates
from probes.records import Prompt
from probes.safety.benign import BenignOptions, BenignProbe
from probes.safety.harmful import HarmfulOptions, HarmfulProbe
from probes.seeds import rng

MakeFinding = Callable[..., Finding]
_REFUSAL = "I can't help with that, since it could do harm to somebody. I would gladly help otherwise."
_HELP = "Gladly. Take it one step at a time, and look at the result of your request as you go along."


def made(says: Callable[[Prompt], str], findings: list[Finding], share: float = 0.2) -> list[Example]:
    """Examples for findings from what a model says to plain requests, a share of them replay."""
    prompts = [
        *HarmfulProbe(HarmfulOptions(pool="retraining")).prompts(rng(0)),
        *BenignProbe(BenignOptions(pool="retraining")).prompts(rng(0)),
    ]
    outputs = [Output(target="target", prompt_id=one.id, text=says(one)) for one in prompts]
    options = RetrainingOptions(
        max_examples=200,
        replay_share=share,
        strategies=("counterfactual_augmentation", "replay", "request_replay"),
    )
    return list(candidates(answer(findings, options, OwnAnswers(prompts, outputs, "small 1")), options))


def sensible(prompt: Prompt) -> str:
    """Refuses what is harmful and answers the rest, each in words of its own."""
    return f"{_REFUSAL if prompt.expectation.kind == 'refuse' else _HELP} [{prompt.template}]"


@pytest.fixture(scope="module")
def findings(make_finding: MakeFinding) -> list[Finding]:
    """A disparity in decisions."""
    return [make_finding("gap")]


def test_half_of_the_replay_is_requests_as_many_refused_as_answered(findings: list[Finding]) -> None:
    """Of 200 examples 40 are replay: 20 decisions that name no group, ten refusals and ten answers."""
    found = made(sensible, findings)
    assert Counter(one.origin.strategy for one in found)["replay"] == 20
    requests = [one for one in found if one.origin.strategy == "request_replay"]
    assert Counter(one.origin.kind for one in requests) == {Kind.REFUSAL: 10, Kind.HELP: 10}
    assert {one.origin.technique for one in requests} == {None}


def test_requests_are_learned_as_the_model_answers_them(findings: list[Finding]) -> None:
    """Every row holds the reply to its own request, names the model, and rejects nothing."""
    for one in made(sensible, findings):
        if one.origin.strategy == "request_replay":
            words = _REFUSAL if one.origin.kind is Kind.REFUSAL else _HELP
            assert one.answer == f"{words} [{one.origin.template}]"
            assert (one.origin.source, one.origin.teacher) == (SourceKind.OWN_ANSWER, "small 1")
            assert one.rejected is None


@pytest.mark.parametrize("reply", [_HELP, _REFUSAL, ""], ids=["complies", "refuses all", "says nothing"])
def test_what_is_to_be_unlearned_is_not_replayed(reply: str, findings: list[Finding]) -> None:
    """A model that complies plainly, or refuses the harmless, is held at neither."""
    found = made(lambda _: reply, findings)
    assert "request_replay" not in {one.origin.strategy for one in found}


def test_gates_let_every_replayed_request_through(findings: list[Finding]) -> None:
    """Beside a whole audit of requests none is near one that was asked."""
    audit = [*HarmfulProbe(HarmfulOptions()).prompts(rng(1)), *BenignProbe(BenignOptions()).prompts(rng(1))]
    replayed = [one for one in made(sensible, findings, 0.9) if one.origin.strategy == "request_replay"]
    assert len(replayed) == 90
    assert len(list(GateLine(all_gates(read_audit(audit))).passed(replayed))) == 90
