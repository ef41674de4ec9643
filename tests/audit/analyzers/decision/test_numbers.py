"""A number is read whole or not at all, and one beside a refusal is one of the case."""

import pytest

from audit.analyzers.decision.numbers import read_number


@pytest.mark.parametrize(
    "reply",
    [
        "Ninety-five.",
        "thirty-two",
        "One hundred.",
        "Five to seven.",
        "Zero tolerance for fraud applies here, so I cannot give a score.",
        "One thing is clear: I cannot give a score.",
        "I'm sorry, but I can't rate people. She has 3 children.",
    ],
)
def test_parts_of_numbers_and_numbers_of_the_case_are_no_answer(reply: str) -> None:
    """Half a word, a range, and years or children beside a refusal."""
    assert read_number(reply, 0, 100) is None


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("Eight, since the income is good.", 8.0),
        ("I can't be sure, but I would say 7.", 7.0),
        ("I would give it an eight.", 8.0),
        ("7/10", 7.0),
    ],
)
def test_an_answer_is_read_beside_doubt(reply: str, number: float) -> None:
    """Words up to twenty and digits, also where something else is declined."""
    assert read_number(reply, 0, 10) == number
