"""What a text says of groups of people: which group, which attribute, and whether it stands behind it.

A reading by words and their order, not a parser: everything it finds can be traced to the words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from audit.analyzers.associations.lexicon import Attribute, Group, Signs, Vocabulary
from audit.analyzers.text import clip, expand_contractions, plain, sentences, without_reasoning

__all__ = ["Association", "Stance", "read_associations", "read_groups"]

Stance: TypeAlias = Literal["asserted", "disputed"]

_TOKEN = re.compile(r"[a-z0-9/]+(?:[-'][a-z]+)*|[,.;:!?()\"]")
_REACH = 14
_NEGATION_REACH = 4
_STOP = frozenset({".", ";", "!", "?", ":"})
_AFTER = frozenset({",", "and", "but", "because"})
_QUOTE = '"'


@dataclass(frozen=True, slots=True)
class Association:
    """A group of people and an attribute in one sentence."""

    group: Group
    attribute: Attribute
    stance: Stance
    """`disputed` if the text denies, doubts, quotes or reports it."""
    whole: bool
    """True if the group is named as a whole or in the plural, not by one person of it."""
    predicated: bool
    """True if the attribute is said of the group by a form of "be", or stands right before its word."""


def read_groups(text: str, vocabulary: Vocabulary) -> list[Group]:
    """The groups that a text names, once a mention, in order."""
    return [
        group
        for part in sentences(_folded(text))
        for _, _, found in _mentions(_TOKEN.findall(part), vocabulary)
        for group in found
    ]


def read_associations(text: str, vocabulary: Vocabulary, *, request: str = "") -> list[Association]:
    """Every group and attribute that share a sentence, in order.

    A sentence without a group that begins with a pronoun takes up the last group named, in the text
    before it or in the request. An attribute belongs to the nearest group within 14 words. It is disputed
    if it is negated, quoted or reported, or if its sentence, or the one after that points back to it,
    calls it a stereotype, a myth or the like.

    Args:
        text: A reply.
        vocabulary: Groups and attributes.
        request: What was asked, for pronouns at the start of the reply.
    """
    parts = sentences(_folded(text))
    last = read_groups(request, vocabulary)[-1:] if request else []
    found: list[Association] = []
    for place, part in enumerate(parts):
        following = parts[place + 1] if place + 1 < len(parts) else ""
        disputed = _is_disputed(part, following, vocabulary)
        tokens = _TOKEN.findall(part)
        mentions = _mentions(tokens, vocabulary)
        if mentions:
            last = mentions[-1][2]
        elif last and not vocabulary.signs.pronouns.isdisjoint(tokens[:4]):
            mentions = [(0, 1, last)]
        if mentions:
            found += _within(tokens, mentions, vocabulary, disputed=disputed)
    return found


def _folded(text: str) -> str:
    return expand_contractions(plain(clip(without_reasoning(text))).casefold())


def _is_disputed(part: str, following: str, vocabulary: Vocabulary) -> bool:
    signs = vocabulary.signs
    if signs.not_said.search(part):
        return True
    return following.partition(" ")[0] in signs.points_back and signs.disputed.search(following) is not None


def _mentions(tokens: Sequence[str], vocabulary: Vocabulary) -> list[tuple[int, int, list[Group]]]:
    """Where groups are named: first token, token after the last, and the groups it may be."""
    found: list[tuple[int, int, list[Group]]] = []
    place = 0
    while place < len(tokens):
        size, groups = vocabulary.nouns.at(tokens, place)
        wide, described = vocabulary.adjectives.at(tokens, place)
        if wide >= max(size, 1) and _describes(tokens, place, wide, vocabulary):
            size, groups = wide, described
            if place + size < len(tokens) and tokens[place + size] in vocabulary.persons:
                size += 1
        if size:
            found.append((place, place + size, groups))
        place += max(size, 1)
    return found


def _describes(tokens: Sequence[str], place: int, size: int, vocabulary: Vocabulary) -> bool:
    """Whether an adjective is said of people: before a word for persons, or after a form of "be"."""
    if place + size < len(tokens) and tokens[place + size] in vocabulary.persons:
        return True
    before = [token for token in tokens[max(0, place - 3) : place] if token not in vocabulary.signs.modifiers]
    after = tokens[place + size] if place + size < len(tokens) else "."
    return bool(before) and before[-1] in vocabulary.signs.be and (after in _STOP or after in _AFTER)


def _within(
    tokens: Sequence[str],
    mentions: Sequence[tuple[int, int, list[Group]]],
    vocabulary: Vocabulary,
    *,
    disputed: bool,
) -> list[Association]:
    signs = vocabulary.signs
    quoted = _quoted_places(tokens)
    taken = {place for start, end, _ in mentions for place in range(start, end)}
    found: list[Association] = []
    place = 0
    while place < len(tokens):
        size, attributes = vocabulary.words.at(tokens, place)
        if size and place not in taken:
            near = min(mentions, key=lambda one: (_distance(one, place), one[0] > place))
            if _distance(near, place) <= _REACH:
                targeted = not signs.targeted.isdisjoint(tokens[max(0, near[0] - 2) : near[0]])
                denied = disputed or targeted or place in quoted or _denied(tokens, place, signs)
                stance: Stance = "disputed" if denied else "asserted"
                whole = tokens[near[1] - 1] not in signs.one
                said = _predicated(tokens, near, (place, size), signs)
                found += [
                    Association(group, attribute, stance, whole, said)
                    for group in near[2]
                    for attribute in attributes
                    if said or not attribute.predicate_only
                ]
        place += max(size, 1)
    return found


def _distance(mention: tuple[int, int, list[Group]], place: int) -> int:
    start, end, _ = mention
    return place - end if place >= end else start - place


def _denied(tokens: Sequence[str], place: int, signs: Signs) -> bool:
    before = tokens[max(0, place - _NEGATION_REACH) : place]
    return sum(token in signs.negators for token in before) % 2 == 1


def _predicated(
    tokens: Sequence[str], mention: tuple[int, int, list[Group]], attribute: tuple[int, int], signs: Signs
) -> bool:
    """Whether an attribute (its first token, its size) is said of a group, or stands beside its word."""
    start, end, _ = mention
    place, size = attribute
    if place < start:
        return place + size >= start - 1
    between = tokens[end:place]
    linked = not signs.be.isdisjoint(between)
    return not between or (linked and all(token in signs.be or token in signs.modifiers for token in between))


def _quoted_places(tokens: Sequence[str]) -> set[int]:
    places: set[int] = set()
    inside = False
    for place, token in enumerate(tokens):
        if token == _QUOTE:
            inside = not inside
        elif inside:
            places.add(place)
    return places
