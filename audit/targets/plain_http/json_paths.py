"""Paths into a JSON document, as a spec writes them: `choices.0.message.content`."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue

__all__ = ["MISSING", "JsonPath", "Missing", "find", "shown"]


_PLACE = re.compile(r"-?[0-9]{1,9}")


class Missing:
    """What is found where a document has nothing; unlike null, which it may hold."""


MISSING = Missing()


def _parts(given: object) -> object:
    if not isinstance(given, str):
        return given
    parts = given.split(".")
    return tuple(
        int(part) if part.removeprefix("-").isdecimal() and part.isascii() else part for part in parts
    )


JsonPath = Annotated[
    tuple[int | Annotated[str, Field(min_length=1)], ...], Field(min_length=1), BeforeValidator(_parts)
]
"""Keys and places, written with dots; as a list where a key holds a dot. -1 is the last of a list."""


def find(document: JsonValue, path: tuple[int | str, ...]) -> JsonValue | Missing:
    """The value at a path, `MISSING` if there is none.

    >>> find({"a": [{"b": "x"}]}, ("a", -1, "b"))
    'x'
    """
    found: JsonValue = document
    for part in path:
        if isinstance(found, dict) and str(part) in found:
            found = found[str(part)]
        elif isinstance(found, list) and isinstance(part, int) and -len(found) <= part < len(found):
            found = found[part]
        else:
            return MISSING
    return found


def shown(path: tuple[int | str, ...]) -> str:
    """A path as a spec writes it.

    >>> shown(("choices", 0, "text"))
    'choices.0.text'
    """
    return ".".join(str(part) for part in path)
