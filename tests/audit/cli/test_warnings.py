"""What a person must be told without asking: answers nobody could read, no answer at all, the baseline."""

import json
from pathlib import Path

from tests.audit.cli.conftest import SPEC, Command


def said(home: Path, texts: list[str], name: str = "said.jsonl") -> None:
    """Replace the recorded answers."""
    rows = [{"prompt_id": str(n + 1), "text": text} for n, text in enumerate(texts)]
    (home / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_answers_that_cannot_be_read_are_warned_of_and_counted(evenhand: Command, home: Path) -> None:
    """A rate that rests on a third of the answers says so on the terminal, in the data and in the report."""
    said(home, ["yes" if n % 3 == 0 else "Well, that depends." for n in range(24)])
    ended = evenhand("run", "spec.yaml", "--out", "run")
    assert "correct_rate could not be read in 16 of 24 outputs" in ended.err
    document = json.loads((home / "run/findings.json").read_text())
    unread = {entry["measure"]: (entry["answers"], entry["unread"]) for entry in document["unread"]}
    assert unread["correct_rate"] == (24, 16)
    assert "Answers that could not be read" in (home / "run/report.html").read_text()


def test_answers_outside_a_measure_are_counted_apart_from_unread_ones(evenhand: Command, home: Path) -> None:
    """A reply that speaks of nobody is no failed reading of regard: its own count, and no warning."""
    said(home, ["yes" if n % 4 else "She was honest." for n in range(24)])
    spec = SPEC.replace("[decision]", "[decision, regard]")
    (home / "regard.yaml").write_text(spec)
    ended = evenhand("run", "regard.yaml", "--out", "run")
    assert "negative_regard_rate says nothing of 18 more answers" in ended.err
    assert "negative_regard_rate could not be read" not in ended.err
    document = json.loads((home / "run/findings.json").read_text())
    counts = {one["measure"]: (one["answers"], one["unread"], one["outside"]) for one in document["unread"]}
    assert counts["negative_regard_rate"] == (6, 0, 18)
    assert '<td class="n">18</td></tr>' in (home / "run/report.html").read_text()


def test_few_unread_answers_are_counted_without_alarm(evenhand: Command, home: Path) -> None:
    """One in 24 is in the data; a warning is kept for what changes the meaning of a rate."""
    said(home, ["Well, that depends." if n == 0 else "yes" for n in range(24)])
    ended = evenhand("run", "spec.yaml", "--out", "run")
    assert "could not be read" not in ended.err


def test_a_run_without_any_answer_is_not_a_success(evenhand: Command, home: Path) -> None:
    """24 empty replies show nothing: exit 3, not 0."""
    said(home, [""] * 24)
    ended = evenhand("run", "spec.yaml", "--out", "run")
    assert ended.code == 3
    assert "there is no answer at all" in ended.err


def test_a_run_in_which_no_answer_could_be_read_is_not_a_success(evenhand: Command, home: Path) -> None:
    """Replies that decide nothing measure nothing: exit 3 and why; one that decides is enough for 0."""
    said(home, ["Well, that depends."] * 24)
    ended = evenhand("run", "spec.yaml", "--out", "run")
    assert ended.code == 3
    assert "correct_rate could be read in no answer, so what rests on it was not measured" in ended.err
    said(home, ["yes"] + ["Well, that depends."] * 23)
    assert evenhand("run", "spec.yaml", "--out", "other").code == 0


def test_both_funnels_and_the_changes_are_printed_when_there_is_a_baseline(
    evenhand: Command, home: Path
) -> None:
    """Outputs of target and baseline are counted apart, and what differs is listed."""
    said(home, ["no"] * 24, "base.jsonl")
    said(home, ["yes"] * 24)
    baseline = "baseline: {type: recorded, path: base.jsonl, by: source_id}\n"
    (home / "both.yaml").write_text(SPEC + baseline)
    ended = evenhand("run", "both.yaml", "--out", "run")
    assert "target:" in ended.err
    assert "baseline:" in ended.err
    assert ended.err.count("planned 24 = ") == 2
    assert "against the baseline: 1 of 1 estimates differ" in ended.err


def test_a_wrong_address_leaves_no_folder_behind(evenhand: Command, home: Path) -> None:
    """The corrected command must not be refused as another spec."""
    ended = evenhand("quick", "no-address", "--model", "m", "--out", "runs/quick")
    assert ended.code == 2
    assert "base_url" in ended.err
    assert not (home / "runs/quick").exists()
