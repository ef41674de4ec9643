"""Verdicts on contrasts of a table: what is picked is sized by the interval that allows for the picking."""

import re

import numpy as np
import pytest

from audit.records import Verdict
from audit.tables.rates import LEVEL, Contrast, Trials, contrast
from audit.tables.verdicts import Judged, Question, judge_family

NONE = np.empty(0)
MARGIN = 0.05


def rows(hits: int, trials: int) -> Trials:
    """Independent rows of one group."""
    return Trials(hits=hits, trials=trials, ids=None, cluster_hits=NONE, cluster_trials=NONE)


def family(first: Contrast, others: int) -> Judged:
    """The verdict on a contrast in a family of others in which nothing differs."""
    null = contrast(rows(500, 1000), rows(500, 1000), margin=MARGIN)
    asked = [
        Question(contrast=one, units=1000, clustered=False, picked_from=None, unfit=None)
        for one in (first, *[null] * others)
    ]
    return judge_family(asked, margin=MARGIN)[0]


def test_what_is_material_alone_need_not_be_so_after_picking() -> None:
    """The same difference clears the margin as the only question, and not as the one of twenty picked."""
    found = contrast(rows(400, 1000), rows(500, 1000), margin=MARGIN)
    alone, picked = family(found, 0), family(found, 19)
    assert (alone.verdict, picked.verdict) == (Verdict.DISPARITY, Verdict.DISPARITY)
    assert (alone.material, picked.material) == (True, False)
    assert alone.selected is not None
    assert picked.selected is not None
    assert alone.selected.low == pytest.approx(found.interval.low)
    assert picked.selected.level == pytest.approx(1 - 0.05 / 20)
    assert picked.selected.low < found.interval.low
    assert any("allows for the picking" in reason for reason in picked.reasons)
    assert alone.reasons == ()


def test_real_but_below_the_margin_needs_the_interval_of_the_picking_inside() -> None:
    """A small difference of many rows is below the margin alone, and only told apart from 0 among twenty."""
    found = contrast(rows(23300, 50000), rows(25000, 50000), margin=MARGIN)
    assert family(found, 0).verdict is Verdict.EQUIVALENT
    edge = contrast(rows(22800, 50000), rows(25000, 50000), margin=0.052)
    low = edge.interval.low
    assert edge.interval_at(0.9999).low < low == edge.interval_at(LEVEL).low
    null = contrast(rows(500, 1000), rows(500, 1000), margin=0.052)
    asked = [
        Question(contrast=one, units=1000, clustered=False, picked_from=None, unfit=None)
        for one in (edge, *[null] * 39)
    ]
    margin = -low + 0.0005
    assert judge_family(asked[:1], margin=margin)[0].verdict is Verdict.EQUIVALENT
    assert judge_family(asked, margin=margin)[0].verdict is Verdict.DISPARITY


def test_clusters_have_intervals_at_any_level() -> None:
    """Whether clusters differ, hardly differ or are all equal: the same at its level, and wider above."""
    for hits in ([3.0, 1.0] * 10, [2.0] * 19 + [1.0], [2.0] * 20):
        sides = [
            Trials(
                hits=int(sum(of)),
                trials=80,
                ids=np.arange(20),
                cluster_hits=np.array(of),
                cluster_trials=np.full(20, 4.0),
            )
            for of in (hits, [2.0] * 20)
        ]
        found = contrast(*sides, margin=MARGIN)
        same, wide = found.interval_at(LEVEL), found.interval_at(0.999)
        assert (same.low, same.high) == pytest.approx((found.interval.low, found.interval.high))
        assert wide.low < same.low
        assert wide.high > same.high


def test_the_rows_that_would_decide_do_so_within_the_family() -> None:
    """Of six groups one at the margin is told from 0, and one at 0 is within it, in 4 of 5 tables."""
    open_ = family(contrast(rows(50, 100), rows(50, 100), margin=MARGIN), 5)
    told = re.search(r"about ([\d,]+) rows a group would decide", open_.reasons[-1])
    assert told is not None
    # A group of the family has 1,000 rows, whatever the 100 of which the contrast is.
    size = int(told[1].replace(",", "")) // 10
    rng = np.random.default_rng(3)

    def share(gap: float, verdict: Verdict) -> float:
        drawn = rng.binomial(size, [[0.5 + gap, 0.5]] * 300)
        found = [family(contrast(rows(a, size), rows(b, size), margin=MARGIN), 5) for a, b in drawn.tolist()]
        return sum(one.verdict is verdict for one in found) / 300

    # Four of five, less three standard errors of 300 tables.
    assert share(MARGIN, Verdict.DISPARITY) > 0.8 - 3 * (0.16 / 300) ** 0.5
    assert share(0.0, Verdict.EQUIVALENT) > 0.8 - 3 * (0.16 / 300) ** 0.5
