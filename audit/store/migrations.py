"""The versions of a run store's tables: what makes each of the one before, and which columns each has.

A store is brought up to date when it is opened for writing, all steps in one transaction, so a process
killed in it leaves the old version whole. Reading needs no step: a reader finds columns that an older store
lacks through a view (`ADDED_COLUMNS`), and does without tables that it lacks.

A step is never changed once it was released: a new version is one more step at the end. A new store is
made by the same steps, so it cannot differ from one that was brought up to date.
"""

import sqlite3
from contextlib import closing

from audit.store.schema import BATCH_TABLES, COUNT_TABLES, FIRST_TABLES, ORDER_TABLES, TURN_COLUMNS

__all__ = ["SCHEMA_VERSION", "columns_of", "migrate"]

_STEPS: tuple[tuple[str, ...], ...] = (
    FIRST_TABLES,
    BATCH_TABLES,
    ORDER_TABLES,
    COUNT_TABLES,
    TURN_COLUMNS,
)
"""Statements that make version 1 of an empty file, version 2 of version 1, and so on."""

SCHEMA_VERSION = len(_STEPS)
"""Version of the tables that this program writes, kept in `meta` under `schema_version`."""


def migrate(connection: sqlite3.Connection, version: int, to: int = SCHEMA_VERSION) -> None:
    """Bring tables up to date, in the transaction that is open.

    Args:
        connection: In a transaction that writes.
        version: Of the tables; 0 for an empty file.
        to: The version to make, at most the newest.
    """
    for statements in _STEPS[version:to]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(
        "INSERT INTO meta VALUES ('schema_version', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (str(to),),
    )


def columns_of(version: int) -> dict[str, dict[str, str]]:
    """The columns of a version's tables, each with its declared type."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as blank:
        migrate(blank, 0, version)
        tables = blank.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            str(table): {str(row[1]): str(row[2]) for row in blank.execute(f"PRAGMA table_info({table})")}
            for (table,) in tables
        }
