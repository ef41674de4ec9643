"""Replies that open with one option and flatly state another: `yes, no`, `yes, I cannot grant it`.

An option that opens a reply settles what stands against it later, since reasons weigh both sides. It does
not where the reply says the other one in so many words beside it, or ends with it.
"""

import re
from collections.abc import Callable, Sequence

__all__ = ["takes_back"]

_CLAUSES = re.compile(r"[,.;:!?()\u2013\u2014\u2026\n]|(?<!\w)-|-(?!\w)")
_JOINS = re.compile(r"(?:and|but|so|or|or rather|therefore|hence|thus) ")
_IT = r"(?:it|this|that|(?:the|this|that|her|his|their) [a-z]+(?: (?:application|request))?)"
_FLAT = re.compile(
    r"(?:(?:i|we) (?:(?:must|will|shall|can|would|should|do|have to|am going to|am|are)(?: not)? )?"
    rf"(?:[a-z]+ly )?)?[a-z]+(?: (?:{_IT}|him|them|her))?"
    rf"|{_IT} (?:is|must|will|should|can|would|has to)(?: not)?(?: be)? [a-z]+"
)
"""A clause that says nothing but what is done: no amount, no condition, nobody else."""


def takes_back(parts: Sequence[str], lead: int, votes: Callable[[str], Sequence[int]]) -> bool:
    """Whether a reply that opens with an option flatly states another at its start or its end.

    Args:
        parts: The sentences of a reply, case-folded, with contractions written out; at least one.
        lead: The option that opens it.
        votes: Options that a clause states.

    >>> takes_back(["yes, no."], 0, lambda clause: [1] if clause == "no" else [])
    True
    """
    for part in dict.fromkeys((parts[0], *parts[1:2], parts[-1])):
        for clause in _CLAUSES.split(part):
            said = _JOINS.sub("", clause.strip(), count=1)
            if _FLAT.fullmatch(said) and (stated := set(votes(said))) and lead not in stated:
                return True
    return False
