"""Tables of impact ratios."""

from dataclasses import asdict

import numpy as np
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.impact import ImpactTable, above_median, impact_table
from audit.statistics.ratios import impact_ratio

NAN = float("nan")


def tiny_table(exclude_below: float | None, *, reference: int | None = None) -> ImpactTable:
    """A: 300 of 500, B: 250 of 500, and a category of 10 of whom all were selected."""
    counts = ((300, 500), (250, 500), (10, 10))
    outcomes = np.concatenate([np.arange(n) < k for k, n in counts])
    category = np.repeat([0, 1, 2], [n for _, n in counts])
    return impact_table(outcomes, category, exclude_below=exclude_below, reference=reference)


def test_an_excluded_tiny_category_is_never_the_denominator() -> None:
    """Ten people all selected are left out at 2 %: the ratios are 1.00 and 0.833, not 0.60 and 0.50."""
    table = tiny_table(0.02)
    assert [row.ratio for row in table.rows] == [1.0, pytest.approx(0.25 / 0.3), None]
    assert table.reference == 0
    assert table.reference_was_chosen
    tiny = table.rows[2]
    assert (tiny.included, tiny.considered, tiny.selected, tiny.rate) == (False, 10, 10, 1.0)
    assert tiny.share == pytest.approx(10 / 1010)
    assert table.rows[0].estimate is None
    assert table.rows[1].estimate is not None
    assert table.rows[1].estimate.interval.low < 0.833 < table.rows[1].estimate.interval.high


def test_exclusion_is_a_choice() -> None:
    """Without a limit the tiny category is compared and divides the others."""
    assert [row.ratio for row in tiny_table(None).rows] == [pytest.approx(0.6), pytest.approx(0.5), 1.0]


def test_a_named_reference_is_kept() -> None:
    """A reference named beforehand divides all, whatever its rate, and must be included."""
    table = tiny_table(0.02, reference=1)
    assert not table.reference_was_chosen
    assert table.rows[0].ratio == pytest.approx(1.2)
    with pytest.raises(ValueError, match=r"one of \[0, 1\]; got 2"):
        tiny_table(0.02, reference=2)


def test_unknown_and_missing_are_counted_not_zero() -> None:
    """Rows without category or outcome are in no rate, and their counts are stated."""
    table = impact_table([1, 0, 1, NAN, 0, NAN], [0, 0, -1, 0, 1, -1], reference=0)
    assert (table.n_unknown, table.n_missing) == (2, 1)
    assert [(row.considered, row.rate) for row in table.rows] == [(2, 0.5), (1, 0.0)]
    single = table.rows[1]
    assert (single.ratio, single.estimate) == (0.0, None)
    assert single.not_measured is not None
    assert "at least 2 clusters; got 1" in single.not_measured


def test_clusters_reach_the_interval() -> None:
    """Rows of one template are one cluster: the table's interval is that of the cluster sums."""
    outcomes = [1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1]
    category = [0, 0, 1, 1] * 3
    table = impact_table(outcomes, category, cluster=np.repeat([7, 3, 5], 4), reference=1)
    # By cluster 3, 5, 7.
    expected = impact_ratio([2, 2, 1], [2, 2, 2], [0, 1, 2], [2, 2, 2])
    found = table.rows[0].estimate
    assert found is not None
    assert asdict(found) == asdict(expected)


def test_scoring_rate_counts_strictly_above_the_full_median() -> None:
    """Ties at the median are not above it, and a missing score is neither above nor below."""
    found = above_median([1.0, 2.0, 2.0, 2.0, 5.0, NAN])
    assert found.median == 2.0
    assert found.n_missing == 1
    assert np.array_equal(found.above, [0, 0, 0, 0, 1, NAN], equal_nan=True)
    table = impact_table(above_median([1, 2, 3, 4, 5, 6]).above, [0, 1, 0, 1, 0, 1])
    assert [row.rate for row in table.rows] == [pytest.approx(1 / 3), pytest.approx(2 / 3)]


def test_nothing_to_compare_is_not_measured() -> None:
    """No usable row, no included category, no selection and no score are each said."""
    with pytest.raises(NotMeasuredError, match="no row has both"):
        impact_table([1, NAN], [-1, 0])
    with pytest.raises(NotMeasuredError, match="every category is below"):
        impact_table([1, 0], [0, 1], exclude_below=0.9)
    with pytest.raises(NotMeasuredError, match="category 0 has 0"):
        impact_table([0, 0], [0, 1])
    with pytest.raises(NotMeasuredError, match="at least 1 score"):
        above_median([NAN])


def test_malformed_rows_are_refused() -> None:
    """Outcomes other than 0 and 1, codes below -1, other shapes and infinite scores are errors."""
    with pytest.raises(ValueError, match="outcomes must be 0, 1 or nan"):
        impact_table([0.5, 1], [0, 1])
    with pytest.raises(ValueError, match="at least -1"):
        impact_table([0, 1], [0, -2])
    with pytest.raises(ValueError, match="share one shape"):
        impact_table([0, 1], [0, 1, 2])
    with pytest.raises(ValueError, match="finite or nan"):
        above_median([float("inf")])
