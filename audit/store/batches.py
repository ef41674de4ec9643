"""Batches that were handed to a provider, in the run's store: what is in each, and what came of it.

Guarantee: a planned output is in at most one open batch, and nothing that is in one is pending. A batch
is written down before it is submitted, under a tag that goes with it, so that a process killed between
the two finds it again by the tag. An output and the end of its wait are one transaction: each is
collected once, however often the collecting process is killed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.records import Output, Request
from audit.store.store import Store
from audit.store.turns import conversation_at
from audit.store.writing import insert_output

__all__ = ["BatchBook", "OpenBatch", "RequestKey"]

RequestKey = tuple[str, int, int, int]
"""Prompt, turn, repeat and attempt of a request."""
_PAGE = 512
_INTENDED, _SUBMITTED, _ENDED = "intended", "submitted", "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBatch:
    """A batch whose results are not all in."""

    tag: str
    """Text that this program gave it."""
    target: str
    batch: str | None
    """Id that the provider gave it; None if it is not known to have been submitted."""
    requests: int
    """Requests it was made with."""
    waiting: int
    """Those of them without an output."""
    intended_at: float
    """When it was written down, in seconds since 1970."""


class BatchBook:
    """The batches of one run; use it from the thread that uses the store."""

    def __init__(self, store: Store) -> None:
        """Keep the store, which must be open for writing."""
        self._store = store

    def intend(self, tag: str, target: str, keys: Sequence[RequestKey], now: float) -> None:
        """Write a batch down before it is submitted; its requests are pending no more.

        Args:
            tag: Text that tells it from every other batch.
            target: Name of the target it goes to.
            keys: What is in it.
            now: Seconds since 1970.

        Raises:
            StoreError: The disk refuses.
            sqlite3.IntegrityError: One of the requests is in another open batch (a fault of the caller).
        """
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO batches VALUES (?, ?, NULL, ?, ?, ?, NULL)",
                (tag, target, len(keys), now, _INTENDED),
            )
            connection.executemany(
                "INSERT INTO batch_requests VALUES (?, ?, ?, ?, ?, ?)", [(target, *key, tag) for key in keys]
            )

    def submitted(self, tag: str, batch: str) -> None:
        """Keep the id under which a provider took a batch."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE batches SET batch = ?, state = ? WHERE tag = ?", (batch, _SUBMITTED, tag)
            )

    def open(self, target: str) -> list[OpenBatch]:
        """A target's batches that wait, the oldest first."""
        with self._store.transaction() as connection:
            rows = connection.execute(
                """SELECT tag, batch, requests, intended_at,
                (SELECT count(*) FROM batch_requests r WHERE r.tag = b.tag)
                FROM batches b WHERE target = ? AND state <> ? ORDER BY intended_at, tag""",
                (target, _ENDED),
            ).fetchall()
        return [
            OpenBatch(tag=tag, target=target, batch=batch, requests=count, waiting=left, intended_at=at)
            for tag, batch, count, at, left in rows
        ]

    def requests(self, tag: str) -> Iterator[Request]:
        """What in a batch has no output yet, page by page."""
        last: RequestKey = ("", -1, -1, -1)
        while True:
            with self._store.transaction() as connection:
                rows = connection.execute(
                    """SELECT r.prompt_id, r.turn, r.repeat, r.attempt, r.target, p.messages, p.further,
                    p.source_id FROM batch_requests r JOIN prompts p ON p.id = r.prompt_id
                    WHERE r.tag = ? AND (r.prompt_id, r.turn, r.repeat, r.attempt) > (?, ?, ?, ?)
                    ORDER BY r.prompt_id, r.turn, r.repeat, r.attempt LIMIT ?""",
                    (tag, *last, _PAGE),
                ).fetchall()
                page = [
                    Request(
                        prompt_id=prompt_id,
                        messages=conversation_at(
                            connection, (messages, further), (target, prompt_id, repeat), turn
                        ),
                        turn=turn,
                        repeat=repeat,
                        attempt=attempt,
                        source_id=source_id,
                    )
                    for prompt_id, turn, repeat, attempt, target, messages, further, source_id in rows
                ]
            if not rows:
                return
            last = rows[-1][:4]
            yield from page

    def gather(self, tag: str, outputs: Iterable[Output]) -> list[Output]:
        """Store what came back of a batch, in one commit.

        Args:
            tag: Of the batch.
            outputs: Results as they came: doubled ones and ones of other batches may be among them.

        Returns:
            Those that were waited for, which are stored now; the others are left out.
        """
        taken = []
        with self._store.transaction() as connection:
            for output in outputs:
                found = connection.execute(
                    """DELETE FROM batch_requests WHERE target = ? AND prompt_id = ? AND turn = ?
                    AND repeat = ? AND attempt = ? AND tag = ?""",
                    (output.target, output.prompt_id, output.turn, output.repeat, output.attempt, tag),
                )
                if found.rowcount:
                    insert_output(connection, self._store.path, output)
                    taken.append(output)
        return taken

    def close(self, tag: str, reason: str) -> None:
        """Wait for nothing more of a batch; what in it has no output is pending again.

        Args:
            tag: Of the batch.
            reason: Why, one line.
        """
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM batch_requests WHERE tag = ?", (tag,))
            connection.execute(
                "UPDATE batches SET state = ?, reason = ? WHERE tag = ?", (_ENDED, reason, tag)
            )
