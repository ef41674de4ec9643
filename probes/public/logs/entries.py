"""What a reader of logs gives: conversations with their replies, and rows that could not be read."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from probes.records import Message

__all__ = [
    "ABSENT",
    "LogEntry",
    "Problem",
    "Reply",
    "Tally",
    "UnreadableError",
    "cut",
    "digest_of",
    "fact",
    "fact_of",
    "named",
    "number",
    "whole",
]

_SHOWN_CHARACTERS = 80
_SHOWN_PROBLEMS = 5

ABSENT = object()
"""What `fact` gives where there is nothing: None is a value that a log may hold."""


class UnreadableError(Exception):
    """A row does not say what it must; the message says why, in one line. It becomes a `Problem`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, as far as the log says."""

    text: str | None = None
    error: str | None = None
    """Why there is no reply; None if there is one."""
    finish_reason: str | None = None
    refusal: str | None = None
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_s: float | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One reply of a log, with the conversation it answers."""

    row: int
    """Where it stands: line, row or position in the file, from 1."""
    id: str
    """What the log calls the conversation; several replies to one share it."""
    repeat: int = 0
    """Which of several replies to one conversation, from 0."""
    messages: tuple[Message, ...]
    """Empty where the log holds replies only."""
    reply: Reply
    task: str | None = None
    """Name of the task or probe of the tool that asked."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What else the log says of it, as parsed JSON; see `fact`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A row that could not be read, and why, in one line."""

    row: int
    what: str


@dataclass(slots=True)
class Tally:
    """Counts of what was read, with the first few problems in words."""

    entries: int = 0
    problems: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Count a problem, and keep its line if it is among the first."""
        self.problems += 1
        if len(self.shown) < _SHOWN_PROBLEMS:
            self.shown.append(f"row {problem.row}: {problem.what}")

    def lines(self, name: str) -> list[str]:
        """One line for each of the first problems, and one that counts all of them; none without problems.

        Args:
            name: The file, as it is to be named.
        """
        if not self.problems:
            return []
        counted = f"{name}: {self.problems} of {self.entries + self.problems} rows could not be read"
        return [counted, *(f"{name}: {line}" for line in self.shown)]


def fact(facts: object, name: str) -> object:
    """The value under a name; dots lead into nested values, and numbers into lists.

    Args:
        facts: Parsed JSON.
        name: Such as `metadata.group` or `choices.0`; a key that holds dots itself is found too.

    Returns:
        The value, or `ABSENT`.

    >>> fact({"scores": {"a.B": [0, 1]}}, "scores.a.B.1")
    1
    """
    if isinstance(facts, Mapping):
        if name in facts:
            return facts[name]
        at = name.find(".")
        while at >= 0:
            if name[:at] in facts:
                found = fact(facts[name[:at]], name[at + 1 :])
                if found is not ABSENT:
                    return found
            at = name.find(".", at + 1)
        return ABSENT
    if isinstance(facts, Sequence) and not isinstance(facts, str):
        head, _, rest = name.partition(".")
        if head.isascii() and head.isdecimal() and len(head) < 10 and int(head) < len(facts):  # noqa: PLR2004 - no list is longer, and no huge number is parsed
            return fact(facts[int(head)], rest) if rest else facts[int(head)]
    return ABSENT


def fact_of(entry: LogEntry, name: str) -> object:
    """The value under a name in an entry's facts; `task`, `model` and `id` are those of the entry itself.

    Returns:
        The value, or `ABSENT`.
    """
    value = fact(entry.facts, name)
    if value is not ABSENT:
        return value
    own = {"task": entry.task, "model": entry.reply.model, "id": entry.id}
    return own.get(name, ABSENT)


def digest_of(messages: Sequence[Message]) -> str:
    """SHA-256 of a conversation's roles and texts, as 64 hexadecimal digits: equal for equal ones only."""
    said = [[message.role, message.content] for message in messages]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def cut(value: object) -> str:
    """A value for a message: quoted, in one line, and not long."""
    text = repr(value[: 2 * _SHOWN_CHARACTERS] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def named(value: object) -> str | None:
    """A text or whole number as the text of an id; None if it is neither.

    >>> named(7.0), named("a"), named(True), named(0.5)
    ('7', 'a', None, None)
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # A column of whole numbers with gaps comes as floats.
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def whole(value: object) -> int | None:
    """A count of a log, from 0; None if it is none that a store can hold."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:  # noqa: PLR2004 - more digits than 64 bits hold
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def number(value: object) -> float | None:
    """A finite number of a log, from 0; None if it is none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e15 else None  # noqa: PLR2004 - no time in seconds is larger
