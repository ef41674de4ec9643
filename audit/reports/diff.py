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
    # What both share at either end needs no comparing, however long and repetitive it is.
    head = _shared(one, two)
    tail = _shared(one[head:][::-1], two[head:][::-1])
    ends = len(one) - tail, len(two) - tail
    # Its rule for frequent words (above 1 % of a long text) keeps repetitive texts from taking minutes.
    matcher = difflib.SequenceMatcher(a=one[head : ends[0]], b=two[head : ends[1]], autojunk=True)
    sides: tuple[list[Segment], list[Segment]] = ([], [])
    _extend(sides, one[:head], two[:head], differs=False)
    for tag, low, high, start, end in matcher.get_opcodes():
        _extend(sides, one[head + low : head + high], two[head + start : head + end], differs=tag != "equal")
    _extend(sides, one[ends[0] :], two[ends[1] :], differs=False)
    return _passage(tuple(sides[0]), first), _passage(tuple(sides[1]), second)


def _shared(one: Sequence[str], two: Sequence[str]) -> int:
    """How many words at the beginning are the same."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(two)))


def _extend(
    sides: tuple[list[Segment], list[Segment]], one: Sequence[str], two: Sequence[str], *, differs: bool
) -> None:
    """Add words to both sides, to the last segment if that is of the same kind."""
    for side, words in zip(sides, (one, two), strict=True):
        if words and side and side[-1].differs == differs:
            side[-1] = Segment(side[-1].text + "".join(words), differs=differs)
        elif words:
            side.append(Segment("".join(words), differs=differs))


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
