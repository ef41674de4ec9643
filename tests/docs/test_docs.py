"""The documentation says what the program does: names in it exist, and names that exist are in it."""

import ast
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from audit import api, errors, records
from audit.cli.main import COMMANDS, cli
from audit.estimates.measures import MEASURES
from audit.findings.document import RunDocument
from audit.plan import Plan
from audit.plugins import ANALYZERS, PROBES, TARGETS, load_plugin, options_class, validated_options
from audit.spec import AnalyzerSpec, GateRule, Judgement, Limits, Spec, parse_spec
from audit.store.migrations import SCHEMA_VERSION, columns_of
from audit.store.schema import OUTPUT_COLUMNS, PROMPT_COLUMNS
from probes import errors as probe_errors
from probes.records import ProbeInfo, Prompt
from tests.docs.pages import (
    DOCS,
    ROOT,
    Block,
    anchors,
    blocks,
    default_cells,
    inline_code,
    links,
    pages,
    section,
    without_blocks,
)

REFERENCE = DOCS / "reference"
CANNOT_SHOW = "What this cannot show"
_MACHINE_PATH = re.compile(r"(?<![\w.<-])/(?:work|home|tmp|root|Users|private|mnt)/")
_REGISTRY_HOST = re.compile(r"\b(?:py(?:pi|thonhosted)|npmjs|anaconda|conda-forge)\.(?:org|com|io)\b")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _commands() -> dict[str, click.Command]:
    """Every command that can be typed, by its words."""
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {word}": below for word, below in command.commands.items()}
    return found


def _options(command: click.Command) -> set[str]:
    declared = (option.opts for option in command.params if isinstance(option, click.Option))
    return {"--help", "-h"}.union(*declared)


def _built_in(group: str) -> list[str]:
    points = entry_points(group=group)
    return sorted({point.name for point in points if point.dist and point.dist.name == "evenhand"})


def _plain(value: object) -> object:
    """A default as YAML would give it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _problem(name: str, field: FieldInfo, cells: dict[str, str]) -> str | None:
    """What the documentation says wrongly of one key."""
    if name not in cells:
        return f"{name}: has no row"
    cell = cells[name]
    if field.is_required() or cell == "required":
        return None if field.is_required() and cell == "required" else f"{name}: {cell} is not its default"
    default = field.get_default(call_default_factory=True)
    if re.fullmatch(r"`[^`]*`", cell):
        stated = yaml.safe_load(cell.strip("`"))
        return None if stated == _plain(default) else f"{name}: default is {default!r}, not {stated!r}"
    if cell == "empty":
        return None if not _plain(default) else f"{name}: default is {default!r}, not empty"
    if cell == "none":
        return None if default is None else f"{name}: default is {default!r}, not none"
    return None


@pytest.mark.parametrize("words", sorted(_commands()))
def test_every_command_is_described_with_all_its_options(words: str) -> None:
    """A command or option cannot be added without its description."""
    described = section(REFERENCE / "cli.md", words)
    assert described, f"docs/reference/cli.md has no heading {words!r}"
    command = _commands()[words]
    if not isinstance(command, click.Group):
        rows = set(re.findall(r"^\| `(--[a-z-]+)` \|", described, re.MULTILINE))
        assert rows == {option for option in _options(command) if option not in {"--help", "-h"}}


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        (Spec, ""),
        (AnalyzerSpec, "analyzers[]."),
        (Judgement, "judgement."),
        (Limits, "limits."),
        (GateRule, "gate[]."),
    ],
)
def test_every_spec_key_is_described_with_its_default(model: type[BaseModel], prefix: str) -> None:
    """A reader of spec.md learns every key and what holds when it is left out."""
    cells = default_cells((REFERENCE / "spec.md").read_text(encoding="utf-8"))
    problems = [_problem(prefix + name, field, cells) for name, field in model.model_fields.items()]
    assert [problem for problem in problems if problem] == []


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in (PROBES, TARGETS) for name in _built_in(group)]
)
def test_every_probe_and_target_has_a_section_with_its_options(group: str, name: str) -> None:
    """Nothing that a spec can name is left undescribed."""
    described = section(REFERENCE / f"{group.removeprefix('evenhand.')}.md", name)
    assert CANNOT_SHOW.lower() in described.lower()
    cells = default_cells(described)
    if same := re.search(r"takes every option of `(\w+)`", described):
        page = REFERENCE / f"{group.removeprefix('evenhand.')}.md"
        cells = {**default_cells(section(page, same[1])), **cells}
    fields = options_class(load_plugin(group, name, where="docs"), where="docs").model_fields
    problems = [_problem(key, field, cells) for key, field in fields.items()]
    assert [problem for problem in problems if problem] == []


@pytest.mark.parametrize("name", _built_in(ANALYZERS))
def test_every_analyzer_has_a_page_with_its_options(name: str) -> None:
    """Nobody has to believe an analyzer without knowing what it cannot show."""
    page = REFERENCE / "analyzers" / f"{name}.md"
    assert section(page, CANNOT_SHOW)
    text = page.read_text(encoding="utf-8")
    for option in options_class(load_plugin(ANALYZERS, name, where="docs"), where="docs").model_fields:
        assert f"`{option}`" in text


def test_the_spec_page_names_every_plug_in() -> None:
    """What may stand behind `use` and `type` can be read off one page."""
    text = (REFERENCE / "spec.md").read_text(encoding="utf-8")
    rows = {PROBES: "probes[].use", TARGETS: "target.type", ANALYZERS: "analyzers[].use"}
    for group, key in rows.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{key}` |"))
        assert [name for name in _built_in(group) if f"`{name}`" not in row] == []


def test_every_error_is_described() -> None:
    """Whoever catches an error can look it up, with its exit code."""
    text = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    for name in errors.__all__:
        code = getattr(errors, name).exit_code
        assert re.search(rf"^\| `{name}` \|.*\| {code} \|$", text, re.MULTILINE), name
    for name in probe_errors.__all__:
        assert f"| `{name}` |" in text


def test_every_measure_record_and_file_is_described() -> None:
    """What stands in files and JSON can be looked up field by field."""
    spec = (REFERENCE / "spec.md").read_text(encoding="utf-8")
    assert [measure.name for measure in MEASURES if f"`{measure.name}`" not in spec] == []
    kept = (records.Output, records.Score, records.Counts, records.Estimate, records.Control)
    corrected = (records.Correction, records.ErrorBand, records.Review, records.SampledItem)
    further = (records.GroupRate, records.Change, records.DeclaredMeasure, records.Finding, Prompt, ProbeInfo)
    for record in (*kept, *corrected, *further):
        described = section(REFERENCE / "records.md", record.__name__)
        assert [name for name in record.model_fields if f"`{name}`" not in described] == []
    findings = (REFERENCE / "findings-json.md").read_text(encoding="utf-8")
    assert [name for name in RunDocument.model_fields if f"`{name}`" not in findings] == []
    files = (REFERENCE / "files.md").read_text(encoding="utf-8")
    tables = list(columns_of(SCHEMA_VERSION))
    assert tables
    names = [*Plan.model_fields, *PROMPT_COLUMNS, *OUTPUT_COLUMNS, *tables]
    assert [name for name in names if f"`{name}`" not in files] == []


def test_every_function_of_the_interface_is_described() -> None:
    """A program can do all that the command line does, and its author finds out how."""
    text = (REFERENCE / "api.md").read_text(encoding="utf-8")
    assert [name for name in api.__all__ if not re.search(rf"`{name}[`(]", text)] == []


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_links_inside_the_project_resolve(page: Path) -> None:
    """No link leads nowhere, neither to a page nor to a heading."""
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_pages_name_no_machine_and_no_registry(page: Path) -> None:
    """Pages hold for every machine and every package index."""
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if _MACHINE_PATH.search(line) or _REGISTRY_HOST.search(line)] == []


def test_every_page_is_reached_from_the_index() -> None:
    """No page is written for nobody."""
    linked = {(DOCS / target.partition("#")[0]).resolve() for target in links(DOCS / "index.md")}
    found = {page.resolve() for page in DOCS.rglob("*.md")} - {(DOCS / "index.md").resolve()}
    assert sorted(_name(page) for page in found - linked) == []


@pytest.mark.parametrize(
    "block", [block for block in blocks("yaml") if block.text.startswith("version: 1")], ids=lambda b: b.page
)
def test_specs_in_pages_are_accepted(block: Block) -> None:
    """A spec copied from a page is a valid one, its plug-ins' options included."""
    spec = parse_spec(block.text, block.page)
    parts = [(PROBES, probe.use, probe.options()) for probe in spec.probes]
    parts += [(ANALYZERS, analyzer.use, analyzer.options()) for analyzer in spec.analyzers]
    parts += [(TARGETS, one.type, one.options()) for one in (spec.target, spec.baseline) if one is not None]
    for group, name, options in parts:
        checked = validated_options(load_plugin(group, name, where=block.page), options, where=block.page)
        assert set(options) <= set(type(checked).model_fields)


def _check_line(line: str) -> None:
    """Check the command of one line, and every option on it."""
    words = shlex.split(line, comments=True)[1:]
    commands = _commands()
    name = " ".join(words[:2]) if " ".join(words[:2]) in commands else words[0]
    if name.startswith("-"):
        assert name in {"--help", "-h", "--version"}, line
        return
    assert name in commands, line
    given = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert given <= _options(commands[name]), line


def test_command_lines_in_pages_can_be_typed() -> None:
    """A command copied from a page exists, and so do its options."""
    lines = [
        line
        for block in blocks("bash", "console", "sh")
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.startswith("evenhand ")
    ]
    assert len(lines) > len(COMMANDS)
    for page in pages():
        code = inline_code(page.read_text(encoding="utf-8"))
        lines += [one for one in code if one.startswith("evenhand ")]
    for line in lines:
        _check_line(line)


def test_python_in_pages_is_python() -> None:
    """An example can be pasted into a file."""
    found = blocks("python")
    assert found
    for block in found:
        ast.parse(block.text, block.page)


@pytest.mark.slow
def test_the_example_of_the_interface_prints_what_the_page_says(tmp_path: Path) -> None:
    """The Python example runs as it stands and gives the line shown under it."""
    page = "docs/reference/api.md"
    code = next(block.text for block in blocks("python") if block.page == page)
    shown = next(block.text for block in blocks("text") if block.page == page)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == shown


def test_prose_keeps_one_sentence_a_line() -> None:
    """Changes to a sentence show as one line of a difference."""
    folders = ("tutorial", "how-to", "design")
    written = [page for folder in folders for page in (DOCS / folder).rglob("*.md")]
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "index.md", *sorted(written)):
        for line in without_blocks(page.read_text(encoding="utf-8")).splitlines():
            if not line.startswith("|"):
                assert not re.search(r"[a-z)`][.?!] [A-Z]", line), f"{_name(page)}: {line}"
