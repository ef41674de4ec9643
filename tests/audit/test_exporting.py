"""A run as tables: everything is in them, as it is."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import audit.exporting
from audit.api import export_run, open_run
from audit.errors import StoreError
from audit.records import Output
from tests.audit.cli.conftest import Command, evenhand, home

__all__ = ["evenhand", "home"]

HOSTILE = '=1+1\x1b[31m\r\n\u2028</script>,"quoted" \U0001f600'


@pytest.fixture
def run(home: Path, evenhand: Command) -> Path:
    """A small finished run with one reply of the worst kind."""
    assert evenhand("run", "spec.yaml", "--out", "made").code == 0
    with open_run(home / "made").store() as store:
        prompt = next(store.prompts())
        store.add_outputs([Output(target="baseline", prompt_id=prompt.id, text=HOSTILE)])
    return home / "made"


def test_every_row_is_in_the_files_and_texts_are_as_they_are(
    run: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both formats hold all prompts, outputs and scores, over several pages, with hostile texts unchanged."""
    monkeypatch.setattr(audit.exporting, "_PAGE", 10)
    made = open_run(run)
    counts = export_run(made, home / "parquet")
    assert counts == export_run(made, home / "csv", kind="csv")
    assert (counts["prompts"], counts["outputs"]) == (24, 25)
    assert counts["scores"] > 0
    outputs = pq.read_table(home / "parquet" / "outputs.parquet")
    assert pq.ParquetFile(home / "parquet" / "outputs.parquet").num_row_groups == 3
    assert outputs["text"].to_pylist()[-1] == HOSTILE
    assert outputs["latest"].to_pylist() == [1] * 25
    with (home / "csv" / "outputs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == outputs["text"].to_pylist()
    assert list(rows[0]) == outputs.column_names
    assert sorted(path.name for path in (home / "csv").iterdir()) == [
        "outputs.csv",
        "prompts.csv",
        "scores.csv",
    ]


def test_the_command_says_what_it_wrote(run: Path, home: Path, evenhand: Command) -> None:
    """Rows of each file go to standard error, and a folder that cannot be made is one line."""
    told = evenhand("export", run, "--to", home / "out", "--json")
    assert told.code == 0
    assert "outputs.parquet: 25 rows" in told.err
    assert '"prompts": 24' in told.out
    (home / "file").touch()
    refused = evenhand("export", run, "--to", home / "file" / "below")
    assert refused.code == 2
    with pytest.raises(StoreError, match="cannot be written"):
        export_run(open_run(run), home / "file" / "below")
