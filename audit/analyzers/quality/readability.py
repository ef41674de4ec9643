"""How hard an English text is to read: words, sentences, syllables and the Flesch-Kincaid grade."""

import re
from types import MappingProxyType

from audit.analyzers.text import plain, sentences

__all__ = ["FEWEST_WORDS", "reading_grade", "syllables"]

FEWEST_WORDS = 30
"""Words below which a grade says more about one sentence than about the text."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_GROUP = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^aeiouyl]e|[^aeiouytd]ed|[^aeiouylscxzgh]es|[aeiouy]les?)$")
_INNER = re.compile(r"[aeiouy][^aeiouy]e(?=(?:ly|ty|ment|ments|ful|less|ness)$)")
_SPLIT = re.compile(
    r"i(?:a(?!l|n|g)|o(?!us|n|r)|um|et)|[aeiou][^aeiou]ea$|eo(?!n|u|p)|ua(?!r|g)|uou|[^cgst]ia[ln]|[yeo]ing|crea(?=t)"
    r"|rie(?=n[ct])|scie|ie(?=nc)"
)
_ODD = MappingProxyType(
    {"business": 2, "businesses": 3, "unique": 2, "every": 2, "everything": 3, "science": 2}
)
_CODE = re.compile(r"```.*?(?:```|$)", re.DOTALL)


def syllables(word: str) -> int:
    """Syllables of an English word, by rule: groups of vowels, without a silent ending.

    About nine words in ten come out right; names and loan words often do not.

    >>> [syllables(word) for word in ("strength", "table", "reading", "beautiful")]
    [1, 2, 2, 3]
    """
    folded = word.casefold().replace("'", "")
    if folded in _ODD:
        return _ODD[folded]
    count = len(_GROUP.findall(folded)) + len(_SPLIT.findall(folded))
    count -= (_SILENT.search(folded) is not None) + (_INNER.search(folded) is not None)
    return max(1, count)


def reading_grade(text: str) -> float | None:
    """Flesch-Kincaid grade: the school year (United States) that the text suits; may be below 0.

    0.39 * words / sentences + 11.8 * syllables / words - 15.59. Each line ends a sentence; code is left out.
    Not for other languages than English, nor for lists of names and tables.

    Args:
        text: The text.

    Returns:
        The grade; None for fewer than `FEWEST_WORDS` words.

    Source:
        Kincaid, Fishburne, Rogers & Chissom (1975), Naval Technical Training Command Research Branch
        Report 8-75.
    """
    counted = [found for part in sentences(plain(_CODE.sub("\n", text))) if (found := _WORD.findall(part))]
    words = [word for part in counted for word in part]
    if len(words) < FEWEST_WORDS:
        return None
    total = sum(syllables(word) for word in words)
    return round(0.39 * len(words) / len(counted) + 11.8 * total / len(words) - 15.59, 4)
