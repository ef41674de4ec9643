"""Opening a run store's file: lock, connection, tables, version, and failures in the user's words."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from audit.errors import StoreError
from audit.store.migrations import SCHEMA_VERSION, columns_of, migrate
from audit.store.schema import ADDED_COLUMNS, APPLICATION_ID

__all__ = [
    "LOCK_FILE",
    "RESTORE",
    "STORE_FILE",
    "check_tables",
    "connected",
    "failures",
    "holds_tables",
    "locked",
    "make_folder",
    "make_tables",
    "upgrade",
    "values_of",
]

STORE_FILE = "run.sqlite"
LOCK_FILE = "run.lock"
RESTORE = "restore the run folder from a copy; a store is not meant to be edited"
"""What to do about a store that holds what this program does not write."""
_ROW_FAULTS = {"Could not decode to UTF-8": "bytes that are no text", "malformed JSON": "what is no JSON"}
"""How messages about a row begin that SQLite gives no code of their own, and what such a row holds."""
_DAMAGED = "is damaged; copy it first, then try `sqlite3 FILE .recover`"
_SHOWN_CHARACTERS = 200
_BUSY_S = 30.0
"""How long a connection waits for another one of the same run, such as a checkpoint, in seconds."""


def make_folder(folder: Path) -> None:
    """Make a run folder unless it is there.

    Raises:
        StoreError: The system refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made: {error.strerror}") from error


def locked(folder: Path) -> int:
    """An open file whose exclusive lock makes this process the folder's only writer.

    The system drops the lock when the file is closed or the process dies.

    Raises:
        StoreError: Another process (or another store of this one) holds it, or the folder is read-only.
    """
    path = folder / LOCK_FILE
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        os.close(handle)
        raise StoreError(
            f"{path}: another process (number {owner or 'unknown'}) is writing this run",
            next_step="wait until it ends, or stop it; what it stored stays",
        ) from error
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        pass  # A full disk only costs the next process the number in its message.
    return handle


def connected(path: Path, mode: Literal["ro", "rw", "rwc"]) -> sqlite3.Connection:
    """A connection in autocommit mode, durable and with foreign keys; to be used by one thread at a time."""
    try:
        return _as_newest(_connect(path, f"mode={mode}"), mode)
    except sqlite3.OperationalError:
        # A disk that cannot be written has no room for the log's index; with no log there, none is needed.
        if mode != "ro" or path.with_name(f"{path.name}-wal").exists():
            raise
        return _as_newest(_connect(path, "mode=ro&immutable=1"), mode)


def _as_newest(connection: sqlite3.Connection, mode: str) -> sqlite3.Connection:
    """Let a reader find in tables of an older version the columns of today, with what their absence means."""
    if mode == "ro":
        for table, columns in ADDED_COLUMNS.items():
            found = {str(row[1]) for row in connection.execute(f"PRAGMA main.table_info({table})")}
            lacking = [f"{value} AS {name}" for name, value in columns.items() if name not in found]
            if found and lacking:
                connection.execute(
                    f"CREATE TEMP VIEW {table} AS SELECT *, {', '.join(lacking)} FROM main.{table}"  # noqa: S608 - names of our own tables
                )
    return connection


class _Reader(sqlite3.Connection):
    """A connection that only reads, and leaves no empty log behind.

    The last connection to close takes the write-ahead log away, which one without the right to write cannot.
    A log that holds something is left to whoever writes next: reading changes no store.
    """

    path: Path

    def close(self) -> None:
        """Close, and take an empty log away unless another process has the store open."""
        super().close()
        log = self.path.with_name(f"{self.path.name}-wal")
        with suppress(OSError, sqlite3.Error):
            if log.stat().st_size == 0:
                _connect(self.path, "mode=rw").close()


def _connect(path: Path, query: str) -> sqlite3.Connection:
    reads = "mode=ro" in query
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{query}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_S,
        factory=_Reader if reads else sqlite3.Connection,
    )
    if isinstance(connection, _Reader):
        connection.path = path
    try:
        if not reads:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def holds_tables(path: Path) -> bool:
    """Whether there is a file with tables; one without is what a process killed in `make_tables` leaves.

    Raises:
        StoreError: The file cannot be read, or is no SQLite file.
    """
    if not path.is_file():
        return False
    with failures(path), closing(connected(path, "ro")) as connection:
        return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def make_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file, durably and in one transaction.

    Raises:
        StoreError: The file has tables already; then it is not touched.
    """
    # A file without tables is what a process killed at this very place leaves behind.
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        connection.close()
        raise StoreError(
            f"{path}: there is a run here already; a new one needs a folder of its own",
            next_step=f"evenhand resume {path.parent}",
        )
    connection.execute("BEGIN IMMEDIATE")
    migrate(connection, 0)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("COMMIT")
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)  # Without it a power cut could lose the new file's name.
    finally:
        os.close(handle)


def check_tables(path: Path, connection: sqlite3.Connection) -> int:
    """The version of a file's tables, all of which are there with their columns.

    Raises:
        StoreError: It is no run store, a newer version made it, or a table or column is missing.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError(f"{path}: is an SQLite file, but no run store")
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "meta" not in names:
        raise StoreError(f"{path}: is damaged: the table meta is missing")
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    said = "" if row is None else str(row[0])
    if not (said.isascii() and said.isdecimal() and 1 <= int(said) <= SCHEMA_VERSION):
        raise StoreError(
            f"{path}: has store version {said or 'none'}; "
            f"this version of evenhand reads 1 to {SCHEMA_VERSION}",
            next_step="pip install --upgrade evenhand",
        )
    version = int(said)
    for table, columns in columns_of(version).items():
        found = {str(row[1]): str(row[2]) for row in connection.execute(f"PRAGMA main.table_info({table})")}
        wrong = [name for name, kind in columns.items() if found.get(name) != kind]
        if wrong:
            what = f"lacks {', '.join(wrong)} of their type" if found else "is missing"
            raise StoreError(f"{path}: is damaged: the table {table} {what}", next_step=RESTORE)
    return version


def upgrade(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Bring a file's tables up to date, in the transaction that is open.

    Raises:
        StoreError: The file holds something that is in the way.
    """
    try:
        migrate(connection, version)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise StoreError(f"{path}: cannot be brought up to date: {error}", next_step=RESTORE) from error


@contextmanager
def failures(path: Path) -> Iterator[None]:
    """Turn what SQLite reports into one line for the user.

    Raises:
        StoreError: The block failed because of the disk, the file or another process.
    """
    try:
        yield
    except UnicodeDecodeError as error:  # What SQLite says of a damaged schema may quote bytes of it.
        raise StoreError(f"{path}: {_DAMAGED}") from error
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        # The low byte is the primary code; the rest says which system call it was.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _full(path)):
            raise StoreError(
                f"{path}: the disk is full; everything stored before is kept",
                next_step=f"free some space, then: evenhand resume {path.parent}",
            ) from error
        known = {
            sqlite3.SQLITE_READONLY: "cannot be written: the file or its disk is read-only",
            sqlite3.SQLITE_PERM: "cannot be opened: permission denied",
            sqlite3.SQLITE_CANTOPEN: "cannot be opened: missing, or permission denied",
            sqlite3.SQLITE_NOTADB: "is no run store (not an SQLite file)",
            sqlite3.SQLITE_CORRUPT: _DAMAGED,
            sqlite3.SQLITE_BUSY: "is in use by another process",
            sqlite3.SQLITE_IOERR: f"the disk failed ({error}); everything stored before is kept",
        }
        held = next((what for start, what in _ROW_FAULTS.items() if str(error).startswith(start)), None)
        if held is not None:
            raise StoreError(f"{path}: is damaged: a row holds {held}", next_step=RESTORE) from error
        if code not in known:
            raise
        raise StoreError(f"{path}: {known[code]}") from error


@contextmanager
def values_of(path: Path) -> Iterator[None]:
    """Turn what cannot be read in a row into one line for the user, and the rest as `failures` does.

    Raises:
        StoreError: The block met a value that this program does not write, or failed as a file does.
    """
    with failures(path):
        try:
            yield
        except ValueError as error:
            said = " ".join(str(error).split())[:_SHOWN_CHARACTERS]
            raise StoreError(
                f"{path}: is damaged: a row holds what this program does not write: {said}",
                next_step=RESTORE,
            ) from error


def _full(path: Path) -> bool:
    """True if the disk has no room for another page: some file systems report that as a failed write."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < 64 * 1024
