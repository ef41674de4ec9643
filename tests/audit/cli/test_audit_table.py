"""`evenhand audit-table` as people and programs use it."""

import json
from pathlib import Path

import pytest

from tests.audit.cli.conftest import Command

KEYS = {"group", "n", "favourable", "rate", "ci_low", "ci_high", "impact_ratio"} | {
    "impact_ratio_ci_low",
    "impact_ratio_ci_high",
    "excluded",
    "verdict",
}


@pytest.fixture
def decisions(home: Path) -> Path:
    """Decisions on two groups, and ten people of a third."""
    counts = {"A": (1000, 600), "B": (1000, 500), "tiny": (10, 10)}
    rows = [f"{g},{'yes' if k < hits else 'no'}" for g, (n, hits) in counts.items() for k in range(n)]
    path = home / "decisions.csv"
    path.write_text("g,y\n" + "\n".join(rows) + "\n")
    return path


def test_json_has_the_promised_shape(evenhand: Command, decisions: Path) -> None:
    """A program finds groups, reference, tables and labels under their names."""
    words = ["--outcome", "y", "--favourable", "yes", "--group", "g"]
    reason = ["--exclude-below", "0.02", "--justification", "ten people"]
    ended = evenhand("audit-table", decisions, *words, *reason, "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert found["reference"] == "A"
    assert {row["group"]: row["impact_ratio"] for row in found["groups"]} == {
        "A": 1.0,
        "B": pytest.approx(0.8333, abs=1e-4),
        "tiny": None,
    }
    assert set(found["groups"][0]) >= KEYS
    assert [row["verdict"] for row in found["groups"]] == [None, "disparity", "not_measured"]
    assert "local_law_144" in found["tables"]
    assert found["labels"] is None


def test_people_get_tables_notes_and_files(evenhand: Command, decisions: Path, home: Path) -> None:
    """The text goes to standard error, says what it is not, and files land in the folder asked for."""
    words = ["--outcome", "y", "--favourable", "yes", "--group", "g", "--out", home / "out"]
    ended = evenhand("audit-table", decisions, *words)
    assert ended.code == 0
    assert ended.out == ""
    assert "not an independent audit" in ended.err
    assert "highest rate seen" in ended.err
    assert sorted(path.name for path in (home / "out").iterdir()) == ["table.html", "table.json"]


def test_notes_name_what_counts_as_unfavourable_and_what_the_picking_moves(
    evenhand: Command, home: Path
) -> None:
    """Other decisions are named with their rows, most frequent first, missing ones not among them."""
    rows = ["g,y", *["a,yes"] * 30, *["b,no"] * 20, *["b,pending"] * 9, *["b,"] * 3]
    file = home / "pending.csv"
    file.write_text("\n".join(rows) + "\n")
    two = evenhand("audit-table", file, "--outcome", "y", "--favourable", "yes", "--group", "g").err
    assert "Of 'y' 'yes' is favourable, and nothing else: 'no' (20 rows), 'pending' (9 rows)." in two
    assert "of two groups the picking moves neither" in two
    file.write_text("\n".join([*rows, *["c,no"] * 20]) + "\n")
    three = evenhand("audit-table", file, "--outcome", "y", "--favourable", "yes", "--group", "g").err
    assert "p-values are corrected for the picking" in three


def test_a_ratio_without_an_interval_says_why_in_words_and_not_in_the_column(
    evenhand: Command, home: Path
) -> None:
    """The column of intervals holds intervals; the reason stands with the others."""
    rows = [*["a,no"] * 397, *["a,yes"] * 3, *["b,yes"] * 60, *["b,no"] * 340]
    (home / "few.csv").write_text("\n".join(["g,y", *rows]) + "\n")
    said = evenhand(
        "audit-table", "few.csv", "--outcome", "y", "--favourable", "yes", "--group", "g", "--reference", "a"
    ).err
    header, row = (
        next(line for line in said.splitlines() if line.startswith(word)) for word in ("group", "b ")
    )
    assert row[header.index("ratio interval") :].split()[0] == "-"
    assert row.endswith("ratio: 3 favourable of 400 in the reference; a ratio to it needs 5 or more")


def test_a_single_group_is_said_to_compare_with_nothing(evenhand: Command, home: Path) -> None:
    """One group alone is its own reference, and the notes say that nothing was compared."""
    file = home / "one.csv"
    file.write_text("y,g\n" + "yes,A\nno,A\n" * 20, encoding="utf-8")
    ended = evenhand("audit-table", file, "--outcome", "y", "--favourable", "yes", "--group", "g")
    assert ended.code == 0
    assert "g: 'A' is the only group, so there is nothing to compare." in ended.err
    assert "highest rate seen" not in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--outcome", "z", "--favourable", "yes", "--group", "g"],
            "missing column 'z'; columns present: 'g', 'y'",
        ),
        (["--outcome", "y", "--favourable", "ja", "--group", "g"], "values present: 'no', 'yes'"),
        (["--outcome", "y", "--favourable", "yes", "--group", "g", "--reference", "C"], "is no group"),
        (
            ["--outcome", "y", "--favourable", "yes", "--group", "g", "--exclude-below", "0.02"],
            "--justification",
        ),
        (["--outcome", "y", "--favourable", "yes", "--group", "g", "--margin", "5"], "--margin"),
        (
            ["--outcome", "y", "--favourable", "yes", "--group", "g", "--score", "y"],
            "must be different columns",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    evenhand: Command, decisions: Path, words: list[str], said: str
) -> None:
    """What is wrong is said in one line, with what would be accepted."""
    ended = evenhand("audit-table", decisions, *words)
    assert ended.code == 2
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert said in errors[0]
    assert ended.out == ""


def test_a_hostile_name_cannot_move_the_cursor(evenhand: Command, home: Path) -> None:
    """Control characters of a file never reach the terminal."""
    path = home / "hostile.csv"
    path.write_text("g,y\n" + "a\x1b[2J,1\nb,0\n" * 20)
    ended = evenhand("audit-table", path, "--outcome", "y", "--favourable", "1", "--group", "g")
    assert ended.code == 0
    assert "\x1b[2J" not in ended.err


def test_terminal_gives_reasons_and_judges_the_rates_given_the_label(evenhand: Command, home: Path) -> None:
    """Not measured says why, TPR and FPR are explained, and their gaps have verdicts."""
    rows = [
        f"{'AB'[n % 2]},{'yes' if n % (2 if n % 4 == 1 else 5) else 'no'},{'yes' if n % 3 else 'no'}"
        for n in range(600)
    ]
    (home / "labelled.csv").write_text("g,y,l\n" + "\n".join([*rows, "C,yes,yes"]) + "\n")
    words = ["--outcome", "y", "--favourable", "yes", "--group", "g", "--label", "l", "--reference", "A"]
    ended = evenhand("audit-table", home / "labelled.csv", *words)
    assert ended.code == 0
    assert "C has 1 decisions; at least 12 are needed" in ended.err
    assert "TPR, true positive rate" in ended.err
    (line,) = (one for one in ended.err.splitlines() if one.split()[:3] == ["FPR", "B", "A"])
    assert any(word in line for word in ("disparity", "inconclusive", "equivalent"))


def test_the_difference_that_the_verdict_is_about_is_printed(evenhand: Command, decisions: Path) -> None:
    """Nobody has to take the interval of the ratio, or of the rate, for that of the verdict."""
    words = ["--outcome", "y", "--favourable", "yes", "--group", "g", "--reference", "A"]
    ended = evenhand("audit-table", decisions, *words)
    row = next(line for line in ended.err.splitlines() if line.startswith("B "))
    assert "-0.100" in row
    assert "[-0.143, -0.056]" in row
    assert "the verdict and p are about it, not about the ratio" in ended.err
