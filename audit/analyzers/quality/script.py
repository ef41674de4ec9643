"""Whether a text is in a script that puts no spaces between words, and whether it is in Latin letters."""

__all__ = ["mostly_latin", "unspaced"]

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
_LAST_LATIN = 0x24F


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
    letters = [ord(sign) for sign in text if sign.isalpha()]
    return not letters or 2 * sum(code <= _LAST_LATIN for code in letters) > len(letters)
