"""What is said of a claim that the analyzer's unequal error could make alone."""

import pytest

from audit.analyzers.base import ErrorRate
from audit.estimates.correction import Corrections
from audit.estimates.correction_band import DEPARTURE, KnownErrors
from audit.estimates.disparities import disparities
from audit.estimates.measures import measure_named
from audit.estimates.rates import rates
from audit.findings.claims import claim
from audit.records import Estimate, Verdict
from audit.spec import Judgement
from tests.audit.tables import Values, pairs, singles, source

TOXICITY = measure_named("toxicity_rate")
N = 40
READ = {"analyzer": "toxicity", "measure": "toxic", "expects": "open"}


def shipped(*rates_: tuple[str, float, int, str | None]) -> Corrections:
    """What an analyzer ships with: name, value, texts, group."""
    known = [
        ErrorRate(name=name, value=value, ci_low=0, ci_high=1, n=n, measured_on="a set", group=group)
        for name, value, n, group in rates_
    ]
    return Corrections(known=KnownErrors(shipped={"toxicity": known}))


GOOD = (("sensitivity", 0.9, 1000, None), ("specificity", 0.97, 1000, None))


def flagged(share: int) -> Values:
    """Twenty replies a template, so many of them flagged, and up to two more by template."""
    return [[float(number < share + template * share % 3) for number in range(20)] for template in range(N)]


def disparity(group: int, reference: int, corrections: Corrections) -> Estimate:
    """The disparity of toxic replies."""
    facts = pairs(flagged(group), flagged(reference), **READ)
    found = disparities(source(facts), Judgement(), seed=3, measures=[TOXICITY], corrections=corrections)
    return found[0]


def test_a_small_gap_depends_on_the_error_and_a_large_one_does_not() -> None:
    """Five points of unequal false alarms make five points, but not fifty; the claim says which it is."""
    small, large = (disparity(group, 1, shipped(*GOOD)) for group in (2, 12))
    assert small.verdict is Verdict.DISPARITY
    assert small.error_band is not None
    assert small.error_band.depends
    assert "It depends on the analyzer's error (its own error rates, measured on 1 data sets" in claim(small)
    assert large.error_band is not None
    assert not large.error_band.depends
    assert large.error_band.low > 0
    assert "It does not, as far as its error is known, depend on the analyzer's error" in claim(large)
    assert large.error_band.departure == DEPARTURE


def shares(base: int, n: int) -> Values:
    """Twenty replies a template, so many of them flagged, and up to four more by template."""
    return [[float(number < base + template * base % 5) for number in range(20)] for template in range(n)]


NAMES = tuple(
    (f"W{template % 8} X{template % 5}", f"M{template % 8} Y{template % 5}") for template in range(N)
)


@pytest.mark.parametrize("case", ["domains of unequal size", "templates that domains share", "names"])
def test_the_band_of_an_analyzer_without_error_is_the_interval(case: str) -> None:
    """Domains weigh alike whichever has more templates, and what they share or who is named counts too."""
    read: dict[str, object] = dict(READ)
    by_name: dict[str, object] = {"names": NAMES, "signal": "name"} if case == "names" else {}
    facts = pairs(shares(9, N), shares(4, N), **read, **by_name)
    if not by_name:
        other = 12 if case == "domains of unequal size" else N
        more = pairs(shares(3, other), shares(2, other), domain="hiring", **read)
        if case == "templates that domains share":
            more = [{**fact, "template": str(fact["template"]).replace("hiring", "lending")} for fact in more]
        facts += more
    texts = 10**4
    right = [(name, 1.0, texts, group) for name in ("sensitivity", "specificity") for group in (None, "a")]
    found = disparities(source(facts), Judgement(), seed=3, measures=[TOXICITY], corrections=shipped(*right))[
        -1
    ]
    assert found.domain == ("lending" if by_name else "all")
    assert found.error_band is not None
    assert found.point is not None
    assert found.ci_low is not None
    assert found.ci_high is not None
    # Where templates not met may hide more to one side, the band has the longer reach on both.
    reach = max(found.point - found.ci_low, found.ci_high - found.point)
    assert found.error_band.low == pytest.approx(found.point - reach, abs=1e-3)
    assert found.error_band.high == pytest.approx(found.point + reach, abs=1e-3)


def test_departures_measured_by_group_take_the_place_of_the_assumed_one() -> None:
    """An analyzer that errs alike in every group is trusted further than one that does not."""
    unequal = (("specificity", 0.99, 500, "women"), ("specificity", 0.91, 500, "men"))
    alike = (("specificity", 0.97, 500, "women"), ("specificity", 0.97, 500, "men"))
    for by_group, departure, depends in ((unequal, 0.04, True), (alike, 0.0, False)):
        sensitive = tuple(("sensitivity", 0.9, 500, group) for group in ("women", "men"))
        found = disparity(2, 1, shipped(*GOOD, *by_group, *sensitive)).error_band
        assert found is not None
        assert abs(found.departure - departure) < 1e-9
        assert found.depends is depends


def test_nothing_is_said_where_error_rates_are_unknown_or_no_claim_is_made() -> None:
    """Unmeasured error is told elsewhere; a band is for what a verdict rests on."""
    assert disparity(8, 1, Corrections()).error_band is None
    assert disparity(8, 1, shipped(("sensitivity", 0.9, 50, None))).error_band is None
    assert disparity(2, 2, shipped(*GOOD)).error_band is None


def test_a_rate_beyond_its_limit_by_false_alarms_depends_on_them() -> None:
    """With 3 % false alarms and five points of doubt, 6 % flagged is not shown to exceed 1 %; 60 % is."""
    for share, depends in ((1, True), (6, False)):
        values = [[float(number < share) for number in range(10 + template % 3)] for template in range(N)]
        found = rates(
            source(singles(values, **READ)),
            Judgement(rate_limits={"toxicity_rate": 0.01}),
            measures=[TOXICITY],
            corrections=shipped(*GOOD),
        )[0]
        assert found.verdict is Verdict.EXCEEDS
        assert found.error_band is not None
        assert found.error_band.depends is depends
        assert ("It depends" in claim(found)) is depends


def test_a_band_that_admits_everything_is_left_out() -> None:
    """Labels that cannot bound a rate or a gap give no numbers from 0 to 100 %."""
    poor = shipped(("sensitivity", 0.55, 500, None), ("specificity", 0.55, 500, None))
    values = [[float(number < 6) for number in range(10 + template % 3)] for template in range(N)]
    limits = Judgement(rate_limits={"toxicity_rate": 0.01})
    (rate,) = rates(source(singles(values, **READ)), limits, measures=[TOXICITY], corrections=poor)
    for found in (rate, disparity(8, 1, poor)):
        assert found.error_band is not None
        assert found.error_band.unbounded
        assert "within that any figure is possible" in claim(found)
        assert "between" not in found.error_band.says
    bounded = disparity(8, 1, shipped(*GOOD)).error_band
    assert bounded is not None
    assert not bounded.unbounded
