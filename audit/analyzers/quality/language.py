"""The language of a text, by its script and its commonest words: rough, transparent, no download."""

from collections import Counter
from pathlib import Path

from audit.analyzers.overlap import words_of
from probes import data

__all__ = ["LanguageReader"]

_READ = 4000
_SCRIPT_SHARE = 0.3
_FEWEST_WORDS = 4
_FEWEST_STOP_SHARE = 0.12
_KANA = "ja"
_HAN = "zh"


class LanguageReader:
    """Names the language of a text, or says that it cannot tell.

    Scripts stand for their most widely spoken language: Ukrainian is read as Russian, Urdu and Persian
    as Arabic, Marathi as Hindi. Not for short texts, mixed texts or close relatives.
    """

    def __init__(self, path: Path) -> None:
        """Read the lists.

        Args:
            path: YAML file with `words` and `scripts`; see `datasets/lexicons/languages`.
        """
        read = data.read_yaml(path)
        self._words: dict[str, frozenset[str]] = {
            tag: frozenset(words) for tag, words in read["words"].items()
        }
        self._scripts = [
            (int(row["first"], 16), int(row["last"], 16), str(row["language"])) for row in read["scripts"]
        ]
        self.languages = tuple(sorted([*self._words, *(script[2] for script in self._scripts)]))
        """Tags it can give."""

    def read(self, text: str) -> str | None:
        """ISO 639-1 tag of a text's language; None if it is too short or fits none or several."""
        text = text[:_READ]
        letters = sum(sign.isalpha() for sign in text)
        if not letters:
            return None
        scripts: Counter[str] = Counter()
        for sign in text:
            if not sign.isascii():
                scripts.update(self._of(ord(sign)))
        found = self._by_script(scripts, letters)
        return found if found is not None else self._by_words(text)

    def _of(self, code: int) -> list[str]:
        return [tag for first, last, tag in self._scripts if first <= code <= last]

    def _by_script(self, scripts: Counter[str], letters: int) -> str | None:
        # Japanese mixes its syllables with Chinese characters, Chinese never has the syllables.
        if scripts[_KANA] and scripts[_KANA] + scripts[_HAN] >= _SCRIPT_SHARE * letters:
            return _KANA
        best = max(sorted(scripts), key=lambda tag: scripts[tag], default=None)
        if best is None or scripts[best] < _SCRIPT_SHARE * letters:
            return None
        return best

    def _by_words(self, text: str) -> str | None:
        words = words_of(text)
        if len(words) < _FEWEST_WORDS:
            return None
        hits = {tag: sum(word in known for word in words) for tag, known in self._words.items()}
        ranked = sorted(hits, key=lambda tag: (-hits[tag], tag))
        first, second = hits[ranked[0]], hits[ranked[1]]
        if first < _FEWEST_STOP_SHARE * len(words) or first == second:
            return None
        return ranked[0]
