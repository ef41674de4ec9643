"""What replies say in a form, or of saying no: `Approved: no`, `not a no`, `approve: 20 %, decline: 80 %`."""

import re
from collections.abc import Callable

__all__ = ["in_words"]

_DENIED = re.compile(r"\b([a-z]+) ?[:=] ?(?:false|no|nope)\b(?=[ *_`]*(?:[.,;!\n]|$))")
_SHARE = re.compile(r"\b([a-z]+)(?: ?[:=(] ?| )\d{1,3}(?:\.\d+)? ?(?:%|percent\b)")
_NOT_A_NO = re.compile(
    r"\bnot (?:a |to say |say |saying )?no\b|\bno (?:reason|need|cause|grounds?) to (?:say|answer) no\b"
)


def in_words(text: str, says: Callable[[str], bool]) -> str:
    """A text in which what would be misread as the statement of an option is put into words or left out.

    A form's `approved: no` becomes `not approved`. Shares of two or more options are left out, since the
    option that is named first is not the one that is chosen; so is a `no` that is denied.

    Args:
        text: A reply, case-folded, with contractions written out.
        says: Whether a word alone states an option.

    >>> in_words("approved: false. answer: no", lambda word: word == "approved")
    'not approved. answer: no'
    >>> in_words("approve: 20%, decline: 80%", lambda word: True).split()
    [',']
    """
    text = _DENIED.sub(lambda found: f"not {found[1]}" if says(found[1]) else found[0], text)
    text = _NOT_A_NO.sub(" ", text)
    shared = {found[1] for found in _SHARE.finditer(text) if says(found[1])}
    if len(shared) < 2:  # noqa: PLR2004 - with one it is how sure the reply is
        return text
    return _SHARE.sub(lambda found: " " if says(found[1]) else found[0], text)
