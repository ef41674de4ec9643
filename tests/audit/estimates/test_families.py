"""The family of a run: members, primary contrasts, weights, and what recomputes."""

from collections.abc import Sequence

import pytest

from audit.estimates.contrasts import Contrast, contrasts
from audit.estimates.disparities import disparities
from audit.estimates.families import adjusted, could_show, primary, weights
from audit.estimates.measures import measure_named
from audit.records import Estimate
from audit.spec import Judgement, PrimaryRule
from audit.statistics import weighted_benjamini_hochberg
from tests.audit.tables import Fact, Values, pairs, readings, source

N = 24
YES: Values = [[1.0]] * N
MIXED: Values = [[float(template % 2), float((template // 2) % 2)] for template in range(N)]
OTHER: Values = [[float(template % 3 == 0), float(template % 5 == 0)] for template in range(N)]
FAVOURABLE = measure_named("favourable_rate")


def facts_of_two_domains() -> list[Fact]:
    """Women and nonbinary people against men, in two domains, with some replies unreadable."""
    facts: list[Fact] = []
    for domain in ("lending", "hiring"):
        for group in ("women", "nonbinary"):
            facts += pairs(MIXED, OTHER, domain=domain, arms=(group, "men"))
    return facts


def of(facts: Sequence[Fact]) -> list[Contrast]:
    """The contrasts of favourable decisions."""
    return list(contrasts(readings(facts).measure(FAVOURABLE), FAVOURABLE))


def about(found: Sequence[Contrast], weight: Sequence[float | None]) -> dict[tuple[str, str], float | None]:
    """Weights by domain and group."""
    return {(one.cell.domain, one.cell.group): share for one, share in zip(found, weight, strict=True)}


def test_pooled_contrasts_of_the_main_measure_share_most_of_the_rate() -> None:
    """Two pooled contrasts have 80 % of the rate, four single domains the rest; weights average 1."""
    found = of(facts_of_two_domains())
    shares = about(found, weights(found, Judgement()))
    assert shares["all", "women"] == shares["all", "nonbinary"] == pytest.approx(0.8 * 6 / 2)
    assert shares["lending", "women"] == pytest.approx(0.2 * 6 / 4)
    assert sum(share or 0.0 for share in shares.values()) == pytest.approx(6)


def test_side_outcomes_are_not_primary() -> None:
    """In one domain the decision is primary by itself, and unreadable replies are not."""
    facts: list[Fact] = []
    for number, fact in enumerate(pairs(MIXED, OTHER), start=1):
        label = "unparsed" if number % 7 == 0 else "parsed"
        facts.append({**fact, "output": number})
        facts.append({**fact, "output": number, "measure": "parsed", "label": label, "value": 1.0})
    found = disparities(source(facts), Judgement(), seed=7)
    by_measure = {one.measure: one.weight for one in found}
    assert by_measure["favourable_rate"] == pytest.approx(0.8 * 2)
    assert by_measure["unparsed_rate"] == pytest.approx(0.2 * 2)
    assert by_measure["incomplete_rate"] is None


def test_a_family_of_one_kind_has_equal_weights() -> None:
    """Where all contrasts are primary, or no measure is a main one in one domain, nothing is weighted."""
    found = of(pairs(MIXED, OTHER))
    assert weights(found, Judgement()) == [1.0]
    side = measure_named("refusal_rate")
    facts = [
        {**fact, "analyzer": "refusal", "measure": "refusal", "label": "none"} for fact in pairs(MIXED, OTHER)
    ]
    facts[3]["label"] = "full"
    others = list(contrasts(readings(facts).measure(side), side))
    assert weights(others, Judgement()) == [1.0]


def test_declared_primary_contrasts_replace_the_default() -> None:
    """A rule names the pooled contrast unless it names a domain; what it does not name shares the rest."""
    found = of(facts_of_two_domains())
    women = PrimaryRule(measure="favourable_rate", group="women")
    shares = about(found, weights(found, Judgement(primary=(women,), primary_share=0.9)))
    assert shares["all", "women"] == pytest.approx(0.9 * 6)
    assert shares["lending", "women"] == shares["all", "nonbinary"] == pytest.approx(0.1 * 6 / 5)
    hiring = PrimaryRule(measure="favourable_rate", domain="hiring")
    shares = about(found, weights(found, Judgement(primary=(women, hiring))))
    heavy = {key for key, share in shares.items() if share is not None and share > 1}
    assert heavy == {("all", "women"), ("hiring", "women"), ("hiring", "nonbinary")}


def test_a_second_reference_in_one_domain_is_primary_beside_one_in_several() -> None:
    """Whether a contrast is the widest of its question depends on those with its own reference only."""
    facts = [
        *(fact for domain in ("lending", "hiring") for fact in pairs(MIXED, OTHER, domain=domain)),
        *pairs(MIXED, OTHER, arms=("women", "unnamed"), reference="unnamed"),
    ]
    found = of(facts)
    leads = primary(found, Judgement(), tested=[True] * len(found))
    chosen = {
        (one.cell.domain, one.cell.reference) for one, leads_ in zip(found, leads, strict=True) if leads_
    }
    assert chosen == {("all", "men"), ("lending", "unnamed")}


def test_several_languages_are_primary_once_pooled() -> None:
    """Where languages are pooled that contrast is primary; a rule with a language names that language's."""
    facts = [
        fact
        for language in ("de", "en")
        for domain in ("lending", "hiring")
        for fact in pairs(MIXED, OTHER, domain=domain, language=language)
    ]
    found = of(facts)
    both = [one.cell.language == one.cell.domain == "all" for one in found]
    heavy = [share is not None and share > 1 for share in weights(found, Judgement())]
    assert heavy == both
    assert sum(both) == 1
    german = Judgement(primary=(PrimaryRule(measure="favourable_rate", language="de"),))
    named = [one for one, share in zip(found, weights(found, german), strict=True) if share and share > 1]
    assert [(one.cell.language, one.cell.domain) for one in named] == [("de", "all")]


def test_what_cannot_show_anything_has_no_weight() -> None:
    """Constant behaviour and fewer than 12 templates stay outside, and take nothing from the others."""
    constant, few = of(pairs(YES, YES)), of(pairs(MIXED[:11], OTHER[:11]))
    assert [could_show(one) for one in (*constant, *few)] == [False, False]
    found = [*constant, *of(pairs(MIXED, OTHER))]
    assert weights(found, Judgement()) == [None, 1.0]
    assert adjusted([None, 0.03], [None, 1.0]) == [None, 0.03]
    assert adjusted([None], [None]) == [None]


def recomputed(found: Sequence[Estimate]) -> list[float]:
    """Adjusted p-values from the p-values and weights that are stated."""
    family = [one for one in found if one.weight is not None]
    p, weight = [one.p_value or 0.0 for one in family], [one.weight or 0.0 for one in family]
    return [float(p) for p in weighted_benjamini_hochberg(p, weight)]


def test_adjusted_p_values_recompute_from_what_is_stated() -> None:
    """p_value and weight of every estimate are all that p_adjusted depends on, and weights average 1."""
    found = disparities(source(facts_of_two_domains()), Judgement(), seed=7)
    family = [one for one in found if one.weight is not None]
    assert [one.p_adjusted for one in family] == pytest.approx(recomputed(found))
    assert sum(one.weight or 0.0 for one in family) == pytest.approx(len(family))
    assert all(one.p_adjusted is None for one in found if one.weight is None)
