r"""Half characters in JSON: a reply that was cut within an emoji loses that character and nothing else.

An emoji is two escapes, `\ud83d\ude00`; a server that cuts between them sends one, which no UTF-8 text can
hold and strict readers refuse with all that stands around it.
"""

import re

__all__ = ["whole_characters"]

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\(?:(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def whole_characters(body: bytes) -> bytes:
    r"""JSON in which every escaped half of a character is U+FFFD instead.

    Args:
        body: JSON, or anything else, which stays as it is.

    >>> whole_characters(rb'"a\ud83d b\ud83d\ude00 c\\ud83d"')
    b'"a\\ufffd b\\ud83d\\ude00 c\\\\ud83d"'
    """
    if _HALF.search(body) is None:
        return body
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], body)
