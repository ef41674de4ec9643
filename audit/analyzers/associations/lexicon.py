"""Groups of people and what is said of them, as look-up tables of words and phrases."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from probes import data
from probes.errors import DataError

__all__ = ["Attribute", "Group", "Phrases", "Signs", "Vocabulary", "inflected"]

Sign = Literal["positive", "neutral", "negative"]
_Named = TypeVar("_Named")
_Row = TypeVar("_Row", bound=BaseModel)
_ENDINGS = ("", "s", "es", "ed", "d", "ing", "ly")
_SHORTEST_STEM = 4


class Group(BaseModel):
    """A group of people and the words for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    attribute: str
    """Protected attribute, as probes name it; `profession` for what people do for a living."""
    axes: tuple[str, ...]
    """Attributes that it is commonly stereotyped with."""
    nouns: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    reason: str = ""
    """Why it is listed."""


class Attribute(BaseModel):
    """Something that people are said to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sign: Sign
    """How it makes its bearer look."""
    words: tuple[str, ...]
    hostile: bool = False
    """Whether it derogates when it is said of a whole group."""
    predicate_only: bool = False
    """Whether it counts only where it is said of the group by a form of "be", or stands beside its word."""


class _SignsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    be: frozenset[str]
    modifiers: frozenset[str]
    negators: frozenset[str]
    one: frozenset[str]
    targeted: frozenset[str]
    pronouns: frozenset[str]
    disputes: tuple[str, ...]
    reports: tuple[str, ...]
    points_back: frozenset[str]


@dataclass(frozen=True, slots=True)
class Signs:
    """Words and patterns that decide how a group and an attribute belong together."""

    be: frozenset[str]
    modifiers: frozenset[str]
    negators: frozenset[str]
    one: frozenset[str]
    """Words that name one person, not a group."""
    targeted: frozenset[str]
    pronouns: frozenset[str]
    points_back: frozenset[str]
    disputed: re.Pattern[str]
    """A sentence that denies or doubts what it says."""
    not_said: re.Pattern[str]
    """A sentence that denies, doubts or reports what it says."""

    @classmethod
    def read(cls, path: Path) -> "Signs":
        """Read `signs.yaml`.

        Raises:
            DataError: The file does not have its form; the message says where.
        """
        (read,) = _rows(_SignsFile, [data.read_yaml(path)], path.name)
        return cls(
            be=read.be,
            modifiers=read.modifiers,
            negators=read.negators,
            one=read.one,
            targeted=read.targeted,
            pronouns=read.pronouns,
            points_back=read.points_back,
            disputed=_any_of(read.disputes),
            not_said=_any_of((*read.disputes, *read.reports)),
        )


class Phrases(Generic[_Named]):
    """Words and phrases that stand for something; the longest at a place counts."""

    def __init__(self, entries: Iterable[tuple[str, _Named]]) -> None:
        """Index the phrases by their first word; of two equal ones both count."""
        self._by_first: dict[str, list[tuple[tuple[str, ...], _Named]]] = {}
        for phrase, named in entries:
            words = tuple(phrase.split())
            self._by_first.setdefault(words[0], []).append((words, named))
        for found in self._by_first.values():
            found.sort(key=lambda entry: -len(entry[0]))

    @property
    def first_words(self) -> frozenset[str]:
        """The first word of every phrase."""
        return frozenset(self._by_first)

    def at(self, tokens: Sequence[str], place: int) -> tuple[int, list[_Named]]:
        """What stands at a place: how many tokens it takes, and what they may mean; 0 for nothing."""
        size = 0
        found: list[_Named] = []
        for words, named in self._by_first.get(tokens[place], ()):
            if len(words) < size:
                break
            if tuple(tokens[place : place + len(words)]) == words:
                size = len(words)
                found.append(named)
        return size, found


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Both tables, ready to be looked up."""

    persons: frozenset[str]
    """Words for persons, which an adjective can describe."""
    signs: Signs
    groups: tuple[Group, ...]
    attributes: tuple[Attribute, ...]
    nouns: Phrases[Group]
    adjectives: Phrases[Group]
    words: Phrases[Attribute]

    def first_words(self) -> frozenset[str]:
        """The words that the name of a group can begin with: a text without any of them names none."""
        return self.nouns.first_words | self.adjectives.first_words

    def without_groups(self, further: Iterable[str]) -> "Vocabulary":
        """The same words with every group taken for one and the same, so that no reading depends on which.

        Args:
            further: More words that name people, none of them an attribute.
        """
        adjectives = {word for group in self.groups for word in group.adjectives}
        nouns = {word for group in self.groups for word in group.nouns} | set(further)
        people = Group(name="people", attribute="any", axes=())
        return Vocabulary(
            persons=self.persons,
            signs=self.signs,
            groups=(people,),
            attributes=self.attributes,
            nouns=Phrases((word, people) for word in sorted(nouns - adjectives)),
            adjectives=Phrases((word, people) for word in sorted(adjectives)),
            words=self.words,
        )

    @classmethod
    def read(cls, folder: Path, *, signs: Path | None = None) -> "Vocabulary":
        """Read `groups.yaml` and `attributes.yaml` of a folder, and `signs.yaml`.

        Args:
            folder: Folder of the files.
            signs: Where the signs are; by default in the same folder.

        Raises:
            DataError: A file does not have the lexicon's form; the message says where.
        """
        raw = data.read_yaml(folder / "groups.yaml")
        groups = _rows(Group, raw["groups"], "groups.yaml")
        listed = data.read_yaml(folder / "attributes.yaml")["attributes"]
        attributes = _rows(Attribute, listed, "attributes.yaml")
        unknown = {axis for group in groups for axis in group.axes} - {one.name for one in attributes}
        if unknown:
            raise DataError(f"groups.yaml: axes: no such attributes: {', '.join(sorted(unknown))}")
        return cls(
            persons=frozenset(raw["persons"]),
            signs=Signs.read(signs or folder / "signs.yaml"),
            groups=groups,
            attributes=attributes,
            nouns=Phrases((word, group) for group in groups for word in (*group.nouns, *group.places)),
            adjectives=Phrases((word, group) for group in groups for word in group.adjectives),
            words=Phrases(
                (form, one) for one in attributes for word in one.words for form in inflected(word)
            ),
        )


def _rows(model: type[_Row], rows: Sequence[object], file: str) -> tuple[_Row, ...]:
    try:
        return tuple(model.model_validate(row) for row in rows)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{file}: {place}: {first['msg']}; got {first['input']!r}") from error


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b")


def inflected(word: str) -> list[str]:
    """A word with its endings; phrases and short words stand as they are."""
    if " " in word or len(word) < _SHORTEST_STEM:
        return [word]
    forms = [word + ending for ending in _ENDINGS]
    if word.endswith("e"):
        forms += [f"{word[:-1]}ing", f"{word[:-1]}y"]
    if word.endswith("y"):
        forms += [f"{word[:-1]}ies", f"{word[:-1]}ied"]
    return list(dict.fromkeys(forms))
