"""The whole audit of a table: golden values, unknown and excluded groups, verdicts, labels."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    equalized_odds_difference,
    equalized_odds_ratio,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, precision_score, recall_score

from audit.errors import InputError
from audit.records import Verdict
from audit.statistics.rates import wilson_interval
from audit.tables import TableDocument, TableOptions, audit_table
from probes.seeds import rng

SHARED = Path(__file__).parents[3] / ".." / "shared" / "data"
ADULT = SHARED / "adult" / "adult_test_first6000.csv"
GERMAN = SHARED / "german_credit" / "german.csv"
TINY = [("A", 1)] * 600 + [("A", 0)] * 400 + [("B", 1)] * 500 + [("B", 0)] * 500 + [("tiny", 1)] * 10


def audit(folder: Path, frame: pd.DataFrame, **changes: object) -> TableDocument:
    """Audit a frame written as CSV."""
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    given: dict[str, object] = {"outcome": "y", "favourable": ("1",), "groups": ("g",)}
    return audit_table(path, TableOptions(**(given | changes)))  # type: ignore[arg-type] # one builder for all


def test_an_excluded_tiny_group_is_never_the_denominator(tmp_path: Path) -> None:
    """A 60 %, B 50 % and ten of ten give 1.00 and 0.833, and the excluded keep their count and rate."""
    frame = pd.DataFrame(TINY, columns=["g", "y"])
    found = audit(tmp_path, frame, exclude_below=0.02, justification="ten people")
    rows = {row.group: row for row in found.groups}
    assert found.reference == "A"
    assert rows["A"].impact_ratio == 1.0
    assert rows["B"].impact_ratio == pytest.approx(0.5 / 0.6, abs=1e-15)
    assert (rows["tiny"].n, rows["tiny"].rate, rows["tiny"].impact_ratio) == (10, 1.0, None)
    assert rows["tiny"].excluded
    law = found.tables.local_law_144[0]
    assert law.exclusion_justification == "ten people"
    assert [one.impact_ratio for one in law.categories] == [1.0, pytest.approx(0.8333, abs=1e-4), None]
    everyone = audit(tmp_path, frame)
    assert everyone.reference == "tiny"
    assert {row.group: row.impact_ratio for row in everyone.groups} == {"A": 0.6, "B": 0.5, "tiny": 1.0}
    assert any("fewer than 12" in note for note in everyone.notes)


def test_a_ratio_to_few_favourable_decisions_says_how_few(tmp_path: Path) -> None:
    """One favourable decision in the reference bounds no ratio: counts stand where [0, 610] would."""
    given: dict[str, object] = {"references": ("A",), "favourable": ("yes",)}
    frame = _decided({"A": 40, "B": 40}, {"A": 1 / 40, "B": 0.0})
    (row,) = [row for row in audit(tmp_path, frame, **given).groups if row.group == "B"]
    assert (row.impact_ratio, row.impact_ratio_ci_low, row.impact_ratio_ci_high) == (0.0, None, None)
    few = "not measured: 1 favourable of 40 in the reference; a ratio to it needs 5 or more"
    assert row.impact_ratio_method == few
    frame = _decided({"A": 40, "B": 40}, {"A": 5 / 40, "B": 0.0})
    (row,) = [row for row in audit(tmp_path, frame, **given).groups if row.group == "B"]
    assert row.impact_ratio_ci_high is not None
    assert row.impact_ratio_ci_high < 3


def test_what_no_rate_is_made_of_is_told(tmp_path: Path) -> None:
    """Rows without a label and an `unknown` that nobody has are notes; one labelled row is no fault."""
    rows = [("a", "1", "1"), ("a", "0", ""), ("b", "1", "0"), ("b", "0", "1"), ("?", "0", "1")]
    frame = pd.DataFrame(rows, columns=["g", "y", "l"])
    found = audit(tmp_path, frame, label="l", unknown=("b", "typo"))
    assert "1 of 5 rows have no label: they are counted, and in no error rate." in found.notes
    assert "No row has the value 'typo' that was said to be unknown." in found.notes
    assert not any("'b'" in note and "unknown" in note for note in found.notes)


def test_every_row_is_counted_somewhere(tmp_path: Path) -> None:
    """Unknown categories and missing decisions are listed with their counts, never dropped."""
    rows = [*TINY, ("", 1), ("?", 0), ("Unknown", 1), ("n/s", 1), ("A", ""), ("B", "")]
    frame = pd.DataFrame(rows, columns=["g", "y"])
    found = audit(tmp_path, frame, unknown=("n/s",))
    assert sum(row.n + row.undecided for row in found.groups) == found.rows == len(rows)
    assert found.undecided == 2
    assert found.unknown[0].rows == 4
    assert found.unknown[0].spellings == {"": 1, "?": 1, "Unknown": 1, "n/s": 1}
    last = found.groups[-1]
    assert (last.group, last.n, last.favourable, last.excluded) == ("(unknown)", 4, 3, True)
    assert found.tables.local_law_144[0].unknown == 4


def test_verdicts_of_all_kinds(tmp_path: Path) -> None:
    """A gap is a disparity, none in many rows equivalence, few rows are not enough."""
    counts = {"base": (4000, 2000), "gap": (1000, 300), "same": (4000, 2002), "few": (60, 28), "bare": (8, 4)}
    rows = [(g, int(k < hits)) for g, (n, hits) in counts.items() for k in range(n)]
    found = audit(tmp_path, pd.DataFrame(rows, columns=["g", "y"]), references=("base",))
    verdicts = {row.group: row.verdict for row in found.groups}
    assert verdicts == {
        "base": None,
        "gap": Verdict.DISPARITY,
        "same": Verdict.EQUIVALENT,
        "few": Verdict.INCONCLUSIVE,
        "bare": Verdict.NOT_MEASURED,
    }
    by_group = {row.group: row for row in found.groups}
    assert by_group["gap"].material
    assert found.tests == 3
    assert all(by_group[name].reasons for name in ("few", "bare"))
    interval = wilson_interval(28, 60)
    assert (by_group["few"].ci_low, by_group["few"].ci_high) == (interval.low, interval.high)


def test_decisions_missing_for_one_group_spoil_its_contrast(tmp_path: Path) -> None:
    """A group whose decisions are missing far more often is not measured, with the reason."""
    rows = [("a", n % 2) for n in range(400)] + [("b", n % 2 if n % 3 else "") for n in range(400)]
    found = audit(tmp_path, pd.DataFrame(rows, columns=["g", "y"]), references=("a",))
    row = found.groups[1]
    assert row.verdict is Verdict.NOT_MEASURED
    assert "missing" in row.reasons[0]


@pytest.mark.parametrize("clusters", [False, True])
def test_a_picked_reference_raises_no_more_false_alarms(tmp_path: Path, *, clusters: bool) -> None:
    """Five equal groups against the highest one: at most about 5 % of audits find a disparity."""
    generator = rng(5, "null", str(clusters))
    alarms = 0
    rounds = 200
    for _ in range(rounds):
        frame = pd.DataFrame({"g": np.repeat(list("abcde"), 100), "y": generator.integers(0, 2, 500)})
        frame["c"] = np.arange(500) // 2
        found = audit(tmp_path, frame, cluster="c" if clusters else None)
        alarms += any(row.verdict is Verdict.DISPARITY for row in found.groups)
    # 5 % and three standard errors of 200 audits.
    assert alarms <= 19


def test_clusters_widen_the_interval(tmp_path: Path) -> None:
    """Copies of a row are no new evidence once the cluster says so."""
    generator = rng(6, "copies")
    one = pd.DataFrame({"g": generator.choice(["a", "b"], 300), "y": generator.integers(0, 2, 300)})
    one["c"] = np.arange(300)
    copies = pd.concat([one] * 10, ignore_index=True)
    alone, clustered = (
        audit(tmp_path, one, cluster="c").groups[0],
        audit(tmp_path, copies, cluster="c").groups[0],
    )
    assert clustered.n_clusters == alone.n_clusters
    assert clustered.ci_low == pytest.approx(alone.ci_low, abs=1e-12)
    rows = audit(tmp_path, copies).groups[0]
    assert rows.ci_low is not None
    assert clustered.ci_low is not None
    assert rows.ci_low > clustered.ci_low


def test_crossed_groups_and_their_references(tmp_path: Path) -> None:
    """Each column apart and crossed; declared references also give the crossing's, and bad ones are named."""
    generator = rng(8, "cross")
    frame = pd.DataFrame({name: generator.choice(["x", "z"], 400) for name in ("g", "h")})
    frame["y"] = generator.integers(0, 2, 400)
    both: dict[str, object] = {"groups": ("g", "h"), "intersections": True}
    found = audit(tmp_path, frame, references=("g=x", "h=z"), **both)
    assert found.reference == {"g": "g=x", "h": "h=z", "g & h": "g=x & h=z"}
    assert [row.group for row in found.groups][:2] == ["g=x", "g=z"]
    crossed = [row for row in found.groups if row.table == "g & h"]
    assert sum(row.n for row in crossed) == 400
    for row in crossed:
        g, h = (part.partition("=")[2] for part in row.group.split(" & "))
        assert row.n == int(((frame["g"] == g) & (frame["h"] == h)).sum())
    for text, words in (("x", "several columns"), ("q", "is no group; groups: 'g=x'")):
        with pytest.raises(InputError, match=words):
            audit(tmp_path, frame, references=(text,), **both)


def test_a_declared_reference_must_be_usable(tmp_path: Path) -> None:
    """An excluded group, or one without a decision, cannot be what others are compared with."""
    frame = pd.DataFrame([*TINY, ("none", "")], columns=["g", "y"])
    with pytest.raises(InputError, match="below --exclude-below"):
        audit(tmp_path, frame, references=("tiny",), exclude_below=0.02, justification="few")
    with pytest.raises(InputError, match="no row with a decision"):
        audit(tmp_path, frame, references=("none",))


def test_scoring_rates_are_strictly_above_the_full_median(tmp_path: Path) -> None:
    """The median is of all scores, unknown categories too, and a score equal to it is not above."""
    frame = pd.DataFrame(
        {"g": [*list("aaaabbbb"), ""], "y": [1, 0] * 4 + [1], "s": [1, 2, 3, 4, 3, 3, 5, None, 6]}
    )
    found = audit(tmp_path, frame, score="s")
    assert found.tables.scores is not None
    assert (found.tables.scores.median, found.tables.scores.missing) == (3.0, 1)
    first, second = found.tables.local_law_144[0].categories
    assert (first.scored, first.scoring_rate) == (4, 0.25)
    assert second.scored == 3
    assert second.scoring_rate == pytest.approx(1 / 3)
    assert first.scoring_impact_ratio == pytest.approx(0.75)


def test_equal_files_give_equal_bytes_in_any_order(tmp_path: Path) -> None:
    """The order of rows changes no number."""
    generator = rng(9, "order")
    frame = pd.DataFrame({"g": generator.choice(list("abc"), 200), "y": generator.integers(0, 2, 200)})
    frame["c"] = generator.integers(0, 30, 200)
    first = audit(tmp_path, frame, cluster="c")
    assert first == audit(tmp_path, frame, cluster="c")
    turned = audit(tmp_path, frame.iloc[::-1], cluster="c")
    assert turned.groups == first.groups


@pytest.mark.skipif(not ADULT.exists(), reason="the public file is not beside the project")
def test_adult_agrees_with_fairlearn_and_scikit_learn(tmp_path: Path) -> None:
    """On Adult, a classifier's rates by sex and race are fairlearn's and scikit-learn's to 1e-12."""
    raw = pd.read_csv(ADULT, header=None, skipinitialspace=True)
    frame = pd.DataFrame({"race": raw[8], "sex": raw[9], "l": raw[14].str.startswith(">50K").astype(int)})
    numbers = raw[[0, 4, 10, 11, 12]].to_numpy(dtype=float)
    scaled = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    frame["y"] = LogisticRegression().fit(scaled, frame["l"]).predict(scaled)
    found = audit(tmp_path, frame, groups=("sex", "race"), label="l")
    assert found.labels is not None
    functions = {"tpr": true_positive_rate, "fpr": false_positive_rate, "fnr": false_negative_rate}
    for column in ("sex", "race"):
        theirs = MetricFrame(
            metrics={**functions, "selection_rate": selection_rate, "accuracy": accuracy_score},
            y_true=frame["l"], y_pred=frame["y"], sensitive_features=frame[column],
        ).by_group  # fmt: skip
        points = found.labels.metric_frame[column].by_group
        for row in (row for row in found.groups if row.table == column):
            mine = frame[frame[column] == row.group.partition("=")[2]]
            expected = theirs.loc[row.group.partition("=")[2]]
            assert row.rate == pytest.approx(expected["selection_rate"], abs=1e-12)
            for name in functions:
                rate = getattr(found.labels, name)[row.group].rate
                assert rate == pytest.approx(expected[name], abs=1e-12)
                assert points[row.group][name] == pytest.approx(expected[name], abs=1e-12)
            assert found.labels.accuracy[row.group].rate == pytest.approx(expected["accuracy"], abs=1e-12)
            precision = precision_score(mine["l"], mine["y"])
            assert found.labels.precision[row.group].rate == pytest.approx(precision, abs=1e-12)
            assert found.labels.tpr[row.group].rate == pytest.approx(
                recall_score(mine["l"], mine["y"]), abs=1e-12
            )
        odds = found.labels.equalized_odds[column]
        arguments = {"y_true": frame["l"], "y_pred": frame["y"], "sensitive_features": frame[column]}
        assert odds.difference == pytest.approx(equalized_odds_difference(**arguments), abs=1e-12)
        assert odds.ratio == pytest.approx(equalized_odds_ratio(**arguments), abs=1e-12)


@pytest.mark.skipif(not GERMAN.exists(), reason="the public file is not beside the project")
def test_german_credit_agrees_with_fairlearn(tmp_path: Path) -> None:
    """On German credit, good risk by foreign worker and by sex and status is fairlearn's to 1e-12."""
    raw = pd.read_csv(GERMAN, header=None)
    frame = pd.DataFrame({"status": raw[8], "foreign": raw[19], "y": raw[20]})
    found = audit(tmp_path, frame, groups=("status", "foreign"), intersections=True)
    assert found.rows == 1000
    assert sum(row.favourable for row in found.groups if row.table == "foreign") == 700
    good = (frame["y"] == 1).astype(int)
    for table, columns in {
        "status": ["status"],
        "foreign": ["foreign"],
        "status & foreign": ["status", "foreign"],
    }.items():
        theirs = MetricFrame(
            metrics=selection_rate, y_true=good, y_pred=good, sensitive_features=frame[columns]
        ).by_group.dropna()
        mine = {row.group: row for row in found.groups if row.table == table}
        assert len(mine) == len(theirs)
        highest = theirs.max()
        for values, rate in theirs.items():
            keys = values if isinstance(values, tuple) else (values,)
            row = mine[" & ".join(f"{column}={key}" for column, key in zip(columns, keys, strict=True))]
            assert row.rate == pytest.approx(rate, abs=1e-12)
            assert row.impact_ratio == pytest.approx(rate / highest, abs=1e-12)


def test_labels_nobody_has_are_missing_not_zero(tmp_path: Path) -> None:
    """A group without a favourable label has no true positive rate, and the table no equalised odds."""
    rows = [("a", n % 2, n % 3 > 0) for n in range(60)] + [("b", n % 2, False) for n in range(40)]
    frame = pd.DataFrame(rows, columns=["g", "y", "l"])
    frame["l"] = frame["l"].astype(int).astype(str)
    frame.loc[0, "l"] = ""
    found = audit(tmp_path, frame, label="l")
    assert found.labels is not None
    assert found.labels.unlabelled == 1
    assert found.labels.tpr["b"].rate is None
    assert found.labels.metric_frame["g"].by_group["b"]["tpr"] is None
    assert found.labels.equalized_odds["g"].difference is None
    contrast = next(one for one in found.labels.contrasts if one.measure == "tpr")
    assert contrast.verdict is Verdict.NOT_MEASURED


def test_a_reference_with_few_clusters_is_not_said_to_have_few_decisions(tmp_path: Path) -> None:
    """What is missing is named: 400 decisions in 4 clusters lack clusters."""
    rows = [{"g": "AB"[n % 2], "y": int(n % 3 > 0), "c": f"c{n % 4}"} for n in range(800)]
    rows = [row | {"c": f"{row['c']}"} for row in rows]
    document = audit(tmp_path, pd.DataFrame(rows), groups=("g",), cluster="c")
    (note,) = (one for one in document.notes if "no verdict rests on it" in one)
    assert "400 decisions in 2 clusters, of which 12 are needed" in note


def _decided(sizes: dict[str, int], rates: dict[str, float]) -> pd.DataFrame:
    """A table of groups of these sizes with these rates."""
    rows = [
        {"g": group, "y": "yes" if place < round(rates[group] * size) else "no"}
        for group, size in sizes.items()
        for place in range(size)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("small", "large"), [(100, 10_000), (96, 104), (200, 800)])
def test_the_size_that_would_decide_does_decide(tmp_path: Path, small: int, large: int) -> None:
    """With so many rows in each group the table shows the margin in 4 of 5, however unequal it is now.

    It shows a little less: that a difference of 0 is within the margin takes 1.045 times as long a reach.
    """

    def reasons(sizes: dict[str, int], rates: dict[str, float]) -> str:
        document = audit(tmp_path, _decided(sizes, rates), favourable=("yes",))
        return " ".join(reason for entry in document.groups for reason in entry.reasons)

    now = reasons({"a": small, "b": large}, {"a": 0.48, "b": 0.52})
    needed = re.search(r"about ([\d,]+) rows a group would decide", now)
    assert needed is not None
    each = int(needed[1].replace(",", ""))
    then = reasons({"a": each, "b": each}, {"a": 0.485, "b": 0.515})
    seen = re.search(r"data of this size show ([\d.]+) or more", then)
    assert seen is not None
    assert float(seen[1]) == pytest.approx(0.05 / 1.045, abs=0.002)


def test_groups_that_differ_in_spelling_only_are_told(tmp_path: Path) -> None:
    """`Male` and `male` are two groups, which their reader must know; `female` is another word."""
    rows = [(name, value) for name in ("Male", "male", "female") for value in (1, 0) * 10]
    found = audit(tmp_path, pd.DataFrame(rows, columns=["g", "y"]))
    assert [row.group for row in found.groups] == ["Male", "female", "male"]
    (told,) = [note for note in found.notes if "case" in note]
    assert told.startswith("g: 'Male', 'male' differ in case, spaces or the like only")
    assert "2 groups" in told


def test_values_that_only_look_favourable_are_told(tmp_path: Path) -> None:
    """`Approved` beside the favourable `approved` counts as unfavourable, and a note says so."""
    rows = [("a", "approved")] * 20 + [("b", "Approved")] * 20 + [("b", "no")] * 3
    found = audit(tmp_path, pd.DataFrame(rows, columns=["g", "y"]), favourable=("approved",))
    (told,) = [note for note in found.notes if "counts as unfavourable, though" in note]
    assert told.startswith("'Approved' (20 rows)")


def test_the_note_of_unfavourable_values_names_no_favourable_or_missing_one(tmp_path: Path) -> None:
    """1.0 is the favourable 1, and NA no decision: neither counts as unfavourable."""
    rows = [("a", "1.0"), ("a", "0.0"), ("b", "NA"), ("b", "1.0")] * 10
    found = audit(tmp_path, pd.DataFrame(rows, columns=["g", "y"]))
    assert found.notes[0] == "Of 'y' '1' is favourable, and nothing else: '0.0' (10 rows)."
    assert found.undecided == 10
