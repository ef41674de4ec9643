"""Writing retraining files: every file of a split in one pass over its examples.

Hosted services reject further keys, so where a row came from stands in a sidecar, line by line.
Same examples, same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from audit.atomic import NEXT_STEP, replacing
from audit.errors import InputError
from audit.retraining.layouts.rows import Row
from audit.retraining.layouts.table import Layout
from audit.retraining.reading import check_direction, validate
from audit.retraining.records import Example, RetrainingFile, Shape, Split, text_sha256
from probes.records import Message

__all__ = ["rows_of", "write_split"]

_SEPARATORS = "\x85\u2028\u2029"
"""Characters that JSON leaves as they are and some readers of lines take for the end of one."""


def rows_of(shape: Shape, *, examples: int, pairs: int) -> int:
    """Rows that a file of one shape has.

    Args:
        shape: Shape of the file.
        examples: How many examples there are.
        pairs: How many of them have a rejected answer.
    """
    return {Shape.SFT: examples, Shape.DPO: pairs, Shape.KTO: examples + pairs}[shape]


def write_split(
    folder: Path, examples: Iterable[Example], layouts: Sequence[Layout], split: Split
) -> list[RetrainingFile]:
    """Writes the files of one split with their sidecars, and checks what was written.

    Args:
        folder: Where the files go.
        examples: The examples of the split, in the order of the rows; read once.
        layouts: Which files to write.
        split: Split that the examples belong to.

    Returns:
        Name, rows and checksums of each file, in the order of `layouts`.

    Raises:
        InputError: The folder cannot be written, or the examples make no valid file.
    """
    with ExitStack() as stack:
        outputs = [_Output.open(folder, layout, split, stack) for layout in layouts]
        for example in examples:
            origin = example.origin.model_dump(mode="json")
            for output in outputs:
                output.add(example, origin)
    written = [output.described() for output in outputs]
    for layout, file in zip(layouts, written, strict=True):
        validate(folder / file.path, layout)
        check_direction(folder / file.path, folder / file.provenance, layout)
    return written


@dataclass(slots=True, kw_only=True)
class _Output:
    """One file being written, and its sidecar."""

    layout: Layout
    split: Split
    file: "_Lines"
    sidecar: "_Lines"

    @classmethod
    def open(cls, folder: Path, layout: Layout, split: Split, stack: ExitStack) -> "_Output":
        return cls(
            layout=layout,
            split=split,
            file=_Lines.open(folder / layout.path(split), stack),
            sidecar=_Lines.open(folder / layout.provenance(split), stack),
        )

    def add(self, example: Example, origin: Mapping[str, object]) -> None:
        for row in _rows(example, self.layout.shape):
            line = _dump(self.layout.encoding.write(row))
            self.file.add(line)
            note = {
                "row": self.file.count,
                "example": example.id,
                "sha256": text_sha256(line),
                "answer_sha256": text_sha256(row.answer.content),
                "rejected_sha256": None if row.rejected is None else text_sha256(row.rejected.content),
                "desirable": row.desirable,
                **origin,
            }
            self.sidecar.add(_dump(note))

    def described(self) -> RetrainingFile:
        return RetrainingFile(
            format=self.layout.format,
            shape=self.layout.shape,
            split=self.split,
            path=self.layout.path(self.split),
            rows=self.file.count,
            sha256=self.file.digest.hexdigest(),
            provenance=self.layout.provenance(self.split),
            provenance_sha256=self.sidecar.digest.hexdigest(),
        )


class _Lines:
    """Lines on their way to a file, counted and summed."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.count = 0
        self.digest = hashlib.sha256()
        self._path = path
        self._file = file

    @classmethod
    def open(cls, path: Path, stack: ExitStack) -> "_Lines":
        return cls(path, stack.enter_context(replacing(path)))

    def add(self, line: str) -> None:
        content = f"{line}\n".encode()
        try:
            self._file.write(content)
        except OSError as error:  # Here, since several files are open and only this one knows its name.
            raise InputError(
                f"{self._path}: cannot be written: {error.strerror or error}", next_step=NEXT_STEP
            ) from error
        self.digest.update(content)
        self.count += 1


def _rows(example: Example, shape: Shape) -> Iterator[Row]:
    answer = Message(role="assistant", content=example.answer)
    rejected = None if example.rejected is None else Message(role="assistant", content=example.rejected)
    if shape is Shape.SFT:
        yield Row(prompt=example.messages, answer=answer)
    elif shape is Shape.DPO and rejected is not None:
        yield Row(prompt=example.messages, answer=answer, rejected=rejected)
    elif shape is Shape.KTO:
        yield Row(prompt=example.messages, answer=answer, desirable=True)
        if rejected is not None:
            yield Row(prompt=example.messages, answer=rejected, desirable=False)


def _dump(row: Mapping[str, object]) -> str:
    line = json.dumps(row, ensure_ascii=False, separators=(", ", ": "))
    for separator in _SEPARATORS:
        line = line.replace(separator, f"\\u{ord(separator):04x}")
    return line
