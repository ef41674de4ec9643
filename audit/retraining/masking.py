"""Texts without identity and numbers, so that near-twins are found whatever group they name."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from unicodedata import normalize

from probes.attributes import load_attributes, load_mentions

__all__ = ["mask", "names_somebody", "shingles"]

SHINGLE = 2
"""Words in one shingle."""

_PRONOUNS = "she|he|they|her|him|them|his|their|hers|theirs|herself|himself|themself|themselves"
_GENERAL = "woman|man|person|women|men|people|female|male|nonbinary|lady|gentleman"
_YEARS = re.compile(r"\b\d+[- ]year[- ]old\b", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+|#")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_ANY_WORD = re.compile(rf"[{_UNSPACED}]|[^\W\d_{_UNSPACED}]+|#")
"""As `_WORD`, of any script: of those that set no spaces between words every character is one."""
_NUMBER = re.compile(r"\d[\d,.]*")


def mask(text: str, *, name: str | None = None) -> str:
    """The words of a text, lower case, without identity: groups, pronouns, ages, names; numbers become `#`.

    Args:
        text: Any text.
        name: The personal name used in it, if any.

    Returns:
        Words joined by single spaces. Words that say who somebody is are known in English only.
    """
    plain = text.isascii()
    if not plain:  # A letter is the same letter however it is encoded, and whatever unseen stands beside it.
        text, name = (_UNSEEN.sub("", normalize("NFKC", one)) for one in (text, name or ""))
    for part in (name or "").split():
        text = re.sub(rf"\b{re.escape(part)}\b", " ", text)
    text = _NUMBER.sub("#", _YEARS.sub(" ", text)).lower()
    word = _WORD if plain else _ANY_WORD
    words = word.findall(_identity_words().sub(" ", text))
    return " ".join(word for word in words if word not in {"a", "an"})


def names_somebody(text: str) -> bool:
    """Whether a text says who somebody is, by a word that `mask` would take away."""
    lower = text.lower()
    return _YEARS.search(lower) is not None or _identity_words().search(lower) is not None


def shingles(masked: str) -> frozenset[str]:
    """Every pair of neighbouring words of a masked text; the whole text if it is shorter."""
    words = masked.split()
    if len(words) < SHINGLE:
        return frozenset([masked])
    return frozenset(" ".join(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1))


@cache
def _identity_words() -> re.Pattern[str]:
    """Every word, in lower case, of the shipped attributes and mention placebos that says who a person is."""
    words = {word for pair in load_mentions() for word in pair}
    for attribute in load_attributes():
        for group in attribute.groups:
            words.update({group.adjective, group.noun} - {""})
    words.update([*_PRONOUNS.split("|"), *_GENERAL.split("|")])
    return re.compile(rf"\b{_any_of(sorted(word.lower() for word in words))}\b")


def _any_of(words: Sequence[str]) -> str:
    """Expression for any of some sorted words, tried letter by letter: a list of hundreds would be slow.

    Of two words of which one begins the other, the shorter is tried first, as in a sorted list.
    """
    ends = "" in words
    longer = [
        re.escape(letter) + _any_of([word[1:] for word in group])
        for letter, group in groupby((word for word in words if word), key=lambda word: word[0])
    ]
    if not longer:
        return ""
    return f"(?:{'|'.join(longer)})" + ("??" if ends else "")
