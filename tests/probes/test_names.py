"""Promises of the names: enough of them, apart from each other, used evenly."""

from collections import Counter
from itertools import product
from pathlib import Path
from statistics import mean

import pytest

from probes.errors import DataError
from probes.names import NameList, NameRotation, _rows, load_names

AUDIT, REPAIR, ALL = load_names(pool="audit"), load_names(pool="retraining"), load_names()
CELLS = [(gender, race, "") for gender, race in product(ALL.genders(), ALL.races())]
CELLS += [(gender, "", cohort) for gender, cohort in product(ALL.genders(), ALL.cohorts())]


@pytest.mark.parametrize(("gender", "race", "cohort"), CELLS)
def test_every_cell_is_a_sample(gender: str, race: str, cohort: str) -> None:
    """Each cell has at least 10 first and 5 last names, of about the same length as elsewhere."""
    cell = AUDIT.cell(gender, race_ethnicity=race, cohort=cohort)
    assert len(cell.first) >= 10
    assert len(cell.last) >= 5
    assert 5 <= mean(len(name) for name in cell.first) <= 8
    assert REPAIR.cell(gender, race_ethnicity=race, cohort=cohort).first


def test_there_are_all_cells() -> None:
    """Names signal two genders with four races and with three age cohorts."""
    assert len(CELLS) == 14
    assert len(ALL.races()) == 4
    assert ALL.cohorts() == ("younger", "middle", "older")


def test_names_are_unique_over_cells_and_pools() -> None:
    """No name signals two groups, and no name of a repair is one of an audit."""
    assert max(Counter(name.text for name in ALL.first).values()) == 1
    assert max(Counter(name.text for name in ALL.last).values()) == 1
    assert not {name.text for name in ALL.first} & {name.text for name in ALL.last}
    assert not {name.text for name in AUDIT.first} & {name.text for name in REPAIR.first}
    assert not {name.text for name in AUDIT.last} & {name.text for name in REPAIR.last}


def test_a_name_says_what_it_signals() -> None:
    """A first name can be looked up; one that is not in the lists signals nothing known."""
    found = ALL.signals("Lakisha")
    assert found is not None
    assert (found.gender, found.race_ethnicity) == ("female", "black")
    assert ALL.signals("Zaphod") is None


@pytest.mark.parametrize(("n_first", "n_last"), [(10, 5), (10, 6), (4, 3), (7, 1)])
def test_turns_go_through_every_crossing(n_first: int, n_last: int) -> None:
    """Over many turns every first name is used as often, and most crossings occur."""
    names = NameList(first=tuple(f"F{i}" for i in range(n_first)), last=tuple(f"L{i}" for i in range(n_last)))
    turns = [names.full(turn) for turn in range(n_first * n_last)]
    assert set(Counter(turn.split()[0] for turn in turns).values()) == {n_last}
    lasts = Counter(turn.split()[1] for turn in turns)
    assert max(lasts.values()) - min(lasts.values()) <= n_last
    assert len(set(turns)) == n_first * n_last


def test_rotation_is_even_and_seeded() -> None:
    """Names are used equally often, in an order the seed decides, and other purposes change nothing."""
    one, again, other = NameRotation(AUDIT, 1), NameRotation(AUDIT, 1), NameRotation(AUDIT, 2)
    drawn = [one.next("x", "female", race_ethnicity="black") for _ in range(40)]
    again.next("y", "female", race_ethnicity="black")
    assert drawn == [again.next("x", "female", race_ethnicity="black") for _ in range(40)]
    assert drawn != [other.next("x", "female", race_ethnicity="black") for _ in range(40)]
    assert set(Counter(name.split()[0] for name in drawn).values()) == {4}


def test_shared_last_names_are_shared() -> None:
    """Where only the first name is to vary, the last name is the same."""
    names = NameRotation(AUDIT, 1).next_sharing_last("x", [("female", "white", ""), ("male", "white", "")])
    assert len({name.split()[1] for name in names}) == 1
    assert len({name.split()[0] for name in names}) == 2


def test_a_cell_without_names_is_an_error() -> None:
    """Asking for names nobody listed is an error, never an empty name."""
    with pytest.raises(DataError, match="no names for gender 'nonbinary', 'black'"):
        AUDIT.cell("nonbinary", race_ethnicity="black")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("Ana,x,audit\nAna,y,audit\n", "Ana stands twice"),
        ("Ana,x,both\n", "pool must be audit or retraining; got 'both'"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, rows: str, said: str) -> None:
    """A repeated name or an unknown pool is one line with file and name."""
    path = tmp_path / "last.csv"
    path.write_text("last,race_ethnicity,pool\n" + rows, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        _rows(path, ("last", "race_ethnicity", "pool"))
    with pytest.raises(DataError, match="columns must be first"):
        _rows(path, ("first",))
