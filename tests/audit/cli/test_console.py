"""Tables on a terminal: what fits stands on the line, the rest beneath it, and nothing is lost."""

import pytest

from audit.cli.change_table import show_changes
from audit.cli.console import folded, laid_out, table
from audit.estimates.moved import SHARED
from audit.records import Change

HEADER = ["measure", "contrast", "change", "interval", "verdict", "why"]
ROW = [
    "favourable_rate",
    "nonbinary - male (explicit)",
    "-0.076",
    "[-0.183, +0.031]",
    "inconclusive",
    "the change is not told apart from 0, nor shown to be below the margin of concern of this measure",
]


def test_narrow_terminals_have_every_cell_within_their_width() -> None:
    """At 80 columns no line is longer, and each word of each cell is still there."""
    lines = laid_out(HEADER, [ROW], below=("why", "measure"), width=80)
    assert max(map(len, lines)) <= 80
    said = " ".join(" ".join(lines).split())
    assert all(cell in said for cell in ROW)
    assert "why: the change" in said
    assert lines[0].split()[:2] == ["contrast", "change"]


def test_only_as_many_columns_leave_as_must() -> None:
    """A column that fits stays on its line, in its place."""
    lines = laid_out(HEADER, [ROW], below=("why", "measure"), width=100)
    assert lines[0].split() == ["measure", "contrast", "change", "interval", "verdict"]


def test_what_is_the_same_in_every_row_is_said_once_where_there_is_no_room() -> None:
    """Before a column leaves its line, those that tell no row from another are said above them."""
    other = [*ROW[:2], "+0.020", "[-0.080, +0.120]", "larger", "-"]
    lines = laid_out(HEADER, [[*ROW[:5], "-"], other], below=(), width=60)
    assert " ".join(" ".join(lines[:2]).split()) == (
        "in every row: measure favourable_rate, contrast nonbinary - male (explicit)"
    )
    assert [line.split()[0] for line in lines[2:]] == ["change", "------", "-0.076", "+0.020"]
    assert max(map(len, lines)) <= 60


def test_without_a_terminal_each_row_is_one_line() -> None:
    """What goes into a file is cut nowhere."""
    lines = laid_out(HEADER, [ROW, [*ROW[:-1], "-"]], below=("why", "measure"), width=None)
    assert len(lines) == 4
    assert lines[2].endswith(ROW[-1])


def test_long_lines_are_folded_between_words_and_commands_are_not() -> None:
    """A sentence keeps its words and its indentation within the width; what is to be typed stays one line."""
    sentence = "  target: 7128 outputs, " + "a word that is said again " * 8
    lines = folded(sentence, 80).splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80
    assert [line[:2] for line in lines] == ["  "] * len(lines)
    assert " ".join(folded(sentence, 80).split()) == " ".join(sentence.split())
    command = "next: evenhand resume " + "a/long/folder/" * 8
    assert folded(command, 80) == command
    assert folded(sentence, None) == sentence


def change_of(**known: object) -> Change:
    """A change of a disparity that is not measured."""
    return Change.model_validate(
        {
            **dict.fromkeys(Change.model_fields),
            "finding": "F-0",
            "probe": "bias/decisions",
            "language": "en",
            "measure": "favourable_rate",
            "kind": "disparity",
            "domain": "lending",
            "level": 0.95,
            "method": "none",
            "n_outputs": 10,
            "n_clusters": 5,
            "before_verdict": "not_measured",
            "after_verdict": "observed",
            "verdict": "not_measured",
            "reasons": ["the run before: 5 templates; at least 12 are needed to state it"],
            **known,
        }
    )


def test_changes_say_why_they_are_not_decided(capsys: pytest.CaptureFixture[str]) -> None:
    """A change that is open or not measured carries its reason, without --json."""
    show_changes([change_of()])
    said = capsys.readouterr().err
    assert "why" in said.splitlines()[0]
    assert "5 templates; at least 12 are needed" in said


def test_changes_that_say_nothing_are_counted_unless_all_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A claim of either run, an interval without 0 and a whole rate to be kept stay."""
    open_one = {
        "kind": "disparity",
        "before": 0.02,
        "after": 0.03,
        "change": 0.01,
        "ci_low": -0.05,
        "ci_high": 0.07,
        "before_verdict": "inconclusive",
        "after_verdict": "equivalent",
        "verdict": "inconclusive",
        "reasons": [],
    }
    kept = {"margin": 0.05, "worse": "higher", "bound": 0.02, "verdict": "non_inferior"}
    rate = {"kind": "rate", "domain": "all", "non_inferiority": kept, "verdict": "no_material_change"}
    changes = [
        change_of(**open_one, measure="quiet"),
        change_of(**open_one | {"after_verdict": "disparity"}, measure="claimed"),
        change_of(**open_one | {"ci_low": 0.001}, measure="apart"),
        change_of(**open_one | {"verdict": "larger"}, measure="decided"),
        change_of(**open_one | rate, measure="kept"),
        change_of(**open_one | rate | {"domain": "fraud"}, measure="slice"),
        change_of(**open_one | rate | {"before": 0.0, "after": 0.0}, measure="never"),
    ]
    show_changes(changes, every=False)
    said = capsys.readouterr().err
    listed = [line.split()[0] for line in said.splitlines()[2:] if line.split()[1] in {"lending", "all"}]
    assert listed == ["claimed", "apart", "decided", "kept"]
    assert "and 3 of which neither run shows anything wrong" in said
    assert "(never, quiet, slice); see --all" in said
    show_changes(changes)
    assert "see --all" not in (whole := capsys.readouterr().err)
    assert "quiet" in whole


def test_what_neither_run_measured_is_counted_and_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that neither run measured are one line, and a caution that many rows share is said once."""
    both = change_of(measure="true_positive_rate", after_verdict="not_measured")
    stopped = [
        change_of(domain=name, after_verdict="inconclusive", verdict="inconclusive", reasons=["open", SHARED])
        for name in ("hiring", "lending")
    ]
    show_changes([both, *stopped])
    said = " ".join(capsys.readouterr().err.split())
    assert "and 1 of what neither run measured (true_positive_rate); see --json" in said
    assert said.count("true_positive_rate") == 1
    assert said.count("a run stopped early") == 1
    assert "2 of these: a run stopped early" in said


def test_what_must_not_get_worse_says_how_much_it_may_have(capsys: pytest.CaptureFixture[str]) -> None:
    """Non-inferiority stands with its bound and margin, and not as a word beside the verdict."""
    change = change_of(
        measure="correct_rate",
        kind="rate",
        method="paired by prompt",
        change=0.05,
        n_clusters=50,
        before_verdict="observed",
        verdict="inconclusive",
        reasons=["open"],
        non_inferiority={"margin": 0.05, "worse": "lower", "bound": -0.012, "verdict": "non_inferior"},
    )
    show_changes([change])
    assert "non inferior: no worse than -0.012 (margin 0.050); open" in capsys.readouterr().err


def test_a_name_of_several_lines_keeps_its_row_in_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A group may be called whatever a cell of a file holds, line ends too."""
    table(["group", "n"], [["North\nand East", "1"], ["South\u2028West", "2"]])
    assert capsys.readouterr().err.splitlines() == [
        "group           n",
        "--------------  -",
        "North and East  1",
        "South West      2",
    ]
