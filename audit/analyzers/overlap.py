"""What two texts share word for word: n-grams, and the longest run of words."""

import re
from collections.abc import Sequence

__all__ = ["grams", "longest_run", "share_of", "words_of"]

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The case-folded words of a text, without punctuation, in order.

    >>> words_of("Stay calm, STAY safe.")
    ['stay', 'calm', 'stay', 'safe']
    """
    return _WORD.findall(text.casefold())


def grams(words: Sequence[str], size: int) -> set[tuple[str, ...]]:
    """Every run of `size` words; none if there are fewer words."""
    return {tuple(words[start : start + size]) for start in range(len(words) - size + 1)}


def share_of(known: set[tuple[str, ...]], said: set[tuple[str, ...]]) -> float | None:
    """Share in [0, 1] of the known n-grams that were said; None if none are known."""
    return len(known & said) / len(known) if known else None


def longest_run(said: Sequence[str], known: set[tuple[str, ...]], size: int) -> int:
    """Length in words of the longest stretch of what was said whose every n-gram is known.

    With n-grams of one text it is the longest common run, but for repeats inside that text; below
    `size` words it is 0, since shorter runs are everyday language.

    >>> longest_run(["b", "c", "d", "x"], grams(["a", "b", "c", "d"], 2), 2)
    3
    """
    best = current = 0
    for start in range(len(said) - size + 1):
        current = current + 1 if tuple(said[start : start + size]) in known else 0
        best = max(best, current)
    return best + size - 1 if best else 0
