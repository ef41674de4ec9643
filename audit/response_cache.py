"""Answers of earlier runs, found again by what was asked: one SQLite file that several processes share.

An answer is found only by exactly what it was asked with: who answered (every fact of the target), the
prompt, the run's root seed, turn and repeat. A second repeat is therefore never served with the
answer of the first. Errors are never kept. An entry that does not fit its checksum is a miss, said once.
"""

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from audit.records import Outcome, Output, Request
from audit.store.file import connected, failures, make_folder
from audit.targets.base import TargetInfo

__all__ = ["ResponseCache", "cache_key"]

FILE = "responses.sqlite"
_TABLE = """CREATE TABLE IF NOT EXISTS responses(
    key BLOB PRIMARY KEY, sha256 BLOB NOT NULL, output TEXT NOT NULL) STRICT, WITHOUT ROWID"""
_LOG = logging.getLogger(__name__)


def cache_key(info: TargetInfo, request: Request, seed: int) -> bytes:
    """What an answer is found by: 32 bytes that depend on all that was asked and of whom.

    Args:
        info: Of the target; its name in the run does not count.
        request: What is asked; attempts do not count, the prompt's id does: the seed sent depends on it.
        seed: The run's root seed.
    """
    asked = {
        "facts": dict(info.facts),
        "prompt": request.prompt_id,
        "messages": [[message.role, message.content] for message in request.messages],
        "seed": seed,
        "turn": request.turn,
        "repeat": request.repeat,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


class ResponseCache:
    """A folder of answers; several processes may use it at once."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use `ResponseCache.open` instead."""
        self._path = path
        self._connection = connection
        self._warned = False

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """The cache in a folder, which is made if it is missing.

        Raises:
            StoreError: It cannot be read or written, or is no cache.
        """
        path = folder / FILE
        make_folder(folder)
        with failures(path), closing(connected(path, "rwc")) as connection:
            connection.execute(_TABLE)
            yield cls(path, connection)

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Output]:
        """The answers that are there, as they were stored, by key."""
        marks = ", ".join("?" * len(keys))
        with failures(self._path):
            rows = self._connection.execute(
                f"SELECT key, sha256, output FROM responses WHERE key IN ({marks})",  # noqa: S608 - only question marks
                keys,
            ).fetchall()
        found = {key: self._read(digest, text) for key, digest, text in rows}
        return {key: output for key, output in found.items() if output is not None}

    def add(self, answers: Iterable[tuple[bytes, Output]]) -> None:
        """Keep answers; what is there already stays, unless it is damaged. Errors are left out."""
        rows = []
        for key, output in answers:
            if output.outcome is not Outcome.ERRORED:
                text = output.model_dump_json()
                rows.append((key, _digest(text), text))
        with failures(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(
                    "INSERT INTO responses VALUES (?, ?, ?) ON CONFLICT(key) DO UPDATE SET "
                    "sha256 = excluded.sha256, output = excluded.output",
                    [row for row in rows if not self.find([row[0]])],
                )
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _read(self, digest: bytes, text: str) -> Output | None:
        try:
            if _digest(text) == digest:
                return Output.model_validate_json(text)
        except ValueError:
            pass  # Told below, as any other damage.
        if not self._warned:
            self._warned = True
            _LOG.warning("%s: holds a damaged answer, which is asked for again", self._path)
        return None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
