"""Cells and domains: raw rates with counts, shrinkage where it is due, intersections taken apart."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from audit.estimates.cells import cell_tables, domain_tables
from audit.estimates.outcome_records import CellTable
from audit.statistics.shrinkage import shrink
from tests.audit.tables import Fact, pairs, source

N = 20


def drawn(rate: float, seed: int, repeats: int = 4) -> list[list[float]]:
    """Decisions that are favourable that often."""
    found: list[list[float]] = (
        np.random.default_rng(seed).binomial(1, rate, size=(N, repeats)).astype(float).tolist()
    )
    return found


def tables(facts: Sequence[Fact], *controls: str) -> list[CellTable]:
    """The tables of these rows."""
    return cell_tables(source(facts), controls=controls, level=0.95)


def test_few_large_cells_are_left_as_they_are() -> None:
    """Two cells of eighty outputs stand raw, with clustered intervals and the reason."""
    (table,) = tables(pairs(drawn(0.4, 1), drawn(0.6, 2)))
    assert [row.n for row in table.rows] == [80, 80]
    assert all(row.shrunk is None for row in table.rows)
    assert "not shrunk" in table.method
    assert all(row.ci_low is not None and row.ci_low < row.rate for row in table.rows)


def test_many_cells_are_shrunk_and_keep_their_raw_rate_and_count() -> None:
    """Equal cells that differ by chance are drawn together; raw rates and counts stand beside them."""
    facts: list[Fact] = []
    for number in range(4):
        domain = f"d{number}"
        facts += pairs(drawn(0.5, number, 1), drawn(0.5, number + 50, 1), domain=domain)
    (table,) = tables(facts)
    raw = np.array([row.rate for row in table.rows])
    shrunk = np.array([row.shrunk for row in table.rows], dtype=float)
    assert len(table.rows) == 8
    assert shrunk.std() < 0.5 * raw.std()
    assert table.mean == pytest.approx(0.5, abs=0.1)
    assert {row.n for row in table.rows} == {N}
    assert "empirical Bayes over 8 cells" in table.method


def test_a_truly_far_cell_stays_far() -> None:
    """Shrinkage takes away noise, not a difference that the counts support."""
    facts: list[Fact] = []
    for number in range(4):
        rate = 0.05 if number == 0 else 0.6
        facts += pairs(drawn(rate, number, 8), drawn(0.6, number + 50, 8), domain=f"d{number}")
    (table,) = tables(facts)
    cells = {(row.group, row.controls["domain"]): row for row in table.rows}
    far = cells["women", "d0"]
    assert far.shrunk is not None
    assert far.shrunk == pytest.approx(far.rate, abs=0.05)


def test_intersections_and_control_features_are_taken_apart() -> None:
    """A crossed cell says the group of each attribute, and the value of each control feature."""
    facts = pairs(
        drawn(0.5, 1),
        drawn(0.5, 2),
        attribute="gender*race_ethnicity",
        arms=("female*black", "male*white"),
        reference="male*white",
        tags=json.dumps({"merit": "weak"}),
    )
    (table,) = tables(facts, "merit")
    assert table.rows[0].parts == {"gender": "female", "race_ethnicity": "black"}
    assert table.rows[0].controls == {"domain": "lending", "merit": "weak"}


def test_a_tag_that_nobody_has_is_said_to_be_missing() -> None:
    """A control feature without a value is a value of its own, never dropped."""
    (table,) = tables(pairs(drawn(0.5, 1), drawn(0.5, 2)), "merit")
    assert {row.controls["merit"] for row in table.rows} == {"not stated"}


def test_single_domains_are_shrunk_beside_the_pooled_estimate() -> None:
    """Four domains are drawn to their mean as the statistic does it; three are not."""
    facts: list[Fact] = []
    for number in range(4):
        facts += pairs(drawn(0.4, number), drawn(0.6, number + 50), domain=f"d{number}")
    (table,) = domain_tables(source(facts), level=0.95)
    width = [(row.ci_high - row.ci_low) / 2 / 2.093 for row in table.rows]
    expected = shrink([row.point for row in table.rows], width)
    assert [row.shrunk for row in table.rows] == pytest.approx(expected.point.tolist(), abs=1e-3)
    assert table.pooled == pytest.approx(np.mean([row.point for row in table.rows]))
    assert domain_tables(source([one for one in facts if one["domain"] != "d3"]), level=0.95) == []
