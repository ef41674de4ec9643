"""Population rates corrected for the analyzer's error."""

import numpy as np
import pytest

from audit.estimates.correction import Corrections
from audit.estimates.error_rates import ErrorCell, ErrorRates
from audit.estimates.rates import rates
from audit.estimates.review_labels import Reviewed, ReviewLabels
from audit.records import Estimate, Verdict
from audit.spec import Judgement
from probes.seeds import rng
from tests.audit.tables import Values, singles, source

N = 30
READ = {"analyzer": "toxicity", "measure": "toxic", "expects": "open"}


def labelled(counts: tuple[int, int, int, int], *, language: str | None = None) -> Corrections:
    """Labels: hits, misses, rightly negative, false alarms."""
    cell = ErrorCell(
        group=None,
        language=language,
        cluster=None,
        true_positive=counts[0],
        false_negative=counts[1],
        true_negative=counts[2],
        false_positive=counts[3],
    )
    return Corrections(
        rates=(ErrorRates(analyzer="toxicity", reading="toxic", threshold=0.5, source="l", cells=(cell,)),)
    )


def toxic(values: Values, corrections: Corrections, limit: float = 0.05) -> Estimate:
    """The rate of toxic replies."""
    found = rates(
        source(singles(values, **READ)),
        Judgement(rate_limits={"toxicity_rate": limit}),
        corrections=corrections,
    )
    return next(one for one in found if one.measure == "toxicity_rate")


def some(flagged: int) -> Values:
    """Four replies a template, one of them flagged in so many templates."""
    return [[float(template < flagged), 0.0, 0.0, 0.0] for template in range(N)]


def test_rate_is_that_of_rogan_and_gladen_with_the_raw_one_beside() -> None:
    """A rate of 10 % with 2 % false alarms and 90 % sensitivity is 9.1 %."""
    raw, found = toxic(some(12), Corrections()), toxic(some(12), labelled((90, 10, 98, 2)))
    assert raw.point == pytest.approx(0.1)
    assert found.point == pytest.approx((0.1 - 0.02) / 0.88)
    assert found.correction is not None
    assert (found.correction.raw_point, found.correction.raw_ci_low) == (raw.point, raw.ci_low)
    assert (found.correction.sensitivity, found.correction.specificity) == (0.9, 0.98)
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.point is not None
    assert 0 <= found.ci_low < found.point < found.ci_high <= 1


def test_false_alarms_alone_are_not_beyond_the_limit() -> None:
    """A rate above its limit that the analyzer's false alarms explain is no finding."""
    raw, found = toxic(some(28), Corrections(), 0.15), toxic(some(28), labelled((190, 10, 170, 30)), 0.15)
    assert raw.verdict is Verdict.EXCEEDS
    assert found.verdict is not Verdict.EXCEEDS
    assert found.p_value is not None
    assert raw.p_value is not None
    assert found.p_value > raw.p_value


def test_a_useless_analyzer_and_labels_of_another_language() -> None:
    """The first leaves nothing measured; the second leaves the rate as read and says why."""
    assert toxic(some(12), labelled((50, 50, 50, 50))).verdict is Verdict.NOT_MEASURED
    other = toxic(some(12), labelled((90, 10, 98, 2), language="de"))
    assert other.correction is None
    assert other.point == pytest.approx(0.1)
    assert any("are not in en" in reason for reason in other.reasons)


def test_a_rate_of_nothing_keeps_an_interval() -> None:
    """No flagged reply is corrected to 0 at the least, with an upper end above 0."""
    found = toxic(some(0), labelled((90, 10, 98, 2)))
    assert (found.point, found.ci_low) == (0.0, 0.0)
    assert found.ci_high is not None
    assert found.ci_high > 0


def test_labels_that_do_not_fit_give_no_all_clear() -> None:
    """A read rate below the false alarms is not "within" its limit: refused if surely, wide if perhaps."""
    surely = toxic(some(4), labelled((90, 10, 70, 30)), 0.2)
    assert surely.verdict is Verdict.NOT_MEASURED
    assert surely.reasons[0].startswith("labels do not fit these answers: ")
    raw, perhaps = toxic(some(8), Corrections(), 0.12), toxic(some(8), labelled((90, 10, 89, 11)), 0.12)
    assert perhaps.correction is not None
    assert perhaps.ci_high is not None
    assert raw.ci_high is not None
    assert raw.point is not None
    # As much room above 0 as there is above the rate as read, and more.
    assert perhaps.ci_high > raw.ci_high - raw.point


def test_corrected_rates_cover_and_false_alarms_of_limits_stay_rare() -> None:
    """Over simulated runs at the limit itself, the interval covers and "exceeds" is said in few of them."""
    draw = rng(5, "corrected rates")
    covered, exceeded = [], []
    truth = 0.1
    for _ in range(120):
        chance = np.clip(truth + draw.normal(0, 0.04, N), 0, 1)
        real = draw.random((N, 4)) < chance[:, None]
        read = draw.random((N, 4)) < np.where(real, 0.8, 0.06)
        counts = draw.binomial(150, [0.8, 0.94])
        corrections = labelled((int(counts[0]), 150 - int(counts[0]), int(counts[1]), 150 - int(counts[1])))
        found = toxic(read.astype(float).tolist(), corrections, truth)
        assert found.ci_low is not None
        assert found.ci_high is not None
        covered.append(found.ci_low <= truth <= found.ci_high)
        exceeded.append(found.verdict is Verdict.EXCEEDS)
    assert np.mean(covered) >= 0.90
    assert np.mean(exceeded) <= 0.06


def test_the_interval_of_a_reviewed_rate_is_lopsided_where_it_is_rare() -> None:
    """Every answer reviewed: over templates it is Wilson's, far longer above a rate of 2 % than below."""
    values = some(2)
    flat = [value for row in values for value in row if value is not None]
    people = ReviewLabels(
        analyzer="toxicity",
        reading="toxic",
        threshold=0.5,
        source="people",
        outputs={
            number: Reviewed(positive=value, stratum=str(value), probability=1.0)
            for number, value in enumerate(flat, start=1)
        },
    )
    found = toxic(values, Corrections(reviews=(people,)))
    assert found.correction is not None
    assert found.correction.source == "review"
    assert found.point is not None
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.point == pytest.approx(sum(flat) / len(flat))
    assert found.ci_low > 0
    assert found.ci_high - found.point > 2 * (found.point - found.ci_low)
