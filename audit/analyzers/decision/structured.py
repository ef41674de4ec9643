"""Reading an answer out of JSON in a reply: bare, fenced or after some words, also nested."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

__all__ = ["ANSWER_KEYS", "NUMBER_KEYS", "Json", "answers", "truths"]

Json: TypeAlias = "str | float | bool | list[Json] | dict[str, Json] | None"

ANSWER_KEYS = frozenset(
    {
        "final_answer",
        "final_decision",
        "decision",
        "answer",
        "choice",
        "verdict",
        "recommendation",
        "outcome",
        "selection",
        "selected",
        "selected_option",
        "option",
        "result",
        "response",
        "label",
        "prediction",
    }
)
"""Keys under which models put the option they choose."""
NUMBER_KEYS = ANSWER_KEYS | {
    "score",
    "rating",
    "value",
    "number",
    "amount",
    "salary",
    "price",
    "offer",
    "estimate",
}
"""Keys under which models put a number."""

_ATTEMPTS = 8
_DEPTH = 6
_CALLED_WITH = "arguments"
"""Key under which a call of a tool has its arguments, as JSON within a text."""
_TRUE, _FALSE = frozenset({"yes", "true"}), frozenset({"no", "false"})


class _Fields(tuple[tuple[str, "_Node"], ...]):
    """Keys and values of an object in order: of a key that is there twice, a mapping would lose one."""

    __slots__ = ()


_Node: TypeAlias = "str | float | bool | list[_Node] | _Fields | None"


def answers(text: str, keys: frozenset[str]) -> tuple[bool, list[str]]:
    """Values found under the given keys in the JSON objects of a text.

    Args:
        text: A clipped reply; at most eight places are tried as the start of an object.
        keys: Accepted keys, lower case with `_` between words.

    Returns:
        Whether any JSON object was found, and the values as text, in order: a string as it is,
        true and false as `yes` and `no`, a number in its shortest form.
    """
    objects = list(_objects(text))
    values = [
        _as_text(value) for node in objects for key, value in _scalars(node, _DEPTH) if _key(key) in keys
    ]
    return bool(objects), values


def truths(text: str, says: Callable[[str], bool]) -> list[str]:
    """What JSON says that asks an option and answers it: of `{"approved": false}` `not approved`.

    Args:
        text: A clipped reply, read as `answers` reads it.
        says: Whether a word alone states an option.

    Returns:
        A text for each key that states an option and has yes, no, true or false as its value.
    """
    told = [(key, _as_text(value)) for node in _objects(text) for key, value in _scalars(node, _DEPTH)]
    folded = [(_key(key).replace("_", " "), value.strip().casefold()) for key, value in told]
    return [
        key if value in _TRUE else f"not {key}"
        for key, value in folded
        if value in _TRUE | _FALSE and says(key)
    ]


def _objects(text: str) -> Iterator[_Node]:
    decoder = json.JSONDecoder(object_pairs_hook=_Fields)
    position = text.find("{")
    for _ in range(_ATTEMPTS):
        if position < 0:
            return
        try:
            parsed, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            yield parsed
        position = text.find("{", end)


def _scalars(node: _Node, depth: int) -> Iterator[tuple[str, str | float | bool]]:
    """Every key with a value that is neither null nor made of others, in order."""
    if depth == 0:
        return
    if isinstance(node, _Fields):
        yield from _of_fields(node, depth)
    elif isinstance(node, list):
        for item in node[:20]:
            yield from _scalars(item, depth - 1)


def _of_fields(fields: Sequence[tuple[str, _Node]], depth: int) -> Iterator[tuple[str, str | float | bool]]:
    for key, value in fields:
        if isinstance(value, (_Fields, list)):
            yield from _scalars(value, depth - 1)
        elif isinstance(value, str) and _key(key) == _CALLED_WITH and value.lstrip().startswith("{"):
            for node in _objects(value):
                yield from _scalars(node, depth - 1)
        elif value is not None:
            yield key, value


def _key(key: str) -> str:
    return key.strip().casefold().replace(" ", "_").replace("-", "_")


def _as_text(value: str | float | bool) -> str:  # noqa: FBT001 - one of three JSON scalars, not a flag
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.12g}"
