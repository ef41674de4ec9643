"""Tokens, clauses and negation: what a mention of an option is worth in its sentence."""

import re
from collections.abc import Sequence

__all__ = [
    "COMMON",
    "MARKS",
    "NONE",
    "STOPS",
    "conditional",
    "negated",
    "phrase_at",
    "tokens_of",
    "unreal",
    "words",
]

NONE: frozenset[str] = frozenset()
"""No further negators."""
_TOKEN = re.compile(r"[^\W_]+|[,.;:!?()\-\u2013\u2014\u2026\"/]")
BOUNDARY = frozenset(
    {",", ".", ";", ":", "!", "?", "(", ")", "-", "\u2013", "\u2014", "\u2026", "but", "however", "although"}
)
STOPS = BOUNDARY | {'"', "/"}
MARKS = STOPS - {"but", "however", "although"}
"""What separates clauses and is no word."""
_NEGATORS = frozenset(
    {
        "not",
        "no",
        "never",
        "neither",
        "nor",
        "without",
        "against",
        "unable",
        "hesitate",
        "hesitation",
        "hardly",
        "avoid",
        "nothing",
        "instead",
    }
)
_MODALS = frozenset({"would", "could", "might", "d"})
_BETWEEN = frozenset({"been", "just", "also", "still", "rather", "all", "most", "almost", "never", "not"})
_WISHED = frozenset({"liked", "wanted", "preferred", "loved", "hoped", "wished", "thought", "expected"})
_TURNS = frozenset({"but", "however", "although"})
_OBJECT = 3
_SCOPE = 8
_NOUNS = ("al", "ion", "ing", "ance")

COMMON = frozenset(
    {
        "the",
        "a",
        "an",
        "one",
        "person",
        "someone",
        "people",
        "of",
        "to",
        "in",
        "is",
        "was",
        "are",
        "were",
        "be",
        "not",
        "can",
        "do",
        "does",
        "with",
        "and",
        "or",
        "for",
        "who",
        "that",
        "this",
        "it",
        "its",
        "his",
        "her",
        "their",
        "my",
        "your",
        "by",
        "on",
        "at",
        "as",
        "from",
    }
)
"""Words that tell no option from another."""


def tokens_of(folded: str) -> list[str]:
    """Words and the punctuation that separates clauses, in order."""
    return _TOKEN.findall(folded)


def words(folded: str) -> list[str]:
    """The words of a case-folded text, without punctuation."""
    return [token for token in _TOKEN.findall(folded) if token not in MARKS]


def phrase_at(said: Sequence[str], start: int, phrase: Sequence[str]) -> tuple[int, ...]:
    """Places at which a phrase stands from a word on; empty if it does not stand there.

    Up to three words may stand before a `but` of the phrase: `hire her, but on probation` is
    `hire but on probation`.

    Args:
        said: The words of a sentence.
        start: Where the phrase begins.
        phrase: Its words, one or more.
    """
    found: list[int] = []
    place = start
    for word in phrase:
        if word in _TURNS and found:
            ahead = said[place : place + _OBJECT + 1]
            place += ahead.index(word) if word in ahead else 0
        if place >= len(said) or said[place] != word:
            return ()
        found.append(place)
        place += 1
    return tuple(found)


def negated(tokens: Sequence[str], position: int, denials: frozenset[str]) -> bool:
    """Whether an odd number of negators reach a token within its clause.

    Reach is eight words to the left (`no reason to decline`), and five to the right of a noun
    (`approval is not warranted`). Not a parser: longer-distance negation is missed.

    Args:
        tokens: Tokens of a sentence, as `tokens_of` gives them.
        position: The token asked about.
        denials: Words that negate what follows closely, such as `refuse` in `refuse to approve`.
    """
    count = 0
    place = position - 1
    while place >= 0 and position - place <= _SCOPE and tokens[place] not in BOUNDARY:
        token = tokens[place]
        count += token in _NEGATORS or (token in denials and position - place <= _SCOPE // 2)
        place -= 1
    if tokens[position].rstrip("s").endswith(_NOUNS):
        for follower in tokens[position + 1 : position + 6]:
            if follower in BOUNDARY:
                break
            count += follower == "not"
    return count % 2 == 1


def conditional(tokens: Sequence[str], position: int) -> bool:
    """Whether a token's clause is an if-clause, or one that hangs on one without a comma."""
    for step in (1, -1):
        place = position + step
        while 0 <= place < len(tokens) and tokens[place] not in STOPS:
            if tokens[place] in {"if", "unless", "whether"}:
                return True
            place += step
    return False


def unreal(tokens: Sequence[str], position: int) -> bool:
    """Whether a token says what would have been and was not: `would have approved`, `could have declined`.

    `would have to decline` and `would have no hesitation to approve` are not unreal.

    Args:
        tokens: Tokens of a sentence, as `tokens_of` gives them.
        position: The token asked about.
    """
    place = position - 1
    wished = place
    while wished >= 1 and tokens[wished] not in BOUNDARY and position - wished <= _SCOPE:
        if tokens[wished] in _WISHED and tokens[wished - 1] == "have":
            place = wished - 1
        wished -= 1
    place = _before_adverbs(tokens, place)
    if place < 0 or tokens[place] != "have":
        return False
    place = _before_adverbs(tokens, place - 1)
    return place >= 0 and tokens[place] in _MODALS


def _before_adverbs(tokens: Sequence[str], place: int) -> int:
    while place >= 0 and (tokens[place] in _BETWEEN or tokens[place].endswith("ly")):
        place -= 1
    return place
