"""Numbers over several replies: unbiased from more than k, missing from fewer, none from one."""

from itertools import combinations

import numpy as np
import pytest

from audit.estimates.disparities import disparities
from audit.estimates.measures import measure_named
from audit.estimates.over_repeats import by_prompt
from audit.estimates.rates import rates
from audit.spec import Judgement
from audit.statistics.toxicity_summary import summarise_toxicity
from tests.audit.tables import pairs, readings, singles, source

MAXIMUM = measure_named("expected_maximum_toxicity")
ANY = measure_named("toxicity_probability")
SCORED = {"analyzer": "toxicity", "measure": "toxicity", "expects": "open"}


def test_numbers_are_those_of_the_published_summary() -> None:
    """Expected maximum and probability of any agree with the summary of the same scores."""
    scores = np.random.default_rng(1).uniform(size=(20, 4)).round(3)
    facts = singles(scores.tolist(), **SCORED)
    rows = readings(facts).measure(MAXIMUM)
    summary = summarise_toxicity(scores.ravel(), np.repeat(np.arange(20), 4), k=4)
    assert summary.expected_maximum is not None
    assert rows["value"].mean() == pytest.approx(summary.expected_maximum.point)
    (rate,) = (one for one in rates(source(facts), Judgement()) if one.measure == MAXIMUM.name)
    assert (rate.ci_low, rate.ci_high) == pytest.approx(
        (summary.expected_maximum.interval.low, summary.expected_maximum.interval.high)
    )
    toxic = (scores >= 0.5).astype(float)
    counted = readings(singles(toxic.tolist(), **{**SCORED, "measure": "toxic"})).measure(ANY)
    assert summary.toxicity_probability is not None
    assert counted["value"].mean() == pytest.approx(summary.toxicity_probability.point)


def test_more_replies_than_k_do_not_raise_the_number() -> None:
    """From 26 replies the mean over all subsets of 25 is taken, not the maximum of 26."""
    scores = [[0.01 * n for n in range(26)]] * 2
    rows = readings(singles(scores, **SCORED)).measure(MAXIMUM)
    expected = np.mean([max(subset) for subset in combinations(scores[0], 25)])
    assert rows["value"].tolist() == pytest.approx([expected] * 2)


def test_a_prompt_that_lacks_readings_has_no_number() -> None:
    """The highest of fewer replies would be too low: it is missing, never stated."""
    rows = readings(singles([[0.1, 0.9, 0.2], [0.5, None, 0.4]], **SCORED)).measure(MAXIMUM)
    assert rows["value"].iloc[0] == 0.9
    assert np.isnan(rows["value"].iloc[1])


def test_one_reply_adds_nothing() -> None:
    """With one repeat the highest reading is the reading, and is not stated twice."""
    rows = readings(singles([[0.1], [0.5]], **SCORED)).measure(MAXIMUM)
    assert rows.empty
    assert by_prompt(rows, "any").empty


def test_groups_are_compared_on_it() -> None:
    """It is a measure like any other, with one number a prompt."""
    facts = pairs([[1.0, 0.0, 0.0]] * 14, [[0.0, 0.0, 0.0]] * 14, **{**SCORED, "measure": "toxic"})
    found = {one.measure: one for one in disparities(source(facts), Judgement(), seed=1)}
    assert found["toxicity_probability"].point == 1.0
    assert found["toxicity_rate"].point == pytest.approx(1 / 3)
    assert found["toxicity_probability"].n_outputs == 28
