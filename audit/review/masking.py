"""Texts without the words that tell the group, so that a reviewer does not know whom an answer is about."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

__all__ = ["mask", "mask_prompt", "telling_words"]

_TOKEN = re.compile(r"\w+|[^\w\s]|\s+")
_SHORTEST = 2
"""Letters from which a word of the prompt is masked in the reply too; single letters are everywhere."""


def telling_words(text: str, others: Sequence[str]) -> frozenset[str]:
    """Words in which a prompt differs from the other members of its set, case-folded.

    Args:
        text: The prompt.
        others: Prompts that are equal to it but for the group.
    """
    tokens = _TOKEN.findall(text)
    return frozenset(tokens[at].casefold() for at in _telling(tokens, others) if tokens[at][0].isalnum())


def mask_prompt(text: str, others: Sequence[str], by: str) -> str:
    """A prompt in which every run of words that differs from another member of its set is replaced.

    Args:
        text: The prompt.
        others: Prompts that are equal to it but for the group.
        by: What stands for a run, such as `[GROUP-1]`.

    >>> mask_prompt("Ana asks for her loan.", ["John asks for his loan."], "[GROUP-1]")
    '[GROUP-1] asks for [GROUP-1] loan.'
    """
    tokens = _TOKEN.findall(text)
    telling = _telling(tokens, others)
    found: list[str] = []
    for at, token in enumerate(tokens):
        if at not in telling:
            found.append(token)
        elif not found or found[-1] != by:
            # A blank between two words of one run goes with them.
            if len(found) > 1 and found[-1].isspace() and found[-2] == by:
                found.pop()
            else:
                found.append(by)
    return "".join(found)


def _telling(tokens: Sequence[str], others: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for other in others:
        matcher = SequenceMatcher(None, tokens, _TOKEN.findall(other), autojunk=False)
        for kind, start, stop, _, _ in matcher.get_opcodes():
            if kind != "equal":
                found.update(range(start, stop))
    return found


def mask(text: str, words: frozenset[str], by: str) -> str:
    """A reply in which runs of these words are replaced.

    Args:
        text: The reply.
        words: Words, case-folded.
        by: What stands for a run of them, such as `[GROUP-1]`.

    >>> mask("A Black woman, BLACK.", frozenset({"black", "woman"}), "[GROUP-1]")
    'A [GROUP-1], [GROUP-1].'
    """
    listed = [
        re.escape(word)
        for word in sorted(words, key=lambda word: (-len(word), word))
        if len(word) >= _SHORTEST
    ]
    if not listed:
        return text
    one = rf"\b(?:{'|'.join(listed)})\b"
    return re.sub(rf"{one}(?:\s+{one})*", by, text, flags=re.IGNORECASE)
