"""The run store: one SQLite file in the run's folder that holds prompts, outputs and scores.

Guarantee: when `add_prompts`, `add_outputs`, `add_scores` or `set_meta` returns, what it was given
survives a killed process and a power cut; when it raises, or the process dies in it, nothing of it
is there. Nothing is ever overwritten but scores, by those of another version of their analyzer: a
later attempt supersedes an errored one and both stay.

Mechanism:
1. Every call is one SQLite transaction, in write-ahead logging with `synchronous=FULL`: the log is
   synced to disk before the commit returns, and a half-written log entry fails its checksum and is
   ignored at the next opening.
2. The key (target, prompt, turn, repeat, attempt) is unique in the file itself, so an output cannot
   be stored twice, whoever asks.
3. A writer holds an exclusive lock on `run.lock` for as long as it is open; the system drops the
   lock when the process dies, however it dies. Readers take no lock and see the last commit.
4. Any refusal of the system (full or read-only disk, damaged file) becomes a `StoreError` after the
   transaction was rolled back.

Trade-offs accepted: a sync a batch costs milliseconds, so outputs come in batches; a run has one
writer, more processes work on shards; the log makes two extra files while the run is open; network
file systems that do not honour locks and syncs are not supported.
"""

import os
import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from audit.errors import InputError, StoreError
from audit.records import Counts, Exchange, Output, Request, Score
from audit.store.file import (
    LOCK_FILE,
    STORE_FILE,
    check_tables,
    connected,
    failures,
    locked,
    make_folder,
    make_tables,
    upgrade,
    values_of,
)
from audit.store.migrations import SCHEMA_VERSION
from audit.store.order import forget_order, keep_order, read_pending
from audit.store.reading import (
    count_outcomes,
    read_answers,
    read_conversation,
    read_exchange,
    read_exchanges,
    read_frame,
    read_latencies,
    read_scores,
    read_targets,
)
from audit.store.schema import (
    INSERT_PROMPT,
    LATEST,
    SELECT_OUTPUTS,
    SELECT_PROMPTS,
    Row,
    output_from,
    prompt_from,
    prompt_row,
)
from audit.store.writing import insert_output, replace_scores
from probes.records import Message, Prompt

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["LOCK_FILE", "STORE_FILE", "Store"]


class Store:
    """A run's prompts, outputs and scores; made by `Store.create` or `Store.open`.

    One thread at a time may use it; `prompts`, `pending` and `exchanges` may be read while outputs
    and scores are added.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        """Use `Store.create` or `Store.open` instead; they check what they open."""
        self.path = path
        self._connection = connection
        self._lock = lock

    @classmethod
    def create(cls, folder: Path) -> Self:
        """A new, empty store in a folder, which is made if it is missing.

        Raises:
            StoreError: There is a run in the folder already, or it cannot be written.
        """
        path = folder / STORE_FILE
        make_folder(folder)
        lock = locked(folder)
        try:
            with failures(path):
                connection = connected(path, "rwc")
                make_tables(connection, path)
        except BaseException:
            os.close(lock)
            raise
        return cls(path, connection, lock)

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Self:
        """The store of a run folder.

        Args:
            folder: The run folder.
            read_only: True to read beside a process that writes, or from a disk that cannot be written;
                a store of an older version is read as it is, and otherwise brought up to date.

        Raises:
            StoreError: There is no run in the folder, the file is no run store or from a newer
                version, another process is writing (unless `read_only`), or the disk refuses.
        """
        path = folder / STORE_FILE
        if not path.is_file():
            raise StoreError(
                f"{path}: no such file, so {folder} is no run folder", next_step="evenhand run SPEC --out DIR"
            )
        lock = None if read_only else locked(folder)
        try:
            with failures(path):
                connection = connected(path, "ro" if read_only else "rw")
                version = check_tables(path, connection)
                made = cls(path, connection, lock)
                if lock is not None and version < SCHEMA_VERSION:
                    with made.transaction():
                        upgrade(connection, path, version)
        except BaseException:
            if lock is not None:
                os.close(lock)
            raise
        return made

    def close(self) -> None:
        """Give back the file and the lock; closing twice is harmless."""
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction for the parts of the store beside this class: all of it is kept, or nothing.

        Raises:
            StoreError: The disk refuses.
        """
        with failures(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk makes SQLite roll back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def set_meta(self, key: str, value: str) -> None:
        """Keep a text under a key, replacing an earlier one."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def get_meta(self, key: str) -> str | None:
        """The text kept under a key; None if there is none."""
        row = self._one("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else str(row[0])

    def add_prompts(self, prompts: Iterable[Prompt]) -> int:
        """Store a plan's prompts, all or none; taken one by one, so a plan may be any size.

        Returns:
            How many were stored.

        Raises:
            StoreError: A prompt id occurs twice, or the disk refuses.
        """
        count = 0
        with self.transaction() as connection:
            forget_order(connection)
            for prompt in prompts:
                try:
                    connection.execute(INSERT_PROMPT, prompt_row(prompt))
                except sqlite3.IntegrityError as error:
                    raise StoreError(
                        f"{self.path}: prompt {prompt.id} of probe {prompt.probe} "
                        f"(template {prompt.template}) is planned twice; ids must be unique"
                    ) from error
                count += 1
        with failures(self.path):  # A big plan makes a big log; fold it in before the run starts.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return count

    def keep_order(self, order_seed: int) -> None:
        """Work out once, for a plan that is complete, in which order `pending` goes with this seed."""
        with self.transaction() as connection:
            keep_order(connection, order_seed)

    def prompt_count(self) -> int:
        """How many prompts are planned."""
        row = self._one("SELECT count(*) FROM prompts")
        return 0 if row is None else int(str(row[0]))

    def prompts(self) -> Iterator[Prompt]:
        """The planned prompts, in the order they were added."""
        with self._own_connection() as connection:
            for row in connection.execute(f"{SELECT_PROMPTS} ORDER BY seq"):
                yield prompt_from(row)

    def prompt(self, prompt_id: str) -> Prompt:
        """One prompt.

        Raises:
            InputError: There is none with this id.
        """
        row = self._one(f"{SELECT_PROMPTS} WHERE id = ?", prompt_id)
        if row is None:
            raise InputError(f"{self.path}: no prompt has the id {prompt_id!r}")
        with values_of(self.path):
            return prompt_from(row)

    def add_outputs(self, outputs: Sequence[Output]) -> None:
        """Store outputs in one commit; they are durable when this returns.

        Raises:
            StoreError: One of them is stored already or belongs to no planned prompt (then none is
                stored), or the disk refuses.
        """
        if not outputs:
            return
        with self.transaction() as connection:
            for output in outputs:
                insert_output(connection, self.path, output)

    def pending(
        self, targets: Sequence[str], repeats: int, order_seed: int, among: Collection[str] | None = None
    ) -> Generator[tuple[str, Request], None, None]:
        """What is still to ask: every planned output never asked for, or only with errors.

        Args:
            targets: Names of the targets; each prompt is asked of all of them in turn.
            repeats: Outputs a prompt, at least 1.
            order_seed: Seed of the order, which depends on nothing else but the prompts.
            among: Ids of the prompts that may be asked; None for all.

        Yields:
            (target, request), attempt being the number of earlier ones. Wherever reading stops, all
            templates are done to about the same fraction. Outputs added meanwhile do not disturb it.
        """
        with self._own_connection() as connection:
            yield from read_pending(connection, targets, repeats, order_seed, among)

    def counts(self, target: str, repeats: int) -> Counts:
        """The count funnel of one target; planned = prompts times repeats."""
        with values_of(self.path):
            return count_outcomes(self._connection, target, repeats)

    def targets(self) -> list[str]:
        """Names of the targets that have outputs, sorted."""
        with failures(self.path):
            return read_targets(self._connection)

    def latencies(self, target: str) -> "npt.NDArray[np.float64]":
        """Seconds that each output of a target took, errors and outputs of a cache left out; shape (n,)."""
        with failures(self.path):
            return read_latencies(self._connection, target)

    def output(self, output_id: int) -> Output:
        """One output by its row number.

        Raises:
            InputError: There is none with this number.
        """
        row = self._one(f"{SELECT_OUTPUTS} WHERE o.id = ?", output_id)
        if row is None:
            raise InputError(f"{self.path}: no output has the number {output_id}")
        with values_of(self.path):
            return output_from(row[1:])

    def outputs(self, target: str, prompt_id: str) -> list[tuple[int, Output]]:
        """The latest attempts for one prompt, each with its row number, by turn and repeat."""
        with values_of(self.path):
            rows = self._connection.execute(
                f"{SELECT_OUTPUTS} WHERE o.target = ? AND o.prompt_id = ? AND {LATEST}"
                " ORDER BY o.turn, o.repeat",
                (target, prompt_id),
            ).fetchall()
            return [(row[0], output_from(row[1:])) for row in rows]

    def answers(self, targets: Sequence[str]) -> Iterator[tuple[Request, Output]]:
        """What these targets answered, none of it cached or errored, in the order it was stored."""
        with self._own_connection() as connection:
            yield from read_answers(connection, targets)

    def exchange(self, output_id: int) -> Exchange:
        """What an analyzer was shown of one output.

        Raises:
            InputError: There is no such output, or it has no text.
        """
        with values_of(self.path):
            found = read_exchange(self._connection, output_id)
        if found is None:
            raise InputError(f"{self.path}: no output with a text has the number {output_id}")
        return found

    def conversation(self, output: Output) -> tuple[Message, ...]:
        """What was sent for an output: the prompt, and for a later turn the replies before it too."""
        with values_of(self.path):
            return read_conversation(self._connection, output)

    def exchanges(self, analyzer: str, version: str, target: str | None = None) -> Iterator[list[Exchange]]:
        """Batches (at most 512) of the texts that this version of an analyzer has not scored.

        Args:
            analyzer: Name of the analyzer.
            version: Its version; texts scored by another version come again.
            target: Of this target only; None for all.

        Yields:
            Answered and truncated outputs, the latest attempt of each, in the order they were stored.
        """
        with self._own_connection() as connection:
            yield from read_exchanges(connection, analyzer, version, target)

    def add_scores(
        self, analyzer: str, version: str, outputs: Sequence[int], scores: Iterable[Score]
    ) -> None:
        """Store an analyzer's scores of some outputs, in one commit.

        Args:
            analyzer: Name of the analyzer.
            version: Its version; scores of these outputs by another version are replaced.
            outputs: Row numbers of every output it read, also those it had nothing to say of.
            scores: What it said.

        Raises:
            ValueError: A score is of another analyzer, version or output (a fault of the analyzer).
            StoreError: An output is not in the store, a measure comes twice, or the disk refuses.
        """
        with self.transaction() as connection:
            replace_scores(connection, self.path, (analyzer, version), outputs, scores)

    def scores(self, output_id: int) -> list[Score]:
        """Every score of one output, by analyzer and measure."""
        with values_of(self.path):
            return read_scores(self._connection, output_id)

    def frame(self, target: str) -> "pd.DataFrame":
        """The table statistics starts from: one row a score of a target's outputs.

        Columns: prompt_id, probe, template, domain, language, set_id, arm, placebo, attribute, grp,
        reference, signal, norm, name, tags (JSON with sorted keys), expects (kind of expectation),
        ordered (1 if its options are), qualified (1 if the rule's answer is the favourable one, else 0,
        missing without a rule), outcome, analyzer, version, measure, label (all categorical, categories
        sorted, missing where there is none), output (int64, row number), repeat (int32) and value
        (float64, NaN where it could not be read).

        An output without a score (refused, empty, errored, or nothing to say) has one row without
        analyzer and measure, so that it stays countable; superseded attempts and prompts not asked
        have none. Rows are ordered by prompt, repeat, analyzer and measure, whatever order the answers
        came in. A row is codes and numbers only (55 to 110 bytes): ten million need about a gigabyte.
        """
        with self._own_connection() as connection:
            return read_frame(connection, target)

    def _one(self, sql: str, *values: str | int) -> Row | None:
        with failures(self.path):
            found: Row | None = self._connection.execute(sql, values).fetchone()
        return found

    @contextmanager
    def _own_connection(self) -> Iterator[sqlite3.Connection]:
        """A second connection for a long reading, which then neither waits for a writer nor disturbs it."""
        with values_of(self.path), closing(connected(self.path, "ro")) as connection:
            yield connection
