"""The benchmark of speed, reduced: all parts run, and its page states what they measured."""

import pandas as pd
import pytest

from benchmarks.speed import run
from benchmarks.speed.page import Measured, page


def test_every_part_runs_and_stands_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small audit and a small table: every comparison is judged, and no hole is left in the text."""
    whole = run.table()
    monkeypatch.setattr(run, "table", lambda: whole.head(4_000))
    audit = run.audit(10_000)
    assert audit["comparisons"] == 200
    assert audit["seconds"] >= audit["verdicts_s"] > 0
    assert audit["peak_gib"] >= audit["table_gib"] > 0
    text = page(Measured(main=audit, clustered=run.clustered(), fairlearn=run.fairlearn(), audits=[audit]))
    assert "{" not in text
    assert f"\n| {audit['outputs']:,.0f} |" in text


def test_intervals_of_clusters_are_wider_than_those_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the benchmark's own kind of table, 20 clusters of which differ, drawing rows is too sure."""
    few: pd.DataFrame = run.table().query("cluster < 20")
    monkeypatch.setattr(run, "table", lambda: few)
    assert run.clustered()["width"] > 1.2 * run.fairlearn()["width"]
