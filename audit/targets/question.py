"""Reading a decision question: which options it offers, and which of them is good for the person.

The reading is deliberately small, and needs no model. It looks at the last 300 characters only:

1. The options are yes and no if both words stand there; else the last two words joined by "or".
2. If one option says no to the person (decline, reject, …) and the other does not, the other is favourable.
3. Otherwise, with yes and no, the question is turned round if its last full question asks whether to
   say no ("Should it be turned down?"); a negation turns it round again.

Do not use it on questions with three options or more, or in other languages than English.
"""

import re
from dataclasses import dataclass

__all__ = ["Question", "read_answer", "read_question"]

_TAIL = 300
_OPTION = r"[^\w\s]?([A-Za-z][\w-]*)[^\w\s]?"
_PAIR = re.compile(rf"\b{_OPTION},? or (?:(?:an?|the|its|to) )?{_OPTION}", re.IGNORECASE)
_YES, _NO = (re.compile(rf"\b{word}\b", re.IGNORECASE) for word in ("yes", "no"))
_SENTENCE = re.compile(r"[^.!?\n]+\?")
_ONLY_OPTIONS = re.compile(r"\W*(?:an? )?yes,? or (?:an? )?no\W*", re.IGNORECASE)
_GAP = r"(?:[\w'-]+\s+){0,6}?"
_AGAINST = (
    # words that say no by themselves
    r"reject(?:s|ed|ing|ions?)?|declin(?:e|es|ed|ing)|den(?:y|ies|ied|ying|ials?)|refus(?:e|es|ed|ing|als?)",
    r"disapprov(?:e|es|ed|ing|al)|dismiss(?:es|ed|ing|al)?|withh(?:old|olds|eld|olding)|exclud(?:e|es|ed|ing)",
    r"drop(?:s|ped|ping)?|stop(?:s|ped|ping)?|block(?:s|ed|ing)?|object(?:s|ed|ing|ions?)?|strik(?:e|es|ing)|struck",
    r"against|unsuccessful|regrets?|red pencil|somebody else|someone else|kept back|impossible",
    # verbs that say no together with a later word
    rf"turn(?:s|ed|ing)?\s+{_GAP}(?:down|away|back)|pass(?:es|ed|ing)?\s+{_GAP}(?:over|on|up)",
    rf"(?:rul|leav)(?:e|es|ed|ing)\s+{_GAP}out|left\s+out|(?:screen|cross|sort)(?:ed|ing)?\s+{_GAP}out",
    rf"keep(?:s|ing)?\s+{_GAP}(?:off|back|out)|let(?:ting)?\s+{_GAP}go|(?:say|says|said|saying|be|is)\s+(?:a\s+)?no",
    r"say(?:s|ing)?\s+that\s+no|clos(?:e|es|ing)\s+the\s+(?:file|packet|application)|closing,\s+rather",
    rf"send(?:s|ing)?\s+{_GAP}away",
    rf"end(?:s|ed|ing)?\s+{_GAP}(?:with probation|here)",
)
_NEGATION = re.compile(r"\b(?:not|never|n't|no reason|wrong to)\b", re.IGNORECASE)
_AGAINST_WORD = re.compile(rf"\b(?:{'|'.join(_AGAINST)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a decision question offers."""

    favourable: str
    """The option that is good for the person, in lower case."""
    unfavourable: str
    """The other option, in lower case."""


def read_question(text: str) -> Question | None:
    """Options of the decision question that ends a prompt.

    Args:
        text: The user's message.

    Returns:
        The two options, or None if no pair of options is offered.

    >>> read_question("Should it be turned down? Answer yes or no.")
    Question(favourable='no', unfavourable='yes')
    >>> read_question("Approve or decline?").favourable
    'approve'
    """
    tail = text[-_TAIL:]
    if _YES.search(tail) and _NO.search(tail):
        asked = _asked(tail)
        reversed_question = bool(_AGAINST_WORD.search(asked)) != bool(len(_NEGATION.findall(asked)) % 2)
        good, bad = ("no", "yes") if reversed_question else ("yes", "no")
        return Question(favourable=good, unfavourable=bad)
    pairs = _PAIR.findall(tail)
    if not pairs:
        return None
    first, second = (option.lower() for option in pairs[-1])
    against = [bool(_AGAINST_WORD.fullmatch(option)) for option in (first, second)]
    good, bad = (second, first) if against[0] and not against[1] else (first, second)
    return Question(favourable=good, unfavourable=bad)


def read_answer(reply: str, question: Question) -> bool | None:
    """Whether a reply takes the favourable option.

    Args:
        reply: A reply that names its option first.
        question: The question as read.

    Returns:
        True for the favourable option, False for the other, None if the reply names neither.
    """
    options = (question.favourable, question.unfavourable)
    places = [re.search(rf"\b{re.escape(option)}\b", reply, re.IGNORECASE) for option in options]
    good, bad = (place.start() if place else None for place in places)
    if good is None and bad is None:
        return None
    if good is None or bad is None:
        return bad is None
    return good < bad


def _asked(tail: str) -> str:
    """The last question that is more than its options ("Yes or no?"), or else the whole tail."""
    sentences = [found for found in _SENTENCE.findall(tail) if not _ONLY_OPTIONS.fullmatch(found)]
    return sentences[-1] if sentences else tail
