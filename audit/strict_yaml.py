"""Strict YAML: no key twice, no endless aliases, and text that comes back as it was written."""

from collections.abc import Hashable, Mapping
from pathlib import Path

import yaml

from audit.errors import SpecError

__all__ = ["dump_mapping", "load_mapping", "parse_mapping"]

_MOST_VALUES = 100_000
"""Values of a spec with every alias written out; a few nested aliases can stand for billions."""


def parse_mapping(text: str, where: str) -> dict[str, object]:
    """The mapping that a strict YAML text holds: no key twice, no endless aliases.

    Args:
        text: The YAML.
        where: Name of the file, for messages.

    Raises:
        SpecError: The text is no YAML, or holds something else.
    """
    try:
        loader = _StrictLoader(text)
        try:
            raw = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise SpecError(f"{where}: {_yaml_problem(error)}") from error
    except RecursionError as error:
        raise SpecError(f"{where}: not valid YAML: nested too deeply") from error
    if not isinstance(raw, Mapping):
        raise SpecError(f"{where}: must be a mapping of keys such as name; got {type(raw).__name__}")
    return {str(key): value for key, value in raw.items()}


def load_mapping(path: Path) -> dict[str, object]:
    """The mapping in a strict YAML (or JSON) file, such as the options of a plug-in.

    Raises:
        SpecError: The file is missing or cannot be read, is no YAML, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SpecError(f"{path}: cannot be read: {reason}") from error
    return parse_mapping(text, str(path))


def dump_mapping(given: Mapping[str, object]) -> str:
    """A mapping as YAML; equal mappings in one order give equal bytes."""
    return yaml.dump(dict(given), Dumper=_LineKeeper, sort_keys=False, allow_unicode=True, width=100)


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, which plain YAML silently overwrites, and endless aliases."""

    def compose_document(self) -> yaml.Node | None:
        node: yaml.Node | None = super().compose_document()
        if node is not None and _size(node, {}) > _MOST_VALUES:
            raise yaml.constructor.ConstructorError(
                None, None, f"its aliases stand for more than {_MOST_VALUES} values"
            )
        return node

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> str:
        value = str(super().construct_scalar(node))
        if value.isascii():
            return value
        try:  # JSON spells a character as two halves, which YAML does not put together.
            return value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            half = next(mark for mark in value if "\ud800" <= mark <= "\udfff")
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"a text holds half a character, \\u{ord(half):04x}, which no file can hold: write it whole",
                node.start_mark,
            ) from error

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:  # noqa: FBT001, FBT002 - the signature is PyYAML's
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            # A date, number or tagged value that is none, such as 2025-13-45.
            raise yaml.constructor.ConstructorError(
                None, None, f"not a valid value: {error}", node.start_mark
            ) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 - the signature is PyYAML's
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if not isinstance(key, Hashable):
                continue  # The construction below refuses it, with its place.
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice (line {line})"
                )
            seen.add(key)
        return dict(super().construct_mapping(node, deep=deep))


class _LineKeeper(yaml.SafeDumper):
    """Safe YAML that escapes rare line breaks, which plain YAML writes as they are and reads as spaces."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        style = '"' if any(mark in data for mark in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_LineKeeper.add_representer(str, _LineKeeper.represent_str)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Values a node comes to when every alias is written out.

    Raises:
        yaml.YAMLError: A node holds itself.
    """
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        known[id(node)] = 0  # Until it is known; only a node inside itself meets this.
        children = [
            child for entry in node.value for child in (entry if isinstance(entry, tuple) else [entry])
        ]
        known[id(node)] = 1 + sum(_size(child, known) for child in children)
    elif known[id(node)] == 0:
        raise yaml.constructor.ConstructorError(None, None, "an alias stands inside itself", node.start_mark)
    return known[id(node)]


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n", maxsplit=1)[0]
    if mark is None:
        return f"not valid YAML: {problem}"
    return f"not valid YAML: {problem} (line {mark.line + 1}, column {mark.column + 1})"
