"""What a run remembers of its reviews: records, one a line, which one process at a time adds to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from audit.errors import InputError
from audit.store.file import locked
from probes.records import Record

__all__ = ["read_kept", "sole_writer"]

_Kept = TypeVar("_Kept", bound=Record)


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Nobody else writes the run in this block: adding is reading, then writing both anew.

    Raises:
        StoreError: Another process is writing the run, or the folder is read-only.
    """
    lock = locked(folder)
    try:
        yield
    finally:
        os.close(lock)


def read_kept(path: Path, kind: type[_Kept]) -> list[_Kept]:
    """The records of a file, in order; none if there is no file.

    Raises:
        InputError: The file is damaged.
    """
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is damaged: is not UTF-8 text at byte {error.start}") from error
    found = []
    # Only a line feed ends a record; a text may hold the other characters that end a line.
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], start=1):
        try:
            found.append(kind.model_validate_json(line))
        except ValueError as error:
            raise InputError(f"{path}: line {number}: is damaged: {str(error).splitlines()[0]}") from error
    return found
