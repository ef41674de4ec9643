"""What a specimen understands of a text: who it is about, how it is worded, what it asks.

The specimen knows nothing but the text. It recognises exactly what the shipped data sets say: the words of
`datasets/attributes`, the names of `datasets/names`, the facts of `datasets/merit`, the requests of
`datasets/goals`. Do not take it for a reader of other people's texts.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from audit.targets.question import Question, read_question
from audit.targets.specimen.faults import Technique
from probes.attributes import Attribute, load_attributes, load_mentions
from probes.base import Transform
from probes.merit import load_ladder
from probes.names import load_names
from probes.plugins import load
from probes.safety.goals import harmful_goals

__all__ = ["Reader", "Reading"]

_WORD = re.compile(r"[\w'\u2019-]+")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_AGED = re.compile(r"(\d{2})-year-old")
_ENDING = 4
_ARTICLES = frozenset({"a", "an", "A", "An"})
_PRONOUNS = MappingProxyType(
    {
        "she": "she",
        "her": "she",
        "hers": "she",
        "herself": "she",
        "he": "he",
        "him": "he",
        "his": "he",
        "himself": "he",
    }
)
# Words that agree with or stand for the person, so that they change with the group and nothing else.
_DEPENDENT = frozenset(
    {
        *("a", "an", "they", "them", "their", "theirs", "themself", "themselves", "person", "people"),
        *("applicant", "candidate", "client", "customer", "borrower", "student", "worker"),
        *(
            "is",
            "are",
            "isn't",
            "aren't",
            "was",
            "were",
            "wasn't",
            "weren't",
            "has",
            "have",
            "hasn't",
            "haven't",
        ),
    }
)
_DOMAINS = ("hiring", "lending")
_Kind: TypeAlias = Literal["decision", "choice", "comparison", "harmful", "request"]
_BREAK = "\n\n"
_FIRST_OPTION = "\n(a) "
_FIRST_CANDIDATE = " A: "
_CANDIDATE = re.compile(r"^([A-Z][a-z]+ [A-D]): (.+)$", re.MULTILINE)
_OPTION = re.compile(r"^\([a-z]\) (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One text as understood."""

    kind: _Kind
    question: Question | None
    """Given exactly when `kind` is `decision`."""
    options: tuple[str, ...]
    """Of a `choice`: what stands behind (a), (b) …, each on a line of its own."""
    groups: Mapping[str, str]
    """Attribute to group, as far as conveyed."""
    candidates: tuple[tuple[str, Mapping[str, str]], ...]
    """Of a `comparison`: what each candidate is called, such as `Applicant A`, and the groups conveyed."""
    wording: bytes
    """How the last paragraph, the question, is worded: the same for texts that differ only in identity, name,
    pronoun, proper noun or number. Texts that end with the same question share it."""
    technique: Technique | None
    """How a harmful request is disguised; None if it is plain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phrase:
    before: str
    after: str
    low: float
    high: float

    def index(self, value: float) -> float:
        return max(-1.0, min(1.0, 2 * (value - self.low) / (self.high - self.low) - 1))


class Reader:
    """Reads texts; the shipped data is loaded at the first one."""

    def read(self, text: str) -> Reading:
        """One text as understood.

        Args:
            text: What the user says.

        Raises:
            DataError: Shipped data is missing or malformed.
        """
        sent = _plain(text) if len(text) <= self._longest_harmful else ""
        harmful = sent in self._harmful
        last = text.rpartition(_BREAK)[2]
        options = tuple(_OPTION.findall(text)) if _FIRST_OPTION in text else ()
        listed = _CANDIDATE.findall(text) if _FIRST_CANDIDATE in text else []
        asked = not (harmful or options or listed)
        question = (read_question(last) or read_question(text)) if asked else None
        if question is None and asked:
            harmful = self._holds_goal(text)
        return Reading(
            kind="comparison" if listed else _kind(options, question, harmful=harmful),
            question=question,
            options=options,
            candidates=tuple((label, self._groups(line.split())) for label, line in listed),
            groups=self._groups(text.split()),
            wording=self._wording(_WORD.findall(last)),
            technique=self._harmful.get(sent),
        )

    def merit(self, text: str) -> float:
        """Mean merit index of the facts that a text states, in [-1, 1]; 0, the border, if it states none.

        Args:
            text: What the user says.

        Raises:
            DataError: Shipped data is missing or malformed.
        """
        indices: list[float] = []
        for number in _NUMBER.finditer(text):
            start, end = number.span()
            fitting = [
                phrase
                for ending in (text[max(0, start - _ENDING) : start], "")
                for phrase in self._phrases.get(ending, ())
                if text.startswith(phrase.after, end) and text.endswith(phrase.before, 0, start)
            ]
            if fitting:
                phrase = max(fitting, key=lambda found: len(found.before) + len(found.after))
                indices.append(phrase.index(float(number.group().replace(",", ""))))
        return sum(indices) / len(indices) if indices else 0.0

    @cached_property
    def _attributes(self) -> tuple[Attribute, ...]:
        return load_attributes()

    @cached_property
    def _labels(self) -> Mapping[str, tuple[str, str]]:
        """Adjective or noun, in its own case, to attribute and group."""
        labels = {}
        for attribute in self._attributes:
            for group in attribute.groups:
                labels.update(
                    {word: (attribute.name, group.name) for word in (group.adjective, group.noun) if word}
                )
        return labels

    @cached_property
    def _pronoun_groups(self) -> Mapping[str, str]:
        groups = [
            group
            for attribute in self._attributes
            if attribute.name == "gender"
            for group in attribute.groups
        ]
        by_subject = {group.pronoun: group.name for group in groups if group.pronoun}
        return {word: by_subject[subject] for word, subject in _PRONOUNS.items() if subject in by_subject}

    @cached_property
    def _names(self) -> Mapping[str, Mapping[str, str]]:
        signals = {}
        for name in load_names().first:
            given = {"gender": name.gender, "race_ethnicity": name.race_ethnicity, "age": name.cohort}
            signals[name.text] = {attribute: group for attribute, group in given.items() if group}
        return signals

    @cached_property
    def _last_names(self) -> frozenset[str]:
        return frozenset(name.text for name in load_names().last)

    @cached_property
    def _dropped(self) -> frozenset[str]:
        mentions = (word for pair in load_mentions() for said in pair for word in _WORD.findall(said))
        return frozenset({*_DEPENDENT, *_PRONOUNS, *self._labels, *mentions})

    @cached_property
    def _phrases(self) -> Mapping[str, Sequence[_Phrase]]:
        """Phrases by the characters before their number; those with hardly any under the empty text."""
        endings: dict[str, list[_Phrase]] = {}
        for phrase in _fact_phrases():
            ending = phrase.before[-_ENDING:] if len(phrase.before) >= _ENDING else ""
            endings.setdefault(ending, []).append(phrase)
        return endings

    @cached_property
    def _sent(self) -> tuple[tuple[str, Technique | None], ...]:
        """Every goal as it is sent, plain and by each technique."""
        transforms: list[tuple[Technique, Transform]] = [
            (technique, load("evenhand.transforms", technique)()) for technique in get_args(Technique)
        ]
        sent: list[tuple[str, Technique | None]] = [(goal, None) for goal in self._goals]
        for technique, transform in transforms:
            sent += [(transform.encode(goal), technique) for goal in self._goals]
        return tuple(sent)

    @cached_property
    def _harmful(self) -> Mapping[str, Technique | None]:
        return {_plain(text): technique for text, technique in self._sent}

    @cached_property
    def _longest_harmful(self) -> int:
        return max(len(text) for text, _ in self._sent)

    @cached_property
    def _goals(self) -> tuple[str, ...]:
        return tuple(item.goal for pool in ("audit", "retraining") for item in harmful_goals(pool=pool))

    @cached_property
    def _plain_goals(self) -> tuple[str, ...]:
        return tuple(_plain(goal) for goal in self._goals)

    def _holds_goal(self, text: str) -> bool:
        said = _plain(text)
        return any(goal in said for goal in self._plain_goals)

    def _groups(self, words: Sequence[str]) -> Mapping[str, str]:
        """Groups conveyed by the first introduction (label or name), else gender by the first pronoun."""
        names = self._names
        for place, word in enumerate(words):
            if word in names and place + 1 < len(words) and _bare(words[place + 1]) in self._last_names:
                return names[word]
            if word in _ARTICLES and (labelled := self._label(words, place + 1)):
                return labelled
        pronouns = self._pronoun_groups
        gender = next((pronouns[said] for word in words if (said := _bare(word).lower()) in pronouns), None)
        return {} if gender is None else {"gender": gender}

    def _label(self, words: Sequence[str], place: int) -> Mapping[str, str]:
        """Groups said by the words from a place on, such as `63-year-old`, `Black`, `woman`."""
        groups: dict[str, str] = {}
        for word in map(_bare, words[place : place + len(self._attributes)]):
            aged = _AGED.fullmatch(word)
            if aged is not None:
                groups.update(self._age_group(int(aged.group(1))))
            elif word in self._labels:
                attribute, group = self._labels[word]
                groups[attribute] = group
            else:
                break
        return groups

    def _age_group(self, years: int) -> Mapping[str, str]:
        for attribute in self._attributes:
            for group in attribute.groups:
                if group.ages is not None and group.ages[0] <= years <= group.ages[1]:
                    return {attribute.name: group.name}
        return {}

    def _wording(self, words: Sequence[str]) -> bytes:
        """A hash of the first two letters of every word that does not depend on the person.

        Two letters are enough to tell questions apart, and the same for `brings` and `bring`. Words in
        capitals are left out: names, cities, banks.
        """
        dropped = self._dropped
        kept = " ".join([word[:2] for word in words if word[0].islower() and word not in dropped])
        return hashlib.blake2b(kept.encode(), digest_size=16).digest()


def _kind(options: Sequence[str], question: Question | None, *, harmful: bool) -> _Kind:
    if options:
        return "choice"
    if question is not None:
        return "decision"
    return "harmful" if harmful else "request"


def _bare(word: str) -> str:
    """A word without the punctuation around it and without a possessive s."""
    found = _WORD.search(word)
    return found.group().removesuffix("'s").removesuffix("\u2019s") if found else ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _fact_phrases() -> Iterator[_Phrase]:
    for domain in _DOMAINS:
        for fact in load_ladder(domain).facts.values():
            for phrase in fact.phrases:
                for plural in ("s", "") if "{s}" in phrase else ("",):
                    before, _, after = phrase.replace("{s}", plural).partition("{n}")
                    # Where the number comes first, the word before it is the template's; the first letter
                    # of the phrase may be a capital at the start of a sentence.
                    yield _Phrase(before=before[1:], after=after, low=fact.low, high=fact.high)
