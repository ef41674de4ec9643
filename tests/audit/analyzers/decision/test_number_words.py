"""A number in words is written in digits whole, and what is no number stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.analyzers.decision.number_words import in_digits

_ONES = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def spelled(number: int, *, joined: str) -> str:
    """A whole number from 1 to below a billion as English writes it."""
    for scale, word in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = number % scale
            more = f"{joined if rest < 100 else ' '}{spelled(rest, joined=joined)}" if rest else ""
            return f"{spelled(number // scale, joined=joined)} {word}{more}"
    if number < 20:
        return _ONES[number - 1]
    return _TENS[number // 10 - 2] + (f"-{_ONES[number % 10 - 1]}" if number % 10 else "")


@given(st.integers(min_value=21, max_value=999_999_999), st.sampled_from([" ", " and "]))
def test_every_number_above_twenty_is_read_whole(number: int, joined: str) -> None:
    """Up to a billion, with and without `and`."""
    assert in_digits(f"offer {spelled(number, joined=joined)}.") == f"offer {number}."


@pytest.mark.parametrize(
    "text",
    [
        "one of the best",
        "her twenty-first year",
        "a twenty-five-year-old",
        "in the eighties",
        "several hundred",
        "a few thousand",
        "seven or eight",
        "oftwenty-five",
    ],
)
def test_what_is_no_number_above_twenty_stays(text: str) -> None:
    """Small words, ordinals, ages as words and vague sums are left to the other rules."""
    assert in_digits(text) == text


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("between fifty thousand and sixty thousand", "between 50000 and 60000"),
        ("thirty thousand, forty thousand at most", "30000, 40000 at most"),
        ("twenty to thirty", "20 to 30"),
        ("zero point seven", "0.7"),
        ("one point two five million", "1250000"),
        ("half a million", "500000"),
        ("sixty-four thousand, five hundred", "64500"),
        ("nineteen hundred", "1900"),
    ],
)
def test_neighbours_stay_apart_and_parts_are_read(text: str, digits: str) -> None:
    """Two numbers do not become one, and a small word at the end of a range goes with it."""
    assert in_digits(text) == digits
