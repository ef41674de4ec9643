"""Reading a run store in bulk: what is still to score, and the table of scores.

Every function takes an open connection. Long readings go page by page, so that none of them holds
back the writer or the checkpoint of its log, and memory stays bounded.
"""

import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from audit.records import Counts, Exchange, Outcome, Output, Request, Score
from audit.store.schema import LATEST, OUTPUT_COLUMNS, PROMPT_COLUMNS, Row, Value, output_from
from audit.store.turns import BROKEN_OFF, GOES_ON, conversation_at
from probes.records import Expectation, Message

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "count_outcomes",
    "read_answers",
    "read_conversation",
    "read_exchange",
    "read_exchanges",
    "read_frame",
    "read_latencies",
    "read_scores",
    "read_targets",
]

PAGE = 512
"""Rows read at a time."""
_LATENCIES = 50_000
"""The same, where a row is one number."""
_FRAME_PROMPT = {
    **{
        c: c
        for c in PROMPT_COLUMNS
        if c not in {"id", "source_id", "expectation", "messages", "further", "judged"}
    },
    # As it was written, or an error: nothing after this looks whether it is JSON.
    "tags": "CASE WHEN json_valid(tags) THEN tags ELSE json(tags) END",
    "expects": "json_extract(expectation, '$.kind')",
    "ordered": "json_extract(expectation, '$.ordered')",
    "qualified": "json_extract(expectation, '$.answer') = json_extract(expectation, '$.favourable')",
}
"""Prompt columns of the frame, and how SQL reads each."""


def count_outcomes(connection: sqlite3.Connection, target: str, repeats: int) -> Counts:
    """The count funnel of one target, by the latest attempt of every planned output."""
    prompts, more = (
        connection.execute(f"SELECT {what} FROM prompts {only}").fetchone()[0]  # noqa: S608 - constants here
        for what, only in (
            ("count(*)", ""),
            ("total(json_array_length(further))", "WHERE further IS NOT NULL"),
        )
    )
    found = dict.fromkeys(Outcome, 0)
    counted = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'tally'").fetchone() is not None
    # A store of an older version that is only read has no tally.
    what = "sum(outputs) FROM tally" if counted else "count(*) FROM outputs"
    rows = connection.execute(
        f"SELECT outcome, {what} o WHERE target = ? AND repeat < ?"
        f"{'' if counted else f' AND {LATEST}'} GROUP BY outcome",
        (target, repeats),
    )
    for outcome, count in rows:
        found[Outcome(outcome)] = count
    broken_off = connection.execute(
        f"""SELECT total(json_array_length(p.further) - o.turn) FROM prompts p CROSS JOIN outputs o
        ON o.target = ? AND o.prompt_id = p.id AND o.repeat < ? AND o.outcome IN (?, ?) AND {LATEST}
        WHERE p.further IS NOT NULL""",  # noqa: S608 - constant condition
        (target, repeats, *BROKEN_OFF),
    ).fetchone()[0]
    planned = (prompts + int(more)) * repeats
    return Counts(
        planned=planned,
        not_asked=planned - sum(found.values()),
        broken_off=int(broken_off),
        **{outcome.value: count for outcome, count in found.items()},
    )


def read_exchanges(
    connection: sqlite3.Connection, analyzer: str, version: str, target: str | None
) -> Iterator[list[Exchange]]:
    """Batches of the texts that this version of the analyzer has not read; see `Store.exchanges`."""
    last = -1
    while True:
        rows = connection.execute(
            f"""SELECT o.id, p.messages, o.text, p.expectation, p.language, p.further,
            o.target, o.prompt_id, o.repeat, o.turn
            FROM outputs o JOIN prompts p ON p.id = o.prompt_id
            WHERE o.id > ? AND o.turn = p.judged AND o.outcome IN (?, ?) AND (? IS NULL OR o.target = ?)
            AND {LATEST} AND NOT EXISTS (
                SELECT 1 FROM scored s WHERE s.output = o.id AND s.analyzer = ? AND s.version = ?)
            ORDER BY o.id LIMIT ?""",  # noqa: S608 - constant condition
            (last, *GOES_ON, target, target, analyzer, version, PAGE),
        ).fetchall()
        if not rows:
            return
        last = rows[-1][0]
        yield [
            Exchange(
                output=output,
                messages=conversation_at(connection, (messages, further), (asked, prompt_id, repeat), turn),
                reply=text,
                expectation=Expectation.model_validate_json(expectation),
                language=language,
            )
            for output, messages, text, expectation, language, further, asked, prompt_id, repeat, turn in rows
        ]


def read_exchange(connection: sqlite3.Connection, output_id: int) -> Exchange | None:
    """What an analyzer was shown of one output; None if there is none with a text."""
    row = connection.execute(
        "SELECT p.messages, p.further, o.text, p.expectation, p.language, o.target, o.prompt_id, o.repeat,"
        " o.turn FROM outputs o JOIN prompts p ON p.id = o.prompt_id WHERE o.id = ? AND o.text IS NOT NULL",
        (output_id,),
    ).fetchone()
    if row is None:
        return None
    messages, further, text, expectation, language, target, prompt_id, repeat, turn = row
    return Exchange(
        output=output_id,
        messages=conversation_at(connection, (messages, further), (target, prompt_id, repeat), turn),
        reply=text,
        expectation=Expectation.model_validate_json(expectation),
        language=language,
    )


def read_conversation(connection: sqlite3.Connection, output: Output) -> tuple[Message, ...]:
    """What was sent for an output of a planned prompt."""
    script = connection.execute(
        "SELECT messages, further FROM prompts WHERE id = ?", (output.prompt_id,)
    ).fetchone()
    of = (output.target, output.prompt_id, output.repeat)
    return conversation_at(connection, script, of, output.turn)


def read_answers(connection: sqlite3.Connection, targets: Sequence[str]) -> Iterator[tuple[Request, Output]]:
    """Every output that was asked for and did not error, with its request, page by page as stored."""
    marks = ", ".join("?" * len(targets))
    columns = ", ".join(f"o.{column}" for column in OUTPUT_COLUMNS)
    last = -1
    while True:
        rows = connection.execute(
            f"""SELECT o.id, p.messages, p.further, {columns} FROM outputs o
            JOIN prompts p ON p.id = o.prompt_id WHERE o.id > ? AND o.outcome <> ? AND NOT o.cached
            AND o.target IN ({marks})
            ORDER BY o.id LIMIT ?""",  # noqa: S608 - constants and question marks
            (last, Outcome.ERRORED, *targets, PAGE),
        ).fetchall()
        if not rows:
            return
        last = rows[-1][0]
        for _, messages, further, *row in rows:
            output = output_from(row)
            of = (output.target, output.prompt_id, output.repeat)
            request = Request(
                prompt_id=output.prompt_id,
                messages=conversation_at(connection, (messages, further), of, output.turn),
                turn=output.turn,
                repeat=output.repeat,
            )
            yield request, output


def read_latencies(connection: sqlite3.Connection, target: str) -> npt.NDArray[np.float64]:
    """Seconds that each output of a target took, errors and outputs of a cache left out; shape (n,)."""
    found = array("d")
    last = -1
    while True:
        rows = connection.execute(
            """SELECT id, latency_s FROM outputs WHERE id > ? AND target = ? AND NOT cached
            AND outcome <> ? AND latency_s IS NOT NULL ORDER BY id LIMIT ?""",
            (last, target, Outcome.ERRORED, _LATENCIES),
        ).fetchall()
        if not rows:
            return np.frombuffer(found, dtype=np.float64) if found else np.zeros(0)
        last = rows[-1][0]
        found.extend(row[1] for row in rows)


def read_targets(connection: sqlite3.Connection) -> list[str]:
    """Names of the targets that have outputs, sorted."""
    rows = connection.execute(
        # A loose index scan: one look-up a target instead of a pass over all outputs.
        """WITH RECURSIVE names(name) AS (SELECT min(target) FROM outputs UNION ALL
        SELECT (SELECT min(target) FROM outputs WHERE target > name) FROM names WHERE name IS NOT NULL)
        SELECT name FROM names WHERE name IS NOT NULL ORDER BY name"""
    )
    return [str(row[0]) for row in rows]


def read_scores(connection: sqlite3.Connection, output_id: int) -> list[Score]:
    """Every score of one output, by analyzer and measure."""
    names = ("output", "analyzer", "version", "measure", "value", "label")
    rows = connection.execute(
        f"SELECT {', '.join(names)} FROM scores"  # noqa: S608 - constants above
        " WHERE output = ? ORDER BY analyzer, measure",
        (output_id,),
    )
    return [Score.model_validate(dict(zip(names, row, strict=True))) for row in rows]


class _Column:
    """Values of a categorical column, coded as they come."""

    def __init__(self) -> None:
        self._codes: dict[Value, int] = {}
        self._cells = array("i")

    def extend(self, values: Sequence[Value]) -> None:
        codes = self._codes
        self._cells.extend([-1 if value is None else codes.setdefault(value, len(codes)) for value in values])

    def categorical(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None) -> "pd.Categorical":
        """The column with its categories sorted; with `rows`, its cells at those positions."""
        import pandas as pd  # noqa: PLC0415 - half a second that only statistics needs

        categories = sorted(self._codes, key=str)
        # One more than there are categories, and last, so that code -1 (missing) maps to itself.
        place = np.full(len(categories) + 1, -1, dtype=np.int32)
        place[[self._codes[category] for category in categories]] = np.arange(len(categories), dtype=np.int32)
        cells = np.frombuffer(self._cells, dtype=np.intc) if self._cells else np.empty(0, dtype=np.intc)
        coded = place[cells if rows is None else cells[rows]]
        return pd.Categorical.from_codes(coded, categories=pd.Index(categories, dtype=object))


def read_frame(connection: sqlite3.Connection, target: str) -> "pd.DataFrame":
    """One row a score; see `Store.frame` for the columns."""
    import pandas as pd  # noqa: PLC0415 - half a second that only statistics needs

    prompts, seqs = _prompt_columns(connection)
    names = ("outcome", "analyzer", "version", "measure", "label")
    coded = {name: _Column() for name in names}
    found, ids, repeats, readings = array("q"), array("q"), array("i"), array("d")
    # Prompts lead, and each finds its outputs and their scores by key: sorted without sorting, and the
    # order does not depend on which answer came first.
    cursor = connection.execute(
        f"""SELECT p.seq, o.id, o.repeat, o.outcome, s.analyzer, s.version, s.measure, s.value, s.label
        FROM prompts p CROSS JOIN outputs o ON o.target = ? AND o.prompt_id = p.id AND {LATEST}
        AND (o.turn = p.judged OR (o.turn < p.judged AND o.outcome NOT IN (?, ?)))
        LEFT JOIN scores s ON s.output = o.id ORDER BY p.seq, o.turn, o.repeat, s.analyzer, s.measure""",  # noqa: S608 - constant condition
        (target, *GOES_ON),
    )
    while rows := cursor.fetchmany(65_536):
        seq, output, repeat, outcome, *scored = zip(*rows, strict=True)
        found.extend(seq)
        ids.extend(output)
        repeats.extend(repeat)
        readings.extend([np.nan if value is None else value for value in scored[3]])
        for name, values in zip(names, (outcome, *scored[:3], scored[4]), strict=True):
            coded[name].extend(values)
    places = np.searchsorted(np.array(seqs, dtype=np.int64), np.array(found, dtype=np.int64))
    columns: dict[str, object] = {name: column.categorical(places) for name, column in prompts.items()}
    columns |= {"output": np.array(ids), "repeat": np.array(repeats), "value": np.array(readings)}
    columns |= {name: column.categorical() for name, column in coded.items()}
    return pd.DataFrame(columns)


def _prompt_columns(connection: sqlite3.Connection) -> tuple[dict[str, _Column], "array[int]"]:
    columns = {name: _Column() for name in ("prompt_id", *_FRAME_PROMPT)}
    seqs = array("q")
    cursor = connection.execute(
        f"SELECT seq, id, {', '.join(_FRAME_PROMPT.values())} FROM prompts ORDER BY seq"  # noqa: S608 - constants above
    )
    while rows := cursor.fetchmany(65_536):
        seq, *values = zip(*rows, strict=True)
        seqs.extend(seq)
        cells: Row
        for column, cells in zip(columns.values(), values, strict=True):
            column.extend(cells)
    return columns, seqs
