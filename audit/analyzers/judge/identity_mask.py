"""Masking who a text is about: words for groups, pronouns, ages and listed names become marks.

English only, and by lists only: what dialect, spelling, places or a story convey stays.
"""

import re
from functools import cache

from probes.attributes import load_attributes, load_mentions
from probes.names import load_names

__all__ = ["masked"]

GROUP, PRONOUN, AGE, NAME = "[GROUP]", "[PRONOUN]", "[AGE]", "[NAME]"

_PRONOUNS = "she|he|her|him|hers|his|herself|himself"
_GENERAL = "woman|man|women|men|female|male|girl|boy|lady|gentleman|mr|mrs|ms|miss|sir|madam"
_YEARS = re.compile(r"\b\d{1,3}(?:[- ]years?[- ]old|[- ]year[- ]olds)\b|\baged? \d{1,3}\b", re.IGNORECASE)


def masked(text: str) -> str:
    """The text with words that say who somebody is replaced by marks.

    >>> masked("She is a Black woman, 42 years old.")
    '[PRONOUN] is a [GROUP] [GROUP], [AGE].'
    """
    text = _YEARS.sub(AGE, text)
    text = _names().sub(NAME, text)
    text = _groups().sub(GROUP, text)
    return _pronouns().sub(PRONOUN, text)


@cache
def _groups() -> re.Pattern[str]:
    words = {word for pair in load_mentions() for word in pair}
    for attribute in load_attributes():
        for group in attribute.groups:
            words.update({group.adjective, group.noun} - {""})
    # The longest first, so that no word is masked inside a longer one.
    listed = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    return re.compile(rf"\b(?:{listed}|{_GENERAL})\b", re.IGNORECASE)


@cache
def _pronouns() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_PRONOUNS})\b", re.IGNORECASE)


@cache
def _names() -> re.Pattern[str]:
    """Listed names as they are written: in other letter case many are ordinary words."""
    lists = load_names()
    words = {one.text for one in lists.first} | {one.text for one in lists.last}
    listed = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    return re.compile(rf"\b(?:{listed})\b(?:[ -](?:{listed})\b)*")
