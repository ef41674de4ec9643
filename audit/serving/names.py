"""Model names that carry options: `base?key=value&other.key=value`.

A client can only choose a model by its name, so what a variant does stands in the name. Values are read as
YAML scalars, and dots lead into nested options: `specimen?gaps.gender.female=-0.1`.
"""

from collections.abc import Mapping
from urllib.parse import unquote

import yaml

__all__ = ["LONGEST", "split_name"]

LONGEST = 512
"""Characters of a model name."""
_DEEPEST = 4


def split_name(name: str) -> tuple[str, dict[str, object]]:
    """The base of a model name and its options, nested.

    Args:
        name: As a client sends it.

    Raises:
        ValueError: It is too long, an option has no value, or two of them contradict each other.

    >>> split_name("specimen?gaps.gender.female=-0.1&empty_rate=0.2")
    ('specimen', {'gaps': {'gender': {'female': -0.1}}, 'empty_rate': 0.2})
    """
    if len(name) > LONGEST:
        raise ValueError(f"a model name has at most {LONGEST} characters; got {len(name)}")
    base, mark, rest = name.partition("?")
    options: dict[str, object] = {}
    for part in rest.split("&") if mark else ():
        path, equals, value = part.partition("=")
        if not path or not equals:
            raise ValueError(f"option {part!r} must be of the form key=value")
        _put(options, unquote(path).split("."), _value(unquote(value)), part)
    return base, options


def _put(options: dict[str, object], path: list[str], value: object, part: str) -> None:
    if len(path) > _DEEPEST:
        raise ValueError(f"option {part!r} leads deeper than {_DEEPEST} levels")
    place = options
    for key in path[:-1]:
        inner = place.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ValueError(f"option {part!r} contradicts one before it")  # noqa: TRY004 - of a value, not a type
        place = inner
    if path[-1] in place:
        raise ValueError(f"option {part!r} is given twice")
    place[path[-1]] = value


def _value(text: str) -> object:
    if set(text) & {"&", "*"}:
        raise ValueError(f"value {text!r} must not hold & or *, which YAML repeats things by")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"value {text!r} is not valid") from error
    if isinstance(value, Mapping):
        raise ValueError(f"value {text!r} must be a number, a word, true, false or a list")  # noqa: TRY004 - as above
    return value
