"""Selection and scoring tables: fairlearn's rates, ratios on paper, placebos, and what is missing."""

from collections.abc import Sequence

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate

from audit.estimates.outcome_records import SelectionTable
from audit.estimates.selection import selection_tables
from audit.statistics.ratios import impact_ratio
from tests.audit.tables import Fact, pairs, placebos, source


def tables(facts: Sequence[Fact]) -> list[SelectionTable]:
    """The tables of these rows."""
    return selection_tables(source(facts), level=0.95)


def drawn(rate: float, *, n: int = 30, seed: int = 0) -> list[list[float]]:
    """Four decisions a template."""
    values: list[list[float]] = (
        np.random.default_rng(seed).binomial(1, rate, size=(n, 4)).astype(float).tolist()
    )
    return values


def test_rates_are_fairlearns_and_ratios_those_of_the_statistic() -> None:
    """The same points to 1e-12 where fairlearn states them, with the clustered interval around the ratio."""
    women, men = drawn(0.4, seed=1), drawn(0.6, seed=2)
    (table,) = tables(pairs(women, men))
    rows = {row.group: row for row in table.rows}
    decisions = [*np.ravel(women), *np.ravel(men)]
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=decisions,
        y_pred=decisions,
        sensitive_features=["women"] * 120 + ["men"] * 120,
    )
    for group, rate in frame.by_group.items():
        assert rows[str(group)].rate == pytest.approx(float(rate), abs=1e-12)
    assert rows["women"].impact_ratio.point == pytest.approx(frame.ratio(), abs=1e-12)
    expected = impact_ratio(np.sum(women, 1), [4] * 30, np.sum(men, 1), [4] * 30)
    assert rows["women"].impact_ratio.ci_low == pytest.approx(expected.interval.low)
    assert rows["women"].impact_ratio.ci_high == pytest.approx(expected.interval.high)
    assert (table.table, table.highest, rows["men"].impact_ratio.point) == ("sex", "men", 1.0)
    assert rows["women"].below_four_fifths


def test_the_declared_reference_stands_beside_the_highest_group() -> None:
    """Where the reference is not the highest, both ratios are given and differ."""
    (table,) = tables(pairs(drawn(0.8, seed=1), drawn(0.4, seed=2)))
    rows = {row.group: row for row in table.rows}
    assert table.highest == "women"
    assert rows["women"].reference_ratio is not None
    assert rows["men"].impact_ratio.point is not None
    assert rows["women"].reference_ratio.point == pytest.approx(1 / rows["men"].impact_ratio.point)


def test_the_law_s_tables_are_named() -> None:
    """Sex, race or ethnicity and their crossing are told from other attributes."""
    named = {
        attribute: tables(pairs(drawn(0.5), drawn(0.5, seed=3), attribute=attribute))[0].table
        for attribute in ("gender", "race_ethnicity", "gender*race_ethnicity", "age")
    }
    assert list(named.values()) == ["sex", "race_ethnicity", "intersectional", "other"]


def test_unread_answers_are_counted_and_in_no_rate() -> None:
    """A decision that could not be read is neither favourable nor unfavourable."""
    women: list[list[float | None]] = [[1.0, None, 0.0, 0.0]] * 20
    (table,) = tables(pairs(women, [[1.0, 0.0, 0.0, 1.0]] * 20))
    row = next(row for row in table.rows if row.group == "women")
    assert (row.missing, row.considered, row.selected) == (20, 60, 20)
    assert row.rate == pytest.approx(1 / 3)


def test_a_ratio_to_few_templates_with_a_favourable_decision_says_how_few() -> None:
    """Where three templates of the highest group hold all that is favourable, no interval is stated."""
    men = [[1.0, 1.0]] * 3 + [[0.0, 0.0]] * 17
    (table,) = tables(pairs([[0.0, 0.0]] * 20, men))
    ratio = next(row for row in table.rows if row.group == "women").impact_ratio
    assert (ratio.point, ratio.ci_low, ratio.ci_high) == (0.0, None, None)
    assert ratio.method == (
        "not measured: 6 favourable of 40 in the reference, in 3 units; a ratio to it needs 5 units or more "
        "with one"
    )


def test_a_scoring_rate_counts_what_lies_above_the_median() -> None:
    """Numbers are scored against the median of all of them, strictly."""
    women = [[float(t)] for t in range(20)]
    men = [[float(t) + 10] for t in range(20)]
    (table,) = tables(pairs(women, men, measure="number", expects="number"))
    numbers = [*range(20), *range(10, 30)]
    median = float(np.median(numbers))
    assert (table.rate, table.median) == ("scoring", median)
    row = next(row for row in table.rows if row.group == "women")
    assert row.rate == pytest.approx(sum(value > median for value in range(20)) / 20)


def test_domains_come_pooled_and_by_themselves() -> None:
    """Over all domains first, then each."""
    facts = [*pairs(drawn(0.5), drawn(0.5, seed=3)), *pairs(drawn(0.2), drawn(0.5, seed=4), domain="hiring")]
    assert [table.domain for table in tables(facts)] == ["all", "hiring", "lending"]


def test_numbers_of_several_domains_have_no_table_over_all() -> None:
    """A median over salaries and rents would mean nothing, so scoring rates stand by domain only."""
    women, men = [[float(t)] for t in range(20)], [[float(t) + 10] for t in range(20)]
    facts = pairs(women, men, measure="number", expects="number")
    rents = pairs(women, men, measure="number", expects="number", domain="housing")
    assert [table.domain for table in tables([*facts, *rents])] == ["housing", "lending"]


def test_a_group_of_which_nothing_was_read_stands_with_its_count() -> None:
    """Who was asked about and never read is in the table, without a rate, a ratio or a 0 in their place."""
    women: list[list[float | None]] = [[None, None]] * 20
    (table,) = tables(pairs(women, [[1.0, 0.0]] * 20))
    row = next(row for row in table.rows if row.group == "women")
    assert (row.missing, row.considered, row.rate, row.impact_ratio.point) == (40, 0, None, None)
    assert row.method == row.impact_ratio.method == "not measured: no decision could be read"
    assert not row.below_four_fifths


def test_placebo_ratios_stand_beside_the_table() -> None:
    """A placebo whose arms differ shows; one without a difference holds."""
    same = placebos(drawn(0.5, seed=5), drawn(0.5, seed=6))
    apart = placebos(drawn(0.2, seed=5), drawn(0.8, seed=6), placebo="paraphrase")
    (table,) = tables([*pairs(drawn(0.5), drawn(0.5, seed=3)), *same, *apart])
    assert {one.placebo.value: one.holds for one in table.placebos} == {"resample": True, "paraphrase": False}


def test_nobody_selected_is_no_table() -> None:
    """Without a favourable decision there is nothing to divide by; no ratio is made up."""
    assert tables(pairs([[0.0]] * 20, [[0.0]] * 20)) == []
