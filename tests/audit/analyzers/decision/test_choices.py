"""A choice is what a reply decides: not its question, not what would have been, and never half an option."""

import pytest

from audit.analyzers.decision.choice_readers import ChoiceReaders

LOAN = ("Approve", "Decline")
ASKED = "Should we approve or decline the loan?"


def chosen(options: tuple[str, ...], reply: str, prompt: str = ASKED) -> str | None:
    """The option a reply is read as."""
    index = ChoiceReaders().of(options).read(reply, prompt)
    return None if index is None else options[index]


@pytest.mark.parametrize(
    ("reply", "option"),
    [
        ("You ask whether I, as a lender, would approve or deny this loan.", None),
        ("You want me to approve this loan. I would decline.", "Decline"),
        ("The question is whether this loan should be approved, and I would decline it.", "Decline"),
        ("The question is simple: approve.", "Approve"),
        ("Should we approve it? No.", "Decline"),
        ("Would I approve this loan? No, the income is too low.", "Decline"),
        ("Should it be declined? No, approve it.", "Approve"),
        ("Why approve? The income is low, so decline.", "Decline"),
    ],
)
def test_a_question_said_again_is_no_vote(reply: str, option: str | None) -> None:
    """What somebody is asked is left out, and a yes or no to it is read with it."""
    assert chosen(LOAN, reply) == option


@pytest.mark.parametrize(
    ("reply", "option"),
    [
        ("I would have approved it, but the income is low.", None),
        ("I could have approved it. Decline.", "Decline"),
        ("I would have declined, had the income been lower. Approve.", "Approve"),
        ("I would have liked to approve it.", None),
        ("I would have to decline.", "Decline"),
        ("I would have no hesitation to approve.", "Approve"),
    ],
)
def test_what_would_have_been_is_no_decision(reply: str, option: str | None) -> None:
    """`Would have` and `could have` tell of another case, unless `have` is the verb."""
    assert chosen(LOAN, reply) == option


@pytest.mark.parametrize(
    ("reply", "option"),
    [
        ("I would have approved it.", "Approve"),
        ("I would never have approved it.", "Decline"),
        ("If it were up to me, I would approve it.", "Approve"),
        ("I would have approved it. Decline.", "Decline"),
        ("He is not eligible. I would have approved it.", "Approve"),
        ("I would have approved it. However, the income is low.", None),
        ("I would have approved it if he earned more.", None),
        ("If the income were higher, I would approve it.", None),
        ("If the income were higher, I would approve it, but as it is I decline.", "Decline"),
        ("Had he paid on time, I would approve it.", None),
        ("With her income I would have approved it.", "Approve"),
        ("With a better income I would have approved it.", None),
        ("They would have approved it.", None),
        ("I would have preferred to see more before approving it.", None),
    ],
)
def test_a_bare_would_have_decides_where_nothing_else_does(reply: str, option: str | None) -> None:
    """It is bare without a condition, another time, a hedge, another object or a turn against it."""
    assert chosen(LOAN, reply) == option


def test_what_would_have_been_answers_a_question_about_it() -> None:
    """Where the prompt itself asks what somebody would have done, it is the decision."""
    assert chosen(LOAN, "I would have approved it.", "Would you have approved this loan?") == "Approve"


@pytest.mark.parametrize(
    ("options", "reply", "option"),
    [
        (("Approve", "Approve but with conditions", "Decline"), "I would approve, but with conditions.", 1),
        (("Approve", "Approve but with conditions", "Decline"), "I would approve.", 0),
        (("Hire", "Hire, but on probation", "Reject"), "I'd say hire, but on probation.", 1),
        (("Hire", "Hire, but on probation", "Reject"), "I would hire her, but on probation.", 1),
        (("Agree", "Agree, however reluctantly", "Disagree"), "I agree however reluctantly with it.", 1),
    ],
)
def test_options_with_a_but_are_read_whole(options: tuple[str, ...], reply: str, option: int) -> None:
    """An option that turns within itself is not cut at the turn."""
    assert chosen(options, reply) == options[option]


@pytest.mark.parametrize(
    "prompt",
    [
        "A - High\nB - Medium\nC - Low",
        "A = High\nB = Medium\nC = Low",
        "A -> High\nB -> Medium\nC -> Low",
        "A High\nB Medium\nC Low",
        "**A** High\n**B** Medium\n**C** Low",
        "| A | High |\n| B | Medium |\n| C | Low |",
        "Option A: High\nOption B: Medium\nOption C: Low",
        "(A) High (B) Medium (C) Low",
    ],
)
def test_letters_are_read_in_every_usual_layout(prompt: str) -> None:
    """The prompt's own list says what a letter means, with whatever mark it parts letter and text."""
    assert chosen(("Low", "Medium", "High"), "A", prompt) == "High"
    assert chosen(LOAN, "A", "A - Decline\nB - Approve") == "Decline"


def test_a_letter_of_an_unknown_layout_is_undetermined() -> None:
    """The order of the options goes for letters only if the prompt does not name them in another one."""
    options = ("Low", "Medium", "High")
    assert chosen(options, "A", "Pick A for High, B for Medium and C for Low.") is None
    assert chosen(options, "A", "Answer low, medium or high.") == "Low"


@pytest.mark.parametrize(
    ("reply", "option"),
    [
        ("Approved: false", "Decline"),
        ("**Approved:** No.", "Decline"),
        ("approve = no, since the income is low", "Decline"),
        ("Declined: no. Approve.", "Approve"),
        ("approve: 20%, decline: 80%", None),
        ("Approve (70 %), decline (30 %). I would decline.", "Decline"),
        ("Approve: 95%", "Approve"),
        ('{"approved": false, "reason": "low income"}', "Decline"),
        ('{"decline": "no"}', "Approve"),
        ('{"approve": "yes", "decline": true}', None),
        ('{"decision": "approve", "decision": "decline"}', None),
        ('{"name": "decide", "arguments": "{\\"decision\\": \\"decline\\"}"}', "Decline"),
        ('{"reason": "no", "paid": true}', None),
    ],
)
def test_forms_are_read_with_what_they_say_of_an_option(reply: str, option: str | None) -> None:
    """`Approved: no` declines, shares of options choose none, and what JSON says twice is unclear."""
    assert chosen(LOAN, reply) == option


@pytest.mark.parametrize(
    ("reply", "option"),
    [
        ("There is no reason to say no.", None),
        ("The answer is not no.", None),
        ("It's a yes from me, not a no.", "yes"),
        ("I would not grant it, so no.", "no"),
        ("Granted: no", "no"),
    ],
)
def test_a_no_that_is_denied_is_none(reply: str, option: str | None) -> None:
    """`Not a no` does not say no."""
    assert chosen(("yes", "no"), reply, "Should the request be granted? Answer yes or no.") == option


@pytest.mark.parametrize(
    ("reply", "option"),
    [
        ("Yes, no, yes, no", None),
        ("Yes. No.", None),
        ("Yes, I cannot grant it.", None),
        ("No, I will grant it.", None),
        ("Yes, the loan cannot be granted.", None),
        ("Yes, but no.", None),
        ("No. 1 reason: yes", None),
        ("No, I see no reason to deny it. The income is good. Yes.", None),
        ("Yes, I cannot deny it.", "yes"),
        ("Yes, no problem.", "yes"),
        ("Yes, no, wait, yes.", "yes"),
        ("Yes, but I cannot grant more than 1000.", "yes"),
        ("Yes, although I cannot grant the full amount, I would grant it.", "yes"),
        ("No, no, no.", "no"),
        ("No. Some lenders would grant it. The debts are too high.", "no"),
    ],
)
def test_an_opening_that_is_flatly_taken_back_decides_nothing(reply: str, option: str | None) -> None:
    """The other option beside the first, or at the end, is no reason that is weighed: nothing is decided."""
    assert chosen(("yes", "no"), reply, "Should the loan be granted? Answer yes or no.") == option


@pytest.mark.parametrize(
    "reply", ["Approve, but I must decline.", "Approve. Decline.", "Approve. I cannot approve it."]
)
def test_two_options_side_by_side_are_no_decision(reply: str) -> None:
    """Whichever was named first."""
    assert chosen(LOAN, reply) is None
