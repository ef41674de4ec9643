"""The order in which prompts are asked, and what of it is still to ask.

Order: repeats one after the other; within a repeat, the n sets of each template are spread evenly over
the whole (one at a random place in each of n equal stretches), so that at any point every template, and
with it every probe and domain, is done to about the same fraction; the members of a set are adjacent, in
random order, and each is asked of all targets in turn.

Working it out takes some ten microseconds a prompt, so it is kept when a plan is made: going on with a
plan of any size starts at once.
"""

import hashlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence

from audit.records import Outcome, Request
from audit.store_schema import messages_from
from probes.seeds import derive

__all__ = ["forget_order", "keep_order", "order_seed", "read_pending"]

_PAGE = 512
"""Rows read at a time."""
_KEPT = "order_seed"


def order_seed(seed: int) -> int:
    """Seed of the order of a run with this root seed."""
    return derive(seed, "order")


def keep_order(connection: sqlite3.Connection, order_seed: int) -> None:
    """Work the order out and keep it, in the transaction that is open."""
    _make_order(connection, order_seed, "main")
    connection.execute("INSERT INTO meta VALUES (?, ?)", (_KEPT, str(order_seed)))


def forget_order(connection: sqlite3.Connection) -> None:
    """Drop the order that was kept, in the transaction that is open: there are other prompts now."""
    connection.execute("DELETE FROM meta WHERE key = ?", (_KEPT,))
    connection.execute("DELETE FROM asking")


def read_pending(
    connection: sqlite3.Connection,
    targets: Sequence[str],
    repeats: int,
    order_seed: int,
    among: Collection[str] | None = None,
) -> Iterator[tuple[str, Request]]:
    """Every planned output that has no answer yet and is in no batch, in the order it should be asked.

    The connection must be this call's own: an order that was not kept goes to one of its temporary
    tables, which SQLite spills to disk, so memory does not grow with the plan. With `among`, prompts of
    other ids are passed over.
    """
    kept = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEPT,)).fetchone()
    if kept is None or kept[0] != str(order_seed):
        connection.execute("CREATE TEMP TABLE asking(place INTEGER PRIMARY KEY, seq INTEGER)")
        _make_order(connection, order_seed, "temp")
    for repeat in range(repeats):
        place = -1
        while True:
            page = connection.execute(
                # An unqualified name means the temporary table if there is one.
                "SELECT a.place, p.id FROM asking a JOIN prompts p ON p.seq = a.seq"
                " WHERE a.place > ? ORDER BY a.place LIMIT ?",
                (place, _PAGE),
            ).fetchall()
            if not page:
                break
            place = page[-1][0]
            ids = [prompt_id for _, prompt_id in page if among is None or prompt_id in among]
            yield from _requests(connection, targets, ids, repeat)


def _requests(
    connection: sqlite3.Connection, targets: Sequence[str], ids: Sequence[str], repeat: int
) -> Iterator[tuple[str, Request]]:
    attempts = _attempts(connection, targets, ids, repeat)
    wanted = [one for one in ids if any(attempts.get((target, one), 0) is not None for target in targets)]
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(
        f"SELECT id, messages, source_id FROM prompts WHERE id IN ({marks})",  # noqa: S608 - only question marks
        wanted,
    )
    texts = {prompt_id: (messages, source_id) for prompt_id, messages, source_id in rows}
    for prompt_id in wanted:
        messages, source_id = texts[prompt_id]
        for target in targets:
            attempt = attempts.get((target, prompt_id), 0)
            if attempt is not None:
                yield (
                    target,
                    Request(
                        prompt_id=prompt_id,
                        messages=messages_from(messages),
                        repeat=repeat,
                        attempt=attempt,
                        source_id=source_id,
                    ),
                )


def _make_order(connection: sqlite3.Connection, order_seed: int, schema: str) -> None:
    def draw(*names: str | None) -> float:
        """A number in [0, 1) that depends on the seed and the names only."""
        text = "\x1f".join([str(order_seed), *(str(name) for name in names)])
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48

    connection.create_function("draw", -1, draw, deterministic=True)
    # A set belongs to the template of its first member, should a placebo's paraphrase have another one.
    for statement in (
        """CREATE TEMP TABLE members AS SELECT seq, probe || char(31) || template AS cluster,
        probe || char(31) || coalesce(set_id, id) AS unit, draw(id, 'member') AS rank FROM prompts""",
        """CREATE TEMP TABLE units AS SELECT unit, min(cluster) AS cluster, draw(unit, 'rank') AS rank,
        draw(unit, 'start') AS start FROM members GROUP BY unit""",
        """CREATE TEMP TABLE placed AS SELECT unit, (start - 1
        + row_number() OVER (PARTITION BY cluster ORDER BY rank, unit)
        ) / count(*) OVER (PARTITION BY cluster) AS position FROM units""",
        "CREATE UNIQUE INDEX temp.placed_unit ON placed(unit, position)",
        f"""INSERT INTO {schema}.asking(seq) SELECT m.seq FROM members m JOIN placed p ON p.unit = m.unit
        ORDER BY p.position, p.unit, m.rank, m.seq""",  # noqa: S608 - one of two constants
        "DROP TABLE placed",
        "DROP TABLE units",
        "DROP TABLE members",
    ):
        connection.execute(statement)


def _attempts(
    connection: sqlite3.Connection, targets: Sequence[str], prompt_ids: Sequence[str], repeat: int
) -> dict[tuple[str, str], int | None]:
    """Earlier attempts of each (target, prompt) asked before; None where no more is to be asked."""
    marks = ", ".join("?" * len(prompt_ids))
    found: dict[tuple[str, str], int | None] = {}
    for target in targets:
        rows = connection.execute(
            f"SELECT prompt_id, max(attempt) + 1, max(outcome <> ?) FROM outputs WHERE target = ?"  # noqa: S608 - only question marks
            f" AND prompt_id IN ({marks}) AND turn = 0 AND repeat = ? GROUP BY prompt_id",
            (Outcome.ERRORED, target, *prompt_ids, repeat),
        )
        for prompt_id, attempts, done in rows:
            found[target, prompt_id] = None if done else attempts
        waiting = connection.execute(
            f"SELECT prompt_id FROM batch_requests WHERE target = ? AND prompt_id IN ({marks})"  # noqa: S608 - as above
            " AND turn = 0 AND repeat = ?",
            (target, *prompt_ids, repeat),
        )
        found.update({(target, prompt_id): None for (prompt_id,) in waiting})
    return found
