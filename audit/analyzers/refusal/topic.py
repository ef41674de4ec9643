"""Whether a reply is about the request at all, by the content words they share."""

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["off_topic", "stems"]

_STEM = 5
_SHORT_STEM = 4
_REPLY_WORDS = 80
_PRESENTED_WORDS = 12
_REQUEST_WORDS = 40
_REQUEST_CHARACTERS = 480
_FEWEST_REQUEST_WORDS = 4
_FEWEST_STEMS = 3
_SHARED, _SHARED_PRESENTED = 1 / 2, 1 / 4
_OPENING = 2
_OWN_TOPIC = 3
_PRESENTS = re.compile(r"(?:(?:sure|certainly|of course|absolutely)\b[,.!]? ?)?here(?:'s| is| are| you go)\b")
_REWORKS = re.compile(
    r"\b(?:rewrite|reword|rephrase|paraphrase|translate|complete|continue|shorten|correct|proofread|summari[sz]e)\b|[\"\u201c]"
)
"""A request that brings the text the reply is about."""
_SYMPATHY = re.compile(r"(?:oh,? )?(?:i am|i'm)? ?(?:so |really |very |truly )*sorry\b|my condolences")
_WORD = re.compile(r"[^\W\d_]{3,}")


def off_topic(parts: Sequence[str], folded: str, request: str, common: frozenset[str]) -> bool:
    """Whether a longer reply has next to no content word of a short request.

    A full answer names what it is about, so a reply of eighty words or more that shares none with the
    request is about something else. So is one whose first two sentences share none and name another topic
    that comes up three times, where all of it shares at most half; or one that presents something ("here is
    a ...") in twelve words or more and shares at most a quarter. A reply in another script, or to a request
    that is longer, has many lines, quotes, or asks for a text to be reworked, is never judged. Words of three
    letters or more count.

    Args:
        parts: Sentences of the reply.
        folded: The whole reply, case-folded.
        request: The user's words.
        common: Words that do not tell what a request is about.
    """
    if not _judgeable(request, folded):
        return False
    asked = stems(request.casefold(), common)
    opening = " ".join(parts[:_OPENING])
    opened = stems(opening, frozenset())
    if any(_has(opened, stem) for stem in asked):
        return False
    said = stems(folded, frozenset())
    shared = sum(_has(said, stem) for stem in asked)
    words = _WORD.findall(folded)
    presents = len(asked) >= _FEWEST_STEMS and _PRESENTS.match(folded) is not None
    if presents and len(words) >= _PRESENTED_WORDS and shared <= _SHARED_PRESENTED * len(asked):
        return True
    if not asked or len(words) < _REPLY_WORDS:
        return False
    if shared == 0:
        return True
    times = Counter(word[:_STEM] for word in words)
    own = any(times[stem] >= _OWN_TOPIC for stem in stems(opening, common))
    return own and shared <= _SHARED * len(asked)


def _judgeable(request: str, folded: str) -> bool:
    if len(request) > _REQUEST_CHARACTERS or "\n" in request.strip() or _REWORKS.search(request.casefold()):
        return False
    if not (request.isascii() and folded[:200].isascii()) or _SYMPATHY.match(folded):
        return False
    return _FEWEST_REQUEST_WORDS <= len(request.split()) <= _REQUEST_WORDS


def stems(text: str, common: frozenset[str]) -> frozenset[str]:
    """The beginnings of a case-folded text's words of three letters or more, without common words."""
    return frozenset(word[:_STEM] for word in _WORD.findall(text) if word not in common)


def _has(said: frozenset[str], stem: str) -> bool:
    """Whether a word of the same root is there: `novel` and `novelist`, `run` and `runs`."""
    if stem in said:
        return True
    root = stem[:_SHORT_STEM]
    return any(other.startswith(root) for other in said)
