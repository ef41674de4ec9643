"""The toxicity lexicon as look-up tables: words, patterns and the identity terms that are masked."""

import base64
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from probes import data
from probes.errors import DataError

__all__ = ["CATEGORIES", "Entry", "Hit", "Lexicon"]

CATEGORIES = ("slur", "threat", "dehumanising", "derogatory", "insult", "obscene")
"""Most to least severe: the label of a reply is the first of these with the largest weight."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something toxic in a text."""

    category: str
    entry: str
    """Word or pattern of the lexicon."""
    weight: float
    hateful: bool
    """Whether it is said of a group of people."""


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid")

    category: str
    weight: float
    directed_weight: float
    words: list[str]
    encoding: str | None = None
    only_directed: bool = False
    only_predicate: bool = False


class _Pattern(BaseModel):
    model_config = ConfigDict(extra="forbid")

    category: str
    weight: float
    pattern: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    friendly: list[str]
    groups: list[_Group]
    patterns: list[_Pattern]
    before_people: list[str]
    identities: list[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one word counts for."""

    word: str
    category: str
    weight: float
    directed_weight: float
    only_directed: bool
    only_predicate: bool


@dataclass(frozen=True, slots=True)
class _Phrase:
    category: str
    weight: float
    name: str
    regex: re.Pattern[str]


class Lexicon:
    """Look-up tables; built once."""

    def __init__(self, path: Path) -> None:
        """Read a lexicon file.

        Args:
            path: YAML file with `groups`, `patterns` and `identities`.

        Raises:
            DataError: The file does not have the lexicon's form; the message says where.
        """
        try:
            read = _File.model_validate(data.read_yaml(path))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"{path.name}: {place}: {first['msg']}; got {first['input']!r}") from error
        self.identities = frozenset(read.identities)
        self.before_people = frozenset(read.before_people)
        self.friendly = frozenset(read.friendly)
        self.words: dict[str, Entry] = {}
        for group in read.groups:
            for raw in group.words:
                word = base64.b64decode(raw).decode("utf-8") if group.encoding == "base64" else raw
                entry = Entry(
                    word,
                    group.category,
                    group.weight,
                    group.directed_weight,
                    group.only_directed,
                    group.only_predicate,
                )
                if word not in self.identities:
                    self.words[word] = entry
        self._starred: dict[tuple[str, str, int], Entry] = {
            (word[0], word[-1], len(word)): entry
            for word, entry in sorted(self.words.items())
            if entry.category in {"slur", "obscene", "insult"} and entry.weight >= 0.5  # noqa: PLR2004 - see data
        }
        self._phrases: dict[str, list[_Phrase]] = {}
        for item in read.patterns:
            self._add(item)

    def starred(self, token: str) -> Entry | None:
        """The entry a word with its middle starred out stands for, by its ends and length."""
        if token[-1].isalpha():
            return self._starred.get((token[0], token[-1], len(token)))
        return None

    def phrases(self, words: frozenset[str] | set[str], joined: str) -> list[Hit]:
        """Hits of the word patterns.

        Args:
            words: The distinct words of the text, identity terms as `@`.
            joined: The text's words with a space before and after each, identity terms as `@`.
        """
        hits: list[Hit] = []
        for key in sorted(words & self._phrases.keys()):
            for phrase in self._phrases[key]:
                if phrase.regex.search(joined):
                    said_of_group = phrase.category != "obscene" and "@" in phrase.name
                    hits.append(Hit(phrase.category, phrase.name, phrase.weight, said_of_group))
        return list(dict.fromkeys(hits))

    def _add(self, item: _Pattern) -> None:
        places = item.pattern.split()
        needed = [place for place in places if "?" not in place and "*" not in place and place != "@"]
        rarest = max(needed, key=lambda place: (min(map(len, place.split("/"))), place))
        regex = re.compile(" " + "".join(_place(place) for place in places))
        for key in rarest.split("/"):
            phrase = _Phrase(item.category, item.weight, item.pattern, regex)
            self._phrases.setdefault(key, []).append(phrase)


def _place(place: str) -> str:
    optional = "?" in place
    words = [word.rstrip("?") for word in place.split("/")]
    either = "|".join("[a-z@']{1,30}" if word == "*" else re.escape(word) for word in words)
    return f"(?:(?:{either}) )?" if optional else f"(?:{either}) "
