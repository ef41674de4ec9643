"""People's labels of candidates: which examples somebody approved, and what answer they would rather give.

Labels name examples by the id that stands in the sidecars. Write the files, have people read them, and write
them again with the same run, seed and options: what nobody approved is left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from audit.errors import InputError
from audit.retraining.gates.base import Gate
from audit.retraining.reading import json_object
from audit.retraining.records import Example, SourceKind
from audit.validation import problem_lines
from probes.records import Record

__all__ = ["Label", "approved", "check_known", "read_labels", "with_labels"]

_Text = Annotated[str, Field(pattern=r"\S")]


class Label(Record):
    """What one person says of one example."""

    example: _Text
    """Id of the example, as the sidecars name it."""
    approve: bool
    reviewer: _Text
    answer: _Text | None = None
    """The answer to learn instead; None: as it is."""


def read_labels(path: Path) -> dict[str, Label]:
    """The labels of a JSONL file, by example.

    Raises:
        InputError: The file is missing or malformed, or an example is labelled twice; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # An answer may hold other line separators.
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    found: dict[str, Label] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            label = Label.model_validate(json_object(line, where))
        except ValidationError as error:
            raise InputError(problem_lines(error, where)[0]) from error
        if label.example in found:
            raise InputError(f"{where}: example {label.example} is labelled twice; accepted: once")
        found[label.example] = label
    if not found:
        raise InputError(f"{path}: holds no label")
    return found


def check_known(labels: Mapping[str, Label], candidates: Iterable[Example], path: Path) -> None:
    """Refuses labels of examples that are not among the candidates.

    Raises:
        InputError: A label is of none of them; names the first one and how many there are.
    """
    unknown = set(labels) - {example.id for example in candidates}
    if unknown:
        raise InputError(
            f"{path}: example {min(unknown)}: no candidate of this run, seed and options has that id "
            f"({len(unknown)} such labels); accepted: ids of the sidecars",
            next_step="write the files without --only-reviewed first, with the same options",
        )


def with_labels(candidates: Iterable[Example], labels: Mapping[str, Label]) -> Iterator[Example]:
    """The same candidates; those approved name their reviewer, and have the answer that was given."""
    for example in candidates:
        label = labels.get(example.id)
        if label is None or not label.approve:
            yield example
            continue
        changed: dict[str, object] = {"reviewer": label.reviewer}
        if label.answer is None:
            yield example.model_copy(update={"origin": example.origin.model_copy(update=changed)})
            continue
        changed["source"] = SourceKind.REVIEWER
        yield Example.make(
            example.messages,
            answer=label.answer,
            rejected=example.rejected if example.rejected != label.answer else None,
            expectation=example.expectation,
            origin=example.origin.model_copy(update=changed),
        )


def approved() -> Gate:
    """Refuses what nobody approved."""

    def reason(example: Example) -> str | None:
        return None if example.origin.reviewer is not None else "no label says that it was approved"

    return Gate(name="reviewed", rule="examples that no person has approved", reason=reason)
