"""The shape of the code: who imports whom, how large things are, and what they are called."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
BANNED = {"utils", "util", "helpers", "helper", "manager", "misc", "common", "stuff"}


def sources() -> list[Path]:
    """Every source file of both packages, sorted."""
    return sorted(path for package in ("audit", "probes") for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """The module's name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Functions of a file with their length in lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def code_lines(path: Path, name: str) -> int:
    """Lines of a function without its docstring."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            first = node.body[0]
            doc = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0
            return (node.end_lineno or node.lineno) - node.lineno + 1 - doc
    raise KeyError(name)


def public(path: Path) -> set[str]:
    """Names that a module defines itself and that do not start with an underscore."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not _subcommand(node):
            found.add(node.name)
    return {name for name in found if not name.startswith("_")}


def test_layers_hold() -> None:
    """Upper layers import lower ones only; the contracts stand in pyproject.toml."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_no_file_is_too_long() -> None:
    """A file has one subject and stays under 400 lines."""
    long = {str(path.relative_to(ROOT)): n for path in sources() if (n := _lines(path)) > LONGEST_FILE}
    assert long == {}


def test_no_function_is_too_long() -> None:
    """A function, its docstring apart, stays under 60 lines."""
    long = {
        f"{path.relative_to(ROOT)}:{name}": code_lines(path, name)
        for path in sources()
        for name, length in functions(path)
        if length > LONGEST_FUNCTION and code_lines(path, name) > LONGEST_FUNCTION
    }
    assert long == {}


def test_module_names_say_what_is_inside() -> None:
    """No module is a drawer for the rest."""
    assert [str(path) for path in sources() if BANNED.intersection(path.stem.split("_"))] == []


def test_every_package_has_an_init_and_every_file_a_docstring() -> None:
    """Each module says in its first line what it is about."""
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), path
        assert (path.parent / "__init__.py").exists(), path


@pytest.mark.parametrize("path", [pytest.param(path, id=name_of(path)) for path in sources()])
def test_all_is_complete_and_sorted(path: Path) -> None:
    """`__all__` lists what a module offers: every public name of its own, each there, in order."""
    if path.name == "__main__.py":
        return
    module = importlib.import_module(name_of(path))
    listed = getattr(module, "__all__", None)
    own = public(path)
    if listed is None:
        assert own == set()
        return
    assert sorted(set(listed)) == sorted(listed)
    assert own <= set(listed)
    assert all(hasattr(module, name) for name in listed)
    # Constants first, then classes, then functions: the order that the linter keeps.
    rank = [(0 if name.isupper() else 1 if name[:1].isupper() else 2, name) for name in listed]
    assert rank == sorted(rank)


def test_data_holds_no_code() -> None:
    """The folder `datasets` is data: code in it would shadow a library of that name."""
    assert list((ROOT / "datasets").rglob("*.py")) == []


def _subcommand(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """True for a command that is reached through its group, such as `@probes.command("list")`."""
    called = [one.func for one in node.decorator_list if isinstance(one, ast.Call)]
    groups = [one.value for one in called if isinstance(one, ast.Attribute) and one.attr == "command"]
    return any(isinstance(one, ast.Name) and one.id != "click" for one in groups)


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
