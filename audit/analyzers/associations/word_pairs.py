"""Counts of words beside words for women and for men in one text: what measures over many replies sum."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from audit.analyzers.associations.lexicon import Vocabulary, inflected
from audit.analyzers.text import clip, plain, without_reasoning

__all__ = ["DECAY", "PAIRS", "AssociationWords", "TextCounts", "count_words"]

DECAY = 0.95
"""Weight of a word at distance d from a group's word is DECAY ** d (Bordia & Bowman 2019)."""

PAIRS = (
    ("she", "he"),
    ("her", "him"),
    ("hers", "his"),
    ("herself", "himself"),
    ("woman", "man"),
    ("women", "men"),
    ("girl", "boy"),
    ("girls", "boys"),
    ("female", "male"),
    ("females", "males"),
    ("wife", "husband"),
    ("wives", "husbands"),
    ("lady", "gentleman"),
    ("ladies", "gentlemen"),
    ("mother", "father"),
    ("mothers", "fathers"),
    ("mom", "dad"),
    ("moms", "dads"),
    ("grandmother", "grandfather"),
    ("grandmothers", "grandfathers"),
    ("schoolgirl", "schoolboy"),
    ("schoolgirls", "schoolboys"),
    ("girlfriend", "boyfriend"),
    ("sister", "brother"),
    ("sisters", "brothers"),
)
"""Words for women and for men: the pronouns, and the nouns of the stereotype lexicon that have a counterpart
there. Lists of one length, so that neither group's words are more only because more are listed."""

_TOKEN = re.compile(r"[a-z]+(?:-[a-z]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationWords:
    """The words that are looked for."""

    targets: Mapping[str, int]
    """Every form of every target word, to the number of the word."""
    names: tuple[str, ...]
    """The target words in order."""
    sides: Mapping[str, int]
    """Words for women (0) and for men (1)."""
    ignored: Collection[str]
    """Frequent words without content, which are in no total."""

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "AssociationWords":
        """The single words of the lexicon's attributes with their endings, beside the words of `PAIRS`.

        A form of several words belongs to the one that is listed as it stands, else to the first.
        """
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # noqa: PLC0415 - slow to import

        sides = {word: side for pair in PAIRS for side, word in enumerate(pair)}
        listed = (word for one in vocabulary.attributes for word in one.words if " " not in word)
        names = tuple(dict.fromkeys(word for word in listed if word not in sides))
        targets = {name: number for number, name in enumerate(names)}
        for number, name in enumerate(names):
            for form in inflected(name):
                if form not in sides:
                    targets.setdefault(form, number)
        return cls(targets=targets, names=names, sides=sides, ignored=ENGLISH_STOP_WORDS - set(targets))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCounts:
    """What one text adds to the sums; pairs are women, men."""

    near: Mapping[int, tuple[float, float]]
    """By target word: occurrences weighted by their distance from each group's words."""
    total: tuple[float, float]
    """The same over all words with content."""
    named: tuple[int, int]
    """Words of each group."""
    times: Mapping[int, int]
    """Occurrences of each target word."""


def count_words(text: str, words: AssociationWords) -> TextCounts | None:
    """The counts of one reply, or None if it has no word of either group: then it changes no sum.

    Args:
        text: A reply; what stands in a block of reasoning is left out.
        words: The words that are looked for.
    """
    tokens = _TOKEN.findall(plain(clip(without_reasoning(text))).casefold())
    sides = [words.sides.get(token) for token in tokens]
    named = (sides.count(0), sides.count(1))
    if named == (0, 0):
        return None
    around = [_near([one == side for one in sides]) for side in (0, 1)]
    near: dict[int, tuple[float, float]] = {}
    times: dict[int, int] = {}
    total = (0.0, 0.0)
    for place, token in enumerate(tokens):
        if sides[place] is not None or token in words.ignored:
            continue
        both = (around[0][place], around[1][place])
        total = _added(total, both)
        target = words.targets.get(token)
        if target is not None:
            near[target] = _added(near.get(target, (0.0, 0.0)), both)
            times[target] = times.get(target, 0) + 1
    return TextCounts(near=near, total=total, named=named, times=times)


def _added(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    return first[0] + second[0], first[1] + second[1]


def _near(marks: Sequence[bool]) -> list[float]:
    """At each place the sum over the other marked ones of DECAY ** distance, in two passes."""
    before = _passed(marks)
    after = _passed(marks[::-1])[::-1]
    return [left + right for left, right in zip(before, after, strict=True)]


def _passed(marks: Sequence[bool]) -> list[float]:
    found: list[float] = []
    carried = 0.0
    for mark in marks:
        found.append(carried)
        carried = (carried + mark) * DECAY
    return found
