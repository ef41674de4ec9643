"""What is wrong with the store of a run over which a command came to grief.

Reading checks as it goes what it can check for nothing. To check every value each time would cost more than
the reading, so the store is gone through whole only when something failed that nothing foresaw.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from audit.errors import AuditError, StoreError
from audit.plan import hashed_of
from audit.planned_run import CHANGED_FACTS, Run, open_run
from audit.runs import analyzer_context, build_analyzers, measures_of
from audit.store.facts import facts_sha256
from audit.store.file import RESTORE, connected, failures
from audit.store.schema import OUTPUT_COLUMNS, SELECT_OUTPUTS, SELECT_PROMPTS, Value, output_from, prompt_from
from audit.store.store import STORE_FILE
from probes.records import Prompt

__all__ = ["damage_of"]

_SHOWN = 60
_SALT = 8
"""Fewest bytes of the salt of a run."""


def damage_of(path: Path) -> AuditError | None:
    """The first thing in a run folder that this program does not write; None if nothing is found.

    Args:
        path: The run's folder.
    """
    database = path / STORE_FILE
    try:
        run = open_run(path)
        with failures(database), closing(connected(database, "ro")) as connection:
            found = next(_faults(run, connection), None)
    except AuditError as error:
        return error
    if found is None:
        return None
    return StoreError(f"{database}: is damaged: {found}", next_step=RESTORE)


def _faults(run: Run, connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong, table by table, each in a few words."""
    (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        yield " ".join(str(said).split())[:_SHOWN]
    for key, value in connection.execute("SELECT key, value FROM meta"):
        if not _is_entry(str(key), str(value)):
            yield f"meta: the entry {_shown(key)} holds {_shown(value)}"
    yield from _prompt_faults(run, connection)
    yield from _output_faults(connection)
    yield from _score_faults(run, connection)


def _is_entry(key: str, value: str) -> bool:
    try:
        if key == "quarantine_salt":
            return len(bytes.fromhex(value)) >= _SALT
        return not key.startswith("target.") or isinstance(json.loads(value), dict)
    except ValueError:
        return False


def _prompt_faults(run: Run, connection: sqlite3.Connection) -> Iterator[str]:
    whole = hashlib.sha256()
    for row in connection.execute(f"{SELECT_PROMPTS} ORDER BY seq"):
        try:
            prompt = prompt_from(row)
            same = Prompt.make(**prompt.model_dump(exclude={"id"})).id == prompt.id
        except ValueError as error:
            yield f"prompts: the prompt {_shown(row[0])}: {' '.join(str(error).split())[:_SHOWN]}"
            return
        if not same:
            yield f"prompts: the prompt {_shown(row[0])} is no longer what its id was made of"
        whole.update(hashed_of(prompt))
    if whole.hexdigest() != run.plan.prompts_sha256:
        yield "prompts: they are not those of plan.json"
    planned = run.plan.facts_sha256
    if planned is not None and facts_sha256(connection) != planned:
        yield CHANGED_FACTS


def _output_faults(connection: sqlite3.Connection) -> Iterator[str]:
    outcome = OUTPUT_COLUMNS.index("outcome")
    for number, *row in connection.execute(SELECT_OUTPUTS):
        try:
            read = output_from(row)
        except ValueError as error:
            yield f"outputs: row {number}: {' '.join(str(error).split())[:_SHOWN]}"
            return
        if read.outcome != row[outcome]:
            yield f"outputs: row {number}: its outcome is {read.outcome}, not {_shown(row[outcome])}"


def _score_faults(run: Run, connection: sqlite3.Connection) -> Iterator[str]:
    analyzers = build_analyzers(run.spec, analyzer_context(run.spec, run.root), run.where)
    rates = {
        (one.analyzer, one.reading)
        for one in measures_of(analyzers)
        if one.unit == "rate" and not one.labels and one.threshold is None and one.scale is None
    }
    ranges = connection.execute(
        "SELECT analyzer, measure, min(value), max(value) FROM scores GROUP BY analyzer, measure"
    )
    for analyzer, reading, low, high in ranges:
        if (analyzer, reading) in rates and low is not None and not 0 <= low <= high <= 1:
            wrong = low if low < 0 else high
            yield f"scores: {analyzer} {_shown(reading)}: accepted are 0 to 1; got {wrong:g}"


def _shown(value: Value) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
