"""Reading one number out of a reply: what is called the answer, what is offered, then what stands alone.

A reply that rates somebody also tells of them, so its numbers are not equal: one that is called the answer
or that the writer offers goes before one of the case. A scale is no number, and a number on another scale
than the question's is none either. What is unclear is None.
"""

import re

from audit.analyzers.decision.amounts import WORD_START, agreed, amounts, stated
from audit.analyzers.decision.number_words import in_digits
from audit.analyzers.decision.open_ended import CURRENCY
from audit.analyzers.decision.structured import NUMBER_KEYS, answers
from audit.analyzers.text import clip, plain, sentences, without_reasoning

__all__ = ["read_number"]

_IS = (
    r"[ \"']{0,2}(?:(?:is|would be|should be|will be|of|at)(?: set)?(?: at)?|[:=])+ ?"
    r"(?:about |around |approximately |roughly |set at )?"
)
_NOUN = r"(?:answer|score|rating|estimate|salary|amount|offer|total|price|risk|recommendation)"
_CALLED = re.compile(
    rf"\b(?:(?:final|my|overall|recommended|proposed|suggested) (?:[a-z]+ )?{_NOUN}\b{_IS}"
    rf"|{_NOUN}[\"' ]{{0,2}}[:=] ?)(?:{CURRENCY}(?= ?\d) ?)?"
)
"""What calls the number after it the answer."""
_NAMED = re.compile(rf"\b{_NOUN}\b{_IS}")
"""What may: also a salary that somebody has."""
_CASE = re.compile(
    r"\b(?:her|his|their|its|'s|current(?:ly)?|average|median|typical|market|asked|asks|asking|earns|earned"
    r"|previous|former|last|credit|test|requested|requests|listed)\b"
)
"""What tells that a number is one of the case."""
_OFFERS = re.compile(
    r"\b(?:i(?:'d|'ll| would| will| should)? (?:[a-z]+ly )?(?:say|rate|give|put|score|estimate|recommend"
    r"|suggest|offer|set|pay|propose|assign|predict|price|go with|choose|charge|ask|settle on|place)"
    r"|my (?:[a-z]+ )?(?:score|rating|estimate|answer|guess|recommendation|offer|suggestion|proposal)"
    r"|(?:so|therefore|thus|hence),? (?:offer|suggest|recommend|pay|give|set|ask|charge))\b"
)
"""What makes a number the answer although the reply declines something."""
_AFTER_OFFER = re.compile(r"[.!?;](?:\s|$)|\n|\(|, (?=[a-z])| (?:because|since|given|considering|based on) ")
_HYPOTHETICAL = re.compile(r"\b(?:if|unless|had) (?!i |you |we |one |forced|pressed|asked|need)")
_CANNOT = re.compile(
    r"\b(?:can ?not|can't|unable to|will not|won't|would not|wouldn't|decline to"
    r"|(?:do not|don't) (?!see|mind|need|find|doubt|hesitate|foresee))\b"
)
_ALONE = re.compile(
    r"(?:^|, (?:but|so|hence|thus|therefore|then) )"
    r"(?:about |around |approximately |roughly |maybe |perhaps )?"
    r"(?P<number>[-\u2212$\u20ac\u00a3\d][^\sa-z]{0,24}"
    r"(?: ?(?:k|%|percent|per cent|thousand|million|dollars|euros|points|stars|(?:/|out of|of) ?\d+))?)[.!]?$"
)
"""A sentence that says nothing but a number, or ends with one that it has led up to."""
_MARKS = re.compile(r"(?:^|(?<=[.:;!?])) ?(\d{1,2})[.)] ", re.MULTILINE)
_PARTS = re.compile(r", (?=but |so )|; ")
_OF_CASE = re.compile(
    r"\b(?:(?:current|previous|former|last|asking) (?:[a-z]+ )?"
    r"(?:salary|pay|wage|rent|price|income|rate|score)"
    r"|ask(?:ed|s|ing) for|earns|earned|requested|requests|used to)\b"
)
"""What a person has or asked for."""
_SPAN = r"(?P<{0}low>\d+(?:\.\d+)?) ?(?:-|\u2013|to|and|through) ?(?P<{0}high>\d+(?:\.\d+)?)"
_SCALE = re.compile(
    r"(?:\b(?:on|using|in|from) )?(?:\b(?:a|the|this|your) )?"
    rf"\b(?:scale|range) (?:of |from |between )?{_SPAN.format('a')}"
    rf"|(?:\bon (?:a|the|this|your) )?\b{_SPAN.format('b')}(?: |-)(?:point )?scale\b"
    rf"|\({_SPAN.format('c')}\)"
)
"""A scale that a reply names."""


def read_number(reply: str, low: float | None, high: float | None) -> float | None:
    """The number a reply states.

    Args:
        reply: The reply, of any length; only its ends are read.
        low: Smallest accepted number, or None.
        high: Largest accepted number, or None; `8/10` is read as 8 where 10 is the largest, as 0.8 where
            no number above 1 is accepted, and else not at all.

    Returns:
        The number, or None if the reply has none, several that differ, a range, one out of bounds, or one on
        another scale.

    >>> read_number("On a scale of 1 to 10, I would rate this 8/10.", 1, 10)
    8.0
    >>> read_number("Somewhere between 50 and 60.", 0, 100) is None
    True
    """
    text = in_digits(plain(clip(without_reasoning(reply))).casefold())
    if "{" in text:
        is_json, values = answers(text, NUMBER_KEYS)
        if values:
            return agreed([stated(value, low, high) for value in values if any(map(str.isdigit, value))])
        if is_json:
            return None
    unscaled = _without_scales(text, high)
    return None if unscaled is None else _spoken(unscaled, low, high)


def _without_scales(text: str, high: float | None) -> str | None:
    """The text without the scales it names; None if one of them is another than the question's."""
    for match in _SCALE.finditer(text):
        top = match["ahigh"] or match["bhigh"] or match["chigh"]
        if high is not None and float(top) != high and not match["chigh"]:
            return None
    return _SCALE.sub(lambda match: match.group() if _other(match["chigh"], high) else " ", text).strip(" ,")


def _other(top: str | None, high: float | None) -> bool:
    """Whether a span in brackets is no scale of the question's, so that it stays."""
    return top is not None and (high is None or float(top) != high)


def _spoken(text: str, low: float | None, high: float | None) -> float | None:
    called = _after_name(_CALLED, text)
    if called is not None:
        return stated(called, low, high)
    offered = _offered(text, low, high)
    if offered:
        return agreed(offered)
    unmarked = _without_marks(text)
    alone = [
        stated(match["number"], low, high) for one in sentences(unmarked) if (match := _ALONE.search(one))
    ]
    if inside := [value for value in alone if value is not None]:
        return agreed(inside)
    if _CANNOT.search(text):
        return None  # A number beside a refusal is one of the case, such as years of experience.
    named = _after_name(_NAMED, text)
    if named is not None:
        return stated(named, low, high)
    parts = [part for one in sentences(unmarked) for part in _PARTS.split(one)]
    return stated(". ".join(part for part in parts if not _OF_CASE.search(part)), low, high)


def _after_name(pattern: re.Pattern[str], text: str) -> str | None:
    """What follows the last name of an answer that a number follows and that is not one of the case."""
    found = None
    for match in pattern.finditer(text):
        before = _AFTER_OFFER.split(text[max(0, match.start() - 30) : match.start()])[-1]
        rest = text[match.end() : match.end() + 100].split("\n", 1)[0]
        if _starts_with_number(rest) and not _CASE.search(f"{before}{match.group()}"):
            found = re.split(r"[.!?;](?:\s|$)|, (?=[a-z])|\(", rest, maxsplit=1)[0]
    return found


def _starts_with_number(rest: str) -> bool:
    digit = rest[:2].strip("-$\u20ac\u00a3 ")[:1]
    return rest[:1].isdigit() or digit.isdigit() or WORD_START.match(rest) is not None


def _offered(text: str, low: float | None, high: float | None) -> list[float | None]:
    """What the writer offers, clause by clause; what hangs on a condition is offered to nobody."""
    found: list[float | None] = []
    for match in _OFFERS.finditer(text):
        rest = text[match.end() : match.end() + 200]
        if _HYPOTHETICAL.search(re.split(r"[.!?;](?:\s|$)|\n", rest, maxsplit=1)[0]):
            continue
        head = _AFTER_OFFER.split(rest, maxsplit=1)[0]
        if amounts(head, low, high) or WORD_START.search(head):
            found.append(stated(head, low, high))
    return found


def _without_marks(text: str) -> str:
    """The text without the numbers of its list, if it has one; a list begins with 1."""
    return _MARKS.sub(" ", text) if "1" in _MARKS.findall(text) else text
