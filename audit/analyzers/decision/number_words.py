"""Numbers in words above twenty, written in digits: `twenty-five thousand`, `one hundred and ten`.

Small words alone stay words, for `one of the best` states no number; so do ordinals, `a few hundred` and
`in the eighties`.
"""

import re
from types import MappingProxyType

__all__ = ["in_digits"]

_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = MappingProxyType(
    {
        "zero": 0,
        "a": 1,
        **{word: value for value, word in enumerate((*_UNITS, *_TEENS), start=1)},
        **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
    }
)
_SCALES = MappingProxyType({"thousand": 1e3, "million": 1e6})

_UNIT, _TEN = "|".join(_UNITS), "|".join(_TENS)
_SUB_100 = rf"(?:(?:{_TEN})(?:[- ](?:{_UNIT})(?!\w))?|{'|'.join(_TEENS)}|{_UNIT})"
_NO_SCALE = r"(?! ?(?:hundred|thousand|million)\b)"
_SUB_1000 = rf"(?:(?:a|{_SUB_100}) hundred(?: (?:and )?{_SUB_100}(?![\w-])(?! ?hundred\b))?|{_SUB_100})"
_REST = rf"(?:(?: and)? {_SUB_1000}|, (?=[a-z -]{{3,12}} hundred\b){_SUB_1000})"
_PART = rf"(?:zero|{_SUB_1000}) point (?:zero|{_UNIT})(?: (?:zero|{_UNIT}))*|{_SUB_1000} and a half"
_SCALED = rf"(?:{_PART}|half a|a|{_SUB_1000})"
_NUMBER = re.compile(
    rf"(?<![\w-])(?:{_SCALED} million(?:{_REST} thousand)?{_REST}?"
    rf"|{_SCALED} thousand{_REST}?|(?:{_PART})|{_SUB_1000})(?![\w-]){_NO_SCALE}"
)
_SMALL = frozenset((*_UNITS, *_TEENS, "twenty"))
_BESIDE = re.compile(
    rf"(?<![\w-])(?P<low>{'|'.join(sorted(_SMALL))})(?P<to> ?(?:to|or|and|-|\u2013) ?)(?=\d)"
    rf"|(?<=\d)(?P<from> ?(?:to|or|and|-|\u2013) ?)(?P<high>{'|'.join(sorted(_SMALL))})(?![\w-])"
)
"""A small word at the other end of a range from a number in digits."""


def in_digits(folded: str) -> str:
    """A case-folded text with its numbers in words above twenty in digits, up to millions.

    >>> in_digits("offer twenty-five thousand, one of the higher sums")
    'offer 25000, one of the higher sums'
    >>> in_digits("between one hundred and two hundred")
    'between 100 and 200'
    >>> in_digits("two and a half million for the twenty-first")
    '2500000 for the twenty-first'
    """
    found = _NUMBER.sub(_digits, folded)
    return found if found == folded else _BESIDE.sub(_small, found)


def _digits(match: re.Match[str]) -> str:
    text = match.group()
    return text if text in _SMALL else f"{round(_value(text), 6):.12g}"


def _small(match: re.Match[str]) -> str:
    if match["low"]:
        return f"{_VALUES[match['low']]}{match['to']}"
    return f"{match['from']}{_VALUES[match['high']]}"


def _value(text: str) -> float:
    total = group = 0.0
    words = iter(re.findall(r"[a-z]+", text.replace("and a half", "half")))
    for word in words:
        if word in _SCALES:
            total += group * _SCALES[word]
            group = 0.0
        elif word == "hundred":
            group *= 100
        elif word == "half":
            group += 0.5
            if text.startswith("half"):
                next(words)  # The `a` of `half a million`.
        elif word == "point":
            return _with_fraction(group, list(words))
        elif word != "and":
            group += _VALUES[word]
    return total + group


def _with_fraction(whole: float, after: list[str]) -> float:
    """The value of what follows `point`: digits, and a scale after them."""
    digits = [str(_VALUES[word]) for word in after if word in _VALUES]
    scale = _SCALES.get(after[-1], 1.0)
    return float(f"{whole:.0f}.{''.join(digits)}") * scale
