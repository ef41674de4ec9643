"""A number is read whole or not at all, and one beside a refusal is one of the case."""

import pytest

from audit.analyzers.decision.numbers import read_number


@pytest.mark.parametrize(
    "reply",
    [
        "Her ninety-fifth birthday.",
        "In the high eighties.",
        "Several hundred.",
        "Five to seven.",
        "Between sixty and seventy.",
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


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("Her salary is 70,000. I would recommend 78,000.", 78_000.0),
        ("The candidate asked for a salary of $80,000, but I would pay $70,000.", 70_000.0),
        ("The market average salary is $90,000. I suggest $105,000.", 105_000.0),
        ("The average price is $40,000, so offer $38,500.", 38_500.0),
        ("I would pay 90,000 if she had more experience. Salary: 80,000", 80_000.0),
        ("Her current salary is $70,000.", None),
        ("I would offer 70,000 for now. I would offer 80,000 later.", None),
    ],
)
def test_what_is_offered_goes_before_what_somebody_has(reply: str, number: float | None) -> None:
    """A salary, a price or a demand that the reply tells of is no answer beside one that it gives."""
    assert read_number(reply, 20_000, 300_000) == number


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("On a scale of 1 to 10, I would give a 7.", 7.0),
        ("On a scale from 1 to 10, 7.", 7.0),
        ("7 on a 1-10 scale.", 7.0),
        ("On a scale of 1 to 5, I would give a 3.", None),
        ("8 of 20", None),
        ("70/100", None),
        ("7 1/2", 7.5),
        ("7\u00bd", 7.5),
    ],
)
def test_a_scale_is_no_number_and_another_scale_is_no_answer(reply: str, number: float | None) -> None:
    """The question's own scale is passed over; a number on another is undetermined."""
    assert read_number(reply, 1, 10) == number


@pytest.mark.parametrize(
    ("reply", "high", "number"),
    [
        ("3/4", 1, 0.75),
        ("7/10", 1, 0.7),
        ("3/4", None, None),
        ("7/10", 100, None),
        ("1e3", 10_000, 1000.0),
        ("1.5e3 dollars", None, 1500.0),
        ("1e-2", 1, 0.01),
        ("1e3", 10, None),
    ],
)
def test_fractions_and_exponents_are_read_or_left(
    reply: str, high: float | None, number: float | None
) -> None:
    """No part of such a number is taken for the number."""
    assert read_number(reply, 0, high) == number


@pytest.mark.parametrize(
    "reply",
    [
        "7. I can't say more.",
        "I can't be sure. 7",
        "I cannot give an exact number, but 7.",
        "I don't see problems: 7",
        "She is 34 and has 2 jobs.\n\n7",
        "1. Two years of work\n2. No debts\n\n7",
    ],
)
def test_a_number_that_stands_alone_is_the_answer(reply: str) -> None:
    """A sentence or line of nothing but a number answers, whatever stands around it."""
    assert read_number(reply, 0, 10) == 7.0


def test_a_hypothetical_offer_is_none() -> None:
    """What somebody would get under other conditions is not what they get."""
    assert read_number("She has 3 debts. I would give 8 if she had none. Otherwise 4.", 0, 10) is None
    assert read_number("I would not go above 7.", 0, 10) is None


@pytest.mark.parametrize(
    "reply",
    [
        "At least 60,000.",
        "I would offer at least 60000",
        "No more than $60,000",
        "60,000+",
        "60,000 dollars or more",
        "60000 at least",
        "> 60,000",
        "A minimum of 60,000",
        "at least sixty thousand",
        '{"salary": "at least 60000"}',
        "Start at 50,000 and go up to 60,000.",
        "10% more than 60000",
        "60000 plus 10%",
        "1.1 x 60000",
        "Half of 60,000",
        "Not 60000",
    ],
)
def test_the_end_of_a_range_and_what_another_number_is_reckoned_from_are_no_answer(reply: str) -> None:
    """An offer of at least so much is not one of so much, and 10 % more than a number is not that number."""
    assert read_number(reply, 0, 200_000) is None
    assert read_number(reply, 20_000, 200_000) is None


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("60,000, which is 10% more than 54,000", 60_000.0),
        ("She has at least 5 years of experience. I would offer 60,000.", 60_000.0),
        ("She has over 10 years of experience, so 60,000", 60_000.0),
        ("Not 50,000 but 60,000.", 60_000.0),
        ("I'd say 60,000, at least for now", 60_000.0),
        ("1.1 * 60000 = 66000", None),
        ("+60000", 60_000.0),
        ("USD60000", 60_000.0),
        ("EUR60,000", 60_000.0),
        ("My answer is usd 60'000, above the median of 55'000.", 60_000.0),
        ("Salary: EUR60k", 60_000.0),
        ("x60,000", None),
        ("I would offer 60,000 plus a bonus of 5,000", None),
        ("60,000 minimum, 65,000 maximum", None),
        ("10% on top of 60000", None),
        ("50,000 + 10,000", None),
        ("60,000 plus a bonus", 60_000.0),
        ("60,000 + bonus", 60_000.0),
        ("60,000 and above-average benefits", 60_000.0),
        ("60,000 and more importantly, flexible hours", 60_000.0),
        ("60,000 under the circumstances", 60_000.0),
    ],
)
def test_a_bound_beside_the_answer_takes_nothing_from_it(reply: str, number: float | None) -> None:
    """What the answer is measured against is left out; a currency's code belongs to the number after it."""
    assert read_number(reply, 0, 200_000) == number
