"""What somebody changed in a finished run is found and named, and a whole run is not called damaged."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from audit import api
from audit.damage import damage_of
from audit.spec import parse_spec
from audit.store.store import STORE_FILE

SPEC = """\
version: 1
name: to be damaged
seed: 7
target: {type: specimen}
probes:
  - use: bias/decisions
    domains: [lending]
    attributes: [gender]
    signals: [explicit]
    placebos: []
    templates: 2
analyzers: [decision]
"""
CHANGES = (
    ("UPDATE meta SET value = 'zz' WHERE key = 'quarantine_salt'", "meta: the entry 'quarantine_salt' holds"),
    (
        "UPDATE meta SET value = '[1' WHERE key = 'target.target'",
        "meta: the entry 'target.target' holds '[1'",
    ),
    ("UPDATE prompts SET signal = 'explicif' WHERE seq = 3", "prompts: the prompt '"),
    ("UPDATE prompts SET template = 'x' WHERE seq = 3", "is no longer what its id was made of"),
    ("UPDATE prompts SET norm = 'may_differ' WHERE seq = 3", "prompts: they are not those of plan.json"),
    ("DELETE FROM prompts WHERE seq = 3", "prompts: they are not those of plan.json"),
    ("UPDATE outputs SET outcome = 'empty' WHERE id = 2", "outputs: row 2: its outcome is answered, not"),
    ("UPDATE outputs SET logprobs = '{' WHERE id = 2", "outputs: row 2: "),
    ("UPDATE scores SET value = 7 WHERE output = 2", "accepted are 0 to 1; got 7"),
    ("UPDATE scores SET value = -1 WHERE output = 2", "accepted are 0 to 1; got -1"),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    run = api.create_run(parse_spec(SPEC, "spec.yaml"), folder, root=folder.parent, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    api.find(run)
    return folder


def changed(finished: Path, folder: Path, change: str) -> Path:
    """A copy of a run in which somebody changed a table."""
    shutil.copytree(finished, folder)
    with closing(sqlite3.connect(folder / STORE_FILE)) as connection:
        connection.execute(change)
        connection.commit()
    return folder


def test_a_whole_run_is_not_called_damaged(finished: Path) -> None:
    """Nothing is found where nothing is wrong."""
    assert damage_of(finished) is None


@pytest.mark.parametrize(("change", "named"), CHANGES)
def test_what_was_changed_is_named(finished: Path, tmp_path: Path, change: str, named: str) -> None:
    """Table and value stand in one line, with what to do."""
    found = damage_of(changed(finished, tmp_path / "run", change))
    assert found is not None
    assert f"{STORE_FILE}: is damaged: " in str(found)
    assert named in str(found)
    assert len(str(found).splitlines()) == 1
    assert found.next_step == "restore the run folder from a copy; a store is not meant to be edited"
