"""What any row of a retraining file says, whatever keys it says it with, and the checks that all share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from audit.errors import InputError
from audit.validation import problem_lines
from probes.records import Message

__all__ = ["Encoding", "Row", "keys_match", "message", "messages", "one_message", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: a prompt with the answer to learn, and what is said of other answers."""

    prompt: tuple[Message, ...]
    answer: Message
    rejected: Message | None = None
    """The answer to unlearn; None where rows hold one answer."""
    desirable: bool | None = None
    """Whether the answer is one to give; None where every answer is."""


class Encoding(Protocol):
    """One way to write rows as JSON objects, and to read them back."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of a row, all of them required and no other accepted."""
        ...

    def write(self, row: Row) -> dict[str, object]:
        """The JSON object of a row."""
        ...

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """The row of a JSON object whose keys are right.

        Raises:
            InputError: A value is malformed; begins with `where`.
        """
        ...


def keys_match(fields: Mapping[str, object], keys: Sequence[str], name: str, where: str) -> None:
    """Refuses an object whose keys are not those of a format.

    Raises:
        InputError: Names the keys found and those accepted.
    """
    if set(fields) != set(keys):
        found = ", ".join(sorted(fields)) or "none"
        raise InputError(f"{where}: keys are {found}; {name} accepts: {', '.join(keys)}")


def plain(said: Message) -> dict[str, str]:
    """A message as formats write it."""
    return {"role": said.role, "content": said.content}


def message(value: object, where: str) -> Message:
    """One message.

    Raises:
        InputError: It is no object with a known role and a text.
    """
    if not isinstance(value, dict):
        raise InputError(f"{where} must be one message, an object; got {type(value).__name__}")
    try:
        return Message.model_validate(value)
    except ValidationError as error:
        raise InputError(problem_lines(error, where)[0]) from error


def messages(value: object, where: str) -> tuple[Message, ...]:
    """A list of messages.

    Raises:
        InputError: It is no list, is empty, or holds something else.
    """
    if not isinstance(value, list) or not value:
        raise InputError(f"{where} must be a list of messages, not empty")
    return tuple(message(item, f"{where}[{place}]") for place, item in enumerate(value))


def one_message(value: object, where: str) -> Message:
    """The message of a list that must hold exactly one.

    Raises:
        InputError: As for `messages`, or there are several.
    """
    found = messages(value, where)
    if len(found) != 1:
        raise InputError(f"{where} must hold one message; got {len(found)}")
    return found[0]
