"""The lines of a batch: reading and checking the input, and writing what came of each."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from audit.serving.api_errors import refused_body
from audit.serving.moderations import DEFAULT_MODEL
from probes.records import Record

__all__ = ["BatchError", "Journal", "JournalLine", "Line", "checked_lines", "read_lines"]

_DEFAULT_MODELS = {"/v1/moderations": DEFAULT_MODEL}
"""Endpoints whose requests need not name a model."""
_MOST_LINES = 50_000
_MOST_ERRORS = 50


class BatchError(Record):
    """Why a batch was not begun, as clients see it."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None
    """From 1."""


class Line(BaseModel):
    """One request of a batch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    custom_id: str = Field(min_length=1, max_length=512)
    method: str
    url: str
    body: dict[str, JsonValue]


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines of a file that are not empty, with their numbers from 1."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def checked_lines(path: Path, endpoint: str) -> tuple[int, str | None, list[BatchError]]:
    """How many requests a file holds, their model, and what is wrong with them.

    Args:
        path: The input file.
        endpoint: That every line must name.
    """
    errors: list[BatchError] = []
    seen: set[str] = set()
    model: str | None = None
    count = 0
    for number, raw in read_lines(path):
        count += 1
        try:
            line = Line.model_validate(json.loads(raw))
        except ValidationError as error:
            errors.append(_refused(error, number))
            continue
        except (ValueError, RecursionError):
            said = "This line is not parseable as valid JSON."
            errors.append(BatchError(code="invalid_json_line", message=said, line=number))
            continue
        named = line.body.get("model", _DEFAULT_MODELS.get(endpoint))
        model = model or (named if isinstance(named, str) else None)
        errors += _wrong(line, number, endpoint, (named, model), known=line.custom_id in seen)
        seen.add(line.custom_id)
    if count == 0:
        said = "The batch input file is empty. Please ensure that the batch contains at least one request."
        errors.append(BatchError(code="empty_file", message=said))
    if count > _MOST_LINES:
        said = f"The batch contains {count} requests; the limit is {_MOST_LINES}."
        errors.append(BatchError(code="too_many_requests", message=said))
    return count, model, errors[:_MOST_ERRORS]


def _wrong(
    line: Line, number: int, endpoint: str, models: tuple[JsonValue, str | None], *, known: bool
) -> Iterator[BatchError]:
    """What is wrong with a line, given its model and that of the batch."""
    if known:
        said = (
            f"The custom_id '{line.custom_id}' for this request is a duplicate of another request. "
            "The custom_id parameter must be unique for each request in a batch."
        )
        yield BatchError(code="duplicate_custom_id", message=said, param="custom_id", line=number)
    if line.method != "POST":
        said = f"Invalid method '{line.method}'. Must be POST."
        yield BatchError(code="invalid_method", message=said, param="method", line=number)
    if line.url != endpoint:
        said = "The URL provided for this request does not match the batch endpoint."
        yield BatchError(code="invalid_url", message=said, param="url", line=number)
    named, model = models
    if not isinstance(named, str):
        said = "Missing required parameter: 'model'."
        yield BatchError(code="missing_required_parameter", message=said, param="body.model", line=number)
    elif named != model:
        said = "The provided model does not match the other requests. All requests must use one model."
        yield BatchError(code="mismatched_model", message=said, param="body.model", line=number)


def _refused(error: ValidationError, number: int) -> BatchError:
    body = refused_body(error).body["error"]
    fields = body if isinstance(body, dict) else {}
    param = fields.get("param")
    return BatchError(
        code=str(fields.get("code") or "invalid_line"),
        message=str(fields.get("message")),
        param=None if param is None else str(param),
        line=number,
    )


class JournalLine(Record):
    """What came of one line of the input."""

    line: int
    file: Literal["output", "error"]
    text: str
    """The bytes of that line, one character each (Latin-1): a hostile model's need not be text."""
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What came of each line so far, appended as it comes.

    A line counts once it is whole in the journal: a server that is killed asks again only what is not. It is
    handed to the operating system at once, so that it outlives the process, though not a power cut.
    """

    path: Path

    def read(self) -> dict[int, JournalLine]:
        """What is there, by line of the input; a last line that was cut is dropped from the file."""
        found: dict[int, JournalLine] = {}
        if not self.path.exists():
            return found
        whole = 0
        with self.path.open("rb") as file:
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                entry = JournalLine.model_validate_json(raw)
                found[entry.line] = entry
                whole += len(raw)
        if whole < self.path.stat().st_size:
            with self.path.open("r+b") as file:
                file.truncate(whole)
        return found

    def append(self, entry: JournalLine) -> None:
        """Add a line, all of it or nothing.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        before = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("ab") as file:
                file.write(entry.model_dump_json().encode() + b"\n")
        except OSError:
            # Half a line would spoil the one after it.
            if self.path.exists():
                os.truncate(self.path, before)
            raise
