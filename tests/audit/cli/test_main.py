"""The command as a whole: help at once, errors in one line, and what programs can rely on."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from audit.cli.console import clean, data, table
from audit.cli.main import COMMANDS, cli
from tests.audit.cli.conftest import Command

HEAVY = {"numpy", "pandas", "scipy", "sklearn", "torch", "openai", "matplotlib", "rich", "yaml"}


def commands() -> list[tuple[str, click.Command]]:
    """Every command and subcommand with its full name."""
    found: list[tuple[str, click.Command]] = []
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None, name
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {child}", one) for child, one in sorted(command.commands.items())]
    return found


def test_every_command_loads_has_help_and_the_summary_of_the_list() -> None:
    """What `evenhand --help` says of a command is the first line of the command's own help."""
    for name, command in commands():
        assert command.help, name
        first = command.help.split("\n", maxsplit=1)[0]
        assert first.endswith("."), name
        if name in COMMANDS:
            assert COMMANDS[name].summary == first


def test_every_option_has_help() -> None:
    """No option is a riddle."""
    for name, command in commands():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                choices = parameter.type.choices if isinstance(parameter.type, click.Choice) else None
                assert parameter.help or choices, f"{name} {parameter.opts}"


def test_every_command_that_prints_has_json() -> None:
    """Each command can print data for programs."""
    for name, command in commands():
        if not isinstance(command, click.Group):
            assert "--json" in {option for parameter in command.params for option in parameter.opts}, name


def test_help_lists_all_commands(evenhand: Command) -> None:
    """`evenhand --help` and each command's own end with 0 and name what they are about."""
    ended = evenhand("--help")
    assert ended.code == 0
    assert all(f"  {name} " in ended.out for name in COMMANDS)
    for name, _ in commands():
        assert evenhand(*name.split(), "--help").code == 0


def test_help_is_had_at_once_and_loads_no_heavy_library() -> None:
    """`evenhand --help` costs under 0.4 s of processor time and imports nothing it does not need."""
    # Two runs: the first may have to compile the modules, which an installed copy never does.
    script = "import sys; sys.argv = ['evenhand', '--help']; from audit.cli.main import _run; _run(None); "
    script += "sys.stderr.write(' '.join(sorted(sys.modules)))"
    subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert HEAVY.isdisjoint(done.stderr.split())
    assert spent < 0.4


def test_going_on_with_a_run_loads_no_statistics_before_it_asks() -> None:
    """What `evenhand resume` imports before its first request holds no library of statistics or reports."""
    script = "import sys, audit.cli.run; print(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    loaded = set(done.stdout.split())
    assert {"audit.collection.runner", "audit.store.store"} <= loaded
    assert {"scipy", "pandas", "sklearn", "fairlearn", "jinja2", "openai", "audit.statistics"}.isdisjoint(
        loaded
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["run"], "Missing argument 'SPEC'"),
        (["run", "spec.yaml"], "Missing option '--out'"),
        (["run", "spec.yaml", "--out"], "requires an argument"),
        (["run", "spec.yaml", "--out", "r", "--decide", "every"], "only a run --until-decided stops asking"),
        (["plan", "--nope"], "No such option"),
        (["init", "--preset", "everything"], "'everything' is not one of"),
        (["quick", "http://127.0.0.1:9/v1"], "Missing option '--model'"),
        (["quick", "http://127.0.0.1:9/v1", "--model", "m", "--templates", "3"], "is not in the range"),
    ],
)
def test_wrong_usage_ends_with_2(evenhand: Command, arguments: list[str], says: str) -> None:
    """A mistake on the command line is explained and ends with 2."""
    ended = evenhand(*arguments)
    assert ended.code == 2
    assert says in ended.err
    assert ended.out == ""


def test_command_runs_as_a_process(process: Command) -> None:
    """The module runs as the installed command does, with the same exit codes."""
    assert process("--version").code == 0
    failed = process("findings", "nowhere")
    assert failed.code == 2
    assert failed.err.splitlines()[0] == "error: nowhere: holds no run (no plan.json)"
    assert failed.err.splitlines()[1] == "next: evenhand run SPEC --out DIR"
    assert len(failed.err.splitlines()) == 2


def test_reader_that_leaves_is_no_error(home: Path) -> None:
    """`evenhand ... | head` ends quietly: no traceback when the reader of our output has gone."""
    command = f"{sys.executable} -m audit init --schema | head -c 1 > /dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=home, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode in {0, 1}


def test_control_characters_never_reach_the_terminal() -> None:
    """Text of a model cannot colour, move or reorder what is shown."""
    assert clean("\x1b[2Jgone\r\u202eabc\x00\u2066\x9b31m\x7f\ttab\n") == "[2Jgoneabc31m\ttab\n"
    assert clean("lone \ud800 surrogate") == "lone ? surrogate"


def test_data_is_json_without_exceptions(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is one JSON document, ASCII only, and never NaN."""
    data({"text": "ü\x1b", "list": [1, None]})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"text": "ü\x1b", "list": [1, None]}
    assert printed.isascii()
    with pytest.raises(ValueError, match="Out of range"):
        data({"x": float("nan")})


def test_tables_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are as wide as their widest cell, and go to standard error."""
    table(["a", "long head"], [["wide cell", "x"], ["y", ""]])
    assert capsys.readouterr().err.splitlines() == [
        "a          long head",
        "---------  ---------",
        "wide cell  x",
        "y",
    ]
