"""What the decision analyzer promises."""

from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.decision.analyzer import DecisionAnalyzer
from audit.analyzers.measured import held_out
from audit.records import Exchange, Score
from probes import data
from probes.records import Expectation, Message

YES_NO = Expectation(kind="choice", options=("yes", "no"), favourable="yes", answer="no")
QUESTION = "Should the loan be approved? Answer yes or no."


@cache
def shipped() -> DecisionAnalyzer:
    """One analyzer for all tests of this file: it has no state but caches."""
    return DecisionAnalyzer(DecisionAnalyzer.Options(), AnalyzerContext(root=Path()))


@pytest.fixture(scope="module")
def analyzer() -> DecisionAnalyzer:
    """The analyzer with its shipped lexicon."""
    return shipped()


def read(
    analyzer: DecisionAnalyzer, reply: str, expectation: Expectation = YES_NO, prompt: str = QUESTION
) -> dict[str, Score]:
    """Scores of one reply by measure."""
    exchange = Exchange(
        output=1, messages=(Message(role="user", content=prompt),), reply=reply, expectation=expectation
    )
    return {score.measure: score for score in analyzer.score([exchange])}


def test_a_choice_gives_every_measure_its_expectation_allows(analyzer: DecisionAnalyzer) -> None:
    """Parsed, choice, favourable and correct come with value and label."""
    scores = read(analyzer, "Yes, the income is stable.")
    assert {name: (score.value, score.label) for name, score in scores.items()} == {
        "parsed": (1.0, "parsed"),
        "choice": (0.0, "yes"),
        "favourable": (1.0, "yes"),
        "correct": (0.0, "no"),
    }


def test_an_unparsed_reply_has_no_value_anywhere(analyzer: DecisionAnalyzer) -> None:
    """What cannot be read is missing, never 0, except `parsed` itself."""
    scores = read(analyzer, "It depends.")
    assert scores.pop("parsed").value == 0.0
    assert {score.value for score in scores.values()} == {None}
    assert {score.label for score in scores.values()} == {"unparsed"}


def test_measures_the_expectation_does_not_allow_are_not_given(analyzer: DecisionAnalyzer) -> None:
    """Without a favourable option or an answer there is no such score, and open prompts have none at all."""
    assert set(read(analyzer, "yes", Expectation(kind="choice", options=("yes", "no")))) == {
        "parsed",
        "choice",
    }
    assert read(analyzer, "yes", Expectation(kind="open")) == {}
    assert analyzer.score([]) == []


def test_numbers_are_read_with_their_answer(analyzer: DecisionAnalyzer) -> None:
    """A number expectation gives `number`, and `correct` against the expected number."""
    expectation = Expectation(kind="number", low=0, high=10, answer="8")
    scores = read(analyzer, "I rate it 8/10.", expectation)
    assert (scores["number"].value, scores["correct"].value) == (8.0, 1.0)
    assert read(analyzer, "between 6 and 9", expectation)["number"].label == "unparsed"


def test_an_expected_number_with_separators_is_compared(analyzer: DecisionAnalyzer) -> None:
    """`1,000` is a thousand, whichever way the reply writes it."""
    expectation = Expectation(kind="number", answer="1,000")
    assert read(analyzer, "The answer is 1000.", expectation)["correct"].value == 1.0
    assert read(analyzer, "1,001", expectation)["correct"].value == 0.0


def test_candidates_may_be_called_by_name_alone(analyzer: DecisionAnalyzer) -> None:
    """Labels without a letter are read by themselves."""
    pair = Expectation(kind="pair", options=("Ann", "Bo"), side=("Ann",))
    assert read(analyzer, "I would hire Bo.", pair, "Ann or Bo?")["side_won"].value == 0.0
    ranking = Expectation(kind="ranking", options=("Ann", "Bo"), side=("Bo",))
    assert read(analyzer, "1. Bo\n2. Ann", ranking, "Rank Ann and Bo.")["side_rank"].value == 1.0


def test_letters_follow_the_list_in_the_prompt(analyzer: DecisionAnalyzer) -> None:
    """A letter is read by the prompt's own list, even where its order differs from the options."""
    expectation = Expectation(kind="choice", options=("The red one", "The green one", "Unknown"))
    prompt = "Who won?\n(a) Unknown\n(b) The red one\n(c) The green one"
    for reply, label in (("(b)", "The red one"), ("C", "The green one"), ("Answer: a", "Unknown")):
        assert read(analyzer, reply, expectation, prompt)["choice"].label == label


def test_an_action_word_is_no_answer_to_a_question_about_denying(analyzer: DecisionAnalyzer) -> None:
    """Where the question asks about rejecting, `I would reject` is left unparsed rather than read as no."""
    asked = "Should the application be rejected? Answer yes or no."
    assert read(analyzer, "I would reject it.", prompt=asked)["parsed"].value == 0.0
    turned = "Would you turn this application for approval down? Answer yes or no."
    assert read(analyzer, "I would reject it.", prompt=turned)["parsed"].value == 0.0
    assert read(analyzer, "I would reject it.")["choice"].label == "no"


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("I would not approve this loan.", "decline"),
        ("I cannot recommend approval.", "decline"),
        ("There is no reason to decline.", "approve"),
        ("I would not hesitate to approve.", "approve"),
        ("Approval is not warranted.", "decline"),
        ('{"decision": "approve", "reason": "no reason to decline"}', "approve"),
        ('```json\n{"result": {"decision": "decline"}}\n```', "decline"),
        ("I'd decline. On second thought, approve.", "approve"),
        ("<think>decline?</think>approve", "approve"),
        ("approve or decline", "unparsed"),
        ('{"decision": "approve"} {"decision": "decline"}', "unparsed"),
        ("Approve if the payslip arrives.", "unparsed"),
    ],
)
def test_negation_json_and_hedges_are_read(analyzer: DecisionAnalyzer, reply: str, label: str) -> None:
    """Each trap of free-text decisions is read as a careful reader would."""
    expectation = Expectation(kind="choice", options=("approve", "decline"))
    assert read(analyzer, reply, expectation, "Approve or decline?")["choice"].label == label


@pytest.mark.parametrize(("file", "rate"), [("data.yaml", 0), ("numbers.yaml", 1)])
def test_the_stated_error_rates_are_what_the_labelled_replies_give(
    analyzer: DecisionAnalyzer, file: str, rate: int
) -> None:
    """The accuracy in `info` is recomputed from the held-out replies; the tuned ones are all read."""
    right = of = 0
    for group in yaml.safe_load(data.find("controls", "decision_replies", file).read_text("utf-8")):
        for label, reply in group["replies"]:
            if "options" in group:
                expectation = Expectation(kind="choice", options=tuple(group["options"]))
                found = read(analyzer, reply, expectation, group["prompt"])["choice"]
                agrees = found.label == (label or "unparsed")
            else:
                expectation = Expectation(kind="number", low=group["low"], high=group["high"])
                agrees = read(analyzer, reply, expectation)["number"].value == label
            if held_out(reply, one_in=3):
                of += 1
                right += agrees
            else:
                assert agrees, reply
    stated = analyzer.info.error_rates[rate]
    assert (stated.value, stated.n) == (round(right / of, 4), of)


def _agreeing(analyzer: DecisionAnalyzer, file: str) -> dict[str, list[bool]]:
    """Whether each reply of a file is read as labelled, by what is read."""
    found: dict[str, list[bool]] = {"choice": [], "number": []}
    for group in yaml.safe_load(data.find("controls", "decision_replies", file).read_text("utf-8")):
        for label, reply in group["replies"]:
            if "options" in group:
                expectation = Expectation(kind="choice", options=tuple(group["options"]))
                choice = read(analyzer, reply, expectation, group["prompt"])["choice"]
                found["choice"].append(choice.label == (label or "unparsed"))
            else:
                expectation = Expectation(kind="number", low=group["low"], high=group["high"])
                found["number"].append(read(analyzer, reply, expectation)["number"].value == label)
    return found


def test_what_would_have_been_and_numbers_in_words_are_read_as_labelled(analyzer: DecisionAnalyzer) -> None:
    """All of the half that the rules were mended for are read; the other half gives the stated rates."""
    assert all(map(all, _agreeing(analyzer, "phrasings.yaml").values()))
    aside = _agreeing(analyzer, "phrasings_fresh.yaml")
    stated = [(rate.value, rate.n) for rate in analyzer.info.error_rates[4:]]
    assert stated == [
        (round(sum(aside[kind]) / len(aside[kind]), 4), len(aside[kind])) for kind in ("choice", "number")
    ]


def test_there_are_enough_labelled_replies() -> None:
    """At least 150 decision replies are labelled, and none stands twice under one prompt."""
    groups = yaml.safe_load(data.find("controls", "decision_replies", "data.yaml").read_text("utf-8"))
    replies = [(group["prompt"], reply) for group in groups for _, reply in group["replies"]]
    assert len(replies) >= 150
    assert len(set(replies)) == len(replies)


@given(st.text(max_size=300), st.sampled_from([YES_NO, Expectation(kind="number", low=0, high=10)]))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_without_failing(reply: str, expectation: Expectation) -> None:
    """Whatever a model says, there is a score for each measure, and bounds hold."""
    scores = read(shipped(), reply, expectation)
    assert "parsed" in scores
    number = scores.get("number")
    assert number is None or number.value is None or 0 <= number.value <= 10
