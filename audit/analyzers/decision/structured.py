"""Reading an answer out of JSON in a reply: bare, fenced or after some words, also nested."""

import json
from collections.abc import Iterator
from typing import TypeAlias

__all__ = ["ANSWER_KEYS", "NUMBER_KEYS", "Json", "answers"]

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


def answers(text: str, keys: frozenset[str]) -> tuple[bool, list[str]]:
    """Values found under the given keys in the JSON objects of a text.

    Args:
        text: A clipped reply; at most eight places are tried as the start of an object.
        keys: Accepted keys, lower case with `_` between words.

    Returns:
        Whether any JSON object was found, and the values as text, in order: a string as it is,
        true and false as `yes` and `no`, a number in its shortest form.
    """
    decoder = json.JSONDecoder()
    values: list[str] = []
    found = False
    position = text.find("{")
    for _ in range(_ATTEMPTS):
        if position < 0:
            break
        try:
            parsed, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            found = True
            values += _collect(parsed, keys, _DEPTH)
        position = text.find("{", end)
    return found, values


def _collect(node: Json, keys: frozenset[str], depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(node, list):
        for item in node[:20]:
            yield from _collect(item, keys, depth - 1)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, (dict, list)):
                yield from _collect(value, keys, depth - 1)
            elif key.strip().casefold().replace(" ", "_").replace("-", "_") in keys and value is not None:
                yield _as_text(value)


def _as_text(value: str | float | bool) -> str:  # noqa: FBT001 - one of three JSON scalars, not a flag
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.12g}"
