"""Retraining files as fine-tuning software reads them: writing, and checking what was written.

- `trl-sft`: `{"messages": […]}`; the last message is the answer.
- `trl-dpo`: `{"prompt": […], "chosen": [answer], "rejected": [answer]}`.
- `openai-sft`: `{"messages": […]}`; at least 10 rows.
- `openai-dpo`: `{"input": {"messages": […]}, "preferred_output": [answer],
  "non_preferred_output": [answer]}`.

Hosted services reject further keys, so where a row came from stands in a sidecar, line by line.
Same examples, same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from audit.atomic import write_text
from audit.errors import InputError
from audit.retraining.records import Example, Format, RetrainingFile, Split, text_sha256
from audit.validation import problem_lines
from probes.data import file_sha256
from probes.records import Message

__all__ = [
    "PREFERENCE_FORMATS",
    "check_direction",
    "least_rows",
    "read_pairs",
    "read_preferences",
    "validate",
    "write",
]

PREFERENCE_FORMATS = frozenset({Format.TRL_DPO, Format.OPENAI_DPO})
_OPENAI_LEAST_ROWS = 10
_KEYS = {
    Format.TRL_SFT: ("messages",),
    Format.OPENAI_SFT: ("messages",),
    Format.TRL_DPO: ("prompt", "chosen", "rejected"),
    Format.OPENAI_DPO: ("input", "preferred_output", "non_preferred_output"),
}


def least_rows(file_format: Format) -> int:
    """Fewest rows a file of this format may have: 10 for hosted services, else 1."""
    return _OPENAI_LEAST_ROWS if file_format in {Format.OPENAI_SFT, Format.OPENAI_DPO} else 1


def write(folder: Path, examples: Sequence[Example], file_format: Format, split: Split) -> RetrainingFile:
    """Writes one file and its sidecar, and validates what was written.

    Args:
        folder: Where the files go.
        examples: Examples of one split, in the order of the rows; all with `rejected` for preferences.
        file_format: Format of the file.
        split: Split that the examples belong to.

    Returns:
        Name, rows and checksums.

    Raises:
        InputError: The folder cannot be written, or the examples make no valid file.
    """
    path = folder / f"{split}.{file_format}.jsonl"
    sidecar = folder / f"{split}.{file_format}.provenance.jsonl"
    lines = [_dump(_row(example, file_format)) for example in examples]
    write_text(path, "".join(line + "\n" for line in lines))
    pairs = zip(lines, examples, strict=True)
    notes = [_dump(_note(row, line, example)) for row, (line, example) in enumerate(pairs, start=1)]
    write_text(sidecar, "".join(note + "\n" for note in notes))
    rows = validate(path, file_format)
    if file_format in PREFERENCE_FORMATS:
        check_direction(path, sidecar, file_format)
    return RetrainingFile(
        format=file_format,
        split=split,
        path=path.name,
        rows=rows,
        sha256=file_sha256(path),
        provenance=sidecar.name,
        provenance_sha256=file_sha256(sidecar),
    )


def validate(path: Path, file_format: Format) -> int:
    """Number of rows of a file, each checked against its format.

    Raises:
        InputError: The file is missing, has too few rows, or a row is malformed; names file and line.
    """
    rows = 0
    for line, row in _rows(path):
        rows += 1
        where = f"{path}:{line}"
        if set(row) != set(_KEYS[file_format]):
            accepted = ", ".join(_KEYS[file_format])
            raise InputError(f"{where}: keys are {', '.join(sorted(row))}; {file_format} accepts: {accepted}")
        _check_row(row, file_format, where)
    if rows < least_rows(file_format):
        raise InputError(f"{path}: {rows} rows; {file_format} needs at least {least_rows(file_format)}")
    return rows


def read_pairs(path: Path, file_format: Format) -> list[tuple[str, str]]:
    """What the user said and the answer to learn, for each row of a valid file.

    Args:
        path: A file of retraining examples.
        file_format: Its format; of preferences the preferred answer is taken.

    Raises:
        InputError: The file is missing or malformed.
    """
    validate(path, file_format)
    pairs = []
    for line, row in _rows(path):
        prompt, preferred, _ = _parts(row, file_format, f"{path}:{line}")
        pairs.append((_said(prompt), preferred.content))
    return pairs


def read_preferences(path: Path, file_format: Format) -> list[tuple[str, str, str]]:
    """What the user said, the preferred and the rejected answer, for each row of a valid preference file.

    Args:
        path: A file of preferences.
        file_format: Its format.

    Raises:
        InputError: The file is missing or malformed.
    """
    validate(path, file_format)
    triples = []
    for line, row in _rows(path):
        prompt, preferred, rejected = _parts(row, file_format, f"{path}:{line}")
        if rejected is not None:
            triples.append((_said(prompt), preferred.content, rejected.content))
    return triples


def check_direction(path: Path, sidecar: Path, file_format: Format) -> None:
    """Refuses a preference file whose preferred and rejected answers do not stand where they were written.

    Args:
        path: A preference file.
        sidecar: Its provenance file, which holds the checksum of each answer.
        file_format: Format of the file.

    Raises:
        InputError: Answers are swapped, changed, or the sidecar is about another file; names the lines.
    """
    notes = [note for _, note in _rows(sidecar)]
    rows = list(_rows(path))
    if len(notes) != len(rows):
        raise InputError(
            f"{sidecar}: {len(notes)} lines for {len(rows)} rows of {path.name}; accepted: one each"
        )
    swapped, changed = [], []
    for (line, row), note in zip(rows, notes, strict=True):
        _, preferred, rejected = _parts(row, file_format, f"{path}:{line}")
        found = (text_sha256(preferred.content), text_sha256(rejected.content if rejected else ""))
        expected = (note.get("answer_sha256"), note.get("rejected_sha256"))
        if found == expected[::-1]:
            swapped.append(line)
        elif found != expected:
            changed.append(line)
    for problem, lines in (("chosen and rejected are swapped", swapped), ("an answer was changed", changed)):
        if lines:
            shown = ", ".join(map(str, lines[:5])) + (" …" if len(lines) > 5 else "")  # noqa: PLR2004 - a line's width
            raise InputError(
                f"{path}: {problem} in {len(lines)} of {len(rows)} rows (lines {shown})",
                next_step="write the retraining files again; training on this file would teach the fault",
            )


def _row(example: Example, file_format: Format) -> dict[str, object]:
    prompt = [_message(message) for message in example.messages]
    answer = {"role": "assistant", "content": example.answer}
    if file_format not in PREFERENCE_FORMATS:
        return {"messages": [*prompt, answer]}
    if example.rejected is None:
        raise ValueError(f"example {example.id} has no rejected answer: it cannot be a preference")
    rejected = {"role": "assistant", "content": example.rejected}
    if file_format is Format.TRL_DPO:
        return {"prompt": prompt, "chosen": [answer], "rejected": [rejected]}
    return {"input": {"messages": prompt}, "preferred_output": [answer], "non_preferred_output": [rejected]}


def _note(row: int, line: str, example: Example) -> dict[str, object]:
    return {
        "row": row,
        "example": example.id,
        "sha256": text_sha256(line),
        "answer_sha256": text_sha256(example.answer),
        "rejected_sha256": None if example.rejected is None else text_sha256(example.rejected),
        **example.origin.model_dump(mode="json"),
    }


def _message(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


def _said(prompt: Sequence[Message]) -> str:
    return "\n".join(message.content for message in prompt if message.role == "user")


def _dump(row: Mapping[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(", ", ": "))


def _rows(path: Path) -> list[tuple[int, dict[str, object]]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line and number == len(lines):
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{path}:{number}: not JSON: {error.msg}") from error
        if not isinstance(row, dict):
            raise InputError(f"{path}:{number}: {type(row).__name__} found; accepted: a JSON object")
        rows.append((number, row))
    return rows


def _check_row(row: Mapping[str, object], file_format: Format, where: str) -> None:
    prompt, preferred, rejected = _parts(row, file_format, where)
    if not prompt or prompt[-1].role != "user":
        raise InputError(f"{where}: the prompt must end with a message of role user")
    if file_format in PREFERENCE_FORMATS and rejected is None:
        raise InputError(f"{where}: the rejected answer is missing")
    answers = [preferred] if rejected is None else [preferred, rejected]
    for answer in answers:
        if answer.role != "assistant":
            raise InputError(f"{where}: an answer's role must be assistant; got {answer.role!r}")
    for message in (*prompt, *answers):
        if not message.content.strip():
            raise InputError(f"{where}: a message of role {message.role} is empty")
    if rejected is not None and rejected.content == preferred.content:
        raise InputError(f"{where}: preferred and rejected answers are the same")


def _parts(
    row: Mapping[str, object], file_format: Format, where: str
) -> tuple[list[Message], Message, Message | None]:
    """Prompt, preferred answer and rejected answer of a row."""
    if file_format not in PREFERENCE_FORMATS:
        messages = _messages(row.get("messages"), f"{where}: messages")
        return messages[:-1], messages[-1], None
    prompt_key, preferred_key, rejected_key = _KEYS[file_format]
    prompt = row.get(prompt_key)
    if file_format is Format.OPENAI_DPO:
        if not isinstance(prompt, dict) or set(prompt) != {"messages"}:
            raise InputError(f"{where}: input must be an object with the key messages")
        prompt = prompt["messages"]
    answers = []
    for key in (preferred_key, rejected_key):
        found = _messages(row.get(key), f"{where}: {key}")
        if len(found) != 1:
            raise InputError(f"{where}: {key} must hold one message; got {len(found)}")
        answers.append(found[0])
    return _messages(prompt, f"{where}: {prompt_key}"), answers[0], answers[1]


def _messages(value: object, where: str) -> list[Message]:
    if not isinstance(value, list) or not value:
        raise InputError(f"{where} must be a list of messages, not empty")
    messages = []
    for place, item in enumerate(value):
        try:
            messages.append(Message.model_validate(item))
        except ValidationError as error:
            raise InputError(problem_lines(error, f"{where}[{place}]")[0]) from error
    return messages
