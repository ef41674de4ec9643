"""Text as analyzers read it: bounded, plain, in sentences and tokens.

Model output is hostile: every regular expression here runs in time linear in the text, and
`clip` bounds the text before anything costlier looks at it.
"""

import re
import unicodedata
from types import MappingProxyType

__all__ = [
    "EDGE",
    "bare",
    "clip",
    "expand_contractions",
    "last_match",
    "paired_quotes",
    "plain",
    "quoted_removed",
    "sentences",
    "straight",
    "without_reasoning",
]

EDGE = 4000
"""Characters read at either end of a reply; what lies between is not read."""

_QUOTES = MappingProxyType(
    {
        ord("\u2018"): "'",
        ord("\u2019"): "'",
        ord("\u02bc"): "'",
        ord("\u201c"): '"',
        ord("\u201d"): '"',
        ord("\u201e"): '"',
        ord("\u00ab"): '"',
        ord("\u00bb"): '"',
        ord("\u00a0"): " ",
        ord("\u202f"): " ",
        ord("\u200b"): None,
        ord("\u200c"): None,
        ord("\u2060"): None,
        ord("\ufeff"): None,
        ord("\u00ad"): None,
    }
)
_SPLIT = re.compile(r"(?<=[.!?])\s+|\n+|(?<=[\u3002\uff01\uff1f\u0964])")
_EDGES = " \t\r\n.,;:!?\"'()[]{}<>_#=~|-\u2013\u2014\u2026\u3002"
_ARTICLES = ("the ", "a ", "an ")
_QUOTED = re.compile(r'"[^"\n]{1,2000}"')
_QUOTE_OR_GAP = re.compile(r'"|\n[ \t]*\n')
_ENDS = ".,!?;)\u2026"


def clip(text: str) -> str:
    """The text, or its first and last `EDGE` characters joined by a line break if it is longer than both.

    An answer stands at the start or the end of a reply; a bound on length is a bound on time.
    """
    if len(text) <= 2 * EDGE:
        return text
    return f"{text[:EDGE]}\n{text[-EDGE:]}"


def without_reasoning(text: str) -> str:
    """The text after the last closed `<think>` block, since what is thought is not answered.

    A block that never closes leaves only what stood before it.
    """
    end = text.rfind("</think>")
    if end >= 0:
        return text[end + len("</think>") :]
    start = text.find("<think>")
    return text if start < 0 else text[:start]


def straight(text: str) -> str:
    """Text with straight quotes and apostrophes and without invisible characters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_QUOTES)


def plain(text: str) -> str:
    """`straight` text without the emphasis marks of Markdown."""
    return straight(text).replace("*", "").replace("`", "")


def bare(text: str) -> str:
    """Case-folded text without outer punctuation, emphasis and leading article, for exact comparison.

    >>> bare('**The Second one.**')
    'second one'
    """
    folded = plain(text).casefold().strip(_EDGES)
    for article in _ARTICLES:
        if folded.startswith(article):
            return folded[len(article) :].strip(_EDGES)
    return folded


def expand_contractions(folded: str) -> str:
    """Case-folded text with negative contractions written out: `can't` and `cannot` become `can not`."""
    if "n't" in folded:
        folded = folded.replace("can't", "can not").replace("won't", "will not").replace("n't", " not")
    return folded.replace("cannot", "can not")


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text, in order, without empty ones."""
    return [part for raw in _SPLIT.split(text) if (part := raw.strip())]


def paired_quotes(text: str) -> str:
    """Text with straight quotes in which a double quote that belongs to no pair is a space.

    An inch mark opens nothing, and what is opened ends with its paragraph or where another one opens.

    >>> paired_quotes('A 27" screen is "good".')
    'A 27  screen is "good".'
    """
    if '"' not in text:
        return text
    signs = list(text)
    opened: int | None = None
    for match in _QUOTE_OR_GAP.finditer(f"{text}\n\n"):
        place = match.start()
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        if match.group() != '"' or (opened is not None and before.isspace() and after.isalnum()):
            if opened is not None:
                signs[opened] = " "
            opened = place if match.group() == '"' else None
        elif opened is not None:
            opened = None
        elif before.isalnum() or (before and before in _ENDS and not after.isalnum()):
            signs[place] = " "
        else:
            opened = place
    return "".join(signs)


def quoted_removed(text: str) -> str:
    """Text with every stretch in double quotes replaced by a space: what is quoted is not said.

    A quotation that covers most of the text is the answer itself, so it stays.
    """
    if '"' not in text:
        return text
    text = paired_quotes(text)
    left = _QUOTED.sub(" ", text)
    return left if len(left.strip()) * 5 >= len(text.strip()) else text


def last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last match of a pattern, or None."""
    last = None
    for match in pattern.finditer(text):
        last = match
    return last
