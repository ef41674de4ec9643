"""A copy of a run's store that grows with it, to be scored while the run is still being asked."""

import sqlite3
from contextlib import closing
from pathlib import Path

from audit.store.file import connected, failures
from audit.store.schema import OUTPUT_COLUMNS, SELECT_OUTPUTS
from audit.store.store import STORE_FILE, Store

__all__ = ["Snapshot"]

_AT_ONCE = 1_000
_SINCE = f"{SELECT_OUTPUTS} WHERE o.id > ? ORDER BY o.id"
_INSERT = f"INSERT INTO outputs(id, {', '.join(OUTPUT_COLUMNS)}) VALUES (?{', ?' * len(OUTPUT_COLUMNS)})"  # noqa: S608 - constants


class Snapshot:
    """A store with a run's prompts, and its outputs as of the last `refresh`.

    Outputs are only ever added to a run, so a refresh copies those that are new, and scores that were made
    of the copy stay. The run is read and never written: who asks for it waits for nothing.
    """

    def __init__(self, run: Path, folder: Path) -> None:
        """Copy the store of a run as it is now.

        Args:
            run: The run's folder.
            folder: Where to keep the copy; empty.

        Raises:
            StoreError: There is no run, or a disk refuses.
        """
        self._path = run / STORE_FILE
        copy = folder / STORE_FILE
        with (
            failures(copy),
            closing(connected(self._path, "ro")) as read,
            closing(sqlite3.connect(copy)) as written,
        ):
            read.backup(written)
        self.store = Store.open(folder)

    def refresh(self) -> int:
        """Copy the outputs that were added since.

        Returns:
            How many there are now, failed attempts included.

        Raises:
            StoreError: A disk refuses.
        """
        with self.store.transaction() as connection:
            last = int(connection.execute("SELECT coalesce(max(id), 0) FROM outputs").fetchone()[0])
            with failures(self._path), closing(connected(self._path, "ro")) as read:
                added = read.execute(_SINCE, (last,))
                while rows := added.fetchmany(_AT_ONCE):
                    connection.executemany(_INSERT, rows)
            return int(connection.execute("SELECT count(*) FROM outputs").fetchone()[0])

    def close(self) -> None:
        """Close the copy; the folder is the caller's to remove."""
        self.store.close()
