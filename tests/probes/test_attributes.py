"""Promises of the attributes: groups are data, and bad data is named."""

from pathlib import Path

import pytest

from probes.attributes import load_attributes, load_mentions, read_attributes
from probes.errors import DataError

HEADER = "attribute,group,reference,adjective,noun,pronoun,low,high\n"
TWO = "faith,quaker,no,Quaker,,,,\nfaith,none,yes,,,,,\n"


def write(folder: Path, rows: str) -> Path:
    """A data file with these rows under the right header."""
    path = folder / "data.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    return path


def test_shipped_attributes_have_their_groups_and_references() -> None:
    """The shipped data holds the groups the probe promises, each attribute with its reference."""
    found = {a.name: ({g.name for g in a.groups}, a.reference) for a in load_attributes()}
    assert found == {
        "gender": ({"female", "male", "nonbinary"}, "male"),
        "race_ethnicity": ({"asian", "black", "hispanic", "white"}, "white"),
        "age": ({"younger", "middle", "older"}, "middle"),
    }


def test_a_row_adds_a_group(tmp_path: Path) -> None:
    """A new row is a new group, with no change of code."""
    attributes = read_attributes(write(tmp_path, TWO + "faith,jain,no,Jain,,,,\n"))
    assert [group.name for group in attributes[0].groups] == ["quaker", "none", "jain"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("faith,quaker,yes,Quaker,,,,\n", "at least two groups"),
        (TWO + "faith,quaker,no,Quaker,,,,\n", "each once"),
        (TWO.replace("yes", "no"), "exactly one group with reference yes; got 0"),
        (TWO.replace("yes", "maybe"), "reference must be yes or no; got 'maybe'"),
        (
            TWO.replace("Quaker,,,,", "Quaker,,it,,"),
            "pronoun must be empty or one of she, he, they; got 'it'",
        ),
        (TWO.replace("Quaker,,,,", "Quaker,,,40,30"), "low <= high; got '40', '30'"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, rows: str, said: str) -> None:
    """A malformed row is an error that states the value received and what is accepted."""
    with pytest.raises(DataError, match=said):
        read_attributes(write(tmp_path, rows))


def test_wrong_columns_are_named(tmp_path: Path) -> None:
    """A file with other columns is an error that lists the accepted ones."""
    path = tmp_path / "data.csv"
    path.write_text("attribute,group\n", encoding="utf-8")
    with pytest.raises(DataError, match="columns must be attribute,group,reference"):
        read_attributes(path)


def test_unknown_group_is_an_error() -> None:
    """Asking for a group that is not there lists those that are."""
    with pytest.raises(DataError, match="accepted: female, male, nonbinary"):
        load_attributes()[1].group("unknown")


def test_mentions_come_in_pairs() -> None:
    """The mention placebo has at least four pairs of two different descriptions."""
    pairs = load_mentions()
    assert len(pairs) >= 4
    assert all(a != b for a, b in pairs)


def test_half_a_mention_pair_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair needs two different descriptions, or the placebo would compare nothing."""
    path = tmp_path / "mentions.csv"
    path.write_text("a,b\nleft-handed,\n", encoding="utf-8")
    monkeypatch.setattr("probes.attributes.find", lambda *_: path)
    with pytest.raises(DataError, match="two different descriptions"):
        load_mentions("mine")
