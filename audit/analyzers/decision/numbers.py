"""Reading one number out of a reply: separators, units, percent, `8/10`; ranges are not a number."""

import re
from collections.abc import Sequence

from audit.analyzers.decision.structured import NUMBER_KEYS, answers
from audit.analyzers.text import clip, last_match, plain, without_reasoning

__all__ = ["read_number"]

_NUMBER = re.compile(
    r"(?<![\w.])(?P<minus>[-\u2212](?=[\d$\u20ac\u00a3]))?[$\u20ac\u00a3]? ?"
    r"(?P<digits>\d{1,3}(?:[,'\u2019 ]\d{3})+(?:\.\d+)?(?!\d)|\d+(?:[.,]\d+)*)"
    r"(?P<unit> ?(?:%|percent\b|per cent\b|k\b|thousand\b|m\b|million\b))?"
    r"(?: ?(?:/|out of|of) ?(?P<of>\d+(?:\.\d+)?)\b)?"
)
_RANGE = re.compile(
    r"\d[\d,.]{0,14} ?(?:%|k|percent|dollars|usd)? ?"
    r"(?:-|\u2013|\u2014|to|and) ?[$\u20ac\u00a3]? ?\d[\d,.]*"
)
_FINAL = re.compile(
    r"\b(?:final (?:answer|score|rating|estimate)|answer|score|rating|estimate|salary|amount|offer|total"
    r"|price|risk)\b"
    r"[ \"']{0,2}(?:is|would be|of|:|=|at)+ ?(?:about |around |approximately |roughly |set at )?"
)
_LONGEST = 24
_LISTED = re.compile(r"^ ?\d{1,2}[.)] ", re.MULTILINE)
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
_WORD_CONTEXT = re.compile(rf"^\W*{_WORD.pattern}(?! ?(?:of|or) )")
_WORD_RANGE = re.compile(rf"\b(?:{'|'.join(_WORDS)}) ?(?:to|or|and|-) ?(?:{'|'.join(_WORDS)})\b")
_CANNOT = re.compile(r"\b(?:can ?not|can't|unable to|will not|won't|do not|don't|decline to)\b")
_OFFERS = re.compile(
    r"\b(?:i(?:'d| would) (?:say|rate|give|put|score|estimate|recommend|suggest|offer|set)"
    r"|my (?:score|rating|estimate|answer|guess))\b"
)
"""What makes a number the answer although the reply declines something."""


def read_number(reply: str, low: float | None, high: float | None) -> float | None:
    """The number a reply states.

    Args:
        reply: The reply, of any length; only its ends are read.
        low: Smallest accepted number, or None.
        high: Largest accepted number, or None; `8/10` is read as 8 where 10 is the largest.

    Returns:
        The number, or None if the reply has none, several that differ, a range, or one out of bounds.

    >>> read_number("I would rate this 8/10.", 0, 10)
    8.0
    >>> read_number("Somewhere between 50 and 60.", 0, 100) is None
    True
    """
    text = plain(clip(without_reasoning(reply))).casefold()
    if "{" in text:
        is_json, values = answers(text, NUMBER_KEYS)
        if values:
            return _agreed([_stated(value, low, high) for value in values if any(map(str.isdigit, value))])
        if is_json:
            return None
    last = last_match(_FINAL, text)
    if last is not None:
        rest = text[last.end() : last.end() + 100].split("\n", 1)[0]
        if rest[:1].isdigit() or rest[:2].strip("-$\u20ac\u00a3 ")[:1].isdigit():
            head = re.split(r"[.!?;](?:\s|$)|, (?=[a-z])|\(", rest, maxsplit=1)[0]
            return _stated(head, low, high)
    if _CANNOT.search(text) and not _OFFERS.search(text):
        return None  # A number beside a refusal is one of the case, such as years of experience.
    return _stated(_LISTED.sub(" ", text), low, high)


def _stated(text: str, low: float | None, high: float | None) -> float | None:
    if _RANGE.search(_without_dates(text)):
        return None
    found = [_value(match, low, high) for match in _NUMBER.finditer(text)]
    if not found and not _WORD_RANGE.search(text) and (word := _WORD_CONTEXT.match(text) or _only_word(text)):
        stated = _WORD.search(word.group())
        found = [float(_WORDS.index(stated.group()))] if stated else []
    inside = [value for value in found if _accepted(value, low, high)]
    if len(found) > 1 and len(inside) < len(found) and len(set(inside)) == 1:
        return inside[0]
    return _agreed([value if _accepted(value, low, high) else None for value in found])


def _without_dates(text: str) -> str:
    return re.sub(r"\b\d{4}-\d{2}(?:-\d{2})?\b", " ", text)


def _only_word(text: str) -> re.Match[str] | None:
    found = list(_WORD.finditer(text))
    return found[0] if len(found) == 1 and found[0].group() != "one" else None


def _value(match: re.Match[str], low: float | None, high: float | None) -> float | None:
    unit = (match["unit"] or "").strip()
    whole = match["of"]
    value = _digits(match["digits"], low, high) if len(match["digits"]) <= _LONGEST else None
    if value is None:
        return None
    if match["minus"]:
        value = -value
    if unit in {"k", "thousand"}:
        value *= 1e3
    elif unit in {"m", "million"}:
        value *= 1e6
    elif unit and high is not None and high <= 1:
        value /= 100
    if whole is not None and high is not None and float(whole) != high:
        return None
    return value


def _digits(digits: str, low: float | None, high: float | None) -> float | None:
    """The value of digits with separators; where `1.200` could be both, the one reading within bounds."""
    if re.fullmatch(r"\d+(?:\.\d+)?", digits):
        value = float(digits)
        thousands = float(digits.replace(".", ""))
        if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", digits) and not _accepted(value, low, high):
            return thousands if _accepted(thousands, low, high) else value
        return value
    if re.fullmatch(r"\d{1,3}(?:[,'\u2019 ]\d{3})+(?:\.\d+)?", digits):
        return float(re.sub(r"[,'\u2019 ]", "", digits))
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", digits):
        return float(digits.replace(".", "").replace(",", "."))
    if re.fullmatch(r"\d+,\d{1,2}", digits):
        return float(digits.replace(",", "."))
    return float(digits.rstrip(".,")) if re.fullmatch(r"\d+(?:\.\d+)?[.,]*", digits) else None


def _accepted(value: float | None, low: float | None, high: float | None) -> bool:
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _agreed(values: Sequence[float | None]) -> float | None:
    return values[0] if values and all(value == values[0] for value in values) else None
