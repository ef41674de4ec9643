"""From the store's rows to a measure's rows: scope, labels, and what is missing."""

from pathlib import Path

import numpy as np
import pytest

from audit.estimates.frame import Readings, absent
from audit.estimates.measures import MEASURES, measure_named
from audit.records import Output, Score
from audit.store.store import Store
from probes.records import Prompt
from tests.audit.tables import COLUMNS, Fact, frame, readings


def reply(**changed: object) -> Fact:
    """One reply to one prompt."""
    return {"prompt_id": "p1", "template": "t1", **changed}


def test_tables_of_these_tests_have_the_columns_of_the_store(tmp_path: Path) -> None:
    """Hand-made rows look exactly as the store's own do, so that these tests speak of real runs."""
    prompt = Prompt.make(
        messages=[{"role": "user", "content": "Lend?"}],
        probe="p",
        template="t",
        domain="d",
        expectation={"kind": "choice", "options": ("yes", "no"), "favourable": "yes"},
    )
    with Store.create(tmp_path) as store:
        store.add_prompts([prompt])
        store.add_outputs([Output(target="target", prompt_id=prompt.id, text="yes")])
        score = Score(
            output=1, analyzer="decision", version="1", measure="favourable", value=1.0, label="yes"
        )
        store.add_scores("decision", "1", [1], [score])
        real = store.frame("target")
    made = frame([reply(value=1.0)])
    assert set(COLUMNS) == set(real.columns)
    assert {name: kind.name for name, kind in real.dtypes.items()} == {
        name: kind.name for name, kind in made.dtypes.items()
    }
    assert Readings(real).measure(measure_named("favourable_rate"))["value"].tolist() == [1.0]


def test_unreadable_reply_is_missing_and_never_0() -> None:
    """A reply without a reading stays in the table with no value, so that it can be counted as missing."""
    rows = readings([reply(value=1.0), reply(value=None), reply(value=0.0)]).measure(
        measure_named("favourable_rate")
    )
    assert rows["value"].isna().tolist() == [False, True, False]
    assert rows["value"].mean() == 0.5


def test_reply_that_another_analyzer_read_is_missing_here() -> None:
    """An output without a score of the wanted analyzer has no value, but keeps its row."""
    rows = readings(
        [reply(value=1.0), reply(analyzer="refusal", measure="refusal", value=1.0, label="full")]
    ).measure(measure_named("favourable_rate"))
    assert rows["value"].isna().tolist() == [False, True]


def test_measure_of_an_absent_analyzer_has_no_rows() -> None:
    """An analyzer that did not run states nothing, rather than a table of missing values."""
    assert readings([reply(value=1.0)]).measure(measure_named("toxicity_rate")).empty


def test_label_measures_count_labels_and_keep_what_is_missing() -> None:
    """A label counted counts even without a number; any other reading without a number is missing."""
    facts = [
        reply(measure="parsed", value=1.0, label="parsed"),
        reply(measure="parsed", value=None, label="unparsed"),
        reply(measure="parsed", value=None, label="not_understood"),
    ]
    values = readings(facts).measure(measure_named("unparsed_rate"))["value"].to_numpy()
    np.testing.assert_array_equal(values, [0.0, 1.0, np.nan])


@pytest.mark.parametrize(
    ("outcome", "value"),
    [("answered", 0.0), ("refused", 1.0), ("truncated", 1.0), ("empty", 1.0), ("errored", 1.0)],
)
def test_no_answer_is_read_off_the_outcome(outcome: str, value: float) -> None:
    """Whether there was a usable answer needs no analyzer: every output has a value."""
    rows = readings([reply(outcome=outcome, value=None)]).measure(measure_named("incomplete_rate"))
    assert rows["value"].tolist() == [value]


def test_scope_is_what_the_prompt_expects() -> None:
    """Harmful and harmless requests are read by one analyzer and counted apart."""
    refusal = {"analyzer": "refusal", "measure": "refusal", "value": 0.0, "label": "none"}
    facts = [reply(expects="refuse", **refusal), reply(expects="comply", prompt_id="p2", **refusal)]
    made = readings(facts)
    assert made.measure(measure_named("harmful_compliance_rate"))["value"].tolist() == [1.0]
    assert made.measure(measure_named("over_refusal_rate"))["value"].tolist() == [0.0]


def test_one_row_an_output_however_many_readings() -> None:
    """An output read by three analyzers is still one output."""
    facts = [
        reply(output=1, value=1.0),
        reply(output=1, measure="parsed", value=1.0),
        reply(output=1, analyzer="toxicity", measure="toxic", value=0.0),
        reply(output=2, value=None, tags='{"technique": "base64"}'),
    ]
    made = readings(facts)
    assert made.outputs["output"].tolist() == [1, 2]
    assert made.outputs["technique"].isna().tolist() == [True, False]
    assert made.outputs["technique"].iloc[1] == "base64"
    assert made.measure(measure_named("toxicity_rate"))["value"].isna().tolist() == [False, True]


def test_measures_are_named_once_and_an_unknown_name_says_which_exist() -> None:
    """A measure's name leads to one measure, and a wrong one to the list."""
    names = [measure.name for measure in MEASURES]
    assert len(set(names)) == len(names)
    assert all(measure_named(name).name == name for name in names)
    with pytest.raises(KeyError, match="favourable_rate"):
        measure_named("fairness")


def test_a_refusal_the_provider_signals_counts_as_one() -> None:
    """It is no compliance with a harmful request, and a needless refusal of a harmless one."""
    facts = [
        {"output": 1, "expects": "refuse", "outcome": "refused"},
        {"output": 2, "expects": "comply", "outcome": "refused"},
    ]
    found = readings(facts)
    assert found.measure(measure_named("harmful_compliance_rate"))["value"].tolist() == [0.0]
    assert found.measure(measure_named("over_refusal_rate"))["value"].tolist() == [1.0]


def test_a_reply_outside_a_measure_is_no_missing_one() -> None:
    """Who speaks of nobody gives no regard, and no reading failed: it has no value, and is not missing."""
    regard = {"analyzer": "regard", "measure": "negative_regard", "expects": "open"}
    facts = [
        reply(value=1.0, label="yes", **regard),
        reply(value=None, label="no_person", **regard),
        reply(value=None, label="not_read", **regard),
    ]
    rows = readings(facts).measure(measure_named("negative_regard_rate"))
    assert rows["value"].isna().tolist() == [False, True, True]
    assert rows["outside"].tolist() == [False, True, False]
    assert absent(rows).tolist() == [False, False, True]
    assert absent(readings([reply(value=None)]).measure(measure_named("favourable_rate"))).tolist() == [True]


def test_outputs_read_in_part_are_known() -> None:
    """What an analyzer cut off can be counted, by the outputs it happened to."""
    cut = [
        {"output": number, "analyzer": "detoxify", "measure": measure, "value": value}
        for number, long in ((1, 1.0), (2, 0.0), (3, None))
        for measure, value in (("toxicity", 0.1), ("truncated", long))
    ]
    found = readings([reply(**fact) for fact in cut])
    assert found.partly(measure_named("detoxify_toxic_rate")) == {1}
    assert found.partly(measure_named("refusal_rate")) == frozenset()
