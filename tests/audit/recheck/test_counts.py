"""Reading released outputs: every statistic by hand, and what is refused."""

import json
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from audit.errors import InputError
from audit.recheck.claim import Claim
from audit.recheck.counts import Counted, count_rows

ROWS = [
    # template, set, group, said, right, words
    ("t1", "s1", "a", "yes", "yes", 3),
    ("t1", "s1", "b", "no", "yes", 5),
    ("t1", "s2", "a", "yes", "no", 1),
    ("t1", "s2", "b", "yes", "yes", 2),
    ("t2", "s3", "a", "no", "no", 4),
    ("t2", "s3", "b", "no", "no", 6),
    ("t2", "s4", "a", "yes", "yes", None),
    ("t2", "s4", "c", "", "yes", 9),
]
COLUMNS = ("template", "set", "group", "said", "right", "words")


def counted(folder: Path, statistic: str, **keys: object) -> Counted:
    """The table under one claim, as JSONL."""
    path = folder / "said.jsonl"
    path.write_text("".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in ROWS))
    return counted_of(path, statistic, **keys)


def counted_of(path: Path, statistic: str, **keys: object) -> Counted:
    """A file under one claim."""
    known: dict[str, object] = {
        "version": 1,
        "name": "own",
        "claim": "A claim.",
        "published": "0.5",
        "source": "Our own table",
        "file": {"path": path.name},
        "statistic": statistic,
    }
    return count_rows(path, Claim.model_validate(known | keys))


def value(found: Counted) -> float:
    """The statistic on all rows."""
    return float(found.statistic(found.counts.sum(axis=0, keepdims=True))[0])


def test_rate_counts_positive_values_and_leaves_empty_ones_out(tmp_path: Path) -> None:
    """Four of seven said yes; the empty reply is counted as left out, not as a no."""
    found = counted(tmp_path, "rate", columns={"outcome": "said", "cluster": "template"}, positive=["yes"])
    assert value(found) == pytest.approx(4 / 7)
    assert (found.read, found.left_out) == (8, 1)
    assert found.clusters == ["t1"] * 4 + ["t2"] * 3


def test_mean_reads_numbers_and_leaves_null_out(tmp_path: Path) -> None:
    """A missing number is missing, not 0."""
    found = counted(tmp_path, "mean", columns={"outcome": "words"})
    assert value(found) == pytest.approx(30 / 7)
    assert (found.left_out, found.clusters) == (1, None)


def test_accuracy_and_kappa_are_the_known_ones(tmp_path: Path) -> None:
    """Share of equal cells; kappa as scikit-learn has it."""
    columns = {"outcome": "said", "label": "right"}
    assert value(counted(tmp_path, "accuracy", columns=columns)) == pytest.approx(5 / 7)
    read = [row for row in ROWS if row[3]]
    known = cohen_kappa_score([row[3] for row in read], [row[4] for row in read])
    found = counted(tmp_path, "kappa", columns=columns, positive=["yes"])
    assert value(found) == pytest.approx(known, abs=1e-12)


def test_difference_and_ratio_compare_two_groups(tmp_path: Path) -> None:
    """a: 3 of 4; b: 1 of 3; group c is in neither."""
    columns = {"outcome": "said", "group": "group"}
    keys = {"columns": columns, "positive": ["yes"], "groups": ["a", "b"]}
    assert value(counted(tmp_path, "difference", **keys)) == pytest.approx(3 / 4 - 1 / 3)
    assert value(counted(tmp_path, "ratio", **keys)) == pytest.approx((3 / 4) / (1 / 3))


def test_flip_rate_counts_sets_with_two_answers(tmp_path: Path) -> None:
    """One of three whole sets flips; the set of which one row is left compares nothing."""
    found = counted(tmp_path, "flip_rate", columns={"outcome": "said", "set": "set", "cluster": "template"})
    assert value(found) == pytest.approx(1 / 3)
    assert (found.unit, found.counts.shape[0], found.left_out) == ("set", 3, 2)


def test_where_keeps_the_rows_the_claim_is_about(tmp_path: Path) -> None:
    """Other rows are not read, and not counted as left out."""
    found = counted(tmp_path, "mean", columns={"outcome": "words"}, where={"words": [3, "5"]})
    assert (value(found), found.read, found.left_out) == (4.0, 2, 0)


@pytest.mark.parametrize(
    ("statistic", "keys", "said"),
    [
        (
            "mean",
            {"columns": {"outcome": "said"}},
            r"l: line 1: column 'said' must be a number.*'yes'",
        ),
        ("mean", {"columns": {"outcome": "age"}}, r"line 1: missing column age; columns present"),
        (
            "mean",
            {"columns": {"outcome": "words"}, "where": {"group": ["z"]}},
            r"where.group: got 'z', rows have 'a'",
        ),
        (
            "ratio",
            {"columns": {"outcome": "said", "group": "group"}, "positive": ["yes"], "groups": ["a", "z"]},
            r"no row of z; groups present: a, b",
        ),
        (
            "rate",
            {"columns": {"outcome": "said"}, "positive": [True]},
            r"no row has true; outcomes present: .*yes.*need quotes",
        ),
        (
            "flip_rate",
            {"columns": {"outcome": "said", "set": "template", "cluster": "group"}},
            "in two",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, statistic: str, keys: dict[str, object], said: str
) -> None:
    """File, line, column, value: whoever wrote the claim can mend it."""
    with pytest.raises(InputError, match=said) as caught:
        counted(tmp_path, statistic, **keys)
    assert "\n" not in str(caught.value)


def test_whole_numbers_kept_as_fractions_are_told_apart_by_every_digit(tmp_path: Path) -> None:
    """Ids that a column of fractions holds differ also in the seventh digit, and meet their whole numbers."""
    path = tmp_path / "ids.jsonl"
    rows = [{"said": "yes", "id": one} for one in (10000001.0, 10000002.0, 10000002, 1e20, 0.5)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    claim = {
        "version": 1,
        "name": "own",
        "claim": "A claim.",
        "published": "1",
        "source": "Our own table",
        "file": {"path": path.name},
        "statistic": "rate",
        "columns": {"outcome": "said", "cluster": "id"},
        "positive": ["yes"],
    }
    found = count_rows(path, Claim.model_validate(claim))
    assert found.clusters == ["10000001", "10000002", "10000002", "100000000000000000000", "0.5"]
    claim |= {"where": {"id": [10000002]}}
    assert count_rows(path, Claim.model_validate(claim)).read == 2


def csv_counted(folder: Path, text: str, statistic: str, **keys: object) -> Counted:
    """A CSV file with the columns said, right and case under one claim."""
    path = folder / "said.csv"
    path.write_text("said,right,case\n" + text)
    return counted_of(path, statistic, **keys)


@pytest.mark.parametrize("missing", ["NA", "nan", "NaN", "<NA>", "#N/A", "null"])
def test_what_programs_write_for_a_missing_outcome_is_left_out(tmp_path: Path, missing: str) -> None:
    """Two of three said yes; a cell that R or pandas left without a value is no answer."""
    text = f"yes,yes,1\nyes,no,2\nno,no,3\n{missing},no,4\n"
    found = csv_counted(tmp_path, text, "rate", columns={"outcome": "said"}, positive=["yes"])
    assert value(found) == pytest.approx(2 / 3)
    assert (found.read, found.left_out) == (4, 1)
    found = csv_counted(tmp_path, text, "accuracy", columns={"outcome": "said", "label": "right"})
    assert value(found) == pytest.approx(2 / 3)
    assert found.left_out == 1


def test_a_claim_may_be_about_what_programs_write_for_nothing(tmp_path: Path) -> None:
    """`NA` is an answer where the claim says so."""
    keys = {"columns": {"outcome": "said"}, "positive": ["NA"]}
    found = csv_counted(tmp_path, "NA,yes,1\nyes,no,2\n", "rate", **keys)
    assert (value(found), found.left_out) == (0.5, 0)


def test_whole_numbers_agree_however_a_column_is_written(tmp_path: Path) -> None:
    """Pandas writes 1 as 1.0 in a column with missing cells, which is no other answer."""
    text = "1.0,1,a\n0.0,0,a\n,1,b\n1.0,0,b\n"
    columns = {"outcome": "said", "label": "right"}
    assert value(csv_counted(tmp_path, text, "accuracy", columns=columns)) == pytest.approx(2 / 3)
    found = csv_counted(tmp_path, text, "rate", columns={"outcome": "said"}, positive=[1])
    assert value(found) == pytest.approx(2 / 3)
    sets = "1,x,a\n1.0,x,a\n-0.0,x,b\n0,x,b\n"
    assert value(csv_counted(tmp_path, sets, "flip_rate", columns={"outcome": "said", "set": "case"})) == 0
    large = "12345678901234567890.0,x,a\n12345678901234567891,x,a\n"
    assert value(csv_counted(tmp_path, large, "flip_rate", columns={"outcome": "said", "set": "case"})) == 1


def test_truth_values_agree_however_they_are_written(tmp_path: Path) -> None:
    """Pandas writes True and JSON true."""
    found = csv_counted(
        tmp_path, "True,x,1\nFALSE,x,2\n", "rate", columns={"outcome": "said"}, positive=[True]
    )
    assert value(found) == 0.5
