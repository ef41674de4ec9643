"""The order in which prompts are asked, and what of it is still to ask.

Order: repeats one after the other; within a repeat, the n sets of each template are spread evenly over
the whole (one at a random place in each of n equal stretches), so that at any point every template, and
with it every probe and domain, is done to about the same fraction; the members of a set are adjacent, in
random order, and each is asked of all targets in turn. Of a conversation the turn that follows what is stored
is pending, with what comes after it: whoever asks goes on with that before the next prompt.

Working it out takes some ten microseconds a prompt, so it is kept when a plan is made. So is, now and then,
up to which place everything was asked: going on with a plan of any size starts at once, however much of it
is done. Outputs before that place that ended in an error come first then, in the order of the plan.
"""

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from audit.records import Request
from audit.store.schema import LISTED, further_from
from audit.store.turns import NextTurn, conversation_at, next_turns
from probes.seeds import derive

__all__ = ["forget_order", "keep_asked", "keep_order", "order_seed", "read_pending"]

_PAGE = 512
"""Rows read at a time."""
_FIRST = NextTurn(turn=0, attempt=0)
_KEPT = "order_seed"
_ASKED = "asked"
"""Key of the places before which nothing waits for its first answer, one a repeat, and of the targets it is
true of."""


def order_seed(seed: int) -> int:
    """Seed of the order of a run with this root seed."""
    return derive(seed, "order")


def keep_order(connection: sqlite3.Connection, order_seed: int) -> None:
    """Work the order out and keep it, in the transaction that is open."""
    _make_order(connection, order_seed, "main")
    connection.execute("INSERT INTO meta VALUES (?, ?)", (_KEPT, str(order_seed)))


def forget_order(connection: sqlite3.Connection) -> None:
    """Drop the order that was kept, in the transaction that is open: there are other prompts now."""
    connection.execute("DELETE FROM meta WHERE key IN (?, ?)", (_KEPT, _ASKED))
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
    places = _asked(connection, targets, repeats, order_seed)
    if not _is_kept(connection, order_seed):
        connection.execute("CREATE TEMP TABLE asking(place INTEGER PRIMARY KEY, seq INTEGER)")
        _make_order(connection, order_seed, "temp")
    for repeat, start in enumerate(places):
        place = start
        errored: Collection[str] = _errored(connection, targets, repeat) if place else ()
        left = iter(errored)
        while ids := list(islice(left, _PAGE)):
            yield from _requests(connection, targets, _among(ids, among), repeat)
        while page := _page(connection, place):
            place = page[-1][0]
            ids = [prompt_id for _, prompt_id in page if prompt_id not in errored]
            yield from _requests(connection, targets, _among(ids, among), repeat)


def keep_asked(
    connection: sqlite3.Connection,
    targets: Sequence[str],
    repeats: int,
    order_seed: int,
    pages: int | None = None,
) -> None:
    """Move on the places up to which everything was asked, in the transaction that is open.

    Args:
        connection: To the store.
        targets: All that are asked.
        repeats: Outputs a prompt.
        order_seed: Seed of the order; nothing is kept of another than the one that is kept.
        pages: Most pages of 512 prompts that are looked at; None for all there are.
    """
    # What is in a batch may be pending again one day.
    waiting = connection.execute("SELECT EXISTS (SELECT 1 FROM batch_requests)").fetchone()[0]
    if waiting or not _is_kept(connection, order_seed):
        return
    places = _asked(connection, targets, repeats, order_seed)
    looked = 0
    for repeat in range(repeats):
        while (pages is None or looked < pages) and (page := _page(connection, places[repeat])):
            looked += 1
            ids = [prompt_id for _, prompt_id in page]
            turns = next_turns(connection, targets, ids, repeat)
            following = [turns.get((target, one), _FIRST) for target in targets for one in ids]
            if any(one is not None and one.attempt == 0 for one in following):
                break
            places[repeat] = page[-1][0]
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (_ASKED, json.dumps({"targets": sorted(targets), "places": places})),
    )


def _is_kept(connection: sqlite3.Connection, order_seed: int) -> bool:
    kept = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEPT,)).fetchone()
    return kept is not None and bool(kept[0] == str(order_seed))


def _asked(
    connection: sqlite3.Connection, targets: Sequence[str], repeats: int, order_seed: int
) -> list[int]:
    """For each repeat the place up to which everything was asked of these targets; 0 if that is not known."""
    kept = connection.execute("SELECT value FROM meta WHERE key = ?", (_ASKED,)).fetchone()
    known = json.loads(kept[0]) if kept is not None and _is_kept(connection, order_seed) else {}
    places = known["places"] if known and set(targets) <= set(known["targets"]) else []
    return [int(places[repeat]) if repeat < len(places) else 0 for repeat in range(repeats)]


def _errored(connection: sqlite3.Connection, targets: Sequence[str], repeat: int) -> Mapping[str, None]:
    """Ids of prompts of which an attempt errored, in the order of the plan."""
    marks = ", ".join("?" * len(targets))
    rows = connection.execute(
        # The word stands here as in the index, or that would not be used.
        "SELECT p.id FROM prompts p JOIN ("  # noqa: S608 - only question marks
        " SELECT DISTINCT prompt_id FROM main.outputs INDEXED BY outputs_errored"
        f" WHERE outcome = 'errored' AND repeat = ? AND target IN ({marks})) o ON p.id = o.prompt_id"
        " ORDER BY p.seq",
        (repeat, *targets),
    )
    return dict.fromkeys(str(row[0]) for row in rows)


def _page(connection: sqlite3.Connection, place: int) -> list[tuple[int, str]]:
    """The places after one, each with its prompt."""
    return connection.execute(
        # An unqualified name means the temporary table if there is one.
        "SELECT a.place, p.id FROM asking a JOIN prompts p ON p.seq = a.seq"
        " WHERE a.place > ? ORDER BY a.place LIMIT ?",
        (place, _PAGE),
    ).fetchall()


def _among(ids: Sequence[str], among: Collection[str] | None) -> Sequence[str]:
    return ids if among is None else [one for one in ids if one in among]


def _requests(
    connection: sqlite3.Connection, targets: Sequence[str], ids: Sequence[str], repeat: int
) -> Iterator[tuple[str, Request]]:
    turns = next_turns(connection, targets, ids, repeat)
    wanted = [one for one in ids if any(turns.get((target, one), _FIRST) for target in targets)]
    rows = connection.execute(
        f"SELECT id, messages, further, source_id FROM prompts WHERE id IN {LISTED}",  # noqa: S608 - a constant
        (json.dumps(wanted),),
    )
    scripts = {prompt_id: (messages, further, source_id) for prompt_id, messages, further, source_id in rows}
    for prompt_id in wanted:
        messages, further, source_id = scripts[prompt_id]
        for target in targets:
            following = turns.get((target, prompt_id), _FIRST)
            if following is not None:
                said = conversation_at(
                    connection, (messages, further), (target, prompt_id, repeat), following.turn
                )
                yield (
                    target,
                    Request(
                        prompt_id=prompt_id,
                        messages=said,
                        turn=following.turn,
                        repeat=repeat,
                        attempt=following.attempt,
                        source_id=source_id,
                        further=further_from(further)[following.turn :],
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
