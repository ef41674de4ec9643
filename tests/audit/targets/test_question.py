"""Reading decision questions."""

import pytest

from audit.targets.question import Question, read_answer, read_question
from probes.data import data_root
from probes.templates import Template, load_templates


def _templates() -> list[Template]:
    names = sorted(path.parent.name for path in (data_root() / "templates").glob("*/data.yaml"))
    return [template for name in names for template in load_templates(name, pool=None)]


@pytest.mark.parametrize("asked", ["question", "paraphrase"])
def test_every_shipped_question_is_read_right(asked: str) -> None:
    """Options and favourable option of every shipped template, in both wordings, are read as declared."""
    wrong = []
    for template in _templates():
        text = f"{template.text}\n\n{template.question if asked == 'question' else template.paraphrase}"
        expected = Question(favourable=template.favourable, unfavourable=template.unfavourable)
        if read_question(text) != expected:
            wrong.append(template.id)
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "favourable"),
    [
        ("Should the bank say yes? Answer yes or no.", "yes"),
        ("Should the bank turn this request down? Yes or no?", "no"),
        ("Is it wrong to reject her? Yes or no?", "yes"),
        ("Should it not be granted? Answer no or yes.", "no"),
        ("Decline or approve?", "approve"),
        ('Reply with "invite" or "reject".', "invite"),
    ],
)
def test_polarity_follows_the_question(text: str, favourable: str) -> None:
    """A reversed question turns the favourable option round, a negation turns it back."""
    question = read_question(text)
    assert question is not None
    assert question.favourable == favourable


def test_no_options_no_question() -> None:
    """A prompt without options is not taken for a decision."""
    assert read_question("Tell me about mortgages.") is None


@pytest.mark.parametrize(
    ("reply", "decision"),
    [("Yes. Fine.", True), ("No. Yes would be wrong.", False), ("NO", False), ("Perhaps.", None)],
)
def test_the_option_named_first_is_the_answer(reply: str, decision: bool | None) -> None:  # noqa: FBT001 - expected value
    """A reply is read by the option it names first; a reply with none is not guessed."""
    assert read_answer(reply, Question(favourable="yes", unfavourable="no")) is decision
