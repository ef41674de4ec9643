"""What somebody changed in a finished run is found and named, and a whole run is not called damaged."""

import asyncio
import dataclasses
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from audit import api
from audit.damage import damage_of
from audit.errors import StoreError
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
    ("UPDATE prompts SET domain = 'housing' WHERE seq = 3", "is not what was planned"),
    ('UPDATE prompts SET tags = \'{"merit": "strong"}\' WHERE seq = 3', "is not what was planned"),
    (
        "UPDATE prompts SET reference = 'female' WHERE reference = 'male'",
        "is not what was planned",
    ),
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


@pytest.mark.parametrize("column", ["attribute", "domain", "tags", "reference"])
def test_no_figures_are_stated_of_prompts_that_were_changed(
    finished: Path, tmp_path: Path, column: str
) -> None:
    """What is in no id is in a digest of the plan, so that findings are refused and not silently wrong."""
    new = '{"a": "b"}' if column == "tags" else "other"
    folder = changed(finished, tmp_path / "run", f"UPDATE prompts SET {column} = '{new}' WHERE seq = 3")  # noqa: S608 - constants
    run = api.open_run(folder)
    with pytest.raises(StoreError, match="is not what was planned") as caught:
        api.find(run)
    assert caught.value.next_step is not None
    old = run.plan.model_copy(update={"facts_sha256": None})
    dataclasses.replace(run, plan=old).check_prompts()
