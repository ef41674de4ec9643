"""Writing rows of a run store, for whoever has a transaction open."""

import sqlite3
from pathlib import Path

from audit.errors import StoreError
from audit.records import Output
from audit.store_schema import INSERT_OUTPUT, output_row

__all__ = ["insert_output"]


def insert_output(connection: sqlite3.Connection, path: Path, output: Output) -> None:
    """Add an output.

    Args:
        connection: In a transaction that writes.
        path: The store's file, for messages.
        output: What to add.

    Raises:
        StoreError: It is stored already, or belongs to no planned prompt.
    """
    try:
        connection.execute(INSERT_OUTPUT, output_row(output))
    except sqlite3.IntegrityError as error:
        problem = "belongs to no planned prompt" if "FOREIGN" in str(error) else "is stored already"
        raise StoreError(
            f"{path}: output of {output.target} for prompt {output.prompt_id}, turn "
            f"{output.turn}, repeat {output.repeat}, attempt {output.attempt} {problem}"
        ) from error
