"""Numbers as they are written: separators, units, exponents, fractions, `8/10`, and words up to twenty.

Larger numbers in words are written in digits before: see `audit.analyzers.decision.number_words`.
"""

import re
from collections.abc import Sequence

from audit.analyzers.decision.open_ended import CURRENCY, is_open_ended

__all__ = ["WORD_START", "accepted", "agreed", "amounts", "has_range", "stated"]

_NUMBER = re.compile(
    # Not in the middle of a word or a number: only the code of a currency may stand right before one.
    rf"(?:(?<![\w.])(?<!\d[,'\u2019])|(?<![^\W_])(?:{CURRENCY}))"
    r"(?P<minus>[-\u2212](?=[\d$\u20ac\u00a3]))?[$\u20ac\u00a3]? ?"
    r"(?P<digits>\d{1,3}(?:[,'\u2019 ]\d{3})+(?:\.\d+)?(?!\d)|\d+(?:[.,]\d+)*)"
    r"(?:e(?P<power>[+-]?\d{1,2})\b)?"
    r"(?: ?(?P<part>[\u00bc\u00bd\u00be]| and a half\b|\d/\d(?![\d/])))?"
    r"(?P<unit> ?(?:%|percent\b|per cent\b|k\b|thousand\b|m\b|million\b))?"
    r"(?: ?(?:/|out of|of|in(?= \d+\b(?! ?(?:years?|months?|weeks?|days?)))) ?(?P<of>\d+(?:\.\d+)?)\b)?"
)
_PARTS = {"\u00bc": 0.25, "\u00bd": 0.5, "\u00be": 0.75, "and a half": 0.5}
_RANGE = re.compile(
    r"\d[\d,.]{0,14} ?(?:%|k|percent|dollars|usd)? ?"
    r"(?:-|\u2013|\u2014|to|and(?! a half)) ?[$\u20ac\u00a3]? ?\d[\d,.]*"
    r"|\d[^.!?;\n]{0,60}\bup to (?:about |around )?[$\u20ac\u00a3]? ?\d"
)
_DATE = re.compile(r"\b\d{4}-\d{2}(?:-\d{2})?\b")
_SMALL = re.compile(r"(?<=\de)[+-](?=\d)")
_LONGEST = 24
_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_WORD = re.compile(
    rf"(?<![\w-])(?:{'|'.join(_WORDS)})(?![\w-])(?! (?:hundred|thousand|million|to|or|and|point)\b)"
)
WORD_START = re.compile(rf"^\W*{_WORD.pattern}(?! ?(?:of|or) )")
"""A number in words with which a text begins."""
_WORD_RANGE = re.compile(rf"\b(?:{'|'.join(_WORDS)}) ?(?:to|or|and|-) ?(?:{'|'.join(_WORDS)})\b")


def stated(text: str, low: float | None, high: float | None) -> float | None:
    """The one number of a text, if it has one: several within bounds, a range or none give None.

    Args:
        text: Case-folded text.
        low: Smallest accepted number, or None.
        high: Largest accepted number, or None.
    """
    if has_range(text):
        return None
    found = amounts(text, low, high)
    if not found and not _WORD_RANGE.search(text) and (word := WORD_START.match(text) or _only_word(text)):
        match = _WORD.search(text, word.start())
        if match and not is_open_ended(text, match.start(), match.end()):
            found = [float(_WORDS.index(match.group()))]
    inside = [value for value in found if accepted(value, low, high)]
    if len(found) > 1 and len(inside) < len(found) and len(set(inside)) == 1:
        return inside[0]
    return agreed([value if accepted(value, low, high) else None for value in found])


def amounts(text: str, low: float | None, high: float | None) -> list[float | None]:
    """Values of all numbers in digits, in order.

    None stands for one that cannot be read, has another scale, or is only the end of a range.
    """
    return [
        None if is_open_ended(text, match.start(), match.end()) else _value(match, low, high)
        for match in _NUMBER.finditer(text)
    ]


def has_range(text: str) -> bool:
    """Whether a text has two numbers from one of which to the other something reaches."""
    return _RANGE.search(_SMALL.sub("", _DATE.sub(" ", text))) is not None


def accepted(value: float | None, low: float | None, high: float | None) -> bool:
    """Whether a value is there and within bounds."""
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def agreed(values: Sequence[float | None]) -> float | None:
    """The value if there is one and all agree, else None."""
    return values[0] if values and all(value == values[0] for value in values) else None


def _only_word(text: str) -> re.Match[str] | None:
    found = list(_WORD.finditer(text))
    return found[0] if len(found) == 1 and found[0].group() != "one" else None


def _value(match: re.Match[str], low: float | None, high: float | None) -> float | None:
    value = _digits(match["digits"], low, high) if len(match["digits"]) <= _LONGEST else None
    if value is None:
        return None
    if match["part"]:
        part = _part(match["part"].strip())
        if part is None or value != int(value):
            return None
        value += part
    if match["power"]:
        value *= 10.0 ** int(match["power"])
    if match["minus"]:
        value = -value
    unit = (match["unit"] or "").strip()
    if unit in {"k", "thousand"}:
        value *= 1e3
    elif unit in {"m", "million"}:
        value *= 1e6
    elif unit and high is not None and high <= 1:
        value /= 100
    return value if match["of"] is None else _of(value, float(match["of"]), high)


def _of(value: float, whole: float, high: float | None) -> float | None:
    """A value out of a whole: itself on its own scale, a share where shares are asked for, else unknown.

    Without a largest number nothing tells whether `3/4` is three points or three quarters.
    """
    if high is None or whole == 0:
        return None
    if whole == high:
        return value
    return value / whole if high <= 1 else None


def _part(written: str) -> float | None:
    """What is added to a whole number: half a point and the like."""
    if written in _PARTS:
        return _PARTS[written]
    above, below = (int(digit) for digit in written.split("/"))
    return above / below if 0 < above < below else None


def _digits(digits: str, low: float | None, high: float | None) -> float | None:
    """The value of digits with separators; where `1.200` could be both, the one reading within bounds."""
    if re.fullmatch(r"\d+(?:\.\d+)?", digits):
        value = float(digits)
        thousands = float(digits.replace(".", ""))
        if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", digits) and not accepted(value, low, high):
            return thousands if accepted(thousands, low, high) else value
        return value
    if re.fullmatch(r"\d{1,3}(?:[,'\u2019 ]\d{3})+(?:\.\d+)?", digits):
        return float(re.sub(r"[,'\u2019 ]", "", digits))
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", digits):
        return float(digits.replace(".", "").replace(",", "."))
    if re.fullmatch(r"\d+,\d{1,2}", digits):
        return float(digits.replace(",", "."))
    return float(digits.rstrip(".,")) if re.fullmatch(r"\d+(?:\.\d+)?[.,]*", digits) else None
