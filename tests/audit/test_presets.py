"""Presets and the published schema: what a newcomer starts from is valid and current."""

import json
from pathlib import Path
from typing import cast

import pytest
import yaml

import audit.schema
from audit.analyzers.base import AnalyzerContext
from audit.errors import InputError
from audit.plugins import build_analyzer, build_target
from audit.presets import PRESETS, preset, quick_spec
from audit.runs import preview_plan
from audit.schema import SCHEMA_FILE, spec_schema
from audit.spec import parse_spec
from audit.targets.base import TargetContext

Schema = dict[str, object]


def section(name: str) -> list[Schema]:
    """The variants of one section of the schema."""
    definitions = cast("dict[str, Schema]", json.loads(spec_schema())["$defs"])
    return cast("list[Schema]", definitions[name]["anyOf"])


def variant(name: str, selector: str, chosen: str) -> dict[str, Schema]:
    """The properties of one plug-in in the schema."""
    for one in section(name):
        properties = cast("dict[str, Schema]", one.get("properties", {}))
        if properties.get(selector, {}).get("const") == chosen:
            return properties
    raise KeyError(chosen)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_preset_is_commented_valid_and_plans(name: str, tmp_path: Path) -> None:
    """Each preset loads, its parts can be made, and it says what it would ask."""
    path = tmp_path / "spec.yaml"
    path.write_text(preset(name))
    assert path.read_text().startswith(f"# {PRESETS[name]}")
    spec = parse_spec(path.read_text(), str(path))
    plan = preview_plan(path)
    assert plan.requests > 0
    assert all(entry.templates >= 12 for entry in plan.detectable)
    for analyzer in spec.analyzers:
        build_analyzer(analyzer.use, analyzer.options(), AnalyzerContext(root=tmp_path), where="spec")
    options = {"type": spec.target.type, **spec.target.options()}
    assert build_target(options, TargetContext(name="target", root=tmp_path), where="spec").info.hosts == (
        "127.0.0.1:8000",
    )


def test_unknown_preset_lists_those_there_are() -> None:
    """A wrong name is answered with the right ones."""
    with pytest.raises(InputError, match=r"--preset must be one of minimal, hiring, lending; got 'health'"):
        preset("health")


def test_quick_spec_holds_no_attack_and_its_limits() -> None:
    """`quick` asks nothing that needs authorisation, and stops in time."""
    spec = quick_spec({"base_url": "http://127.0.0.1:1/v1", "model": "m"}, minutes=3, templates=12)
    assert [probe.use for probe in spec.probes] == ["bias/decisions", "safety/benign"]
    assert spec.limits.minutes == 3
    assert spec.authorised_by is None
    assert spec.target.options()["model"] == "m"


def test_published_schema_is_current() -> None:
    """The file that editors read is what this version accepts; `evenhand init --schema` writes it anew."""
    published = Path(audit.schema.__file__).with_name(SCHEMA_FILE)
    assert published.read_text(encoding="utf-8") == spec_schema()


def test_schema_knows_the_options_of_every_plug_in_and_lets_others_in() -> None:
    """Options of built-in plug-ins are described and closed; a third party's name takes any."""
    schema = json.loads(spec_schema())
    assert schema["additionalProperties"] is False
    assert {"version", "name", "target", "probes", "analyzers"} <= set(schema["required"])
    assert "domains" in variant("ProbeSpec", "use", "bias/decisions")
    assert "base_url" in variant("TargetSpec", "type", "openai")
    assert {"path", "prompt"} <= set(variant("ProbeSpec", "use", "public/table"))
    others = [one for one in section("TargetSpec") if "additionalProperties" not in one]
    assert len(others) == 1


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_use_only_keys_that_the_schema_has(name: str) -> None:
    """An editor that follows the schema marks nothing in a preset."""
    given = yaml.safe_load(preset(name))
    schema = json.loads(spec_schema())
    assert set(given) <= set(schema["properties"])
    assert set(given["target"]) <= set(variant("TargetSpec", "type", given["target"]["type"]))
    for probe in given["probes"]:
        assert set(probe) <= set(variant("ProbeSpec", "use", probe["use"]))
    for part in ("judgement", "limits"):
        reference = cast("str", schema["properties"][part]["$ref"]).removeprefix("#/$defs/")
        assert set(given[part]) <= set(schema["$defs"][reference]["properties"])


def test_references_of_the_schema_resolve() -> None:
    """No definition is missing."""
    text = spec_schema()
    wanted = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert wanted <= set(json.loads(text)["$defs"])
