"""The JSON schema of a spec with the options of every built-in plug-in, for editors and for checking."""

import json
from importlib.metadata import entry_points
from typing import cast

from audit.plugins import ANALYZERS, PROBES, TARGETS, load_plugin, options_class
from audit.spec import Spec

__all__ = ["SCHEMA_FILE", "spec_schema"]

SCHEMA_FILE = "spec.schema.json"
"""Name of the published copy, beside this module."""

_SECTIONS = {
    "TargetSpec": (TARGETS, "type"),
    "ProbeSpec": (PROBES, "use"),
    "AnalyzerSpec": (ANALYZERS, "use"),
}


def spec_schema() -> str:
    """The schema as JSON text; the same for every installation of this version.

    Only built-in plug-ins are described; a third-party name is accepted with any options.
    """
    schema = Spec.model_json_schema()
    definitions = schema["$defs"]
    for section, (group, selector) in _SECTIONS.items():
        names = _built_in(group)
        # Keys that the section itself knows, whatever the plug-in.
        own = {key: form for key, form in definitions[section]["properties"].items() if key != selector}
        variants = [_variant(group, name, selector, definitions) for name in names]
        for variant in variants:
            variant["properties"] = {**own, **cast("dict[str, object]", variant["properties"])}
        other: dict[str, object] = {
            "type": "object",
            "description": "A plug-in of another distribution.",
            "properties": {selector: {"type": "string", "not": {"enum": names}}},
            "required": [selector],
        }
        forms: list[dict[str, object]] = [*variants, other]
        if section == "AnalyzerSpec":
            forms.append({"type": "string", "description": "Name of an analyzer, with its default options."})
        definitions[section] = {"description": definitions[section]["description"], "anyOf": forms}
    schema["title"] = "Evenhand spec"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _built_in(group: str) -> list[str]:
    points = entry_points(group=group)
    return sorted(
        {point.name for point in points if point.dist is not None and point.dist.name == "evenhand"}
    )


def _variant(group: str, name: str, selector: str, definitions: dict[str, object]) -> dict[str, object]:
    found = options_class(load_plugin(group, name, where=group), where=group).model_json_schema()
    # Nested definitions move to the top, where their references point.
    for key, definition in found.pop("$defs", {}).items():
        # A judge's target is one like any other: its section is described already.
        definitions.setdefault(key, definition)
    found["properties"] = {selector: {"const": name}, **found.get("properties", {})}
    found["required"] = [selector, *found.get("required", [])]
    found["title"] = name
    return dict(found)
