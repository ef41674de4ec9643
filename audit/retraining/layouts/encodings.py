"""The encodings that fine-tuning software reads: a conversation that holds the answer, or its parts apart."""

from collections.abc import Mapping
from dataclasses import dataclass

from audit.errors import InputError
from audit.retraining.layouts.rows import Row, message, messages, one_message, plain
from probes.records import Message

__all__ = ["Conversation", "Parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """`messages`: the prompt, and the answer as its last message."""

    label: str | None = None
    """Key that says whether the answer is a desirable one; None where every answer is."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of a row."""
        return ("messages",) if self.label is None else ("messages", self.label)

    def write(self, row: Row) -> dict[str, object]:
        """Prompt and answer as one list."""
        fields: dict[str, object] = {"messages": [*map(plain, row.prompt), plain(row.answer)]}
        return fields if self.label is None else {**fields, self.label: _desirable(row)}

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """Everything but the last message is the prompt."""
        said = messages(fields["messages"], f"{where}: messages")
        return Row(prompt=said[:-1], answer=said[-1], desirable=_read_label(fields, self.label, where))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The prompt under one key, and each answer under one of its own."""

    prompt: str
    """Key of the prompt."""
    inside: str | None = None
    """Key within the prompt's value that holds its messages; None where the value is the list of them."""
    answer: str
    """Key of the answer."""
    rejected: str | None = None
    """Key of the answer to unlearn; None where rows hold one answer."""
    label: str | None = None
    """As for a `Conversation`."""
    listed: bool = True
    """Whether an answer is a list of one message; else it is the message."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of a row."""
        return tuple(key for key in (self.prompt, self.answer, self.rejected, self.label) if key is not None)

    def write(self, row: Row) -> dict[str, object]:
        """A value for each key."""
        said = [*map(plain, row.prompt)]
        fields: dict[str, object] = {
            self.prompt: said if self.inside is None else {self.inside: said},
            self.answer: self._answer(row.answer),
        }
        if self.rejected is not None:
            if row.rejected is None:
                raise ValueError("a preference must have a rejected answer")
            fields[self.rejected] = self._answer(row.rejected)
        if self.label is not None:
            fields[self.label] = _desirable(row)
        return fields

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """The parts put together."""
        return Row(
            answer=self._read_answer(fields, self.answer, where),
            rejected=None if self.rejected is None else self._read_answer(fields, self.rejected, where),
            desirable=_read_label(fields, self.label, where),
            prompt=self._read_prompt(fields[self.prompt], where),
        )

    def _answer(self, said: Message) -> object:
        return [plain(said)] if self.listed else plain(said)

    def _read_answer(self, fields: Mapping[str, object], key: str, where: str) -> Message:
        return (one_message if self.listed else message)(fields[key], f"{where}: {key}")

    def _read_prompt(self, value: object, where: str) -> tuple[Message, ...]:
        if self.inside is None:
            return messages(value, f"{where}: {self.prompt}")
        if not isinstance(value, dict) or set(value) != {self.inside}:
            raise InputError(f"{where}: {self.prompt} must be an object with the key {self.inside}")
        return messages(value[self.inside], f"{where}: {self.prompt}.{self.inside}")


def _desirable(row: Row) -> bool:
    if row.desirable is None:
        raise ValueError("a row of single answers must say whether its answer is desirable")
    return row.desirable


def _read_label(fields: Mapping[str, object], key: str | None, where: str) -> bool | None:
    if key is None:
        return None
    value = fields[key]
    if not isinstance(value, bool):
        raise InputError(f"{where}: {key} must be true or false; got {value!r}")
    return value
