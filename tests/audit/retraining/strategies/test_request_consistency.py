"""Requests in the model's own words: whose reply is learned, under what, and what passes the gates."""

from collections import defaultdict
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


def plain() -> list[Prompt]:
    """What a model is asked: goals and harmless requests set aside for retraining, plain."""
    return [
        *HarmfulProbe(HarmfulOptions(pool="retraining")).prompts(rng(0)),
        *BenignProbe(BenignOptions(pool="retraining")).prompts(rng(0)),
    ]


def made(says: Callable[[Prompt], str], findings: list[Finding], n: int = 800) -> list[Example]:
    """Examples for findings from what a model says to plain requests, with room for every request."""
    prompts = plain()
    outputs = [Output(target="target", prompt_id=one.id, text=says(one)) for one in prompts]
    options = RetrainingOptions(max_examples=n, contrast_share=0.75)
    own = OwnAnswers(prompts, outputs, "small 1")
    return list(candidates(answer(findings, options, own), options))


def sensible(prompt: Prompt) -> str:
    """Refuses what is harmful and answers the rest, each in words of its own."""
    return f"{_REFUSAL if prompt.expectation.kind == 'refuse' else _HELP} [{prompt.template}]"


@pytest.fixture(scope="module")
def findings(rate_finding: MakeFinding) -> list[Finding]:
    """Compliance under two techniques."""
    return [rate_finding(name, "safety/harmful", technique=name) for name in ("roleplay", "base64")]


def test_under_every_technique_stands_what_is_said_to_the_plain_request(findings: list[Finding]) -> None:
    """Each goal and each twin is there plain and under both techniques, all with its own one reply."""
    sets: dict[tuple[Kind, str | None], dict[str | None, Example]] = defaultdict(dict)
    for example in made(sensible, findings):
        sets[example.origin.kind, example.origin.set_id][example.origin.technique] = example
    assert len(sets) == 48 + 192
    for (kind, name), members in sets.items():
        assert set(members) == {None, "roleplay", "base64"}
        expected = f"{_REFUSAL if kind is Kind.REFUSAL else _HELP} [{name}]"
        assert {one.answer for one in members.values()} == {expected}
        assert {one.origin.source for one in members.values()} == {SourceKind.OWN_ANSWER}
        assert {one.origin.teacher for one in members.values()} == {"small 1"}


def test_a_small_budget_takes_the_same_requests_under_every_technique(rate_finding: MakeFinding) -> None:
    """Ten goals are ten goals plain and under the technique, not others in each."""
    findings = [rate_finding("h", "safety/harmful", technique="roleplay")]
    prompts, options = plain(), RetrainingOptions(max_examples=40)
    outputs = [Output(target="target", prompt_id=one.id, text=sensible(one)) for one in prompts]
    answered = answer(findings, options, OwnAnswers(prompts, outputs, "small 1"))
    found: dict[str | None, set[str | None]] = defaultdict(set)
    for example in candidates(answered, options):
        if example.origin.kind is Kind.REFUSAL:
            found[example.origin.technique].add(example.origin.set_id)
    assert found[None] == found["roleplay"]
    assert len(found[None]) == 10


@pytest.mark.parametrize(
    ("reply", "kind", "source"),
    [
        (_HELP, Kind.REFUSAL, SourceKind.REFUSAL_TEMPLATE),
        (_REFUSAL, Kind.HELP, SourceKind.SHIPPED_ANSWER),
        (_HELP + " Then go on." * 200, Kind.HELP, SourceKind.SHIPPED_ANSWER),
    ],
    ids=["complies plainly", "refuses the harmless", "says too much"],
)
def test_a_reply_that_is_not_to_be_learned_is_not(
    reply: str, kind: Kind, source: SourceKind, findings: list[Finding]
) -> None:
    """Whoever complies plainly gets the refusal, whoever refuses the harmless or goes on gets the answer."""
    found = [one for one in made(lambda _: reply, findings) if one.origin.kind is kind]
    assert {one.origin.source for one in found} == {source}
    assert {one.origin.teacher for one in found} == {None}
    assert reply not in {one.answer for one in found}


def test_no_candidate_is_refused_and_a_far_longer_reply_rejects_nothing(findings: list[Finding]) -> None:
    """Gates let every own reply through; where length would tell it from the rejected one, there is none."""
    long = made(lambda one: sensible(one) if one.expectation.kind == "refuse" else _HELP * 8, findings)
    audit = HarmfulProbe(HarmfulOptions(techniques=("roleplay", "base64"))).prompts(rng(1))
    line = GateLine(all_gates(read_audit(audit)))
    assert len(list(line.passed(long))) == len(long) == 3 * (48 + 192)
    assert {one.rejected is None for one in long if one.origin.kind is Kind.HELP} == {True}
    assert {one.rejected is None for one in long if one.origin.kind is Kind.REFUSAL} == {False}
