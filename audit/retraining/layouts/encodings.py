"""The encodings that fine-tuning software reads: five ways to say the same row."""

from collections.abc import Mapping

from audit.errors import InputError
from audit.retraining.layouts.rows import Row, message, messages, one_message, plain
from probes.records import Message

__all__ = [
    "CompletionLabel",
    "Conversation",
    "InputOutput",
    "LabelledConversation",
    "PairOfLists",
    "PairOfMessages",
]


class Conversation:
    """`messages`: the prompt, and the answer as its last message."""

    keys = ("messages",)

    def write(self, row: Row) -> dict[str, object]:
        """Prompt and answer as one list."""
        return {"messages": [*map(plain, row.prompt), plain(row.answer)]}

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """Everything but the last message is the prompt."""
        said = messages(fields["messages"], f"{where}: messages")
        return Row(prompt=said[:-1], answer=said[-1])


class PairOfLists:
    """`prompt`, `chosen` and `rejected`, each a list of messages; the answers hold one each."""

    keys = ("prompt", "chosen", "rejected")

    def write(self, row: Row) -> dict[str, object]:
        """Three lists."""
        return {
            "prompt": [*map(plain, row.prompt)],
            "chosen": [plain(row.answer)],
            "rejected": [plain(_rejected(row))],
        }

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """Three lists."""
        return Row(
            answer=one_message(fields["chosen"], f"{where}: chosen"),
            rejected=one_message(fields["rejected"], f"{where}: rejected"),
            prompt=messages(fields["prompt"], f"{where}: prompt"),
        )


class PairOfMessages:
    """`messages` is the prompt; `chosen` and `rejected` are single messages."""

    keys = ("messages", "chosen", "rejected")

    def write(self, row: Row) -> dict[str, object]:
        """One list and two objects."""
        return {
            "messages": [*map(plain, row.prompt)],
            "chosen": plain(row.answer),
            "rejected": plain(_rejected(row)),
        }

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """One list and two objects."""
        return Row(
            answer=message(fields["chosen"], f"{where}: chosen"),
            rejected=message(fields["rejected"], f"{where}: rejected"),
            prompt=messages(fields["messages"], f"{where}: messages"),
        )


class InputOutput:
    """`input.messages`, `preferred_output` and `non_preferred_output`, as hosted services want them."""

    keys = ("input", "preferred_output", "non_preferred_output")

    def write(self, row: Row) -> dict[str, object]:
        """An object and two lists of one answer."""
        return {
            "input": {"messages": [*map(plain, row.prompt)]},
            "preferred_output": [plain(row.answer)],
            "non_preferred_output": [plain(_rejected(row))],
        }

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """An object and two lists of one answer."""
        asked = fields["input"]
        if not isinstance(asked, dict) or set(asked) != {"messages"}:
            raise InputError(f"{where}: input must be an object with the key messages")
        return Row(
            answer=one_message(fields["preferred_output"], f"{where}: preferred_output"),
            rejected=one_message(fields["non_preferred_output"], f"{where}: non_preferred_output"),
            prompt=messages(asked["messages"], f"{where}: input.messages"),
        )


class CompletionLabel:
    """`prompt` and `completion` as lists of messages, and `label`: whether the completion is desirable."""

    keys = ("prompt", "completion", "label")

    def write(self, row: Row) -> dict[str, object]:
        """Two lists and a truth value."""
        return {
            "prompt": [*map(plain, row.prompt)],
            "completion": [plain(row.answer)],
            "label": _desirable(row),
        }

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """Two lists and a truth value."""
        return Row(
            answer=one_message(fields["completion"], f"{where}: completion"),
            desirable=_truth(fields["label"], f"{where}: label"),
            prompt=messages(fields["prompt"], f"{where}: prompt"),
        )


class LabelledConversation:
    """`messages` that end with the answer, and `kto_tag`: whether that answer is desirable."""

    keys = ("messages", "kto_tag")

    def write(self, row: Row) -> dict[str, object]:
        """One list and a truth value."""
        return {"messages": [*map(plain, row.prompt), plain(row.answer)], "kto_tag": _desirable(row)}

    def read(self, fields: Mapping[str, object], where: str) -> Row:
        """Everything but the last message is the prompt."""
        said = messages(fields["messages"], f"{where}: messages")
        return Row(
            prompt=said[:-1], answer=said[-1], desirable=_truth(fields["kto_tag"], f"{where}: kto_tag")
        )


def _rejected(row: Row) -> Message:
    if row.rejected is None:
        raise ValueError("a preference must have a rejected answer")
    return row.rejected


def _desirable(row: Row) -> bool:
    if row.desirable is None:
        raise ValueError("a row of single answers must say whether its answer is desirable")
    return row.desirable


def _truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{where} must be true or false; got {value!r}")
    return value
