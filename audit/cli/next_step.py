"""The next thing to type after a failure that names none of its own."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from audit.errors import AuditError, SpecError, StoreError, TargetUnreachableError
from probes.errors import ProbeError

__all__ = ["usual_next"]

_OPTION = re.compile(r"^(?:[a-z][a-z -]*: )?--[a-z]")
"""A message about an option: the command may be named before it."""
_DAMAGED = re.compile(r"damaged|no run store|not written by this program|must be unique|do not fit")
_PATH = re.compile(r"no such file|cannot be (?:read|written|made)|no folder of|unknown kind of file")
_LONGEST = 160
"""Characters of a command that is worth repeating."""


def usual_next(error: AuditError | ProbeError | OSError, arguments: Sequence[str], cli: click.Group) -> str:
    """What gets the user on, from the kind of failure and the words of the command.

    Args:
        error: What went wrong; it names no next step.
        arguments: Words after `evenhand`.
        cli: All commands.

    Returns:
        One line: a command, or what to change before one.
    """
    message = str(error)
    if _OPTION.match(message):
        return f"{_command(arguments, cli)} --help"
    again = shlex.join(["evenhand", *arguments])
    again = again if len(again) <= _LONGEST else "the same command"
    spec = next((one for one in arguments if one.endswith((".yaml", ".yml")) and Path(one).is_file()), None)
    run = next((one for one in arguments if (Path(one) / "run.sqlite").is_file()), None)
    if isinstance(error, StoreError) and _DAMAGED.search(message):
        return "put a copy of the run in its place, or run its spec again with another --out"
    if isinstance(error, TargetUnreachableError) and (run or spec):
        return (
            f"evenhand resume {shlex.quote(run)}"
            if run
            else f"evenhand targets check {shlex.quote(spec or '')}"
        )
    # A YAML file of options is no spec that could be planned.
    planned = arguments[:1] != ["analyzers"]
    if isinstance(error, SpecError | ProbeError) and spec is not None and planned:
        return f"correct {spec}, then: evenhand plan {shlex.quote(spec)}"
    wrong = "the path or its permissions" if isinstance(error, OSError) or _PATH.search(message) else None
    return f"correct {wrong or 'what the line names'}, then: {again}"


def _command(arguments: Sequence[str], cli: click.Group) -> str:
    """The command without its own words, as far as it is one."""
    path, group = ["evenhand"], cli
    for word in arguments:
        found = group.get_command(click.Context(group), word)
        if found is None:
            break
        path.append(word)
        if not isinstance(found, click.Group):
            break
        group = found
    return " ".join(path)
