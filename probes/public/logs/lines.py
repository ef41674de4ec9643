"""Lines of a JSONL file that may be damaged anywhere: every line is an object or a problem, none is lost."""

import json
from collections.abc import Iterator
from pathlib import Path

from probes.errors import DataError
from probes.public.logs.entries import Problem

__all__ = ["MOST_BYTES", "objects"]

MOST_BYTES = 64 * 2**20
"""Longest line that is read, in bytes: no reply is as long, and memory stays flat."""


def objects(path: Path, *, most: int = MOST_BYTES) -> Iterator[tuple[int, dict[str, object] | Problem]]:
    """The object in every line that is not blank, with the line's number from 1.

    Args:
        path: The file, UTF-8.
        most: Longest line that is read, in bytes.

    Yields:
        The number, and the object or why there is none.

    Raises:
        DataError: The file cannot be read at all.
    """
    try:
        with path.open("rb") as handle:
            number = 0
            while line := handle.readline(most):
                number += 1
                if len(line) == most and not line.endswith(b"\n"):
                    while (rest := handle.readline(most)) and not rest.endswith(b"\n"):
                        pass
                    yield number, Problem(row=number, what=f"is longer than {most} bytes")
                elif line.strip():
                    yield number, _object(line.removeprefix(b"\xef\xbb\xbf"), number)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _object(line: bytes, number: int) -> dict[str, object] | Problem:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Problem(row=number, what=f"is not UTF-8: {error.reason} at byte {error.start}")
    except json.JSONDecodeError as error:
        return Problem(row=number, what=f"is not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return Problem(row=number, what=f"is not JSON: {reason}")
    if not isinstance(value, dict):
        return Problem(row=number, what=f"must be an object; got {type(value).__name__}")
    return value
