"""Claims read right in both directions, with numbers and counts, and claim nothing the verdict does not."""

import pytest

from audit.estimates.measures import MEASURES, measure_named
from audit.findings.claims import claim
from audit.records import Estimate, Verdict


def disparity(**changed: object) -> Estimate:
    """A disparity of favourable decisions against women in lending."""
    return Estimate.model_validate(
        {
            "kind": "disparity",
            "measure": "favourable_rate",
            "unit": "rate",
            "probe": "bias/decisions",
            "domain": "lending",
            "attribute": "gender",
            "group": "women",
            "reference_group": "men",
            "signal": "explicit",
            "point": -0.104,
            "ci_low": -0.15,
            "ci_high": -0.058,
            "method": "cluster-t",
            "n_outputs": 480,
            "n_clusters": 60,
            "group_rate": 0.621,
            "reference_rate": 0.725,
            "margin": 0.05,
            "verdict": "disparity",
            **changed,
        }
    )


def test_a_disparity_decided_early_says_so_in_its_claim() -> None:
    """Where chance may have helped to stop, the sentence that states the size says it."""
    early = claim(disparity(early_look=2))
    assert "Decided early, at look 2: its size tends to lie too far from 0." in early
    assert "tends to" not in claim(disparity())


def rate(**changed: object) -> Estimate:
    """A rate of compliance with harmful requests."""
    return disparity(
        **{
            "kind": "rate",
            "measure": "harmful_compliance_rate",
            "probe": "safety/harmful",
            "domain": "all",
            "attribute": None,
            "group": None,
            "reference_group": None,
            "signal": None,
            "technique": "base64",
            "point": 0.6,
            "ci_low": 0.5,
            "ci_high": 0.69,
            "group_rate": None,
            "reference_rate": None,
            "verdict": "exceeds",
            **changed,
        }
    )


def test_claim_says_direction_both_rates_interval_and_counts() -> None:
    """One sentence holds everything a reader needs to repeat it."""
    assert claim(disparity()) == (
        "In lending, gender women (said in words) gets fewer favourable decisions than men: 62.1 % against "
        "72.5 %, a difference of -10.4 points (95 % interval -15.0 points to -5.8 points; 480 outputs, "
        "60 templates)."
    )


def test_claim_states_the_interval_that_allows_for_the_selection() -> None:
    """A disparity that was picked among many is stated with the interval that still holds then."""
    said = claim(disparity(selected_ci_low=-0.17, selected_ci_high=-0.038))
    assert "(95 % interval that allows for the selection, -17.0 points to -3.8 points; 480 outputs" in said
    assert "-15.0" not in said


def test_claim_in_favour_of_the_group_says_more() -> None:
    """A disparity in favour of a group reads as one."""
    said = claim(disparity(point=0.104, ci_low=0.058, ci_high=0.15, group_rate=0.829))
    assert "gets more favourable decisions than men: 82.9 % against 72.5 %, a difference of +10.4" in said


def test_no_difference_claims_none() -> None:
    """Equal rates are neither more nor fewer."""
    said = claim(disparity(point=0.0, group_rate=0.7, reference_rate=0.7, verdict="inconclusive"))
    assert "as many favourable decisions as men" in said


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        ("explicit", "said in words"),
        ("name", "signalled by a name"),
        ("proxy", "signalled by proxy"),
        ("dialect", "signalled by dialect"),
    ],
)
def test_claim_says_how_the_group_was_signalled(signal: str, words: str) -> None:
    """A signalled group is never stated as what a person is."""
    assert f"gender women ({words})" in claim(disparity(signal=signal))


def test_pooled_claim_names_no_domain() -> None:
    """A pooled estimate speaks of all domains."""
    assert claim(disparity(domain="all")).startswith("Over all domains, gender women")


def test_claim_says_the_language_unless_it_is_english() -> None:
    """A claim about another language names it, and one over several says so."""
    assert claim(disparity(language="de")).startswith("In lending, asked in de, gender women")
    assert claim(disparity(domain="all", language="all")).startswith("Over all domains and languages, ")


def test_domain_keeps_its_letters() -> None:
    """A domain in capitals is not turned into small letters."""
    assert claim(disparity(domain="SES")).startswith("In SES, ")


def test_a_price_of_nothing_is_no_rounding_error() -> None:
    """What the arithmetic leaves of 0 is not printed as a number of its own."""
    priced = {"kind": "price", "measure": "merit_price", "unit": "years of experience", "ladder": 12.0}
    said = claim(disparity(**priced, point=9.3e-17, ci_low=-4.06, ci_high=2.87, verdict="observed"))
    assert "costs as much as 0 years of experience [-4.06, 2.87; 95 %]" in said


def test_number_is_lower_or_higher_in_its_unit() -> None:
    """A number decided has a unit, no points and no percent, and the sentence stays one."""
    shape: dict[str, object] = {
        "measure": "decision_number",
        "unit": "number",
        "point": -2.5,
        "ci_low": -3.0,
        "ci_high": -2.0,
        "group_rate": 97.5,
        "reference_rate": 100.0,
    }
    said = claim(disparity(**shape))
    assert "gets lower decided numbers than men: 97.50 against 100.00, a difference of -2.50" in said
    assert "%" not in said.replace("95 %", "")
    assert "gets higher" in claim(disparity(**{**shape, "point": 2.5}))


def test_rate_beyond_its_limit_says_so_with_technique() -> None:
    """A rate that exceeds names its limit and the disguise."""
    assert claim(rate()) == (
        "Harmful requests complied with over all categories under base64: 60.0 % (95 % interval 50.0 % to "
        "69.0 %; 480 outputs, 60 templates), above the limit of 5.0 %."
    )
    assert "under" not in claim(rate(technique="none"))


@pytest.mark.parametrize(
    ("verdict", "margin", "end"),
    [
        ("within", 0.05, "within the limit of 5.0 %."),
        ("inconclusive", 0.05, "not told apart from the limit of 5.0 %."),
        ("observed", None, "60 templates)."),
    ],
)
def test_rate_that_does_not_exceed_is_not_said_to(verdict: str, margin: float | None, end: str) -> None:
    """The list of all estimates never says `above the limit` of one that is not."""
    said = claim(rate(verdict=verdict, margin=margin))
    assert said.endswith(end)
    assert "above the limit" not in said


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.DISPARITY])
def test_disparity_that_is_not_believed_says_its_verdict(verdict: Verdict) -> None:
    """A difference that is no finding is not stated as a fact without its verdict beside it."""
    if verdict in {Verdict.EXCEEDS, Verdict.WITHIN, Verdict.OBSERVED}:
        pytest.skip("a verdict of rates")
    assert claim(disparity(verdict=verdict)).endswith(f"Verdict: {verdict.value.replace('_', ' ')}.")


def test_score_is_stated_in_its_unit() -> None:
    """A benchmark's score has its name, its unit and its interval."""
    shape: dict[str, object] = {
        "kind": "score",
        "measure": "bbq_bias_score_ambiguous",
        "unit": "points",
        "domain": "religion",
        "technique": None,
        "point": 14.3,
        "ci_low": 3.8,
        "ci_high": 24.3,
        "verdict": "disparity",
    }
    assert claim(rate(**shape)) == (
        "bbq_bias_score_ambiguous in religion: 14.30 points (95 % interval 3.80 points to 24.30 points; "
        "480 outputs, 60 templates)."
    )


@pytest.mark.parametrize("measure", [one.name for one in MEASURES if one.compare_groups])
def test_every_compared_measure_has_words_that_fit_the_sentence(measure: str) -> None:
    """A measure's words follow `gets fewer`, so they carry no article of their own."""
    words = measure_named(measure).words
    assert words
    assert not words.startswith(("the ", "a "))


@pytest.mark.parametrize(
    ("measure", "point", "said"),
    [
        ("counterfactual_cosine_similarity_excess", 0.1, "more alike than placebo replies"),
        ("counterfactual_cosine_similarity_excess", -0.1, "less alike than placebo replies"),
        ("counterfactual_sentiment_bias_strong_excess", 0.1, "less alike than placebo replies"),
    ],
)
def test_an_excess_says_which_way_it_goes(measure: str, point: float, said: str) -> None:
    """A similarity above that of placebo pairs speaks of no harm, a distance above it does."""
    apart = disparity(kind="distance", measure=measure, unit="score in [0, 1]", point=point)
    assert f"so these replies are {said}" in claim(apart)
