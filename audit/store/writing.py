"""Writing rows of a run store, for whoever has a transaction open."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from audit.errors import StoreError
from audit.records import Output, Score
from audit.store.schema import INSERT_OUTPUT, output_row

__all__ = ["insert_output", "replace_scores"]


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


def replace_scores(
    connection: sqlite3.Connection,
    path: Path,
    reader: tuple[str, str],
    outputs: Sequence[int],
    scores: Iterable[Score],
) -> None:
    """Add an analyzer's scores of some outputs in place of those by another version of it.

    Args:
        connection: In a transaction that writes.
        path: The store's file, for messages.
        reader: Name and version of the analyzer.
        outputs: Row numbers of every output it read.
        scores: What it said.

    Raises:
        ValueError: A score is of another analyzer, version or output (a fault of the analyzer).
        StoreError: An output is not in the store, or a measure comes twice.
    """
    analyzer, version = reader
    read = frozenset(outputs)
    try:
        connection.executemany(
            "DELETE FROM scores WHERE output = ? AND analyzer = ?", [(output, analyzer) for output in outputs]
        )
        for score in scores:
            if (score.analyzer, score.version) != reader or score.output not in read:
                raise ValueError(
                    f"analyzer {analyzer} {version} gave a score of {score.analyzer} {score.version} "
                    f"for output {score.output}, which is not what it was asked"
                )
            row = (score.output, analyzer, version, score.measure, score.value, score.label)
            connection.execute("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.executemany(
            "INSERT INTO scored VALUES (?, ?, ?) "
            "ON CONFLICT(output, analyzer) DO UPDATE SET version = excluded.version",
            [(output, analyzer, version) for output in outputs],
        )
    except sqlite3.IntegrityError as error:
        raise StoreError(f"{path}: scores of analyzer {analyzer} do not fit: {error}") from error
