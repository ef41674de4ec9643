"""What a reply says again of its question, which decides nothing."""

import re
from collections.abc import Iterable, Sequence

__all__ = ["either_pattern", "listings", "questions_answered", "without_restatement"]

_ASKS = re.compile(
    r"\b(?:you (?:ask|want|wonder|wanted|would like|are (?:asking|wondering))(?:ed)?\b"
    r"|(?:the|your) (?:question|task|user|prompt|request|issue|matter|decision)(?: here| at hand)? "
    r"(?:is|was|asks|wants|asked|wanted)(?= (?:me |us )?(?:whether|if|to|about|how|should)\b)"
    r"|(?:i|we) (?:am|was|were|are|have been|'m|'ve been) (?:being )?(?:asked|to (?:decide|choose))\b"
    r"|(?:i|we) (?:must|need to|have to|should|will) (?:decide|choose|determine|consider)"
    r" (?:whether|if|between)\b)"
    r"(?:(?!, (?:and |but |so )?(?:i|we|my|our|the answer)\b)[^.;:!?\n\u2013\u2014]){0,300}"
)
_FIRST = re.compile(r"\W*(\w+)\s*(?:[^\w\s]|$)")
_SHORT = 20
_MOST_PAIRS = 12
_EITHER = "(?:or|/|versus|vs)"


def without_restatement(sentence: str) -> str:
    """A case-folded sentence without what it says again of the question.

    >>> without_restatement("you ask whether to approve, and i would.")
    ' , and i would.'
    """
    return _ASKS.sub(" ", sentence)


def either_pattern(favour: Iterable[str], disfavour: Iterable[str]) -> re.Pattern[str] | None:
    """What matches pairs such as `approve or deny`, which choose nothing; None without both kinds of words.

    Args:
        favour: Forms of granting.
        disfavour: Forms of denying.
    """
    one, other = ("|".join(map(re.escape, sorted(forms))) for forms in (favour, disfavour))
    if not one or not other:
        return None
    between = rf" ?{_EITHER} ?(?:to )?"
    return re.compile(rf"\b(?:(?:{one}){between}(?:{other})|(?:{other}){between}(?:{one}))\b")


def listings(options: Sequence[str]) -> re.Pattern[str] | None:
    """What matches listings of options such as `yes or no` and `approve/decline`, which choose nothing.

    Args:
        options: The folded options; long ones and many ones are not looked for.
    """
    pairs = [
        rf"\b{re.escape(first)} ?(?:or|and|/|nor|versus|vs\.?) ?(?:to )?{re.escape(second)}\b"
        for first in options
        for second in options
        if first != second and len(first) <= _SHORT and len(second) <= _SHORT
    ]
    return re.compile("|".join(pairs)) if pairs and len(pairs) <= _MOST_PAIRS else None


def questions_answered(
    sentences: Sequence[str], yes: frozenset[str], no: frozenset[str]
) -> list[tuple[str, bool | None]]:
    """Sentences that state something, and questions with the yes or no that follows them.

    Args:
        sentences: Case-folded, in order.
        yes: Words that affirm.
        no: Words that deny.

    Returns:
        Each sentence with None, or a question with whether it is affirmed; a question that nothing of
        the kind follows is left out.
    """
    told: list[tuple[str, bool | None]] = []
    for place, sentence in enumerate(sentences):
        if not sentence.endswith("?"):
            told.append((sentence, None))
            continue
        follows = _FIRST.match(sentences[place + 1]) if place + 1 < len(sentences) else None
        word = follows.group(1) if follows else ""
        if word in yes or word in no:
            told.append((sentence, word in yes))
    return told
