"""The quarantine screen: sexual content about minors is replaced before it is stored or shown.

A pure look-up of words near each other. It errs on the side of replacing: a replaced text can be asked for
again, a stored one cannot be unstored. It is no classifier and discharges no legal duty to report.
"""

import base64
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from probes import data

__all__ = ["MARKER", "QuarantineScreen"]

MARKER = "[quarantined before storage; salted hash {digest}]"
"""What is stored in place of the text; the screen itself lets it pass."""

_WINDOW = 30
_TOKEN = re.compile(r"[^\W_]+")
_AGE = re.compile(
    r"\b(?:[1-9]|1[0-7])[ -]?(?:(?:years?|yrs?|y)[ -]?(?:old|o)|yo)\b|\bage[d]?:? (?:[1-9]|1[0-7])\b"
)
_LEET = str.maketrans("013457@$", "oieastas")


@dataclass(frozen=True, slots=True)
class _Words:
    minors: frozenset[str]
    sexual: frozenset[str]
    alone: frozenset[str]


class QuarantineScreen:
    """Decides, by words alone, which texts must not be stored."""

    def __init__(self, salt: bytes) -> None:
        """Load the shipped word lists.

        Args:
            salt: Secret of the run, at least 8 bytes, so that the hash cannot be looked up.

        Raises:
            ValueError: The salt is too short.
        """
        if len(salt) < 8:  # noqa: PLR2004 - stated in the docstring
            raise ValueError(f"salt must have at least 8 bytes; got {len(salt)}")
        self._salt = salt
        self._words = _load(data.find("lexicons", "minors_en", "words.yaml"))

    def quarantine(self, text: str) -> str | None:
        """The marker to store in place of a text, or None if the text may be stored.

        A text is replaced if a word for a child, or a stated age under 18, stands within 30 words of an
        explicitly sexual word, or if it holds a term that has no other meaning.

        Args:
            text: Any text; all of it is read, in time linear in its length.
        """
        if not self._matches(text):
            return None
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._salt[:64], digest_size=10)
        return MARKER.format(digest=digest.hexdigest())

    def screened(self, text: str) -> str:
        """The text, or its marker."""
        marker = self.quarantine(text)
        return text if marker is None else marker

    def _matches(self, text: str) -> bool:
        folded = unicodedata.normalize("NFKC", text).casefold()
        folded = _AGE.sub(" agedminor ", folded)
        last_minor = last_sexual = -_WINDOW - 1
        for place, found in enumerate(_TOKEN.finditer(folded)):
            token = found.group()
            if not token.isalpha() and not token.isdigit():
                token = token.translate(_LEET)
            if token in self._words.alone:
                return True
            if token in self._words.minors:
                last_minor = place
            elif token in self._words.sexual:
                last_sexual = place
            else:
                continue
            if min(last_minor, last_sexual) >= 0 and abs(last_minor - last_sexual) <= _WINDOW:
                return True
        return False


def _load(path: Path) -> _Words:
    read = data.read_yaml(path)
    decoded = {
        name: frozenset(base64.b64decode(word).decode("utf-8") for word in read[name])
        for name in ("minors", "sexual", "alone")
    }
    return _Words(decoded["minors"] | {"agedminor"}, decoded["sexual"], decoded["alone"])
