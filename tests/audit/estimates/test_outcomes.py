"""All tables of a run, each at the level that its probe's answers allow."""

from audit.estimates.outcomes import outcomes
from audit.estimates.stops import Stops, at_look
from audit.spec import Judgement
from audit.statistics.group_sequential import group_sequential
from tests.audit.tables import Values, pairs, source

N = 24
WOMEN: Values = [[float(template % 3 > 0), 1.0] for template in range(N)]
MEN: Values = [[float(template % 4 > 0), 0.0] for template in range(N)]


def test_only_probes_that_were_stopped_pay_for_the_looks() -> None:
    """Tables of a probe asked in full are as in any run; those of a stopped one have its look's level."""
    facts = [
        {**fact, "qualified": number % 2}
        for probe in ("early", "full")
        for domain in ("lending", "hiring", "housing", "insurance")
        for number, fact in enumerate(pairs(WOMEN, MEN, probe=probe, domain=domain))
    ]
    stops = Stops(boundaries=group_sequential((0.5, 1.0)), look=1, probes=frozenset({"early"}))
    plain = outcomes(source(facts), Judgement())
    found = outcomes(source(facts), Judgement(), stops=stops)
    strict = at_look(Judgement(), stops.boundaries, stops.look).level
    assert strict > 0.95
    for kind in ("selection", "cells", "domains", "labels"):
        tables, as_always = getattr(found, kind), getattr(plain, kind)
        assert [one.probe for one in tables].count("early") == len(tables) / 2 > 0
        assert {one.level for one in tables if one.probe == "early"} == {strict}
        assert [one for one in tables if one.probe == "full"] == [
            one for one in as_always if one.probe == "full"
        ]
