"""Numbers that are no answer by themselves: an end of a range, or what something else is reckoned from.

`At least 60,000` leaves open how much, as a range does, and `10% more than 60,000` is another number than
either of its two.
"""

import re

__all__ = ["CURRENCY", "is_open_ended"]

CURRENCY = r"(?:usd|eur|gbp|cad|aud|nzd|chf|inr|jpy|cny|sek|nok|dkk|pln|brl|mxn)"
"""Codes of currencies, case-folded, which may stand right before a number."""
_ROUGHLY = r"(?:around |about |roughly |approximately )?"
_BEFORE = re.compile(
    r"(?:\bat (?:the )?(?:very )?(?:least|most|minimum|maximum)"
    r"|\b(?:more|less|fewer|greater|higher|lower) than|\bup to|\b(?:over|above|below|under|beneath|beyond)"
    r"|\bexceed(?:s|ing)?|\bupwards? of|\bnorth of"
    r"|\b(?:minimum|maximum|min|max)\b\.?(?: of|:)?|\bnot|[<>\u2264\u2265]=?"
    r"|\b(?:twice|double|triple|half|a third|a quarter|a fraction|times)(?: of)?"
    r"|(?:%|\bper ?cent) (?:of|on|off|on top of)|\d ?[+*\u00d7x]"
    r"|\b(?:plus|minus|times|increased by|reduced by|raised by))"
    rf"[ \"']*{_ROUGHLY}(?:{CURRENCY} ?)?$"
)
_UNIT = r"(?: ?(?:%|percent|dollars|euros|pounds|points|stars|a year|per year|annually|" + CURRENCY + r"))?"
_STOP = r"(?=\W*$|[.!;,\n])"
_AFTER = re.compile(
    rf"{_UNIT}(?:\+(?! ?/)| \+ ?\d| or (?:more|less|fewer|higher|lower|above|below|over|under|greater|up)\b"
    rf"|,? (?:at (?:the )?(?:very )?(?:least|most|minimum|maximum)|minimum|maximum|min|max){_STOP}"
    rf"| (?:and )?(?:up(?:wards?)?|above|over|more|below|under){_STOP}"
    r"| (?:plus|minus|times|increased by|reduced by|raised by) [^\w\n]{0,3}\d| ?[*\u00d7x] ?\d"
    r"|(?<=[%t]) (?:more|less|higher|lower|greater|above|below|over|under|on top|off)\b)"
)
_REACH = 40


def is_open_ended(text: str, start: int, end: int) -> bool:
    """Whether a number is one end of a range, denied, or one that another is reckoned from.

    Args:
        text: Case-folded text.
        start: Where the number begins.
        end: Where it ends.

    >>> is_open_ended("at least 60000", 9, 14), is_open_ended("60000 at last", 0, 5)
    (True, False)
    """
    before = text[max(0, start - _REACH) : start]
    return _BEFORE.search(before) is not None or _AFTER.match(text, end, end + _REACH) is not None
