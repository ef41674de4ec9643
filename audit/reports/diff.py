"""A word diff of two texts, for reading counterfactual pairs side by side."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Passage", "Segment", "abridged", "compared", "whole"]

MOST_WORDS = 1_500
"""Longer texts are shown without marks: comparing takes time that grows with the square of the length."""
MOST_CHARACTERS = 20_000
"""Characters of one text that a report shows; the rest is counted, and lies in the run's store."""
PREVIEW = 700
"""Characters shown before a text is folded."""
CONTEXT = 110
"""Characters kept on each side of a cut in text that does not differ."""
_WORDS = re.compile(r"\w+\s*|[^\w\s]+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text that is the same in both texts, or not; or a cut."""

    text: str
    differs: bool = False
    cut: bool = False
    """True if the text stands for something left out, such as `[… 300 characters …]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A text ready to be shown."""

    segments: tuple[Segment, ...]
    characters: int
    """Length of the whole text."""
    left_out: int = 0
    """Characters that the report does not show."""
    preview: tuple[Segment, ...] = ()
    """The passage with long stretches cut, if it is to be folded; else empty."""


def whole(text: str) -> Passage:
    """A text that has no partner to be compared with."""
    shown = text[:MOST_CHARACTERS]
    return _passage((Segment(shown),) if shown else (), text)


def compared(first: str, second: str) -> tuple[Passage, Passage]:
    """Two texts with the words marked in which they differ.

    Args:
        first: A text of any length.
        second: Another one.

    Returns:
        Both texts in their order. Texts of more than 1,500 words are not marked.
    """
    one, two = _words(first[:MOST_CHARACTERS]), _words(second[:MOST_CHARACTERS])
    if max(len(one), len(two)) > MOST_WORDS:
        return whole(first), whole(second)
    left: list[Segment] = []
    right: list[Segment] = []
    # Its rule for frequent words (above 1 % of a long text) keeps repetitive texts from taking minutes.
    matcher = difflib.SequenceMatcher(a=one, b=two, autojunk=True)
    for tag, low, high, start, end in matcher.get_opcodes():
        for side, words in ((left, one[low:high]), (right, two[start:end])):
            if words:
                side.append(Segment("".join(words), differs=tag != "equal"))
    return _passage(tuple(left), first), _passage(tuple(right), second)


def abridged(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments with long unchanged stretches cut in the middle, and an end after 700 characters."""
    found: list[Segment] = []
    room = PREVIEW
    for segment in segments:
        for piece in _shortened(segment):
            if room <= 0:
                return (*found, Segment("[…]", cut=True))
            kept = piece if piece.cut else Segment(piece.text[:room], differs=piece.differs)
            found.append(kept)
            room -= len(kept.text)
    return tuple(found)


def _shortened(segment: Segment) -> Iterator[Segment]:
    spare = len(segment.text) - 2 * CONTEXT
    if segment.differs or spare <= CONTEXT:
        yield segment
        return
    yield Segment(segment.text[:CONTEXT])
    yield Segment(f"[… {spare:,} characters …]", cut=True)
    yield Segment(segment.text[-CONTEXT:])


def _passage(segments: tuple[Segment, ...], text: str) -> Passage:
    return Passage(
        segments=segments,
        characters=len(text),
        left_out=max(0, len(text) - MOST_CHARACTERS),
        preview=abridged(segments) if len(text) > PREVIEW else (),
    )


def _words(text: str) -> list[str]:
    return _WORDS.findall(text)
