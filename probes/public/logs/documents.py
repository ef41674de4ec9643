"""Large JSON documents, read one element at a time: a report of many gigabytes takes no more memory."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from probes.errors import DataError

__all__ = ["MOST_CHARACTERS", "DamagedError", "Document", "first_keys"]

_CHUNK = 2**16
MOST_CHARACTERS = 64 * 2**20
"""Longest single value that is read, in characters."""
_SPACE = " \t\r\n"


class DamagedError(Exception):
    """The document is no JSON from here on; the message says why, in one line."""


class Document:
    """A JSON document as a stream: `enter` walks to an array, `elements` gives what is in it."""

    def __init__(self, handle: TextIO, *, most: int = MOST_CHARACTERS) -> None:
        """Keep the open file.

        Args:
            handle: Open for reading, at its beginning.
            most: Longest single value that is read, in characters.
        """
        self._handle = handle
        self._most = most
        self._buffer = ""
        self._at = 0
        self._ended = False
        self._decoder = json.JSONDecoder()

    def enter(self, keys: Sequence[str]) -> dict[str, object]:
        """Go to the array under these keys.

        Returns:
            The values that stood before it in the objects on the way, by key.

        Raises:
            DamagedError: The document has no such place, or is no JSON before it.
        """
        passed: dict[str, object] = {}
        for key in keys:
            self._take("{")
            while (name := self._value()) != key:
                self._take(":")
                passed[str(name)] = self._value()
                if self._next() == "}":
                    raise DamagedError(f"has no {'.'.join(keys)}")
                self._take(",")
            self._take(":")
        self._take("[")
        return passed

    def elements(self) -> Iterator[object]:
        """The elements of the array that was entered.

        Raises:
            DamagedError: The document ends before the array does, or an element is no JSON.
        """
        if self._next() == "]":
            return
        while True:
            yield self._value()
            if self._next() == "]":
                return
            self._take(",")

    def _next(self) -> str:
        """The next character that is no space, not taken yet; empty at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _take(self, character: str) -> None:
        found = self._next()
        if found != character:
            what = f"got {found!r}" if found else "it ends"
            raise DamagedError(f"is not JSON: {character!r} was expected, but {what}")
        self._at += 1

    def _value(self) -> object:
        self._next()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError as error:
                raise DamagedError("is not JSON: nested too deeply") from error
            except ValueError as error:
                if len(self._buffer) - self._at > self._most:
                    raise DamagedError(
                        f"is not JSON, or has a value of more than {self._most} characters"
                    ) from error
                if not self._more():
                    reason = getattr(error, "msg", str(error))
                    raise DamagedError(f"is not JSON, or ends early: {reason}") from error
                continue
            # A number at the end of what was read may go on.
            if end == len(self._buffer) and self._more():
                continue
            self._at = end
            found: object = value
            return found

    def _more(self) -> bool:
        """Read on; twice as much each time a value does not end, so that no text is scanned often."""
        if self._ended:
            return False
        left = self._buffer[self._at :]
        try:
            chunk = self._handle.read(max(_CHUNK, len(left)))
        except UnicodeDecodeError as error:
            raise DamagedError(f"is not UTF-8: {error.reason}") from error
        self._buffer, self._at, self._ended = left + chunk, 0, not chunk
        return bool(chunk)


def first_keys(path: Path, most: int = 2**20) -> list[str]:
    """Keys of the outermost object of a JSON file, as far as they stand in its first characters.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as handle:
            head = handle.read(most)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    decoder = json.JSONDecoder()
    at, found = head.find("{") + 1, []
    try:
        while at > 0 and head[at:].lstrip()[:1] == '"':
            at = head.index('"', at)
            name, at = decoder.raw_decode(head, at)
            found.append(str(name))
            at = head.index(":", at) + 1
            while head[at] in _SPACE:
                at += 1
            _, at = decoder.raw_decode(head, at)
            while head[at] in _SPACE:
                at += 1
            at += head[at] == ","
    except (ValueError, IndexError, RecursionError):
        pass  # What stands later is not needed to tell the format.
    return found
