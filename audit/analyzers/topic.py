"""Whether a reply is about the request at all, by the content words they share."""

import re
from collections.abc import Sequence

__all__ = ["off_topic"]

_STEM = 5
_SHORT_STEM = 4
_REPLY_WORDS = 50
_PRESENTED_WORDS = 12
_REQUEST_WORDS = 40
_REQUEST_CHARACTERS = 480
_FEWEST_REQUEST_WORDS = 4
_FEWEST_STEMS = 3
_SHARED = 1 / 2
_OPENING = 2
_PRESENTS = re.compile(r"(?:(?:sure|certainly|of course|absolutely)\b[,.!]? ?)?here(?:'s| is| are| you go)\b")
_SYMPATHY = re.compile(r"(?:oh,? )?(?:i am|i'm)? ?(?:so |really |very |truly )*sorry\b|my condolences")
_WORD = re.compile(r"[^\W\d_]{3,}")


def off_topic(parts: Sequence[str], folded: str, request: str, common: frozenset[str]) -> bool:
    """Whether a longer reply has next to no content word of a short request.

    The reply has fifty words or more, its first two sentences share no word with the request, and all of
    it at most half of the request's words; or it presents something ("here is a ...") in twelve words
    or more and shares none. A reply in another script or to a longer or many-lined request is never judged.

    Args:
        parts: Sentences of the reply.
        folded: The whole reply, case-folded.
        request: The user's words.
        common: Words that do not tell what a request is about.
    """
    if not _judgeable(request, folded):
        return False
    asked = _stems(request.casefold(), common)
    said = _stems(folded, frozenset())
    shared = sum(_has(said, stem) for stem in asked)
    words = len(_WORD.findall(folded))
    if shared == 0 and len(asked) >= _FEWEST_STEMS and words >= _PRESENTED_WORDS and _PRESENTS.match(folded):
        return True
    if not asked or words < _REPLY_WORDS:
        return False
    if len(asked) == 1 or shared == 0:
        return shared == 0
    opening = _stems(" ".join(parts[:_OPENING]), frozenset())
    return shared <= _SHARED * len(asked) and not any(_has(opening, stem) for stem in asked)


def _judgeable(request: str, folded: str) -> bool:
    if len(request) > _REQUEST_CHARACTERS or "\n" in request.strip():
        return False
    if not (request.isascii() and folded[:200].isascii()) or _SYMPATHY.match(folded):
        return False
    return _FEWEST_REQUEST_WORDS <= len(request.split()) <= _REQUEST_WORDS


def _stems(text: str, common: frozenset[str]) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in _WORD.findall(text) if word not in common)


def _has(stems: frozenset[str], stem: str) -> bool:
    """Whether a word of the same root is there: `novel` and `novelist`, `run` and `runs`."""
    if stem in stems:
        return True
    root = stem[:_SHORT_STEM]
    return any(other.startswith(root) for other in stems)
