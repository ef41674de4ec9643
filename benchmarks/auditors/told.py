"""What a tool told of a sealed server, as it is kept."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from benchmarks.auditors.sealed import Behaviour
from probes.records import Record

__all__ = ["Alarm", "Reading", "Told", "load", "save"]


class Alarm(Record):
    """One difference that a tool's report, read by one rule, says is there."""

    behaviour: Behaviour | Literal["other"]
    attribute: str
    """`not stated` if the tool names none."""


class Reading(Record):
    """A tool's report, read by every rule that rules.md has for it."""

    alarms: dict[str, tuple[Alarm, ...]]
    """By rule. A rule that raised none is there with an empty tuple."""
    headline: float | None
    """The figure that speaks most for a difference, larger for more, whatever the rule."""


class Told(Record):
    """One tool on one server."""

    tool: str
    version: str
    number: int
    """Of the specimen."""
    calls: int
    """Replies asked for."""
    seconds: float
    reading: Reading | None
    error: str | None = None
    """Why there is no reading; it is then in no rate, and counted."""


def save(found: Iterable[Told], path: Path) -> None:
    """Append results to a file, one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lines:
        for one in found:
            lines.write(one.model_dump_json() + "\n")


def load(path: Path) -> list[Told]:
    """Results that were kept; none if there is no file."""
    if not path.is_file():
        return []
    return [Told.model_validate(json.loads(line)) for line in path.read_text("utf-8").splitlines() if line]
