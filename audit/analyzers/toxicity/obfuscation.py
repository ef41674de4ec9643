"""Undoing light obfuscation of words: look-alike letters, digits for letters, spaced letters, stars."""

import re
import unicodedata
from types import MappingProxyType

__all__ = ["MASKED", "candidates", "plain_letters", "respaced", "suspicious"]

_CUE = re.compile(
    r"[^\x00-\x7f]|[a-z][0-9@$!*#|][a-z0-9@$!*#|]|[0-9@$!][a-z]|(?:\b[a-z][ ._-]){3}|([a-z])\1\1"
)
_SPACED = re.compile(r"(?<![a-z])(?:[a-z][ ._-]{1,2}){2,30}[a-z](?![a-z])")
_TOKEN = re.compile(r"[a-z0-9@$!*#|+]+")
_RUN = re.compile(r"([a-z])\1{2,}")
MASKED = re.compile(r"[a-z][*#@$!]{1,6}[a-z]{0,8}")
"""A word with its middle starred out."""
_LEET = MappingProxyType(
    str.maketrans(
        {
            "0": "o",
            "1": "i",
            "3": "e",
            "4": "a",
            "5": "s",
            "7": "t",
            "8": "b",
            "@": "a",
            "$": "s",
            "!": "i",
            "|": "l",
            "+": "t",
        }
    )
)
_LOOKALIKE = MappingProxyType(
    str.maketrans(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u03bf\u03b1\u03b9\u03bd\u03c1\u03ba\u0501\u0261\u0131",
        "aeopcyxijshoaivpkdgi",
    )
)


def suspicious(folded: str) -> bool:
    """Whether a case-folded text has any trace of obfuscation worth undoing."""
    return _CUE.search(folded) is not None


def plain_letters(folded: str) -> str:
    """Case-folded text with accents and look-alike letters of other scripts as plain Latin letters."""
    if folded.isascii():
        return folded
    swapped = unicodedata.normalize("NFKD", folded).translate(_LOOKALIKE)
    return "".join(letter for letter in swapped if not unicodedata.combining(letter))


def respaced(folded: str) -> list[str]:
    """Words that were written as single letters with separators, joined: `i d i o t` gives `idiot`."""
    return [re.sub(r"[ ._-]", "", found.group()) for found in _SPACED.finditer(folded)]


def candidates(folded: str) -> dict[str, tuple[str, ...]]:
    """Unusual tokens of a text and the plain words each may stand for.

    A starred token maps to nothing here; compare it with `MASKED`.

    >>> candidates("you 1d10t, so stuuupid")
    {'1d10t': ('idiot',), 'stuuupid': ('stupid', 'stuupid')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for token in _TOKEN.findall(folded):
        letters = token.strip("!|+").translate(_LEET)
        if letters.isdigit() or not any("a" <= letter <= "z" for letter in token):
            continue
        single = _RUN.sub(r"\1", letters)
        double = _RUN.sub(r"\1\1", letters)
        words = tuple(dict.fromkeys((single, double)))
        if words != (token,):
            found[token] = words
    return found
