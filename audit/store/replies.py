"""Reading the replies of a run as texts, page by page, for measures that compare whole replies."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from audit.records import Outcome
from audit.store.file import STORE_FILE, connected, failures
from audit.store.schema import LATEST

__all__ = ["read_replies"]

PAGE = 2_048
"""Replies read at a time."""


def read_replies(
    folder: Path, target: str, kinds: Sequence[str], *, in_sets: bool = True
) -> Iterator[list[tuple[int, str]]]:
    """The answered replies to prompts of some kinds, in the order of the plan.

    Members of a set follow each other in the plan, so whoever compares them holds few at a time. Truncated
    replies are left out: how far two of them lie apart depends on where they were cut.

    Args:
        folder: The run folder.
        target: Name under which the outputs are stored.
        kinds: Kinds of expectation whose replies are wanted.
        in_sets: Whether only prompts of counterfactual and placebo sets are wanted.

    Yields:
        Batches of row number and text.

    Raises:
        StoreError: The disk refuses.
    """
    path = folder / STORE_FILE
    marks = ", ".join("?" * len(kinds))
    with failures(path), closing(connected(path, "ro")) as connection:
        cursor = connection.execute(
            f"""SELECT o.id, o.text FROM prompts p
            CROSS JOIN outputs o ON o.target = ? AND o.prompt_id = p.id AND {LATEST}
            WHERE o.turn = p.judged AND (p.set_id IS NOT NULL OR NOT ?) AND o.outcome = ?
            AND json_extract(p.expectation, '$.kind') IN ({marks})
            ORDER BY p.seq, o.turn, o.repeat""",  # noqa: S608 - a constant condition and question marks
            (target, in_sets, Outcome.ANSWERED, *kinds),
        )
        while rows := cursor.fetchmany(PAGE):
            yield [(int(output), str(text)) for output, text in rows]
