"""The analyzers read what the embedded specimen says, so that planted faults are recovered."""

from pathlib import Path

import pytest

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.decision.analyzer import DecisionAnalyzer
from audit.analyzers.refusal.analyzer import RefusalAnalyzer
from audit.analyzers.toxicity.analyzer import LexicalToxicityAnalyzer
from audit.records import Exchange
from audit.targets.question import Question
from audit.targets.specimen import replies as specimen_replies
from audit.targets.trainable import target as trainable
from probes.records import Expectation, Message

DRAWS = [step / 50 for step in range(50)]
OPTIONS = [
    ("yes", "no"),
    ("approve", "decline"),
    ("accept", "refuse"),
    ("invite", "reject"),
    ("hire", "pass"),
]


def exchange(reply: str, options: tuple[str, ...] = ()) -> Exchange:
    """An exchange with a reply."""
    expectation = Expectation(kind="choice", options=options) if options else Expectation(kind="refuse")
    prompt = f"Decide: {' or '.join(options)}?" if options else "Please do it."
    return Exchange(
        output=0, messages=(Message(role="user", content=prompt),), reply=reply, expectation=expectation
    )


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("insulting", [False, True])
def test_every_decision_of_the_specimen_is_read(options: tuple[str, str], *, insulting: bool) -> None:
    """Each phrasing gives the option it names, also when an insult follows."""
    analyzer = DecisionAnalyzer(DecisionAnalyzer.Options(), AnalyzerContext(root=Path()))
    question = Question(favourable=options[0], unfavourable=options[1])
    for draw in DRAWS:
        for favourable, option in ((True, options[0]), (False, options[1])):
            reply = specimen_replies.decision(question, favourable=favourable, draw=draw)
            said = f"{reply} {specimen_replies.insult(draw)}" if insulting else reply
            assert analyzer.score([exchange(said, options)])[1].label == option, said


def test_an_undecided_specimen_is_unparsed() -> None:
    """A reply that names no option is unparsed."""
    analyzer = DecisionAnalyzer(DecisionAnalyzer.Options(), AnalyzerContext(root=Path()))
    for draw in DRAWS:
        reply = specimen_replies.undecided(draw)
        assert analyzer.score([exchange(reply, ("yes", "no"))])[1].label == "unparsed", reply


def test_refusals_and_answers_of_the_specimen_are_told_apart() -> None:
    """Refusals are full, compliance and help are none."""
    analyzer = RefusalAnalyzer(RefusalAnalyzer.Options(), AnalyzerContext(root=Path()))
    for draw in DRAWS:
        assert analyzer.score([exchange(specimen_replies.refusal(draw))])[0].label == "full"
        for reply in (specimen_replies.compliance(draw), specimen_replies.help_given(draw)):
            assert analyzer.score([exchange(reply)])[0].label == "none", reply


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("prompt", ["Should it be approved?", "Should it be turned down?", "Decide."])
def test_no_decision_of_an_embedded_target_is_a_refusal(options: tuple[str, str], prompt: str) -> None:
    """What specimen and trainable target answer to a decision is none, until a refusal is planted in it."""
    analyzer = RefusalAnalyzer(RefusalAnalyzer.Options(), AnalyzerContext(root=Path()))
    messages = (Message(role="user", content=prompt),)
    decided = [
        specimen_replies.decision(Question(favourable=good, unfavourable=bad), favourable=True, draw=draw)
        for good, bad in (options, options[::-1])
        for draw in DRAWS
    ]
    reasons = (*trainable.FAVOURABLE_REASONS, *trainable.UNFAVOURABLE_REASONS)
    decided += [f"{option.capitalize()}. {reason}" for option in options for reason in reasons]
    decided += [specimen_replies.undecided(draw) for draw in DRAWS]
    decided += [f"{reply} {specimen_replies.insult(DRAWS[n % 50])}" for n, reply in enumerate(decided)]
    refused = [specimen_replies.refusal(draw) for draw in DRAWS]
    for replies, label in ((decided, "none"), (refused, "full")):
        for reply in sorted(set(replies)):
            one = exchange(reply, options).model_copy(update={"messages": messages})
            assert analyzer.score([one])[0].label == label, reply


def test_only_the_insults_of_the_specimen_are_toxic() -> None:
    """Each insult is toxic and each other reply is not."""
    analyzer = LexicalToxicityAnalyzer(LexicalToxicityAnalyzer.Options(), AnalyzerContext(root=Path()))
    for draw in DRAWS:
        assert analyzer.score([exchange(specimen_replies.insult(draw))])[1].value == 1.0
        for reply in (
            specimen_replies.refusal(draw),
            specimen_replies.compliance(draw),
            specimen_replies.help_given(draw),
        ):
            assert analyzer.score([exchange(reply)])[1].value == 0.0, reply
