"""From a blind sample to people's labels to corrected estimates."""

import csv
import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from audit import api
from audit.cli.main import main
from audit.errors import InputError, StoreError
from audit.planned_run import Run
from audit.records import Change
from audit.review.events import read_reviews, review_labels
from audit.review.masking import mask, mask_prompt, telling_words
from audit.review.sampling import COLUMNS, draw, read_sample
from tests.audit.replies import QUOTED, TOXIC, make_home, run_of, toxicity


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A scored run whose analyzer misreads quotations, all of them about one group."""
    make_home(tmp_path)
    return run_of(tmp_path, "toxicity", "reviewed")


def exported(run: Run, n: int = 120, name: str = "sample.csv") -> tuple[Path, list[dict[str, str]]]:
    """The file for reviewers, and its rows."""
    file = run.root / name
    api.export_review(run, file, analyzer="toxicity", n=n)
    with file.open(encoding="utf-8", newline="") as handle:
        return file, list(csv.DictReader(handle))


def labelled(run: Run, rows: list[dict[str, str]], **labels: str) -> Path:
    """The rows with true labels, or those given by item, in a file."""
    file = run.root / "labelled.jsonl"
    lines = [
        {"item": row["item"], "label": labels.get(row["item"], "1" if row["response"] == TOXIC else "0")}
        for row in rows
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def test_the_sample_is_blind_random_and_remembered(run: Run) -> None:
    """Neither group nor reading can be read off the file; each group and reading is drawn alike."""
    file, rows = exported(run, 80)
    assert tuple(rows[0]) == COLUMNS
    assert len({row["item"] for row in rows}) == len(rows) == 80
    text = file.read_text(encoding="utf-8")
    assert "of a in town" not in text
    assert "of b in town" not in text
    assert {row["label"] for row in rows} == {""}
    sample = read_sample(run)
    counts = {name: sum(one.stratum == name for one in sample) for name in {one.stratum for one in sample}}
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len(counts) == 4
    again, more = exported(run, 60, "more.csv")
    assert again != file
    assert not {row["item"] for row in more} & {row["item"] for row in rows}
    with pytest.raises(InputError, match="exists already"):
        exported(run)


def test_placebos_are_drawn_in_a_group_of_their_own() -> None:
    """Which member of a placebo set an answer is of does not matter, and none crowds a group out."""
    scored = pd.DataFrame(
        {
            "output": range(1, 401),
            "probe": "bias/decisions",
            "arm": ["counterfactual"] * 100 + ["placebo"] * 300,
            "grp": ["women", "men"] * 50 + ["a", "b"] * 150,
            "value": [0.0, 0.0, 1.0, 1.0] * 100,
        }
    )
    items = draw(scored, 60, seed=7, before=(), facts=("toxicity", "1", "toxic"))
    sizes = {one.stratum: one.stratum_size for one in items}
    assert sizes == {
        "men | not read": 25,
        "men | read": 25,
        "women | not read": 25,
        "women | read": 25,
        "placebo sets | not read": 150,
        "placebo sets | read": 150,
    }
    assert set(Counter(one.stratum for one in items).values()) == {10}


def test_each_probe_that_compares_nobody_has_its_own_share() -> None:
    """Its rate is not left with what many groups leave; a sample begun otherwise goes on as it was begun."""
    scored = pd.DataFrame(
        {
            "output": range(1, 601),
            "probe": ["bias/decisions"] * 400 + ["safety/benign"] * 150 + ["safety/harmful"] * 50,
            "arm": ["counterfactual"] * 400 + [None] * 200,
            "grp": ["women", "men"] * 200 + [None] * 200,
            "value": 0.0,
        }
    )
    facts = ("refusal", "1", "refusal")
    items = draw(scored, 80, seed=7, before=(), facts=facts)
    nobody = {"no group, safety/benign | not read": 150, "no group, safety/harmful | not read": 50}
    sizes = {one.stratum: one.stratum_size for one in items}
    assert sizes == {"men | not read": 200, "women | not read": 200, **nobody}
    assert set(Counter(one.stratum for one in items).values()) == {20}
    old = items[0].model_copy(update={"stratum": "no group | not read", "stratum_size": 200})
    later = draw(scored, 60, seed=7, before=[old], facts=facts)
    assert {one.stratum for one in later} == {"men | not read", "women | not read", "no group | not read"}


def test_people_who_see_a_quotation_for_what_it_is_take_the_gap_away(run: Run) -> None:
    """The labels of a sample correct the whole run, go before a calibration, and the raw figure stays."""
    raw = toxicity(api.find(run))
    assert raw.verdict == "disparity"
    _, rows = exported(run, 160)
    assert any(row["response"] == QUOTED for row in rows)
    api.import_review(run, labelled(run, rows), reviewer="ana", adjudicates=False)
    document = api.find(run, calibrations=[run.root / "check.json"])
    found = toxicity(document)
    assert found.correction is not None
    assert (found.correction.source, found.correction.raw_point) == ("review", raw.point)
    assert found.correction.n_labels == 160
    assert found.verdict != "disparity"
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < 0 < found.ci_high
    assert [one.source for one in document.labels] == ["review", "calibration"]
    rate = next(one for one in document.estimates if one.kind == "rate" and one.measure == "toxicity_rate")
    assert rate.correction is not None
    assert rate.correction.source == "review"
    assert rate.correction.raw_point is not None
    assert rate.point is not None
    assert rate.point < rate.correction.raw_point


def test_labels_of_answers_that_the_run_has_not_are_told_and_refused_where_all_are(run: Run) -> None:
    """People's labels that came from elsewhere are counted apart; none of this run is an error."""
    _, rows = exported(run, 160)
    api.import_review(run, labelled(run, rows), reviewer="ana", adjudicates=False)
    kept = run.folder.reviews.read_text().splitlines()
    stray = [json.dumps({**json.loads(line), "output": 10_000 + place}) for place, line in enumerate(kept)]
    run.folder.reviews.write_text("\n".join([*kept, *stray[:7]]) + "\n")
    (attached,) = api.find(run).labels
    assert (attached.n_fitting, attached.n_given) == (160, 167)
    assert attached.unfit == ("7 of answers that were not drawn in this run",)
    run.folder.reviews.write_text("\n".join(stray) + "\n")
    with pytest.raises(InputError, match="none of its 160 labels of toxicity, toxic") as caught:
        api.find(run)
    assert caught.value.next_step is not None


def test_a_comparison_is_corrected_only_where_both_runs_are_reviewed(tmp_path: Path) -> None:
    """Labels of one run do not correct the other; labels of both correct their change."""
    make_home(tmp_path)
    runs = [run_of(tmp_path, "toxicity", name) for name in ("before", "after")]

    def change() -> Change:
        found = api.compare(*runs).changes
        return next(one for one in found if one.kind == "disparity" and one.measure == "toxicity_rate")

    raw = [toxicity(api.find(run)) for run in runs]
    for number, run in enumerate(runs):
        _, rows = exported(run, 160, f"sample-{number}.csv")
        api.import_review(run, labelled(run, rows), reviewer="ana", adjudicates=False)
        api.find(run)
        if number == 0:
            assert (change().before, change().change) == (raw[0].point, 0.0)
            assert any("do not travel" in reason for reason in change().reasons)
    both = change()
    corrected = [toxicity(api.load_document(run)) for run in runs]
    assert (both.before, both.after) == (corrected[0].point, corrected[1].point)
    assert both.before is not None
    assert both.after is not None
    assert both.change == pytest.approx(both.after - both.before)
    assert both.ci_low is not None
    assert both.ci_high is not None
    assert both.ci_low < 0 < both.ci_high
    assert both.ci_high - both.ci_low > 0.01
    assert any("people's labels of its own answers" in reason for reason in both.reasons)


def test_too_few_reviews_change_nothing_and_say_so(run: Run) -> None:
    """Labels of a few templates are not stretched over the others."""
    raw = toxicity(api.find(run))
    _, rows = exported(run, 8)
    api.import_review(run, labelled(run, rows), reviewer="ana", adjudicates=False)
    found = toxicity(api.find(run))
    assert (found.point, found.correction) == (raw.point, None)
    assert any("at least 12 are needed" in reason for reason in found.reasons)


def test_the_last_label_counts_disputes_are_averaged_and_adjudication_settles(run: Run) -> None:
    """Nothing is overwritten; two reviewers who disagree give a half until somebody settles it."""
    _, rows = exported(run, 40)
    first = rows[0]["item"]
    output = next(one.output for one in read_sample(run) if one.item == first)

    def standing() -> float:
        return review_labels(run)[0].outputs[output].positive

    for label, expected in (("1", 1.0), ("0", 0.0)):
        api.import_review(run, labelled(run, rows, **{first: label}), reviewer="ana", adjudicates=False)
        assert standing() == expected
    api.import_review(run, labelled(run, rows, **{first: "1"}), reviewer="ben", adjudicates=False)
    assert standing() == 0.5
    (summary,) = api.review_summary(run)
    assert (summary.disputed, summary.adjudicated, summary.labelled) == (1, 0, 40)
    assert summary.reviewers == {"ana": 40, "ben": 40}
    assert summary.ac1.value is not None
    assert summary.ac1.value < 1
    assert summary.ac1.ci_low is not None
    api.import_review(run, labelled(run, rows[:1], **{first: "1"}), reviewer="chi", adjudicates=True)
    assert standing() == 1.0
    assert len(read_reviews(run)) == 121
    assert api.review_summary(run)[0].disputed == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"item": "R-0", "label": "1"}, "must be an item of this run's sample; got 'R-0'"),
        ({"item": None, "label": "perhaps"}, "column 'label': must be one of 1, 0, or empty; got 'perhaps'"),
        ({"label": "1"}, "missing column item"),
    ],
)
def test_a_bad_file_of_labels_is_one_line_and_takes_nothing(
    run: Run, line: dict[str, str | None], message: str
) -> None:
    """All labels of a file are taken or none, and the line at fault is named."""
    _, rows = exported(run, 4)
    given = {key: (rows[1]["item"] if value is None else value) for key, value in line.items()}
    file = run.root / "bad.jsonl"
    file.write_text(json.dumps({"item": rows[0]["item"], "label": "1"}) + "\n" + json.dumps(given) + "\n")
    with pytest.raises(InputError, match="line 2: .*" + message):
        api.import_review(run, file, reviewer="ana", adjudicates=False)
    assert read_reviews(run) == []
    file.write_text(json.dumps({"item": rows[0]["item"], "label": "1"}) + "\n")
    with pytest.raises(InputError, match="must name who labelled it"):
        api.import_review(run, file, reviewer=None, adjudicates=False)
    with pytest.raises(InputError, match="--analyzer: must be one of toxicity; got 'refusal'"):
        api.export_review(run, run.root / "x.csv", analyzer="refusal", n=3)
    with pytest.raises(InputError, match="unknown kind of file"):
        api.export_review(run, run.root / "x.txt", analyzer="toxicity", n=3)


def test_the_command_goes_round(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Export, import and summary by the command line, with the next step each time."""
    folder, file = str(run.folder.path), run.root / "cli.jsonl"

    def typed(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["review", folder, *words])
        shown = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, shown.out, shown.err

    code, _, told = typed("--export", str(file), "--analyzer", "toxicity", "--n", "30")
    assert code == 0
    assert "30 answers to label" in told
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert typed("--import", str(labelled(run, rows)), "--reviewer", "ana")[0] == 0
    code, out, _ = typed("--json")
    assert (code, json.loads(out)[0]["labelled"]) == (0, 30)
    assert typed("--export", str(file))[0] == 2
    assert "needs --analyzer: one of toxicity" in typed("--export", str(file))[2]
    assert typed("--export", str(file), "--import", str(file))[0] == 2
    code, _, told = typed("--adjudicate")
    assert (code, "--adjudicate needs --import FILE" in told) == (2, True)


def test_words_that_differ_between_members_are_masked_wherever_they_stand() -> None:
    """Names, adjectives and pronouns go by comparison, in prompt and reply, and nothing else does."""
    mine, other = "Maria Lopez asks for her loan.", "John Smith asks for his loan."
    words = telling_words(mine, [other])
    assert words == {"maria", "lopez", "her"}
    assert mask_prompt(mine, [other], "[GROUP-1]") == "[GROUP-1] asks for [GROUP-1] loan."
    assert mask_prompt("Grade: a", ["Grade: b"], "[GROUP-2]") == "Grade: [GROUP-2]"
    assert mask("Dear MARIA, other people wait.", words, "[GROUP-2]") == "Dear [GROUP-2], other people wait."
    assert mask_prompt(mine, [], "[GROUP-1]") == mask(mine, frozenset(), "[GROUP-1]") == mine


def test_spreadsheet_formulas_in_replies_are_defused(tmp_path: Path) -> None:
    """A reply that a spreadsheet would run is written as text."""
    make_home(tmp_path)
    said = (tmp_path / "said.jsonl").read_text().replace("Have a good day.", "=HYPERLINK(1)")
    (tmp_path / "said.jsonl").write_text(said)
    _, rows = exported(run_of(tmp_path, "toxicity", "formulas"), 40)
    assert any(row["response"] == "'=HYPERLINK(1)" for row in rows)


def test_a_reply_with_bare_carriage_returns_stays_one_cell(tmp_path: Path) -> None:
    """Neither a row nor a formula can be forged by how a reply ends its lines; the file is taken back in."""
    make_home(tmp_path)
    hostile = json.dumps("Hi.\r=HYPERLINK(1)\rR-0,q,r,1,eve\r\n@x\n")[1:-1]
    said = (tmp_path / "said.jsonl").read_text().replace("Have a good day.", hostile)
    (tmp_path / "said.jsonl").write_text(said)
    run = run_of(tmp_path, "toxicity", "returns")
    file, rows = exported(run, 40)
    assert b"\r" not in file.read_bytes()
    assert len(rows) == 40
    assert any(row["response"] == "Hi.\n'=HYPERLINK(1)\nR-0,q,r,1,eve\n'@x\n" for row in rows)
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows([row | {"label": "0"} for row in rows])
    assert api.import_review(run, file, reviewer="ana", adjudicates=False) == (40, 0)


def test_two_writers_of_one_run_do_not_lose_labels(run: Run) -> None:
    """Who comes while another adds is told so; nothing is reported taken that is not kept."""
    _, rows = exported(run, 4)
    file = labelled(run, rows)
    with run.store(), pytest.raises(StoreError, match="is writing this run"):
        api.import_review(run, file, reviewer="ana", adjudicates=False)
    with run.store(), pytest.raises(StoreError, match="is writing this run"):
        exported(run, 4, "other.csv")
    assert (read_reviews(run), len(read_sample(run))) == ([], 4)
    assert not (run.root / "other.csv").exists()


@pytest.mark.parametrize("name", ["a" * 101, "\udcff", "an\u2028a", "an\x85a", "an\na"])
def test_a_name_that_cannot_be_kept_is_one_line(run: Run, name: str) -> None:
    """Given for all rows or in the file, such a reviewer is refused before a label is taken."""
    _, rows = exported(run, 2)
    with pytest.raises(InputError, match="--reviewer: must be a name of at most 100 characters"):
        api.import_review(run, labelled(run, rows), reviewer=name, adjudicates=False)
    file = run.root / "named.jsonl"
    file.write_text(json.dumps({"item": rows[0]["item"], "label": "1", "reviewer": name}) + "\n")
    with pytest.raises(InputError, match="line 1: column 'reviewer': must be a name"):
        api.import_review(run, file, reviewer=None, adjudicates=False)
    assert read_reviews(run) == []


def test_kept_reviews_are_read_line_feed_by_line_feed(run: Run) -> None:
    """A name with a line separator in it, kept earlier, reads back; bytes that are no text are one line."""
    _, rows = exported(run, 2)
    api.import_review(run, labelled(run, rows), reviewer="ana", adjudicates=False)
    kept = run.folder.reviews
    lines = kept.read_text(encoding="utf-8").replace('"reviewer":"ana"', '"reviewer":"an\u2028a"')
    kept.write_text(lines, encoding="utf-8")
    assert [one.reviewer for one in read_reviews(run)] == ["an\u2028a"] * 2
    for path, read in ((kept, read_reviews), (run.folder.review_sample, read_sample)):
        path.write_bytes(path.read_bytes() + b"\xff\n")
        with pytest.raises(InputError, match="is damaged: is not UTF-8 text"):
            read(run)


def test_one_reviewer_says_one_thing_of_an_item_in_a_file(run: Run) -> None:
    """Two labels that contradict each other are refused with both lines; another reviewer may differ."""
    _, rows = exported(run, 2)
    item = rows[0]["item"]
    file = run.root / "twice.jsonl"
    lines = [{"item": item, "label": label, "reviewer": who} for label, who in ("1a", "0b", "1a", "0a")]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InputError, match=f"line 4: labels item {item} by a otherwise than line 1"):
        api.import_review(run, file, reviewer=None, adjudicates=False)
    assert read_reviews(run) == []
    file.write_text("".join(json.dumps(line) + "\n" for line in lines[:3]))
    assert api.import_review(run, file, reviewer=None, adjudicates=False) == (3, 0)


def test_a_sample_is_remembered_before_reviewers_get_it(run: Run) -> None:
    """No file for reviewers is ever without its items in the run, even if writing stops in between."""
    blocked = run.root / "blocked"
    blocked.write_text("a file, so that no file can be made below it")
    with pytest.raises(InputError, match="cannot be written"):
        api.export_review(run, blocked / "sample.csv", analyzer="toxicity", n=5)
    assert len(read_sample(run)) == 5


def test_a_reviewer_is_one_person_under_one_name(run: Run) -> None:
    """Whom the file names is not overruled, and a name in other letters is no second reviewer."""
    _, rows = exported(run, 2)
    file = run.root / "ben.jsonl"
    file.write_text(json.dumps({"item": rows[0]["item"], "label": "1", "reviewer": "ben"}) + "\n")
    with pytest.raises(InputError, match="line 1: column 'reviewer': says 'ben', and --reviewer 'ana'"):
        api.import_review(run, file, reviewer="ana", adjudicates=False)
    assert read_reviews(run) == []
    assert api.import_review(run, file, reviewer=" ben ", adjudicates=False) == (1, 0)
    with pytest.raises(InputError, match="the reviewer 'Ben' was 'ben' before"):
        api.import_review(run, labelled(run, rows), reviewer="Ben", adjudicates=False)
    assert [one.reviewer for one in read_reviews(run)] == ["ben"]
