"""True and false positive rates: fairlearn points, clustered intervals, control features, equalised odds."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    equalized_odds_difference,
    false_positive_rate,
    true_positive_rate,
)

from audit.estimates.disparities import disparities
from audit.estimates.labels import label_tables
from audit.estimates.outcome_records import LabelTable
from audit.spec import Judgement
from audit.statistics.rates import clustered_rate_interval
from tests.audit.tables import Fact, pairs, source

N = 24


def decided(seed: int, *, women: float, men: float, qualified: int, merit: str) -> list[Fact]:
    """Decisions about people whom the rule decides that way."""
    draw = np.random.default_rng(seed)
    rows = [draw.binomial(1, rate, size=(N, 3)).astype(float).tolist() for rate in (women, men)]
    facts = pairs(rows[0], rows[1], qualified=qualified, tags=json.dumps({"merit": merit}))
    for fact in facts:
        fact["set_id"] = f"{fact['set_id']}-{merit}"
        fact["prompt_id"] = f"{fact['prompt_id']}-{merit}"
    return facts


def audit() -> list[Fact]:
    """Unequal odds: women who qualify are decided for less often."""
    return [
        *decided(1, women=0.6, men=0.9, qualified=1, merit="strong"),
        *decided(2, women=0.2, men=0.2, qualified=0, merit="weak"),
    ]


def tables(facts: Sequence[Fact], *controls: str) -> list[LabelTable]:
    """The tables of these rows."""
    return label_tables(source(facts), controls=controls, level=0.95)


def test_points_and_equalised_odds_are_fairlearns() -> None:
    """True and false positive rates and their widest gap agree with fairlearn to 1e-12."""
    facts = audit()
    (table,) = tables(facts)
    truth = [int(str(fact["qualified"])) for fact in facts]
    chosen = [int(float(str(fact["value"]))) for fact in facts]
    groups = [str(fact["grp"]) for fact in facts]
    frame = MetricFrame(
        metrics={"tpr": true_positive_rate, "fpr": false_positive_rate},
        y_true=truth,
        y_pred=chosen,
        sensitive_features=groups,
    ).by_group
    for row in table.rows:
        assert row.tpr.rate == pytest.approx(frame.loc[row.group, "tpr"], abs=1e-12)
        assert row.fpr.rate == pytest.approx(frame.loc[row.group, "fpr"], abs=1e-12)
    widest = equalized_odds_difference(truth, chosen, sensitive_features=groups)
    assert table.equalized_odds_difference == {"lending": pytest.approx(widest, abs=1e-12)}


def test_intervals_are_clustered_by_template() -> None:
    """The interval is that of the sums by template, not of rows."""
    facts = audit()
    (table,) = tables(facts)
    mine = [one for one in facts if one["grp"] == "women" and one["qualified"] == 1]
    by_template: dict[str, list[float]] = {}
    for fact in mine:
        by_template.setdefault(str(fact["template"]), []).append(float(str(fact["value"])))
    expected = clustered_rate_interval(
        [sum(values) for values in by_template.values()], [len(values) for values in by_template.values()]
    )
    row = next(row for row in table.rows if row.group == "women")
    assert (row.tpr.ci_low, row.tpr.ci_high) == (expected.interval.low, expected.interval.high)
    assert (row.tpr.n, row.tpr.n_clusters) == (N * 3, N)


def test_control_features_split_the_rows() -> None:
    """Within a value of a tag only its prompts count; a rate nobody is counted in is None, not 0."""
    (table,) = tables(audit(), "merit")
    cells = {(row.group, row.controls["merit"]): row for row in table.rows}
    assert set(cells) == {(group, merit) for group in ("women", "men") for merit in ("strong", "weak")}
    assert cells["women", "strong"].fpr.rate is None
    assert cells["women", "strong"].fpr.n == 0
    assert table.equalized_odds_difference["lending, strong"] is None


def test_the_rates_are_compared_like_any_measure() -> None:
    """Equalised odds are judged by two disparities, each over its own prompts."""
    found = {one.measure: one for one in disparities(source(audit()), Judgement(), seed=1)}
    assert found["true_positive_rate"].verdict == "disparity"
    assert found["false_positive_rate"].verdict != "disparity"
    assert found["true_positive_rate"].n_outputs == N * 3 * 2
    assert found["true_positive_rate"].group_rate == pytest.approx(
        next(row.tpr.rate for row in tables(audit())[0].rows if row.group == "women")
    )


def test_decisions_without_a_label_are_counted() -> None:
    """A prompt without a rule's answer is in no rate, and said to be so."""
    facts = audit()
    for fact in facts[:10]:
        fact["qualified"] = None
    (table,) = tables(facts)
    assert table.unlabelled == 10


def test_no_label_gives_no_table() -> None:
    """Without a rule nothing is right or wrong."""
    assert tables(pairs([[1.0]] * 12, [[0.0]] * 12)) == []


def test_a_group_of_which_nothing_was_read_has_no_odds() -> None:
    """One group alone has no widest gap of 0: it is not measured, and the reason says who lacks."""
    facts = audit()
    for fact in facts:
        if fact["grp"] == "women":
            fact["value"] = None
    (table,) = tables(facts)
    row = next(row for row in table.rows if row.group == "women")
    asked = sum(fact["grp"] == "women" for fact in facts)
    assert (row.missing, row.tpr.rate, row.tpr.n, row.selection_rate.rate) == (asked, None, 0, None)
    assert table.equalized_odds_difference == {"lending": None}
    assert table.not_measured == {"lending": f"no decision about women could be read ({asked} asked for)"}
    assert table.unlabelled == 0
