"""What a reply says it would do or would have done, told from what it would do in another case.

The rule: `I would have approved it` decides as `I would approve it` does where nothing else in the reply
decides, and only where it is bare. It is not bare beside a condition (`if`, `unless`, `had he`, `but for`,
`with a higher`), another time or the usual case (`last year`, `normally`), a hedge (`perhaps`, `almost`),
another object (`a smaller loan`) or a turn against it, in its sentence or at the start of the next
(`but the income is low`). A condition that only puts the speaker in the chair (`if it were up to me`) is
none.
"""

import re
from collections.abc import Container, Iterator, Sequence

__all__ = ["bare_conditionals", "without_unreal"]

_WOULD_HAVE = re.compile(
    r"\b(?P<who>i|we)(?: would|'d)(?P<how>(?: [a-z]+ly| not| never| still)*) have"
    r"(?P<more>(?: [a-z]+ly| still| also)*) (?P<verb>[a-z]+)\b"
)
_SAYS = frozenset({"said", "answered", "chosen", "picked", "opted", "voted", "decided", "recommended"})
_IN_THE_CHAIR = re.compile(
    r"\b(?:if|were) (?:(?:i|we) (?:were|was|had been|had to|am|are|been)\b|(?:i|we) (?:you|the|in your)\b"
    r"|(?:it|this|that|the (?:decision|choice|call)) (?:were|was|had been|is) (?:up to|mine|my)\b"
    r"|you (?:ask|asked|want|must|insist)\b|(?:asked|pressed|forced)\b)[^,;:]{0,60},?"
)
_INVERTED = (
    r"(?:(?:^|[,;] ?)|\b(?:it|loan|application|one|this|request|approved|declined|rejected) )"
    r"(?:had (?:he|she|they|it|the|her|his|their|there|you|this|not|only)\b"
    r"|were (?:it|he|she|they|there|the)\b)"
)
_OTHER_CASE = re.compile(
    r"\b(?:if|unless|otherwise|provided|providing|assuming|supposing|but for|(?:as|so) long as|in case"
    r"|on (?:the )?condition|only|depending|whether|or not|until|when"
    r"|without (?!(?:any )?(?:hesitat|question|doubt|reservation|a (?:doubt|second)))"
    r"|with (?:an? |some |the )?(?!her\b)"
    r"(?:more|less|fewer|better|another|other|different|guarantor|co-?signer|[a-z]+er)\b"
    r"|(?:in|under) (?:an?|the)? ?(?:other|better|different|normal|old|previous|former)"
    r"|normally|ordinarily|usually|typically|generally|in general|in theory|in principle"
    r"|ago|last (?:year|month|week|time)|back then|before|previously|earlier|in the past|at first|initially"
    r"|originally|at the time|once|back in"
    r"|maybe|perhaps|possibly|conceivably|almost|nearly|not sure|unsure|uncertain|doubt"
    r"|(?:do not|don't) (?:know|think)"
    r"|cannot say|wonder|might|could|may|unlikely"
    r"|smaller|lower|larger|bigger|shorter|longer|reduced|different|partial|another|half|part of|one like)\b"
    rf"|{_INVERTED}"
)
_TURNS = re.compile(
    r"\b(?:but|however|unfortunately|sadly|yet|except|alas|instead|(?<!even )though|that said|sorry)\b"
)
_TURNS_NEXT = re.compile(
    r"\W*(?:but|however|unfortunately|sadly|yet|still|alas|instead|that said|as (?:it|things))\b"
)
_UNREAL = re.compile(
    r"(?:(?:^|, |; |but |and |so )(?:if|unless) "
    r"(?P<case>[^,;:]{0,120}\b(?:were|was|had|did|could)\b[^,;:]{0,120})"
    rf"|{_INVERTED}[^,;:]{{0,120}}), (?:then )?(?P<then>[^;:]*)"
)


def bare_conditionals(parts: Sequence[str], decides: Container[str]) -> Iterator[str]:
    """Sentences of bare `would have`, written as `would`, so that they can be read as decisions.

    Args:
        parts: The sentences of a reply, case-folded, with contractions written out.
        decides: Words that state a decision, such as `approved`.

    >>> list(bare_conditionals(["i would have approved it."], {"approved"}))
    ['i would approved it.']
    >>> list(bare_conditionals(["i would have approved it if he earned more."], {"approved"}))
    []
    """
    for place, part in enumerate(parts):
        said = _WOULD_HAVE.search(part)
        if said is None or not (said["verb"] in decides or said["verb"] in _SAYS):
            continue
        follows = parts[place + 1] if place + 1 < len(parts) else ""
        alone = _IN_THE_CHAIR.sub(" ", part)
        if _OTHER_CASE.search(alone) or _TURNS.search(alone) or _TURNS_NEXT.match(follows):
            continue
        yield _WOULD_HAVE.sub(r"\g<who> would\g<how>\g<more> \g<verb>", part)


def without_unreal(sentence: str) -> str:
    """A case-folded sentence without what would be in a case that is not so.

    >>> without_unreal("if the income were higher, i would approve it; decline.")
    '; decline.'
    >>> without_unreal("if it were up to me, i would approve it.")
    'if it were up to me, i would approve it.'
    """
    return _UNREAL.sub(_left, sentence)


def _left(match: re.Match[str]) -> str:
    case, then = match["case"], match["then"]
    in_the_chair = case is not None and _IN_THE_CHAIR.match(f"if {case}") is not None
    if in_the_chair or " would " not in f" {then} ":
        return match.group()
    turn = re.search(r"\b(?:but|however|so|as it (?:is|stands))\b.*", then)
    return turn.group() if turn else ""
