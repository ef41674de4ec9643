"""Lint of English text that was put together from pieces: finds the mistakes that piecing makes.

It reads surface patterns and is no grammar checker: clean text can still be bad English. It is meant
for prompts this package renders, not for text people or models wrote.
"""

import re

__all__ = ["lint"]

# Words whose first letter misleads about its sound.
_SOUNDS_CONSONANT = re.compile(r"(uni(?!n|m)|use|usu|util|eu|one\b|once\b|ubiq)", re.IGNORECASE)
_SOUNDS_VOWEL = re.compile(r"(hour|honest|honou?r|heir|8\d*\b|11\b|18\b)", re.IGNORECASE)
_ARTICLE = re.compile(r"(?<![\w.'\u2019-])(a|an|A|An) +([\"\u201c\u2018(]?)([A-Za-z0-9][\w'\u2019-]*)")
_SPELLED = re.compile(r"[A-Z]{2,}s?(?![a-z])")
_DOUBLED = re.compile(r"\b([A-Za-z]+) +\1\b(?![-'\u2019])", re.IGNORECASE)
_TWO_ARTICLES = re.compile(r"\b(?:a|an|the) +(?:a|an|the)\b(?!\.)", re.IGNORECASE)
_SENTENCE_START = re.compile(r"(?<![.\s])([.?!])[ \n]+([a-z][\w'\u2019]*)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:a\.m|p\.m|e\.g|i\.e|etc|vs|approx|no|nos|mr|mrs|ms|dr|st|inc|co|corp|ltd|dept|est|ext|jr|sr|min|max|"
    r"avg|yrs?)"
    r"|\b[A-Za-z])$",
    re.IGNORECASE,
)
_PLURAL_SUBJECT = re.compile(r"\b(they) +(is|was|has|does|'s|\w+s)\b", re.IGNORECASE)
_SINGULAR_SUBJECT = re.compile(r"(?:([\w'\u2019]+) +)?\b(she|he) +(are|were|have|do|[a-z]+)\b", re.IGNORECASE)
_INVERTED = re.compile(
    r"\b(?:(is|was|has|does) +they|(are|have|do) +(?:she|he))\b(?! (?:who|that)\b)", re.IGNORECASE
)
_OBJECT_CASE = re.compile(r"\b(with|of|from|to|by) +(she|he|they)\b", re.IGNORECASE)
_SPACE_BEFORE = re.compile(r"\w +[,.;:?!](?:\s|$)")
_NOT_VERBS = re.compile(
    r"always|sometimes|perhaps|nonetheless|nevertheless|besides|thus|as|this|plus|across|towards|"
    r"afterwards"
)
_BARE_VERBS = re.compile(
    r"bring|show|have|want|need|ask|plan|own|work|earn|hold|say|list|run|live|make|take|report|"
    r"expect|apply|come|give|seem|keep|meet|offer|propose|wish|like|get|go|hope|write|state|bank|"
    r"carry|lead|answer|are|do|were"
)
# After these a bare verb follows a subject rightly: "should she bring", "if she were", "asks that he bring".
_LICENSES_BARE = re.compile(
    r"do|does|did|should|would|could|can|will|may|might|must|shall|let|lets|help|helps|helped|if|"
    r"that|though|as|lest|whether|whatever|how|and|or"
)


def lint(text: str) -> list[str]:
    """Problems of a finished English text, each in one line with the words it is about.

    It checks articles (`a apple`, `a The`), doubled words, leftover slots, capitals at the start of
    sentences, agreement and case of pronouns (`they is`, `she are`, `with she`), double spaces and
    spaces before punctuation.

    Args:
        text: A finished text.

    Returns:
        The problems, in the order of the checks; empty if there are none.

    >>> lint("An woman applied.")
    ["article: 'An woman'"]
    >>> lint("A woman applied. She has savings.")
    []
    """
    return [
        *(f"leftover slot: {match.group()!r}" for match in re.finditer(r"\{[^}]*\}?|\}", text)),
        *_articles(text),
        *(f"doubled word: {match.group()!r}" for match in _DOUBLED.finditer(text) if not _may_double(match)),
        *_capitals(text),
        *_agreement(text),
        *(f"pronoun case: {match.group()!r}" for match in _OBJECT_CASE.finditer(text)),
        *(f"double space: {match.group()!r}" for match in re.finditer(r"\S {2,}\S", text)),
        *(f"space before punctuation: {match.group().strip()!r}" for match in _SPACE_BEFORE.finditer(text)),
    ]


def _articles(text: str) -> list[str]:
    problems = [f"article: {match.group()!r}" for match in _TWO_ARTICLES.finditer(text)]
    for match in _ARTICLE.finditer(text):
        article, _, word = match.groups()
        if article[0] == "A" and not _starts_sentence(text, match.start()):
            continue  # "Plan A is": a letter, not an article
        if (article.lower() == "an") != _begins_with_vowel_sound(word):
            problems.append(f"article: {match.group()!r}")
    return problems


def _begins_with_vowel_sound(word: str) -> bool:
    if _SPELLED.match(word):  # read letter by letter: an HR, an SUV, but a UPS
        return word[0] in "AEFHILMNORSX"
    if _SOUNDS_CONSONANT.match(word):
        return False
    return word[0].lower() in "aeiou" or _SOUNDS_VOWEL.match(word) is not None


def _starts_sentence(text: str, position: int) -> bool:
    before = text[:position].rstrip(" \"\u201c\u2018'(-•*")
    return before == "" or before[-1] in ".?!:\n"


def _may_double(match: re.Match[str]) -> bool:
    return match.group(1).lower() in ("had", "that", "bye", "knock")


def _capitals(text: str) -> list[str]:
    problems: list[str] = []
    first = re.match(r"[\s\"\u201c\u2018'(]*([a-z][\w'\u2019]*)", text)
    if first is not None:
        problems.append(f"sentence start: {first.group(1)!r}")
    for match in _SENTENCE_START.finditer(text):
        if match.group(1) == "." and _ABBREVIATION.search(text[: match.start()]):
            continue
        problems.append(f"sentence start: {match.group(2)!r}")
    return problems


def _agreement(text: str) -> list[str]:
    problems: list[str] = []
    for match in _PLURAL_SUBJECT.finditer(text):
        verb = match.group(2).lower()
        if _NOT_VERBS.fullmatch(verb) is None and not verb.endswith(("ss", "us")):
            problems.append(f"agreement: {match.group()!r}")
    for match in _SINGULAR_SUBJECT.finditer(text):
        before, subject, verb = match.group(1) or "", match.group(2), match.group(3).lower()
        if _BARE_VERBS.fullmatch(verb) and _LICENSES_BARE.fullmatch(before.lower()) is None:
            problems.append(f"agreement: '{subject} {verb}'")
    problems += [f"agreement: {match.group()!r}" for match in _INVERTED.finditer(text)]
    return problems
