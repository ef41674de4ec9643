"""What measuring an analyzer on labelled replies promises."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.checking import AnalyzerCheck, Positive, check_analyzer
from audit.errors import InputError, SpecError
from audit.labelled import Labels, read_labelled
from audit.performance import Rate, balanced_accuracy
from audit.statistics.rates import wilson_interval

NO, YES = "I'm sorry, but I can't help with that.", "Cut along the line and fold the edge twice."
PART = "I can't tell you what she earns. Here are tips for you:\n1. List what you did this year.\n" * 2
LOST = "I don't understand your request."


def written(folder: Path, rows: list[dict[str, str]]) -> Path:
    """A CSV file of the rows."""
    file = folder / "labels.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def row(response: str, label: str, **more: str) -> dict[str, str]:
    """A labelled reply."""
    return {"prompt": "Cut it.", "response": response, "label": label, **more}


def checked(file: Path, name: str = "refusal") -> AnalyzerCheck:
    """The check with default columns and no options."""
    return check_analyzer(name, file, Labels(), options={})


def rate(successes: int, trials: int) -> Rate:
    """A rate with its Wilson interval."""
    interval = wilson_interval(successes, trials)
    return Rate(value=successes / trials, ci_low=interval.low, ci_high=interval.high, n=trials)


def test_refused_in_full_or_in_part_is_positive_and_a_reading_without_value_is_kept_apart(
    tmp_path: Path,
) -> None:
    """Sensitivity is over replies that could be read; the others are counted, and no rate hides them."""
    rows = [row(NO, "full"), row(PART, "partial"), row(YES, "full"), row(LOST, "full")]
    rows += [row(YES, "none"), row(LOST, "none"), row(YES, "none"), row("", "none")]
    found = checked(written(tmp_path, rows))
    confusion = found.confusion.model_dump()
    assert confusion == {
        "true_positive": 2,
        "false_negative": 1,
        "undetermined_positive": 1,
        "true_negative": 2,
        "false_positive": 0,
        "undetermined_negative": 2,
    }
    assert (found.n, sum(confusion.values())) == (8, 8)
    assert (found.sensitivity.value, found.sensitivity.n) == (0.666667, 3)
    assert (found.specificity.value, found.specificity.n) == (1.0, 2)
    assert found.balanced_accuracy.value == pytest.approx((2 / 3 + 1) / 2, abs=1e-6)
    assert found.if_undetermined_are_errors.value == 0.5
    assert found.labels == {"full": 3, "none": 4, "partial": 1}
    assert found.readings["none"] == {"none": 2, "not_understood": 1, "unparsed": 1}


def test_intervals_are_wilsons(tmp_path: Path) -> None:
    """A rate of 3 in 4 has the interval that the statistics package gives."""
    rows = [row(NO, "1"), row(NO, "1"), row(NO, "1"), row(YES, "1"), row(YES, "0")]
    found = checked(written(tmp_path, rows)).sensitivity
    interval = wilson_interval(3, 4)
    assert (found.ci_low, found.ci_high) == (round(interval.low, 6), round(interval.high, 6))


def test_rows_that_share_a_cluster_are_not_independent(tmp_path: Path) -> None:
    """Ten copies of two templates are worth two: the intervals widen, and the counts say of what."""
    rows = [row(NO if cluster else YES, "1", cluster=str(cluster)) for cluster in (0, 1) for _ in range(10)]
    rows += [row(YES, "0", cluster=str(cluster)) for cluster in (2, 3) for _ in range(10)]
    alone = checked(written(tmp_path, [{**one, "cluster": ""} for one in rows]))
    shared = checked(written(tmp_path, rows))
    assert (alone.n_clusters, shared.n_clusters) == (None, 4)
    assert alone.sensitivity.value == shared.sensitivity.value == 0.5
    for key in ("sensitivity", "specificity", "balanced_accuracy", "kappa", "alpha"):
        narrow, wide = getattr(alone, key), getattr(shared, key)
        assert wide.ci_high - wide.ci_low > narrow.ci_high - narrow.ci_low, key
    assert len(alone.cells) == 1
    assert [cell.confusion.true_positive for cell in shared.cells] == [0, 10, 0, 0]
    assert "clustered" in shared.method
    assert "independent" in alone.method


def test_a_template_column_serves_as_cluster_and_a_row_without_one_stands_alone(tmp_path: Path) -> None:
    """Who exported templates need not rename the column; an empty cell joins no other row."""
    rows = [row(NO, "1", template=name) for name in ("a", "a", "", "")]
    found = checked(written(tmp_path, rows))
    assert (found.n, found.n_clusters) == (4, 3)
    assert [cell.cluster for cell in found.cells] == ["a", "row 3", "row 4"]
    single = checked(written(tmp_path, [row(NO, "1", cluster="a"), row(NO, "1", cluster="a")]))
    assert single.sensitivity.value is None


def test_counts_by_group_and_language_add_up_to_all_rows(tmp_path: Path) -> None:
    """What a correction is made of accounts for every row, those without a reading too."""
    rows = [
        row(said, label, group=group, language="en")
        for group in "ab"
        for said, label in ((NO, "full"), (YES, "full"), (YES, "none"), (LOST, "none"))
    ]
    found = checked(written(tmp_path, rows))
    assert [(cell.group, cell.language) for cell in found.cells] == [("a", "en"), ("b", "en")]
    assert sum(sum(cell.confusion.model_dump().values()) for cell in found.cells) == found.n == 8
    assert found.cells[0].confusion.undetermined_negative == 1


def test_agreement_is_stated_where_there_are_two_categories(tmp_path: Path) -> None:
    """Kappa and AC1 leave out what has no reading; with one category there is nothing to agree on."""
    rows = [row(NO, "1"), row(NO, "1"), row(YES, "1"), row(YES, "0"), row(YES, "0"), row(LOST, "0")]
    found = checked(written(tmp_path, rows))
    # observed 4/5; by chance 3/5 * 2/5 + 2/5 * 3/5 = 12/25
    assert found.kappa.value == pytest.approx((4 / 5 - 12 / 25) / (1 - 12 / 25), abs=1e-6)
    assert (found.kappa.n, found.raw_agreement.value) == (5, 0.8)
    assert found.ac1.ci_low is not None
    assert found.alpha.value == pytest.approx(1 - 9 * 2 / (2 * 5 * 5), abs=1e-6)
    assert checked(written(tmp_path, rows[:2])).kappa.value is None
    assert checked(written(tmp_path, rows[5:])).ac1.value is None


def test_groups_and_languages_are_shown_apart_and_rows_without_one_are_in_none(tmp_path: Path) -> None:
    """An error rate that differs by group is what makes a ruler bent: it must be visible."""
    rows = [row(NO, "1", group="a", language="en"), row(YES, "1", group="b", language="en")]
    rows += [row(YES, "0", group="a", language="en"), row(YES, "0", group="b", language="")]
    found = checked(written(tmp_path, rows))
    assert {name: part.sensitivity.value for name, part in found.by_group.items()} == {"a": 1.0, "b": 0.0}
    assert {name: part.n for name, part in found.by_language.items()} == {"en": 3}


def test_what_there_are_no_labels_for_is_not_measured(tmp_path: Path) -> None:
    """No negative row: no specificity and no balanced accuracy, rather than 0 or 1."""
    found = checked(written(tmp_path, [row(NO, "1")]))
    assert found.specificity.value is None
    assert found.balanced_accuracy.value is None
    assert found.sensitivity.value == 1.0


def test_jsonl_booleans_and_other_column_names_are_read(tmp_path: Path) -> None:
    """Files keep their own column names."""
    file = tmp_path / "labels.jsonl"
    lines = [{"q": "Cut it.", "a": NO, "refused": True}, {"q": "Cut it.", "a": YES, "refused": 0}]
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    found = check_analyzer(
        "refusal", file, Labels(prompt="q", response="a", label="refused"), options={"topic_check": False}
    )
    assert found.balanced_accuracy.value == 1.0


def test_toxicity_is_checked_on_its_yes_or_no_reading(tmp_path: Path) -> None:
    """The measure that rates are made of is taken unless another is asked for."""
    file = written(tmp_path, [row("You are an idiot.", "1"), row("You are kind.", "0")])
    found = checked(file, "toxicity")
    assert (found.measure, found.balanced_accuracy.value) == ("toxic", 1.0)
    other = check_analyzer(
        "toxicity", file, Labels(), options={}, positive=Positive(measure="toxicity", threshold=0.9)
    )
    assert other.sensitivity.value == 0.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("prompt,response,label\nq,a,maybe\n", r"line 2: column 'label': .*full, partial, none.*got 'maybe'"),
        ("prompt,response,label\nq,a,\n", r"line 2: column 'label': .*got ''"),
        ("prompt,response\nq,a\n", r"line 1: missing column label; columns present: prompt, response"),
        ("prompt,response,label\n", r"holds no rows"),
        ("prompt,response,label\nq,a\n", r"line 2: has not the 3 cells"),
        ('prompt,response,label\nq,"a,1\n', r"not valid CSV|has not the 3 cells"),
        ("", r"missing column label, prompt, response"),
    ],
)
def test_a_bad_file_is_one_line_with_place_value_and_what_is_accepted(
    tmp_path: Path, content: str, message: str
) -> None:
    """Who wrote the labels learns what to mend."""
    file = tmp_path / "bad.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        checked(file)
    assert str(error.value).startswith(f"{file}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"prompt": 3, "response": "a", "label": 1}, r"column 'prompt': must be text; got 3"),
        ({"prompt": "q", "response": None, "label": 1}, r"column 'response': must be text; got None"),
        ({"prompt": "q", "response": "a", "label": 2}, r"column 'label': must be one of 1, 0; got 2"),
        ({"prompt": "q", "response": "a", "label": "full"}, r"must be one of 1, 0; got 'full'"),
        ({"prompt": "q", "response": "a", "label": 1, "group": ["x"]}, r"column 'group': must be text"),
    ],
)
def test_a_bad_value_of_a_json_line_is_named(tmp_path: Path, line: dict[str, object], message: str) -> None:
    """Values of a wrong type are errors, never guesses."""
    file = tmp_path / "bad.jsonl"
    file.write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_labelled(file, Labels(), graded=False)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800"], ids=["no number", "no end", "half a pair"]
)
def test_a_group_that_is_no_text_is_refused(tmp_path: Path, value: object) -> None:
    """What JSON can spell and no file can hold is no group: the check could not be read again."""
    file = tmp_path / "labels.jsonl"
    file.write_text(json.dumps({**row(NO, "1"), "group": value}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1: column 'group': must be text; got "):
        checked(file)


def test_an_optional_column_given_twice_and_a_folder_are_refused(tmp_path: Path) -> None:
    """Neither of two columns is taken silently, and a folder is called one."""
    file = tmp_path / "labels.csv"
    file.write_text("prompt,response,label,group,group\nq,No.,1,a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1: column group is there more than once"):
        checked(file)
    with pytest.raises(InputError, match="is a folder; a file is needed"):
        checked(tmp_path)


@pytest.mark.parametrize("twice", ['"label": 0, "label": 1', '"label": 1, "group": "a", "group": "b"'])
def test_a_key_that_a_row_of_json_has_twice_is_refused(tmp_path: Path, twice: str) -> None:
    """JSON's readers take the last of two; which one is meant nobody can tell. A nested one is no column."""
    file = tmp_path / "labels.jsonl"
    file.write_text(f'{{"prompt": "q", "response": "No.", {twice}}}\n', encoding="utf-8")
    name = "group" if "group" in twice else "label"
    with pytest.raises(InputError, match=rf"labels.jsonl: line 1: key {name} is there more than once"):
        checked(file)
    nested = '{"prompt": "q", "response": "No.", "label": 1, "more": {"label": 0}, "said": "\\"label\\""}\n'
    file.write_text(nested, encoding="utf-8")
    assert checked(file).n == 1


def test_a_threshold_that_no_value_can_reach_is_refused(tmp_path: Path) -> None:
    """A refusal is at most 1, so a threshold of 7, or of 0, would make the check say nothing."""
    for threshold in (7.0, 0.0):
        with pytest.raises(InputError, match=r"above 0 and at most 1; got [07]$"):
            check_analyzer(
                "refusal", tmp_path / "none.csv", Labels(), options={}, positive=Positive(threshold=threshold)
            )


@pytest.mark.parametrize(
    ("name", "measure", "threshold", "accepted"),
    [
        ("sentiment", "sentiment", -5.0, "above -1 and at most 1; got -5"),
        ("sentiment", "sentiment", -1.0, "above -1 and at most 1; got -1"),
        ("sentiment", "sentiment", 1.5, "above -1 and at most 1; got 1.5"),
        ("quality", "words", 0.0, "must be above 0 for words; got 0"),
    ],
)
def test_a_threshold_outside_the_scale_of_its_reading_is_refused(
    tmp_path: Path, name: str, measure: str, threshold: float, accepted: str
) -> None:
    """Each reading has its own ends: sentiment goes from -1 to 1, and a count of words begins at 0."""
    positive = Positive(measure=measure, threshold=threshold)
    with pytest.raises(InputError, match=accepted):
        check_analyzer(name, tmp_path / "none.csv", Labels(), options={}, positive=positive)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_a_threshold_that_is_no_number_is_refused_before_anything_is_read(
    tmp_path: Path, threshold: float
) -> None:
    """It would cut nothing: the file is not even looked for."""
    with pytest.raises(InputError, match=r"--threshold: must be a finite number; got (nan|inf)"):
        check_analyzer(
            "refusal", tmp_path / "none.csv", Labels(), options={}, positive=Positive(threshold=threshold)
        )


def test_wrong_names_are_errors_with_what_is_accepted(tmp_path: Path) -> None:
    """Analyzer, measure, column, option and kind of file are checked before anything is measured."""
    file = written(tmp_path, [row(NO, "1")])
    with pytest.raises(SpecError, match="unknown name 'refusals'"):
        checked(file, "refusals")
    with pytest.raises(InputError, match="must be one of refusal for refusal; got 'toxic'"):
        check_analyzer("refusal", file, Labels(), options={}, positive=Positive(measure="toxic"))
    with pytest.raises(InputError, match="missing column grp"):
        check_analyzer("refusal", file, Labels(group="grp"), options={})
    with pytest.raises(SpecError, match="colour"):
        check_analyzer("refusal", file, Labels(), options={"colour": 1})
    other = tmp_path / "labels.txt"
    other.write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match=r"unknown kind of file '\.txt'; accepted: \.csv, \.jsonl"):
        checked(other)


@given(st.tuples(st.integers(1, 60), st.integers(1, 60)), st.data())
@settings(max_examples=60, deadline=None)
def test_balanced_accuracy_lies_in_its_interval(sizes: tuple[int, int], draw: st.DataObject) -> None:
    """The interval holds the point, stays in [0, 1] and has a width even where both rates are 1."""
    first, second = (rate(draw.draw(st.integers(0, size)), size) for size in sizes)
    found = balanced_accuracy(first, second)
    assert found.value is not None
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert 0 <= found.ci_low <= found.value + 1e-6
    assert found.value - 1e-6 <= found.ci_high <= 1
    assert found.ci_high - found.ci_low > 0.005


@pytest.mark.parametrize("label", ["yes", "no", "true", "false", "2", "refused"])
def test_a_label_outside_the_list_is_refused_in_one_line(tmp_path: Path, label: str) -> None:
    """Only the labels that the documentation names are taken, and 1 and 0 stay."""
    with pytest.raises(InputError, match=f"must be one of full, partial, none, 1, 0; got '{label}'$"):
        checked(written(tmp_path, [row(NO, label)]))
    assert checked(written(tmp_path, [row(NO, "1"), row(YES, "0")])).balanced_accuracy.value == 1.0


def test_decisions_are_checked_among_the_options_of_each_row(tmp_path: Path) -> None:
    """Words, JSON and what cannot be read are told apart, by the options that the row names."""
    given = {"options": "approve|decline", "favourable": "approve"}
    rows = [row("I would approve it.", "1", **given), row('{"decision": "decline"}', "0", **given)]
    rows += [row("Approve.", "0", **given), row("Hard to say.", "1", **given)]
    found = checked(written(tmp_path, rows), "decision")
    assert (found.measure, found.sensitivity.value, found.specificity.value) == ("favourable", 1.0, 0.5)
    assert found.confusion.undetermined_positive == 1
    lines = tmp_path / "labels.jsonl"
    lines.write_text(
        "".join(json.dumps({**one, "options": ["approve", "decline"]}) + "\n" for one in rows), "utf-8"
    )
    assert checked(lines, "decision").confusion == found.confusion


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "column 'options': decision reads which of the options a reply states"),
        ({"options": "yes|no"}, "column 'favourable': decision reads which of the options"),
        ({"options": "yes|no", "favourable": "maybe"}, "line 2: column 'favourable': must be one of yes, no"),
        ({"options": "yes||no", "favourable": "yes"}, "line 2: column 'options': must be texts apart by"),
        ({"options": "yes", "favourable": "yes"}, "line 2: column 'options': must be two or more texts"),
        ({"options": "yes|Yes", "favourable": "yes"}, "line 2: column 'options': must be two or more texts"),
    ],
)
def test_a_decision_without_its_options_is_one_line(
    tmp_path: Path, more: dict[str, str], message: str
) -> None:
    """Without options no reply could be read; the line says which columns are needed."""
    with pytest.raises(InputError, match=message) as caught:
        checked(written(tmp_path, [row("Yes.", "1", **more)]), "decision")
    assert "\n" not in str(caught.value)


DECIDED = ("Approve.", "I would decline it.", "Approve.", "Hard to say.")


def test_a_label_may_be_the_option_that_a_reply_decides_for(tmp_path: Path) -> None:
    """Words of the decision count as 1 for the favourable option and 0 for others, in any letter case."""
    given = {"options": "approve|decline|refer", "favourable": "approve"}
    labels = ("Approve", "refer", "decline", "approve")
    rows = [row(said, label, **given) for said, label in zip(DECIDED, labels, strict=True)]
    found = checked(written(tmp_path, rows), "decision")
    assert (found.sensitivity.value, found.specificity.value) == (1.0, 0.5)
    assert found.readings == {
        "approve": {"approve": 1, "unparsed": 1},
        "decline": {"approve": 1},
        "refer": {"decline": 1},
    }


@pytest.mark.parametrize("options", ["approve|decline", ["approve", "decline"]])
def test_options_that_are_the_same_for_all_rows_are_given_once(tmp_path: Path, options: object) -> None:
    """They need no column, a row may still name its own, and they are no options of the analyzer."""
    rows = [row(said, label) for said, label in zip(DECIDED, ("1", "decline", "0", "1"), strict=True)]
    given = {"options": options, "favourable": "approve"}
    found = check_analyzer("decision", written(tmp_path, rows), Labels(), options=given)
    assert (found.sensitivity.value, found.specificity.value, found.options) == (1.0, 0.5, {})
    own = [row("Yes.", "yes", options="yes|no", favourable="yes"), row("Decline.", "decline", options="")]
    found = check_analyzer("decision", written(tmp_path, own), Labels(), options=given)
    assert found.balanced_accuracy.value == 1.0


def test_a_favourable_yes_is_the_option_that_yaml_reads_as_true(tmp_path: Path) -> None:
    """On the command line a bare yes arrives as true, and only one option can be meant."""
    file = written(tmp_path, [row("Yes.", "yes"), row("No.", "no")])
    found = check_analyzer("decision", file, Labels(), options={"options": "yes|no", "favourable": True})
    assert found.balanced_accuracy.value == 1.0


@pytest.mark.parametrize(
    ("label", "more", "message"),
    [
        (
            "refer",
            {"options": "approve|decline", "favourable": "approve"},
            "1, 0, approve, decline; got 'refer'",
        ),
        (
            "approve",
            {"options": "approve|decline"},
            "line 2: column 'label': is an option, so favourable must",
        ),
        ("approve", {}, "must be one of 1, 0, or an option, which the columns .* name; got 'approve'"),
        ("1", {"options": "1|2", "favourable": "2"}, "'label': is an option and also a label"),
        ("1", {}, "column 'options': decision reads .* --option 'options=yes|no' --option favourable=yes"),
    ],
)
def test_a_decision_that_cannot_be_compared_is_refused_in_one_line(
    tmp_path: Path, label: str, more: dict[str, str], message: str
) -> None:
    """The line says where, what was given and what is accepted."""
    with pytest.raises(InputError, match=message.replace("|", r"\|")):
        checked(written(tmp_path, [row("Approve.", label, **more)]), "decision")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"options": [True, False]}, r"--option options: must be texts, .*; got \[True, False\]"),
        ({"options": "a|b", "favourable": "c"}, "--option favourable: must be one of a, b; got 'c'"),
        ({"options": "a|b", "favourable": True}, "--option favourable: must be one of a, b; got True"),
        ({"favourable": 3}, "--option favourable: must be text; got 3"),
    ],
)
def test_options_that_are_none_are_refused_in_one_line(
    tmp_path: Path, given: dict[str, object], message: str
) -> None:
    """Before anything is read, what is wrong on the command line is named."""
    with pytest.raises(InputError, match=message):
        check_analyzer("decision", tmp_path / "none.csv", Labels(), options=given)


def test_replies_that_are_read_beside_one_another_are_all_read_first(tmp_path: Path) -> None:
    """A recited reply shows only beside the others, which a check has as a run does."""
    said = " ".join(f"word{number}" for number in range(40))
    own = " ".join(f"other{number}" for number in range(40))
    asked = ("how do tides come about", "name three rivers of France", "who wrote the Odyssey")
    rows = [row(said, "1") | {"prompt": one} for one in asked] + [row(own, "0")]
    assert checked(written(tmp_path, rows), "repetition").confusion.true_positive == 3


def test_decision_words_are_no_labels_of_other_readings(tmp_path: Path) -> None:
    """Whether a reply could be read at all is labelled 1 or 0, and so is toxicity."""
    given = {"options": "approve|decline", "favourable": "approve"}
    file = written(tmp_path, [row("Approve.", "approve", **given)])
    with pytest.raises(InputError, match="must be one of 1, 0; got 'approve'"):
        check_analyzer("decision", file, Labels(), options={}, positive=Positive(measure="parsed"))
    with pytest.raises(InputError, match="must be one of 1, 0; got 'approve'"):
        checked(file, "toxicity")


def test_spaces_around_a_group_or_language_make_no_other_one(tmp_path: Path) -> None:
    """Probes take the spaces off too: with them a group's labels would correct nothing."""
    rows = [
        row("I cannot help with that.", "1", group="a", language=" en"),
        row("Take a knife.", "0", group=" a ", language="en"),
        row("Take a saw.", "0", group=" ", language=""),
    ]
    found = checked(written(tmp_path, rows))
    assert {name: part.n for name, part in found.by_group.items()} == {"a": 2}
    assert {name: part.n for name, part in found.by_language.items()} == {"en": 2}


@pytest.mark.parametrize("missing", ["NA", "nan", "<NA>", " "])
def test_a_cluster_that_is_not_known_is_none(tmp_path: Path, missing: str) -> None:
    """What programs write for a missing cell joins no rows: each of them is a cluster of its own."""
    rows = [row(f"I cannot help with {n}.", "1", cluster=missing) for n in range(3)]
    assert checked(written(tmp_path, rows)).n_clusters is None
    rows += [row("Take a knife.", "0", cluster="c1"), row("Take a saw.", "0", cluster="c1")]
    found = checked(written(tmp_path, rows))
    assert sorted(cell.cluster or "" for cell in found.cells) == ["c1", "row 1", "row 2", "row 3"]


def test_rows_that_are_there_again_are_counted(tmp_path: Path) -> None:
    """The same reply to the same request is no further evidence, and its labels may contradict each other."""
    rows = [row("No.", "1"), row("No.", "0"), row("No.", "1"), row("Yes.", "0"), row("Yes.", "0")]
    found = checked(written(tmp_path, rows))
    assert (found.n, found.n_repeated, found.n_contradicted) == (5, 3, 1)
    rows = [{**one, "cluster": "c"} for one in rows]
    found = checked(written(tmp_path, rows))
    assert (found.n_repeated, found.n_contradicted) == (0, 0)
