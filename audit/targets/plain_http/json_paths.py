"""Paths into a JSON document, as a spec writes them: `choices.0.message.content`."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue

__all__ = ["MISSING", "JsonPath", "Missing", "find", "shown", "there"]

_MOST_KEYS = 20

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
    tuple[int | Annotated[str, Field(min_length=1)], ...],
    Field(min_length=1),
    BeforeValidator(_parts, json_schema_input_type=str | list[int | str]),
]
"""Keys and places, written with dots; as a list where a key holds a dot. -1 is the last of a list."""


def find(document: JsonValue, path: tuple[int | str, ...]) -> JsonValue | Missing:
    """The value at a path, `MISSING` if there is none.

    >>> find({"a": [{"b": "x"}]}, ("a", -1, "b"))
    'x'
    """
    steps, found = _followed(document, path)
    return found if steps == len(path) else MISSING


def there(document: JsonValue, path: tuple[int | str, ...]) -> str:
    """What a document has instead of a value at a path, in words.

    >>> there({"choices": [{"message": {}, "index": 0}]}, ("choices", 0, "text"))
    'at choices.0 are the keys index, message'
    """
    steps, found = _followed(document, path)
    where = f"at {shown(path[:steps])}" if steps else "at the top"
    if isinstance(found, dict):
        keys = sorted(found)
        more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
        return f"{where} are the keys {', '.join(keys[:_MOST_KEYS])}{more}" if keys else f"{where} is no key"
    if isinstance(found, list):
        return f"{where} is a list of length {len(found)}"
    return f"{where} is {'null' if found is None else f'a {type(found).__name__}'}"


def _followed(document: JsonValue, path: tuple[int | str, ...]) -> tuple[int, JsonValue]:
    """How many parts of a path a document has, and what stands there."""
    found: JsonValue = document
    for steps, part in enumerate(path):
        if isinstance(found, dict) and str(part) in found:
            found = found[str(part)]
        elif isinstance(found, list) and isinstance(part, int) and -len(found) <= part < len(found):
            found = found[part]
        else:
            return steps, found
    return len(path), found


def shown(path: tuple[int | str, ...]) -> str:
    """A path as a spec writes it.

    >>> shown(("choices", 0, "text"))
    'choices.0.text'
    """
    return ".".join(str(part) for part in path)
