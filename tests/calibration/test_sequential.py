"""The benchmark of runs until decided, reduced: it fails when the rule or its statistics break."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from audit.estimates.measures import Measure, measure_named
from audit.estimates.sequential import Decisions
from audit.looks import SequentialRule
from audit.records import Verdict
from audit.spec import Judgement
from benchmarks.sequential import measure
from benchmarks.sequential.page import Measured, render
from benchmarks.sequential.run import CELLS
from benchmarks.sequential.simulate import (
    DISPARITY,
    EQUIVALENT,
    OPEN,
    Cell,
    bets,
    default_boundaries,
    family,
    fixed,
    looks,
    smallest_fixed,
)
from probes.seeds import rng

AUDITS = 4_000


def judged(cell: Cell) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], Cell]:
    """Simulated audits of a cell."""
    return cell.differences(rng(3, "test", cell.templates, cell.repeats, f"{cell.gap:g}"), AUDITS), cell


@pytest.mark.parametrize("design", [(60, 10), (120, 4)])
def test_false_alarms_stay_at_the_rate(design: tuple[int, int]) -> None:
    """Ten looks at a null with differing slopes err in at most 5 % of audits, within Monte-Carlo error."""
    found = looks(*judged(Cell(templates=design[0], repeats=design[1], gap=0.0, margin=0.05)))
    assert found.rate(DISPARITY) < 0.05 + 3 * (0.05 * 0.95 / AUDITS) ** 0.5


def test_wrong_equivalence_stays_at_the_rate() -> None:
    """A gap as large as the margin is called equivalent in at most 5 % of audits."""
    found = looks(*judged(Cell(templates=120, repeats=10, gap=0.1, margin=0.1)))
    assert found.rate(EQUIVALENT) < 0.05 + 3 * (0.05 * 0.95 / AUDITS) ** 0.5


def test_large_gaps_and_clear_nulls_take_less_than_three_fifths() -> None:
    """20 points at 60 x 10, and 0 at 120 x 10 with a margin of 10, as often decided as by one analysis."""
    for cell in (
        Cell(templates=60, repeats=10, gap=0.2, margin=0.05),
        Cell(templates=120, repeats=10, gap=0.0, margin=0.1),
    ):
        differences, _ = judged(cell)
        early, once = looks(differences, cell), fixed(differences, cell)
        assert early.share.mean() <= 0.6
        assert early.rate(OPEN) <= once.rate(OPEN) + 0.01


def test_one_look_is_cheaper_than_many_without_boundaries() -> None:
    """Looking ten times at the plain level errs far more often: the check can fail."""
    cell = Cell(templates=60, repeats=10, gap=0.0, margin=0.05)
    differences, _ = judged(cell)
    alarms = np.zeros(AUDITS, dtype=bool)
    for n in range(12, 61, 6):
        alarms |= fixed(differences, cell, n=n).decided == DISPARITY
    assert alarms.mean() > 0.1


def test_bets_decide_less_and_smaller_plans_are_found() -> None:
    """A betting sequence opens where planned looks decide; the smallest plan is no larger than the plan."""
    cell = Cell(templates=60, repeats=10, gap=0.1, margin=0.05)
    differences, _ = judged(cell)
    few = differences[:30]
    assert bets(few, cell).rate(OPEN) > looks(few, cell).rate(OPEN)
    small = smallest_fixed(differences, cell, 0.9)
    assert small is not None
    assert 0.5 < small < 1
    assert smallest_fixed(differences, cell, 1.1) is None


def test_a_family_keeps_its_false_discovery_rate() -> None:
    """Of 12 comparisons with 3 true gaps the share of false ones stays below 5 % within error."""
    found = family(
        rng(3, "family"),
        audits=150,
        templates=60,
        repeats=10,
        gaps=(0.2,) * 3 + (0.0,) * 9,
        boundaries=default_boundaries(),
    )
    assert found.false_share < 0.05 + 3 * 0.012
    assert found.found > 0.95


def test_a_null_takes_fewer_calls_the_earlier_equivalence_is_spent() -> None:
    """Spent evenly it ends earlier than by the rule, and a gap is called equivalent in at most 5 %."""
    cell = Cell(templates=120, repeats=10, gap=0.0, margin=0.1)
    own, *_, even = (measure.spent_row(200, (cell, shape)) for shape in measure.SHAPES)
    by_rule = looks(cell.differences(rng(measure.ROOT, "spending", 120, 10), 200), cell)
    assert own.early.rate(EQUIVALENT) == pytest.approx(by_rule.rate(EQUIVALENT), abs=0.01)
    assert float(even.early.share.mean()) < float(own.early.share.mean()) - 0.05
    wrong = Cell(templates=120, repeats=10, gap=0.1, margin=0.1)
    assert measure.spent_row(400, (wrong, 1.0)).early.rate(EQUIVALENT) < 0.05 + 3 * 0.011


def test_the_page_has_every_row() -> None:
    """Few audits make the whole page: one line a cell and a family, and no hole in its text."""
    cells = [cell for cell in CELLS if cell.templates == 60]
    found = Measured(
        rows=[measure.row(20, 2, cell) for cell in cells],
        families={words: measure.family_row(2, words) for words in measure.FAMILIES},
        family_audits=2,
        spent=[measure.spent_row(20, null) for null in measure.NULLS if null[0].templates == 60],
    )
    text = render(found)
    assert "{" not in text
    assert text.count("\n| 60 x 10 |") == len(cells) + len(measure.SHAPES)
    assert text.count("\n| 12 comparisons") == len(measure.FAMILIES)


def test_the_product_decides_what_the_benchmark_says() -> None:
    """On the same answers `Decisions` ends at the same look with the same verdict, audit by audit."""
    words = {OPEN: Verdict.INCONCLUSIVE, DISPARITY: Verdict.DISPARITY, EQUIVALENT: Verdict.EQUIVALENT}
    rule = SequentialRule()
    for gap in (0.0, 0.1, 0.2):
        cell = Cell(templates=60, repeats=10, gap=gap, margin=0.1)
        differences, _ = judged(cell)
        expected = looks(differences[:6], cell)
        for row in range(6):
            decisions = Decisions(rule, Judgement(smallest_disparity_of_concern=0.1), seed=1)
            while decisions.looks_made < 10 and not decisions.settled:
                ends = [round(share * 60) for share in rule.looks[: decisions.looks_made + 1]]
                decisions.look({"target": _frames(differences[row][: ends[-1]])})
            frames = {
                n: _frames(differences[row][: round(s * 60)]) for n, s in enumerate(rule.looks, start=1)
            }
            (stated,) = decisions.final(frames, "target")
            assert stated.estimate.verdict is words[int(expected.decided[row])]
            if stated.decided:
                assert stated.estimate.n_clusters == pytest.approx(60 * expected.share[row])


def _frames(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Callable[[Measure], pd.DataFrame]:
    """Rows whose template differences are the given ones, as one measure reads them."""
    facts = {"probe": "p", "language": "en", "attribute": "a", "signal": "explicit", "arm": "counterfactual"}
    facts |= {"norm": "must_not_differ", "reference": "r", "domain": "d"}
    rows = [
        {**facts, "template": f"t{t:03}", "set_id": f"s{t:03}", "grp": group, "value": value}
        for t, difference in enumerate(differences)
        for group, value in (("r", 0.5 - difference / 2), ("g", 0.5 + difference / 2))
    ]
    frame = pd.DataFrame(rows).assign(name=None, placebo=None)

    def frame_of(measure: Measure) -> pd.DataFrame:
        return frame if measure.name == measure_named("favourable_rate").name else frame.iloc[:0]

    return frame_of
