"""The script of a text: whether it puts no spaces between words, and whether it can be read."""

import unicodedata
from collections.abc import Iterable

__all__ = ["mostly_in", "mostly_latin", "unspaced"]

_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x0F00, 0x0FFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
)
"""First and last code points: Thai, Lao, Tibetan, Burmese, Khmer, Japanese, Chinese."""
_SHARE = 0.3
"""Share of a text's letters from which it counts as such; as in the reading of languages."""
_SCRIPTS = {
    "Latin": ((0x0000, 0x024F), (0x1E00, 0x1EFF)),
    "Arabic": ((0x0600, 0x06FF), (0x0750, 0x077F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
    "Devanagari": ((0x0900, 0x097F),),
    "Han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),
}
"""First and last code points of scripts that analyzers read."""


def unspaced(text: str) -> bool:
    """Whether at least three in ten letters are of a script without spaces between words.

    What stands between spaces is then a clause or a line, so a count of it is no count of words.
    Korean has spaces, and counts as other languages do.

    >>> unspaced("\u8fd9\u662f\u4e00\u5ea7\u8001\u623f\u5b50\u3002"), unspaced("This is an old house.")
    (True, False)
    """
    letters = [ord(sign) for sign in text if sign.isalpha()]
    mine = sum(any(first <= code <= last for first, last in _UNSPACED) for code in letters)
    return mine > 0 and mine >= _SHARE * len(letters)


def mostly_latin(text: str) -> bool:
    """Whether more than half of a text's letters are Latin; True for a text without letters."""
    return mostly_in(text, ("Latin",))


def mostly_in(text: str, scripts: Iterable[str]) -> bool:
    """Whether more than half of a text's letters are of some scripts; True for a text without letters.

    Letters of mathematics and of full width count as the letters that they show.

    Args:
        text: Any text.
        scripts: `Latin`, `Arabic`, `Devanagari` or `Han`.

    >>> mostly_in("\u4f60\u597d", ["Latin", "Han"]), mostly_in("\u0434\u0430", ["Latin", "Han"])
    (True, False)
    """
    ranges = [one for script in scripts for one in _SCRIPTS[script]]
    letters = [ord(sign) for sign in unicodedata.normalize("NFKC", text) if sign.isalpha()]
    mine = sum(any(first <= code <= last for first, last in ranges) for code in letters)
    return not letters or 2 * mine > len(letters)
