"""Stores of older versions stay readable and are brought up to date; damaged ones are refused in one line."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from audit.errors import StoreError
from audit.records import Output
from audit.store.batches import BatchBook
from audit.store.migrations import SCHEMA_VERSION, columns_of, migrate
from audit.store.schema import (
    APPLICATION_ID,
    OUTPUT_COLUMNS,
    PROMPT_COLUMNS,
    output_row,
    prompt_row,
)
from audit.store.store import Store
from tests.audit.questions import open_questions

VERSIONS = range(1, SCHEMA_VERSION + 1)
PROMPTS = open_questions(6, templates=2)
OUTPUTS = [Output(target="target", prompt_id=prompt.id, text="yes") for prompt in PROMPTS[:2]]


def made_by(version: int, folder: Path) -> Path:
    """A store as that version made it, with six prompts and two outputs."""
    folder.mkdir()
    path = folder / "run.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        migrate(connection, 0, version)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for table, columns, rows in (
            ("prompts", PROMPT_COLUMNS, [prompt_row(prompt) for prompt in PROMPTS]),
            ("outputs", OUTPUT_COLUMNS, [output_row(output) for output in OUTPUTS]),
        ):
            # Columns were only ever added at the end.
            had = [name for name in columns if name in columns_of(version)[table]]
            connection.executemany(
                f"INSERT INTO {table}({', '.join(had)}) VALUES ({', '.join('?' * len(had))})",  # noqa: S608 - our own names
                [row[: len(had)] for row in rows],
            )
        connection.execute("COMMIT")
    return folder


def tables(folder: Path) -> set[str]:
    """Names of the tables of a store."""
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def edited(folder: Path, change: str) -> Path:
    """A store of the newest version that somebody changed by hand."""
    made_by(SCHEMA_VERSION, folder)
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.execute(change)
        connection.commit()
    return folder


def read_all(store: Store) -> None:
    """Read what collection, scoring and the report read."""
    list(store.pending(["target"], 1, 7))
    list(store.exchanges("decision", "1"))
    store.counts("target", 1)
    store.outputs("target", PROMPTS[0].id)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_version_is_readable_as_it_is(tmp_path: Path, version: int) -> None:
    """Reading changes nothing and finds everything."""
    folder = made_by(version, tmp_path / "run")
    before = (folder / "run.sqlite").read_bytes()
    with Store.open(folder, read_only=True) as store:
        assert list(store.prompts()) == PROMPTS
        assert store.counts("target", 1).answered == 2
        assert len(store.frame("target")) == 2
        assert len(next(store.exchanges("decision", "1"))) == 2
    assert (folder / "run.sqlite").read_bytes() == before


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    """Opened for writing it has the tables of today, keeps what it held, and can go on."""
    folder = made_by(version, tmp_path / "run")
    with Store.open(folder) as store:
        assert store.get_meta("schema_version") == str(SCHEMA_VERSION)
        assert list(store.prompts()) == PROMPTS
        BatchBook(store).intend("tag", "target", [(PROMPTS[2].id, 0, 0, 0)], 0.0)
        asked = [request.prompt_id for _, request in store.pending(["target"], 1, 7)]
        assert sorted(asked) == sorted(prompt.id for prompt in PROMPTS[3:])
    with Store.open(folder, read_only=True) as store:
        assert store.counts("target", 1).answered == 2


def test_an_upgrade_that_fails_leaves_the_old_version_whole(tmp_path: Path) -> None:
    """All steps are one transaction: a failure in a later one undoes the earlier ones."""
    folder = made_by(1, tmp_path / "run")
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.execute("CREATE TABLE asking(something TEXT)")
        connection.commit()
    before = tables(folder)
    with pytest.raises(StoreError, match="cannot be brought up to date: table asking already exists"):
        Store.open(folder)
    assert tables(folder) == before
    with Store.open(folder, read_only=True) as store:
        assert store.get_meta("schema_version") == "1"


def test_the_order_that_is_kept_is_the_order_worked_out(tmp_path: Path) -> None:
    """A kept order saves time and changes nothing; more prompts or another seed do not use it."""
    with Store.create(tmp_path / "run") as store:
        store.add_prompts(PROMPTS[:4])
        plain = list(store.pending(["target"], 2, 7))
        store.keep_order(7)
        assert list(store.pending(["target"], 2, 7)) == plain
        assert list(store.pending(["target"], 2, 8)) != plain
        store.add_prompts(PROMPTS[4:])
        assert len(list(store.pending(["target"], 1, 7))) == 6


@pytest.mark.parametrize("table", sorted(columns_of(SCHEMA_VERSION)))
def test_a_store_without_one_of_its_tables_is_refused(tmp_path: Path, table: str) -> None:
    """Whatever was dropped, one line says so, also to a reader."""
    folder = made_by(SCHEMA_VERSION, tmp_path / "run")
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.execute(f"DROP TABLE {table}")
        connection.commit()
    for read_only in (True, False):
        with pytest.raises(StoreError, match=f"the table {table} is missing"):
            Store.open(folder, read_only=read_only)


@pytest.mark.parametrize("change", ["DROP COLUMN text", "RENAME COLUMN outcome TO result"])
def test_a_store_without_one_of_its_columns_is_refused(tmp_path: Path, change: str) -> None:
    """A table of another shape is named with what it lacks."""
    folder = made_by(SCHEMA_VERSION, tmp_path / "run")
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.execute(f"ALTER TABLE outputs {change}")
        connection.commit()
    with pytest.raises(StoreError, match="the table outputs lacks"):
        Store.open(folder)


@pytest.mark.parametrize("version", ["", "0", "99", "two", "-1", "²"])
def test_a_version_that_is_none_is_refused(tmp_path: Path, version: str) -> None:
    """A version of the future, or one that is no number, is one line."""
    folder = made_by(1, tmp_path / "run")
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (version,))
        connection.commit()
    with pytest.raises(StoreError, match="has store version"):
        Store.open(folder)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE prompts SET messages = 'no JSON'",
        'UPDATE prompts SET messages = \'[{"role": "judge", "content": 7}]\'',
        "UPDATE prompts SET expectation = '{}'",
        "UPDATE tally SET outcome = 'splendid'",
        "UPDATE outputs SET logprobs = '{'",
    ],
)
def test_a_value_that_nobody_wrote_is_one_line(tmp_path: Path, change: str) -> None:
    """A store that was edited by hand gives an error with the file's name, wherever the value is read."""
    folder = edited(tmp_path / "run", change)
    with Store.open(folder) as store, pytest.raises(StoreError, match=r"run\.sqlite: is damaged"):
        read_all(store)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE prompts SET tags = '{'",
        "UPDATE prompts SET tags = CAST(x'7b22ff227d' AS TEXT)",
        "UPDATE prompts SET expectation = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_table_for_statistics_is_made_of_sound_rows_only(tmp_path: Path, change: str) -> None:
    """What is no JSON, or no text at all, is told where it is read, and not where it would first be used."""
    folder = edited(tmp_path / "run", change)
    with (
        Store.open(folder) as store,
        pytest.raises(StoreError, match=r"run\.sqlite: is damaged: a row holds"),
    ):
        store.frame("target")
    with (
        Store.open(folder) as store,
        pytest.raises(StoreError, match=r"run\.sqlite: is damaged: a row holds"),
    ):
        list(store.prompts())


def test_a_damaged_schema_is_one_line(tmp_path: Path) -> None:
    """Where SQLite quotes bytes of the schema that are no text, the file is damaged, and nobody sees why."""
    folder = made_by(SCHEMA_VERSION, tmp_path / "run")
    path = folder / "run.sqlite"
    content = path.read_bytes()
    assert b"tablepromptsprompts" in content
    damaged = content.replace(b"tablepromptsprompts", b"table\xff\xfeomptsprompts")
    path.write_bytes(damaged.replace(b"CREATE TABLE prompts", b"CREATE XABLE prompts"))
    for read_only in (True, False):
        with pytest.raises(StoreError, match=r"run\.sqlite: is damaged"):
            Store.open(folder, read_only=read_only)
