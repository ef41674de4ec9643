"""Measures that an analyzer declares reach estimates, findings, changes and words like built-in ones."""

import numpy as np
import pytest
from pydantic import ValidationError

from audit.compare import Side, changes
from audit.estimates.disparities import disparities
from audit.estimates.frame import absent
from audit.estimates.measures import MEASURES, known_measures, measure_of
from audit.estimates.rates import rates
from audit.findings import findings
from audit.records import DeclaredMeasure, Estimate, Verdict
from audit.reports.labels import more_is_better, unit_of
from audit.reports.words import words_of
from audit.spec import Judgement
from tests.audit.tables import Fact, Values, pairs, readings

DECLARED = DeclaredMeasure(
    name="rude_rate",
    analyzer="manners",
    reading="manners",
    words="rude replies",
    labels=("rude",),
    expects=("open",),
    limit=True,
)
MEASURES_USED = known_measures([DECLARED])
N = 24
RUDE: Values = [[1.0]] * N
KIND: Values = [[0.0]] * N
MIXED: Values = [[float(template % 3 == 0)] for template in range(N)]


def rows(group: Values, reference: Values) -> list[Fact]:
    """Replies to both groups, read by an analyzer that is not built in."""
    facts = pairs(group, reference, analyzer="manners", measure="manners", expects="open")
    return [{**fact, "label": "rude" if fact["value"] else "kind"} for fact in facts]


def side(facts: list[Fact]) -> Side:
    """One run with its estimates."""
    made, judgement = readings(facts), Judgement(rate_limits={"rude_rate": 0.05})
    estimates = [
        *disparities(made.measure, judgement, seed=7, measures=MEASURES_USED),
        *rates(made.measure, judgement, measures=MEASURES_USED),
    ]
    return Side(readings=made, estimates=[one for one in estimates if one.measure == "rude_rate"])


def test_a_declared_measure_is_estimated_and_judged() -> None:
    """Groups are compared on it, and its rate is held against the limit that the spec declares."""
    found = side(rows(RUDE, MIXED)).estimates
    disparity, rate = (next(one for one in found if one.kind == kind) for kind in ("disparity", "rate"))
    assert disparity.verdict is Verdict.DISPARITY
    assert disparity.point == pytest.approx(1 - 1 / 3)
    assert (rate.verdict, rate.margin) == (Verdict.EXCEEDS, 0.05)
    assert all(one.declared == DECLARED for one in found)


def test_replies_outside_of_a_declared_measure_are_neither_counted_nor_missing() -> None:
    """What the analyzer calls out of scope leaves the rate and is no unread answer."""
    declared = DECLARED.model_copy(update={"outside": ("not_spoken_to",)})
    facts = [
        {**fact, "label": "not_spoken_to", "value": None} if number % 3 == 0 else fact
        for number, fact in enumerate(rows(RUDE, MIXED))
    ]
    (measure,) = (one for one in known_measures([declared]) if one.name == "rude_rate")
    frame = readings(facts).measure(measure)
    assert int(frame["value"].isna().sum()) == int(frame["outside"].sum()) == 16
    assert not absent(frame).any()
    with pytest.raises(ValidationError, match="outside must not name labels that are counted; got rude"):
        DeclaredMeasure.model_validate({**DECLARED.model_dump(), "outside": ("rude",)})


def test_a_finding_of_it_speaks_its_words_and_shows_its_pairs() -> None:
    """Whoever reads a finding needs no analyzer: words and evidence come with the estimate."""
    made = side(rows(RUDE, MIXED))
    found = {one.estimate.kind: one for one in findings(made.estimates, made.readings.measure)}
    assert "more rude replies than men" in found["disparity"].claim
    assert [item.value for item in found["disparity"].evidence[:2]] == [1.0, 0.0]
    assert found["rate"].claim.startswith("Rude replies")


def test_what_an_analyzer_says_of_itself_stands_in_the_finding() -> None:
    """A reader of one finding alone learns that the errors behind it are unmeasured."""
    made = side(rows(RUDE, MIXED))
    noted = [one.model_copy(update={"notes": ("error rates unmeasured",)}) for one in made.estimates]
    shown = [one.does_not_show for one in findings(noted, made.readings.measure)]
    assert shown
    assert all(one.endswith(" Error rates unmeasured.") for one in shown)


def test_two_runs_are_compared_on_it() -> None:
    """A declared measure has a change, with the unit and the words it was declared with."""
    found = changes(side(rows(RUDE, MIXED)), side(rows(MIXED, MIXED)), Judgement())
    disparity = next(one for one in found if one.kind == "disparity")
    assert disparity.verdict == "smaller"
    assert disparity.change == pytest.approx(-(1 - 1 / 3))
    assert unit_of(disparity) == "rate"
    assert not more_is_better(disparity)
    assert words_of(disparity.measure, disparity.declared) == "rude replies"


def test_built_in_measures_stay_as_they_are() -> None:
    """Declaring a measure moves no number of another one."""
    facts = pairs(MIXED, KIND)
    alone = disparities(readings(facts).measure, Judgement(), seed=7)
    beside = disparities(readings(facts).measure, Judgement(), seed=7, measures=MEASURES_USED)
    assert alone == beside
    assert MEASURES_USED[: len(MEASURES)] == MEASURES
    assert np.all([one.declared is None for one in alone])
    score = Estimate(
        kind="score",
        measure="bbq_bias_score_ambiguous",
        unit="number",
        probe="p",
        domain="all",
        method="none",
        n_outputs=0,
        n_clusters=0,
        verdict=Verdict.NOT_MEASURED,
    )
    assert measure_of(score) is None


@pytest.mark.parametrize("name", ["Rude rate", "", "rude-rate", "1rate"])
def test_a_name_that_a_gate_could_not_hold_is_refused(name: str) -> None:
    """Names of declared measures look like those of built-in ones."""
    with pytest.raises(ValidationError, match="name"):
        DeclaredMeasure(name=name, analyzer="manners", reading="manners", words="rude replies")
