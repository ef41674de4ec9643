"""Writing a file so that a reader sees the old content or the new, never half of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from audit.errors import InputError

__all__ = ["NEXT_STEP", "append_text", "replacing", "write_bytes", "write_text"]

NEXT_STEP = "free some space or choose another folder, then run the same command again"
"""What helps against a disk that is full or may not be written."""


def write_text(path: Path, text: str) -> None:
    """Replace a file's content with a text, in UTF-8, atomically.

    Raises:
        InputError: The folder cannot be written or the disk is full; the old content is kept.
    """
    write_bytes(path, text.encode("utf-8"))


def append_text(path: Path, text: str) -> None:
    """Add a text at the end of a file, made if it is missing, atomically.

    Raises:
        InputError: As for `write_text`; the old content is kept.
    """
    before = path.read_bytes() if path.is_file() else b""
    write_bytes(path, before + text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file's content atomically: written beside it, flushed to disk, renamed over it.

    Raises:
        InputError: The folder cannot be written or the disk is full; the old content is kept.
    """
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to piece by piece, which takes the place of `path` when the block ends.

    If the block raises, the old content is kept and nothing is left beside it. A pipe or a device, such as
    `/dev/stdout`, is written to as it is: nothing may take its place. A symbolic link stays, and the file
    that it names is replaced.

    Raises:
        InputError: The folder cannot be written or the disk is full; the old content is kept.
    """
    temporary: Path | None = None
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            with path.open("wb") as file:
                yield file
            return
        if path.is_symlink():
            path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{token_hex(8)}")
        # Not by `tempfile`, whose files are private: the result has the permissions of any new file.
        with beside.open("xb") as file:
            temporary = beside
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        temporary = None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written: {error.strerror or error}",
            next_step=NEXT_STEP,
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
