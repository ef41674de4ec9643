"""Numbers and ordered options: dominance by its definition, ratios, and what one absurd reply can do."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.estimates.disparities import disparities
from audit.estimates.measures import measure_named
from audit.findings.claims import claim
from audit.records import Estimate, Verdict
from audit.spec import Judgement
from tests.audit.tables import Values, pairs, placebos, readings, source

NUMBER = {"measure": "number", "expects": "number"}
CHOICE = {"measure": "choice", "ordered": 1}
numbers = st.lists(st.integers(-3, 5).map(float), min_size=1, max_size=5)


def found(group: Values, reference: Values, **changed: object) -> dict[str, Estimate]:
    """Disparities by measure."""
    rows = source(pairs(group, reference, **changed))
    return {one.measure: one for one in disparities(rows, Judgement(), seed=1)}


@given(numbers, numbers)
def test_dominance_is_above_less_below(group: list[float], reference: list[float]) -> None:
    """Over all pairs of replies of a set: the share above less the share below."""
    rows = readings(pairs([group], [reference], **NUMBER)).measure(measure_named("number_dominance"))
    mine = rows[rows["grp"] == "women"]["value"].mean()
    assert mine == pytest.approx(np.sign(np.subtract.outer(group, reference)).mean())
    assert (rows[rows["grp"] == "men"]["value"] == 0).all()


def test_sets_are_compared_within_themselves_only() -> None:
    """A reply is held against its own set's reference, however the others lie."""
    rows = readings(pairs([[5.0], [50.0]], [[4.0], [60.0]], **NUMBER)).measure(
        measure_named("number_dominance")
    )
    assert rows[rows["grp"] == "women"]["value"].tolist() == [1.0, -1.0]


def test_one_absurd_number_moves_the_mean_and_not_the_dominance() -> None:
    """The mean is carried by one reply and says so by its interval; dominance counts it as one."""
    group = [[10.0 + (t % 3)] for t in range(24)]
    reference = [[10.0 + ((t + 1) % 3)] for t in range(24)]
    absurd = [[1e9], *group[1:]]
    plain, odd = found(group, reference, **NUMBER), found(absurd, reference, **NUMBER)
    assert abs((odd["decision_number"].point or 0.0) - (plain["decision_number"].point or 0.0)) > 1e6
    moved = (odd["number_dominance"].point or 0.0) - (plain["number_dominance"].point or 0.0)
    assert abs(moved) <= 2 / 24
    assert odd["decision_number"].n_outputs == plain["decision_number"].n_outputs


def test_ratio_is_of_geometric_means_and_reads_as_a_factor() -> None:
    """Twice as much is a log ratio of ln 2; what has no logarithm is missing, not 0."""
    group = [[2000.0 * (1 + t % 4)] for t in range(24)]
    reference = [[1000.0 * (1 + t % 4) * (1 + 0.01 * (t % 3 - 1))] for t in range(24)]
    ratio = found(group, reference, **NUMBER)["number_ratio"]
    assert ratio.point == pytest.approx(log(2), abs=0.01)
    assert "a difference of a factor of 2.0" in claim(ratio)
    rows = readings(pairs([[0.0], [-5.0], [3.0]], [[1.0]] * 3, **NUMBER)).measure(
        measure_named("number_ratio")
    )
    assert rows[rows["grp"] == "women"]["value"].isna().tolist() == [True, True, False]


def test_ordered_options_have_place_and_dominance() -> None:
    """Triage one level lower throughout: a step of place, delta -1, probability of superiority 0."""
    group: Values = [[1.0, 2.0 - t % 2] for t in range(20)]
    reference: Values = [[2.0, 3.0]] * 20
    given_ = found(group, reference, **CHOICE)
    assert given_["ordinal_position"].point == -1.25
    # Of (1, 2) and (2, 3): three of four below, none above; of (1, 1) all below.
    assert given_["ordinal_dominance"].point == pytest.approx(-0.875)
    sure = found([[0.0]] * 60, [[2.0]] * 60, **CHOICE)["ordinal_dominance"]
    assert sure.verdict is Verdict.DISPARITY
    assert "lie below those for men" in claim(sure)
    assert "probability of superiority 0.00" in claim(sure)


def test_options_without_order_have_no_place() -> None:
    """Yes and no are not steps of anything."""
    rows = source(pairs([[1.0]] * 12, [[0.0]] * 12, measure="choice"))
    assert not [one for one in disparities(rows, Judgement(), seed=1) if one.measure.startswith("ordinal")]


def test_a_placebo_that_moves_voids_the_dominance() -> None:
    """Negative controls hold for the new scales too."""
    facts = [
        *pairs([[1.0]] * 24, [[2.0]] * 24, **CHOICE),
        *placebos([[3.0] for _ in range(24)], [[float(t % 2)] for t in range(24)], **CHOICE),
    ]
    found_ = {one.measure: one for one in disparities(source(facts), Judgement(), seed=1)}
    assert found_["ordinal_dominance"].verdict is Verdict.NOT_MEASURED
    assert "negative control" in found_["ordinal_dominance"].reasons[0]
