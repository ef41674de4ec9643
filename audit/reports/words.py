"""Numbers and names as a report says them; a missing number is said in words, never shown as 0."""

import unicodedata

from audit.estimates.measures import MEASURES
from audit.estimates.omnibus import RESAMPLES
from audit.records import DeclaredMeasure, Verdict

__all__ = [
    "MINUS",
    "NOT_MEASURED",
    "VERDICT_WORDS",
    "bare",
    "bounds",
    "counted",
    "drawn_probability",
    "level_words",
    "number",
    "plain",
    "printable",
    "probability",
    "said",
    "signed",
    "words_of",
]

NOT_MEASURED = "not measured"
MINUS = "\u2212"
PERCENT = "\u00a0%"
TIMES = " \u00d7 "

VERDICT_WORDS = {
    Verdict.DISPARITY: "disparity",
    Verdict.EQUIVALENT: "equivalent",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.NOT_MEASURED: NOT_MEASURED,
    Verdict.EXCEEDS: "exceeds its limit",
    Verdict.WITHIN: "within its limit",
    Verdict.OBSERVED: "observed",
}

_VISIBLE = {0x0A, 0x09}
_HIDDEN = {
    0x061C,
    0x200B,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
}
"""Characters that reorder, break or hide text without being seen: marks of direction, tags, invisible spaces.
The joiners U+200C and U+200D are not among them: several scripts and emoji need them."""


def printable(text: str) -> str:
    r"""A text in which everything that would be invisible or reorder its neighbours is shown by its code.

    Model output is hostile: it may hold control characters, overrides of the direction of writing or
    halves of surrogate pairs, which a file in UTF-8 cannot hold at all.

    >>> printable("a\x07b\u202ec\ud800")
    'a[U+0007]b[U+202E]c[U+D800]'
    """
    normal = text.replace("\r\n", "\n")
    if normal.isascii() and normal.isprintable():
        return normal
    return "".join(
        f"[U+{ord(character):04X}]" if _is_unsafe(character) else character for character in normal
    )


def _is_unsafe(character: str) -> bool:
    code = ord(character)
    if code in _VISIBLE:
        return False
    is_noncharacter = (code & 0xFFFE) == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004 - Unicode, section 23.7
    return code in _HIDDEN or is_noncharacter or unicodedata.category(character) in {"Cc", "Cs"}


def said(name: str | None) -> str:
    """A name of the plan as people read it.

    >>> said("race_ethnicity")
    'race/ethnicity'
    """
    if name is None:
        return "all"
    return name.replace("race_ethnicity", "race/ethnicity").replace("_", " ").replace("*", TIMES)


def words_of(measure: str, declared: DeclaredMeasure | None = None) -> str:
    """What a measure counts, in words; a benchmark's own score keeps its name.

    >>> words_of("toxicity_rate")
    'toxic replies'
    """
    if declared is not None:
        return declared.words
    for known in MEASURES:
        if known.name == measure:
            return known.words
    return said(measure)


def number(value: float, digits: int = 2) -> str:
    r"""A number with a real minus sign; what rounds to nothing has no sign.

    >>> number(-0.004)
    '0.00'
    >>> number(-1.5, 1) == "\u22121.5"
    True
    """
    text = f"{value:,.{digits}f}"
    if text.startswith("-"):
        return MINUS + text[1:] if text.strip("-0.,") else text[1:]
    return text


def signed(value: float | None, unit: str) -> str:
    """A difference with its sign: percentage points for rates, else the number.

    >>> signed(0.034, "rate"), signed(0.2, "years"), signed(None, "rate")
    ('+3.4 points', '+0.20', 'not measured')
    """
    if value is None:
        return NOT_MEASURED
    text = number(100 * value, 1) if unit == "rate" else number(value)
    sign = "" if text.startswith(MINUS) or not text.strip("0.,") else "+"
    return f"{sign}{text} points" if unit == "rate" else f"{sign}{text}"


def plain(value: float | None, unit: str) -> str:
    r"""A quantity: a percentage for rates, else the number.

    >>> plain(0.034, "rate"), plain(None, "rate")
    ('3.4\xa0%', 'not measured')
    """
    if value is None:
        return NOT_MEASURED
    return f"{number(100 * value, 1)}{PERCENT}" if unit == "rate" else number(value)


def probability(value: float | None) -> str:
    """A p value, never shown as 0.

    >>> probability(0.0164), probability(1e-9), probability(None)
    ('0.016', '< 0.001', 'none')
    """
    if value is None:
        return "none"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004 - the usual end of a table


def drawn_probability(value: float) -> str:
    """A p value of the omnibus test, a share of draws: where no draw was as far out, at most one of them.

    >>> drawn_probability(1 / 10_001), drawn_probability(0.0312)
    ('≤ 0.0001', '= 0.0312')
    """
    least = 1 / (RESAMPLES + 1)
    return f"≤ {least:.4f}" if value <= least else f"= {value:.4f}"


def level_words(level: float) -> str:
    r"""The level of an interval.

    >>> level_words(0.95)
    '95\xa0%'
    """
    return f"{100 * level:g}{PERCENT}"


def bare(value: float | None, unit: str) -> str:
    """As `plain`, without the unit, for a table that says it once.

    >>> bare(0.034, "rate"), bare(None, "rate")
    ('3.4', 'not measured')
    """
    return plain(value, unit).removesuffix(PERCENT)


def bounds(low: float | None, high: float | None, unit: str, *, difference: bool) -> str:
    """An interval in the unit of its estimate, the unit said once.

    >>> bounds(0.01, 0.034, "rate", difference=True), bounds(None, None, "rate", difference=True)
    ('+1.0 to +3.4', 'no interval')
    """
    if low is None or high is None:
        return "no interval"
    if difference:
        return f"{signed(low, unit).removesuffix(' points')} to {signed(high, unit).removesuffix(' points')}"
    return f"{plain(low, unit).removesuffix(PERCENT)} to {plain(high, unit)}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "output"), counted(1200, "output")
    ('1 output', '1,200 outputs')
    """
    return f"{count:,} {one if count == 1 else (many or one + 's')}"
