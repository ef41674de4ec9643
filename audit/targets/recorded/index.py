"""Recorded replies by their key, in a temporary file: memory does not grow with the log."""

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Literal

from audit.errors import InputError
from probes.public.logs.entries import Reply, cut
from probes.records import storable

__all__ = ["Place", "ReplyIndex"]

_TABLE = """CREATE TABLE replies(key TEXT, repeat INTEGER, own TEXT, row INTEGER, reply TEXT, used INTEGER,
    PRIMARY KEY(key, repeat)) WITHOUT ROWID"""
_BY_OWN = "CREATE INDEX by_own ON replies(key, own)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reply stands, and what it is called there."""

    row: int
    """Line, row or position in the file, from 1."""
    key: str
    """What is compared with the prompt."""
    own: str
    """What tells the reply from all others of the log; met again, it is the same one."""
    repeat: int
    """Which of several replies to one prompt, from 0, as the log says."""


class ReplyIndex:
    """Replies that were added, to be found by key and repeat; each remembers whether it was asked for."""

    def __init__(self, where: str, same_key: Literal["refuse", "repeats"]) -> None:
        """An empty index.

        Args:
            where: The file, for messages.
            same_key: What several replies with one key are: a mistake, or repeats in the file's order.
        """
        self._where = where
        self._same_key = same_key
        # An empty name is a temporary file, which SQLite makes when memory is short and removes itself.
        self._kept = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        for statement in ("PRAGMA journal_mode = OFF", "BEGIN", _TABLE, _BY_OWN):
            self._kept.execute(statement)

    def add(self, place: Place, reply: Reply, hint: str) -> None:
        """Keep a reply.

        Args:
            place: Where it stands.
            reply: The reply.
            hint: What to do if another reply has the same key, for the message.

        Raises:
            InputError: Another reply was given for the key and repeat.
        """
        key, own = storable(place.key), storable(place.own)
        given = json.dumps(asdict(reply))
        repeat = place.repeat
        if self._same_key == "repeats":
            known = self._kept.execute(
                "SELECT 1 FROM replies WHERE key = ? AND own = ?", (key, own)
            ).fetchone()
            if known is not None:
                return
            (repeat,) = self._kept.execute("SELECT count(*) FROM replies WHERE key = ?", (key,)).fetchone()
        found = self._kept.execute(
            "SELECT row, reply FROM replies WHERE key = ? AND repeat = ?", (key, repeat)
        ).fetchone()
        if found is None:
            self._kept.execute(
                "INSERT INTO replies VALUES (?, ?, ?, ?, ?, 0)", (key, repeat, own, place.row, given)
            )
        elif _said(json.loads(found[1])) != _said(json.loads(given)):
            raise InputError(
                f"{self._where}: line {place.row}: key {cut(place.key)} was given before with another text, "
                f"in line {found[0]}{hint}"
            )

    def find(self, key: str, repeat: int) -> Reply | None:
        """The reply to a prompt, which then counts as asked for; None if there is none."""
        found = self._kept.execute(
            "SELECT reply FROM replies WHERE key = ? AND repeat = ?", (storable(key), repeat)
        ).fetchone()
        if found is None:
            return None
        self._kept.execute(
            "UPDATE replies SET used = 1 WHERE key = ? AND repeat = ?", (storable(key), repeat)
        )
        return Reply(**json.loads(found[0]))

    def holds(self, key: str) -> int:
        """How many replies have this key."""
        (count,) = self._kept.execute(
            "SELECT count(*) FROM replies WHERE key = ?", (storable(key),)
        ).fetchone()
        return int(count)

    def counts(self) -> tuple[int, int]:
        """How many replies there are, and how many of them nobody has asked for."""
        total, unused = self._kept.execute(
            "SELECT count(*), coalesce(sum(1 - used), 0) FROM replies"
        ).fetchone()
        return int(total), int(unused)

    def close(self) -> None:
        """Give back the file."""
        self._kept.close()


def _said(reply: dict[str, object]) -> tuple[object, object, object]:
    return reply["text"], reply["error"], reply["refusal"]
