"""What the options of a plug-in are, in words, from their pydantic class."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from probes.base import Options
from probes.records import Record

__all__ = ["ShownOption", "shown_options"]

_TYPES: Mapping[str, str] = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true | false",
    "null": "null",
}
_BOUNDS: Mapping[str, str] = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


class ShownOption(Record):
    """One option."""

    name: str
    accepts: str
    """The values it takes, in words."""
    required: bool
    default: JsonValue
    """Of an option that is not required."""
    description: str


def shown_options(options: type[Options]) -> tuple[ShownOption, ...]:
    """Every option of a class of options, in its order.

    Args:
        options: The class that a plug-in names as its `Options`.
    """
    schema = options.model_json_schema()
    named = schema.get("$defs", {})
    required = frozenset(schema.get("required", ()))
    return tuple(
        ShownOption(
            name=name,
            # That an option may be left out is not worth a value of its own.
            accepts=_accepted(value, named).removesuffix(" or null"),
            required=name in required,
            default=value.get("default"),
            description=value.get("description", ""),
        )
        for name, value in schema.get("properties", {}).items()
    )


def _accepted(schema: Mapping[str, Any], named: Mapping[str, Mapping[str, Any]]) -> str:
    """The values that a JSON schema takes, in words."""
    if "$ref" in schema:
        return _accepted(named[schema["$ref"].rsplit("/", maxsplit=1)[-1]], named)
    either = schema.get("anyOf", schema.get("oneOf"))
    if either:
        return " or ".join(dict.fromkeys(_accepted(one, named) for one in either))
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return " | ".join(str(value) for value in values)
    return _of_type(schema, named)


def _of_type(schema: Mapping[str, Any], named: Mapping[str, Mapping[str, Any]]) -> str:
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_accepted(schema['items'], named)}" if schema.get("items") else "list"
    if kind == "object":
        keys = ", ".join(schema.get("properties", {}))
        return f"mapping of {keys}" if keys else "mapping"
    bounds = [f"{words} {schema[name]:g}" for name, words in _BOUNDS.items() if name in schema]
    return ", ".join((_TYPES.get(kind, "any value"), *bounds))
