"""Building plug-ins from a spec: through real entry points, every mistake one line with its place."""

import re
from pathlib import Path

import pytest

from audit.analyzers.base import AnalyzerContext
from audit.errors import InputError, SpecError
from audit.plugins import (
    TARGETS,
    build_analyzer,
    build_probe,
    build_target,
    load_plugin,
    secret_names,
    validated_options,
)
from audit.targets.base import TargetContext

_WHERE = "spec.yaml: target"


@pytest.fixture
def context(tmp_path: Path) -> TargetContext:
    """A context whose root is the test's own folder."""
    return TargetContext(name="target", root=tmp_path)


def test_target_is_built_from_its_part_of_the_spec(context: TargetContext) -> None:
    """A type and its options give a target without contacting anything."""
    options = {"type": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m", "api_key_env": "KEY"}
    target = build_target(options, context, where=_WHERE)
    assert target.info.hosts == ("127.0.0.1:9",)
    assert secret_names(options, where=_WHERE) == ("KEY",)
    assert options["type"] == "openai"


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"type": "opnai"}, [r"spec.yaml: target.type: unknown name 'opnai'; accepted: .*openai.*"]),
        ({"model": "m"}, [r"spec.yaml: target.type: must be the name of a plug-in; got None"]),
        (
            {"type": "openai", "base_url": "http://h/v1", "timeout": 3, "params": {"top_p": 2}},
            [
                r"spec.yaml: target.model: required key is missing",
                r"spec.yaml: target.params.top_p: .*; got 2",
                r"spec.yaml: target.timeout: unknown key.*",
            ],
        ),
    ],
)
def test_every_wrong_option_is_one_line(
    options: dict[str, object], lines: list[str], context: TargetContext
) -> None:
    """All problems are told at once, each with its key, the value received and what is accepted."""
    with pytest.raises(SpecError) as raised:
        build_target(options, context, where=_WHERE)
    told = sorted(str(raised.value).split("\n"))
    assert len(told) == len(lines)
    for line, pattern in zip(told, sorted(lines), strict=True):
        assert re.fullmatch(pattern, line)


def test_a_missing_file_is_told_with_its_place(context: TargetContext) -> None:
    """What a constructor finds missing names the part of the spec that asked for it."""
    with pytest.raises(InputError, match=r"spec\.yaml: target: .*absent\.csv: no such file"):
        build_target({"type": "recorded", "path": "absent.csv"}, context, where=_WHERE)


def test_analyzer_is_built_with_its_options(tmp_path: Path) -> None:
    """An analyzer is constructed by name, and its wrong options are told in the same way."""
    analyzer = build_analyzer("decision", {}, AnalyzerContext(root=tmp_path), where="spec.yaml: analyzers[0]")
    assert analyzer.info.name == "decision"
    with pytest.raises(SpecError, match=r"spec\.yaml: analyzers\[0\]\.tpyo: unknown key"):
        build_analyzer(
            "decision", {"tpyo": 1}, AnalyzerContext(root=tmp_path), where="spec.yaml: analyzers[0]"
        )


def test_paths_of_probes_are_relative_to_the_spec(tmp_path: Path) -> None:
    """A relative path of a probe means the spec's folder, wherever the command is run."""
    (tmp_path / "own.csv").write_text("prompt\nhello?\n", encoding="utf-8")
    options = {"use": "public/table", "path": "own.csv", "prompt": "prompt"}
    assert build_probe(options, root=tmp_path, where="spec.yaml: probes[0]").info.name == "public/table"
    assert options["path"] == "own.csv"
    with pytest.raises((SpecError, InputError), match=r"spec\.yaml: probes\[0\]"):
        build_probe(
            {"use": "public/table", "path": "own.csv", "nope": 1}, root=tmp_path, where="spec.yaml: probes[0]"
        )


def test_what_a_probe_finds_wrong_is_told_with_its_place(tmp_path: Path) -> None:
    """An option that only the probe itself can judge, and a class that is no plug-in, name the place too."""
    options = {"use": "safety/harmful", "techniques": ["base64", "base64"]}
    with pytest.raises(SpecError, match=r"spec\.yaml: probes\[0\]: .*more than once"):
        build_probe(options, root=tmp_path, where="spec.yaml: probes[0]")
    with pytest.raises(SpecError, match=r"pathlib\.Path has no Options class"):
        validated_options(Path, {}, where="spec.yaml: x")


def test_an_unknown_group_accepts_nothing() -> None:
    """A plug-in group that is unknown accepts nothing, and says so."""
    with pytest.raises(SpecError, match="accepted: none installed"):
        load_plugin("evenhand.nothing", "x", where="spec.yaml: x")
    assert load_plugin(TARGETS, "function", where=_WHERE).__name__ == "FunctionTarget"
