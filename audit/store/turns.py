"""Conversations in a run store: what was said before a turn, and which turn is to be asked next."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.records import Outcome
from audit.store.schema import LATEST, LISTED, Value, further_from, messages_from
from probes.conversation import Ask, Scripted
from probes.records import Message

__all__ = [
    "BROKEN_OFF",
    "GOES_ON",
    "NextTurn",
    "conversation_at",
    "next_turns",
]

GOES_ON = (Outcome.ANSWERED, Outcome.TRUNCATED)
"""Outcomes with a text that a conversation can go on from."""
BROKEN_OFF = (Outcome.REFUSED, Outcome.EMPTY)
"""Outcomes that end a conversation for good; after an error its turn is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTurn:
    """A turn that is to be asked."""

    turn: int
    attempt: int


def conversation_at(
    connection: sqlite3.Connection,
    script: tuple[Value, Value],
    of: tuple[str, str, int],
    turn: int,
) -> tuple[Message, ...]:
    """What is sent for a turn: the conversation up to it, the model's own replies included.

    Args:
        connection: To the store.
        script: The cells `messages` and `further` of the prompt.
        of: Target, prompt id and repeat.
        turn: Counted from 0.

    Raises:
        ValueError: The store lacks a reply that was given before (it was damaged).
    """
    messages = messages_from(script[0])
    if turn == 0:
        return messages
    rows = connection.execute(
        f"SELECT o.text FROM outputs o WHERE o.target = ? AND o.prompt_id = ? AND o.repeat = ?"  # noqa: S608 - constant condition
        f" AND o.turn < ? AND o.text IS NOT NULL AND {LATEST} ORDER BY o.turn",
        (*of, turn),
    )
    replies = [str(row[0]) for row in rows]
    asked = Scripted(messages, further_from(script[1])).turn(replies)
    if len(replies) != turn or not isinstance(asked, Ask):
        raise ValueError(f"prompt {of[1]} has {len(replies)} replies before its turn {turn}")
    return asked.messages


def next_turns(
    connection: sqlite3.Connection, targets: Sequence[str], ids: Sequence[str], repeat: int
) -> Mapping[tuple[str, str], NextTurn | None]:
    """By target and prompt id: what is to be asked next; None where nothing is, absent where nothing was."""
    listed = json.dumps(list(ids))
    turns = dict(
        connection.execute(
            f"SELECT id, 1 + json_array_length(further) FROM prompts WHERE id IN {LISTED}"  # noqa: S608 - a constant
            " AND further IS NOT NULL",
            (listed,),
        ).fetchall()
    )
    found: dict[tuple[str, str], NextTurn | None] = {}
    for target in targets:
        rows = connection.execute(
            f"""SELECT prompt_id, turn, max(attempt) + 1, max(outcome <> ?), max(outcome IN (?, ?))
            FROM outputs WHERE target = ? AND prompt_id IN {LISTED} AND repeat = ?
            GROUP BY prompt_id, turn ORDER BY turn""",  # noqa: S608 - a constant
            (Outcome.ERRORED, *GOES_ON, target, listed, repeat),
        )
        for prompt_id, turn, attempts, done, goes_on in rows:
            following: NextTurn | None = NextTurn(turn=turn, attempt=attempts)
            if done:
                more = goes_on and turn + 1 < turns.get(prompt_id, 1)
                following = NextTurn(turn=turn + 1, attempt=0) if more else None
            found[target, prompt_id] = following
        waiting = connection.execute(
            f"SELECT prompt_id FROM batch_requests WHERE target = ? AND prompt_id IN {LISTED}"  # noqa: S608 - as above
            " AND repeat = ?",
            (target, listed, repeat),
        )
        found.update({(target, prompt_id): None for (prompt_id,) in waiting})
    return found
