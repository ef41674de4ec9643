"""One pattern that finds any of many phrases, quickly."""

import re
from collections.abc import Iterable

__all__ = ["any_phrase", "phrase_source"]

_Trie = dict[str, "_Trie"]


def any_phrase(phrases: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of the phrases as whole words.

    >>> any_phrase(["hard no", "hard"]).search("a hard nose").group()
    'hard'
    """
    return re.compile(rf"(?<!\w){phrase_source(phrases)}(?!\w)")


def phrase_source(phrases: Iterable[str]) -> str:
    """The phrases as one group with shared beginnings written once.

    A plain alternation tries every phrase at every place; this one leaves at the first letter that
    begins none.
    """
    root: _Trie = {}
    for phrase in sorted(set(phrases)):
        node = root
        for sign in phrase:
            node = node.setdefault(sign, {})
        node[""] = {}
    return _source(root)


def _source(node: _Trie) -> str:
    ends = "" in node
    branches = [re.escape(sign) + _source(node[sign]) for sign in sorted(node) if sign]
    if not branches:
        return ""
    if len(branches) == 1 and not ends:
        return branches[0]
    return f"(?:{'|'.join(branches)}){'?' if ends else ''}"
