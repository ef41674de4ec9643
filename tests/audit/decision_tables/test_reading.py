"""Counting a decision table into cells."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import InputError
from audit.tables import chunks, reading
from audit.tables.options import TableOptions
from audit.tables.reading import ABSENT, NO, YES, Cells, read_cells

OPTIONS = TableOptions(outcome="y", favourable=("yes",), groups=("g", "h"), label="l", cluster="c", score="s")


def counted(cells: Cells) -> Counter[tuple[str, str, int, int, int]]:
    """Rows by groups and readings, whatever their clusters."""
    found: Counter[tuple[str, str, int, int, int]] = Counter()
    for place in range(cells.counts.size):
        first, second = (cells.names[k][cells.codes[place, k]] for k in range(2))
        found[first, second, int(cells.outcome[place]), int(cells.label[place]), int(cells.above[place])] += (
            int(cells.counts[place])
        )
    return found


ROW = st.tuples(
    st.sampled_from(["a", "b", ""]),
    st.sampled_from(["x", "?", "é"]),
    st.sampled_from(["yes", "no", ""]),
    st.sampled_from(["yes", "no", "unknown"]),
    st.sampled_from(["1", "2", "3", ""]),
    st.sampled_from(["0", "1.5", "7", ""]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=40))
def test_cells_are_the_rows_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, ...]]
) -> None:
    """Every row is in exactly one cell, however the file is cut into chunks and merged."""
    rows = [*rows, ("a", "x", "yes", "yes", "1", "2")]
    frame = pd.DataFrame(rows, columns=["g", "h", "y", "l", "c", "s"])
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 7)
    monkeypatch.setattr(reading, "_LEAST_MERGE", 5)
    cells = read_cells(path, OPTIONS)
    readings = {"yes": YES, "no": NO, "": ABSENT, "unknown": ABSENT}
    scores = [float(row[5]) for row in rows if row[5]]
    middle = float(np.median(scores))
    wanted = Counter(
        (
            row[0],
            row[1],
            readings[row[2]],
            readings[row[3]],
            ABSENT if not row[5] else int(float(row[5]) > middle),
        )
        for row in rows
    )
    assert counted(cells) == wanted
    assert cells.rows == len(rows)
    assert cells.score is not None
    assert cells.score.median == middle
    nameless = sum(not row[4] for row in rows)
    assert cells.rows_without_cluster == nameless
    assert cells.clusters is not None
    assert len(set(cells.clusters.tolist())) == nameless + len({row[4] for row in rows if row[4]})
    assert (np.diff(cells.clusters) >= 0).all()


def test_a_favourable_value_may_be_written_as_a_number_or_truth_value(tmp_path: Path) -> None:
    """1, 1.0 and TRUE are found whichever way the file writes them, and text to the letter."""
    path = tmp_path / "a.csv"
    path.write_text("g,y\na,1.0\na,0\n")
    assert read_cells(path, TableOptions(outcome="y", favourable=("1",), groups=("g",))).outcome.tolist() == [
        0,
        1,
    ]
    path.write_text("g,y\na,True\na,False\n")
    assert (
        read_cells(path, TableOptions(outcome="y", favourable=("true",), groups=("g",))).outcome == YES
    ).any()
    path.write_text("g,y\na,Yes\n")
    with pytest.raises(InputError, match="never has the favourable value 'yes'; values present: 'Yes'"):
        read_cells(path, TableOptions(outcome="y", favourable=("yes",), groups=("g",)))


def test_every_value_named_as_favourable_must_be_there(tmp_path: Path) -> None:
    """A misspelled second value would make its rows unfavourable; a label may lack what the outcome has."""
    path = tmp_path / "a.csv"
    path.write_text("g,y,l\na,yes,yes\na,pending,no\n")
    with pytest.raises(InputError, match="never has the favourable value 'pendng'"):
        read_cells(path, TableOptions(outcome="y", favourable=("yes", "pendng"), groups=("g",)))
    options = TableOptions(outcome="y", favourable=("yes", "pending"), groups=("g",), label="l")
    assert (read_cells(path, options).outcome == YES).all()


@pytest.mark.parametrize("missing", ["NA", "None", "<NA>", "#N/A", "n/a", ""])
def test_what_programs_write_for_nothing_is_no_decision(tmp_path: Path, missing: str) -> None:
    """A missing decision is none, and no unfavourable one; a cluster without a name is one of its own."""
    path = tmp_path / "a.csv"
    path.write_text(f"g,y,c\nNone,yes,{missing}\nNone,{missing},{missing}\n")
    cells = read_cells(path, TableOptions(outcome="y", favourable=("yes",), groups=("g",), cluster="c"))
    assert sorted(cells.outcome.tolist()) == [YES, ABSENT]
    assert cells.rows_without_cluster == 2
    assert cells.names == (("None",),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("g,y\n", "values present: none"),
        ("g,y\n" + "".join(f"g{n},1\n" for n in range(1001)), "column 'g' has more than 1,000"),
        ("g,y\n" + "".join(f"a,{n}\n" for n in range(1001)), "column 'y' has more than 1,000"),
    ],
)
def test_a_column_of_another_kind_is_refused(tmp_path: Path, content: str, words: str) -> None:
    """Names, numbers and empty tables are not audited as groups and decisions."""
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_cells(path, TableOptions(outcome="y", favourable=("1",), groups=("g",)))


def test_a_score_column_without_a_number_is_refused(tmp_path: Path) -> None:
    """There is no median of nothing."""
    path = tmp_path / "a.csv"
    path.write_text("g,y,s\na,1,\n")
    with pytest.raises(InputError, match="no number in any of 1 rows"):
        read_cells(path, TableOptions(outcome="y", favourable=("1",), groups=("g",), score="s"))
