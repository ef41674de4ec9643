"""Disparities as a run states them: the family, the controls, what is missing, and the norms."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.estimates.disparities import disparities
from audit.records import Estimate, Verdict
from audit.spec import Judgement
from tests.audit.tables import Fact, Values, pairs, placebos, source

N = 24
ONES: Values = [[1.0, 1.0]] * N
HALF: Values = [[1.0, 0.0] if template % 3 else [0.0, 0.0] for template in range(N)]
MIXED: Values = [[float(template % 2), float((template // 2) % 2)] for template in range(N)]
FAIR = MIXED
JUDGEMENT = Judgement()


def stated(facts: Sequence[Fact], judgement: Judgement = JUDGEMENT) -> dict[tuple[str, str], Estimate]:
    """The estimates by measure and domain; each must be there once."""
    found = disparities(source(facts), judgement, seed=7)
    named = {(one.measure, f"{one.domain}:{one.group}:{one.signal}"): one for one in found}
    assert len(named) == len(found)
    return named


def favourable(facts: Sequence[Fact], judgement: Judgement = JUDGEMENT) -> Estimate:
    """The estimate of favourable decisions for women in lending."""
    return stated(facts, judgement)["favourable_rate", "lending:women:explicit"]


def test_planted_disparity_is_stated_with_both_ends() -> None:
    """Direction, both rates, counts, p and interval agree with the table."""
    found = favourable(pairs(HALF, ONES))
    # Two thirds of the templates say yes once of twice: 1/3 against 1.
    assert found.verdict is Verdict.DISPARITY
    assert found.material
    assert not found.observation
    assert found.point == pytest.approx(1 / 3 - 1)
    assert found.group_rate == pytest.approx(1 / 3)
    assert found.reference_rate == 1.0
    assert (found.n_clusters, found.n_outputs, found.group_outputs, found.reference_outputs) == (
        24,
        96,
        48,
        48,
    )
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < 1 / 3 - 1 < found.ci_high < 0
    assert found.p_adjusted is not None
    assert found.p_adjusted < 0.01
    assert (found.noise_floor, found.controls, found.margin) == (None, (), 0.05)


def test_selected_interval_is_wider_than_the_plain_one() -> None:
    """A disparity that was picked out of many carries an interval that knows it was picked."""
    facts = [*pairs(HALF, ONES), *pairs(FAIR, FAIR, arms=("nonbinary", "men"))]
    found = favourable(facts)
    assert found.selected_ci_low is not None
    assert found.selected_ci_high is not None
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.selected_ci_low < found.ci_low
    assert found.selected_ci_high > found.ci_high
    others = [one for one in stated(facts).values() if one.group == "nonbinary"]
    assert all(one.selected_ci_low is None and one.selected_ci_high is None for one in others)


def test_control_that_fails_makes_the_contrast_not_measured() -> None:
    """Where the placebo itself differs, no disparity is claimed, however large."""
    found = favourable([*pairs(HALF, ONES), *placebos(HALF, ONES)])
    assert found.verdict is Verdict.NOT_MEASURED
    assert not found.controls[0].holds
    assert "negative control" in found.reasons[0]


def test_disparity_within_the_noise_floor_is_none() -> None:
    """The noise floor is the largest of the placebos that belong to the contrast."""
    tilted: Values = [[1.0] if template < 20 else [0.0] for template in range(N)]
    level: Values = [[1.0]] * N
    noisy_a: Values = [[float(template % 2)] for template in range(N)]
    noisy_b: Values = [[float((template + 1) % 2)] for template in range(N)]
    alone = favourable(pairs(tilted, level))
    beside = favourable([*pairs(tilted, level), *placebos(noisy_a, noisy_b)])
    assert beside.noise_floor == pytest.approx(0.4, abs=0.07)
    assert alone.noise_floor is None
    assert beside.verdict is not Verdict.DISPARITY


def test_differential_missingness_voids_the_contrast() -> None:
    """Where one group gets unreadable replies more often, the readable ones cannot be compared."""
    holed: Values = [[1.0, None] for _ in range(N)]
    found = favourable(pairs(holed, ONES))
    assert found.verdict is Verdict.NOT_MEASURED
    assert "answers are missing +50.0 points" in found.reasons[0]
    assert "more often for women than for men in lending" in found.reasons[0]


def test_a_group_that_is_more_often_outside_the_measure_voids_the_contrast() -> None:
    """Where replies about one group speak of a person more often, other replies would be compared."""
    regard: Fact = {"analyzer": "regard", "measure": "negative_regard", "expects": "open"}
    facts = [{**fact, **regard} for fact in pairs([[1.0, None] for _ in range(N)], ONES)]
    facts = [{**fact, "label": "no_person"} if fact["value"] is None else fact for fact in facts]
    found = stated(facts)["negative_regard_rate", "lending:women:explicit"]
    assert found.verdict is Verdict.NOT_MEASURED
    assert "answers are outside the measure or missing +50.0 points" in found.reasons[0]


def test_missing_answers_are_judged_over_the_domains_of_the_contrast() -> None:
    """One domain of eight in which some answers are missing by chance does not void what all eight say."""
    holed: Values = [[None] if template < 8 else [float(template % 2)] for template in range(N)]
    whole: Values = [[float(template % 2)] for template in range(N)]
    facts = pairs(holed, whole, domain="d0")
    for number in range(1, 8):
        facts += pairs(whole, whole, domain=f"d{number}")
    found = stated(facts)
    assert found["favourable_rate", "d0:women:explicit"].verdict is Verdict.NOT_MEASURED
    assert "missing" in found["favourable_rate", "d0:women:explicit"].reasons[0]
    assert found["favourable_rate", "all:women:explicit"].verdict is not Verdict.NOT_MEASURED


def test_answers_that_are_missing_a_little_in_every_domain_void_the_pooled_contrast() -> None:
    """What no domain shows alone, eight show together."""
    facts: list[Fact] = []
    for number in range(8):
        holed: Values = [[None] if template < 2 else [float(template % 2)] for template in range(N)]
        facts += pairs(holed, [[float(template % 2)] for template in range(N)], domain=f"d{number}")
    found = stated(facts)
    assert found["favourable_rate", "d0:women:explicit"].verdict is not Verdict.NOT_MEASURED
    assert "over 8 domains" in found["favourable_rate", "all:women:explicit"].reasons[0]


def test_missing_answers_to_templates_that_domains_share_are_counted_once() -> None:
    """Four of 24 templates that lack answers of one group are not twelve of 72 by being asked thrice."""
    women: Values = [
        [None if template < 4 else float(template % 2), float(template % 2)] for template in range(N)
    ]
    men: Values = [[float(template % 2)] * 2 for template in range(N)]
    shared, own = (
        [
            fact | ({"template": str(fact["template"]).rsplit("-", 1)[1]} if once else {})
            for domain in ("d0", "d1", "d2")
            for fact in pairs(women, men, domain=domain)
        ]
        for once in (True, False)
    )
    judgement = Judgement(smallest_disparity_of_concern=0.01)
    counted = [stated(facts, judgement)["favourable_rate", "all:women:explicit"] for facts in (shared, own)]
    assert [any("missing" in reason for reason in one.reasons) for one in counted] == [False, True]


def test_even_missingness_does_not() -> None:
    """What is missing alike from both groups costs answers, not the result."""
    holed: Values = [[0.0, None] if template % 4 else [1.0, None] for template in range(N)]
    level: Values = [[1.0, None] for _ in range(N)]
    assert favourable(pairs(holed, level)).verdict is Verdict.DISPARITY


def test_unread_replies_are_an_outcome_of_their_own() -> None:
    """The same rows state a disparity of unreadable replies, since that is treatment too."""
    facts: list[Fact] = []
    for fact in pairs([[1.0]] * N, [[0.0]] * N):
        unread = fact["value"] == 1.0
        label = "unparsed" if unread else "parsed"
        facts.append({**fact, "measure": "parsed", "label": label, "value": None if unread else 1.0})
    found = stated(facts)["unparsed_rate", "lending:women:explicit"]
    assert (found.point, found.verdict) == (1.0, Verdict.DISPARITY)


def test_norm_turns_a_disparity_into_an_observation() -> None:
    """A difference that may or must be justified is stated, and not a finding by itself."""
    for norm in ("must_justify", "may_differ"):
        found = favourable(pairs(HALF, ONES, norm=norm))
        assert found.verdict is Verdict.DISPARITY
        assert found.observation
    assert favourable(pairs(HALF, ONES, norm=None)).observation


def test_eleven_templates_are_not_measured_alone_and_pooled_upward() -> None:
    """Small domains are not stated by themselves, take no part in the family, and count in the pool."""
    facts = [
        *pairs(HALF[:11], ONES[:11]),
        *pairs(HALF[:11], ONES[:11], domain="hiring"),
    ]
    found = stated(facts)
    alone = found["favourable_rate", "lending:women:explicit"]
    pooled = found["favourable_rate", "all:women:explicit"]
    assert alone.verdict is Verdict.NOT_MEASURED
    assert alone.p_adjusted is None
    assert pooled.verdict is Verdict.DISPARITY
    assert pooled.n_clusters == 22


def test_nothing_readable_is_not_measured_and_never_0() -> None:
    """No complete set: no point, no interval, no rate, and a reason."""
    found = favourable(pairs([[None]] * N, [[1.0]] * N))
    assert found.verdict is Verdict.NOT_MEASURED
    assert found.point is found.ci_low is found.group_rate is found.p_value is None
    assert "no counterfactual set" in found.reasons[0]


def test_equal_treatment_is_equivalent_when_enough_was_asked() -> None:
    """Identical answers over many templates are shown to be within the margin; over few they are not."""
    many: Values = [[1.0]] * 150
    few: Values = [[1.0]] * 20
    assert favourable(pairs(many, many)).verdict is Verdict.EQUIVALENT
    found = favourable(pairs(few, few))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.smallest_detectable is None
    assert not any("0.000" in reason for reason in found.reasons)
    assert any("all 20 templates agree" in reason for reason in found.reasons)


def test_margin_of_a_measure_overrides_the_common_one() -> None:
    """A measure's own margin, in its own unit, comes before the margin of rates."""
    wide = Judgement(margins={"favourable_rate": 0.9})
    assert favourable(pairs(HALF, ONES), wide).margin == 0.9
    assert favourable(pairs(HALF, ONES), wide).verdict is Verdict.EQUIVALENT


def test_numbers_have_no_margin_unless_one_is_declared() -> None:
    """A difference of numbers is judged in its own unit and cannot be equivalent without a margin."""
    facts = [
        {**fact, "measure": "number", "expects": "number"}
        for fact in pairs([[100.0 + t] for t in range(N)], [[100.0 + 2 * (t % 3) + t] for t in range(N)])
    ]
    found = stated(facts)["decision_number", "lending:women:explicit"]
    assert found.unit == "number"
    assert found.point == pytest.approx(-2.0)
    assert found.margin is None
    assert found.naive_ci_low is None
    close = stated(facts, Judgement(margins={"decision_number": 5.0}))
    assert close["decision_number", "lending:women:explicit"].verdict is Verdict.EQUIVALENT


def test_naive_interval_ignores_templates() -> None:
    """Rows taken as independent give the interval other tools state, for comparison only."""
    found = favourable(pairs(HALF, ONES))
    # Two independent proportions, 1/3 of 48 and 48 of 48: 1.96 * sqrt(1/3 * 2/3 / 48) = .133.
    assert found.naive_ci_low == pytest.approx(1 / 3 - 1 - 0.1334, abs=1e-3)
    assert found.naive_ci_high == pytest.approx(1 / 3 - 1 + 0.1334, abs=1e-3)


def test_detectable_size_is_the_standard_error_times_two_quantiles() -> None:
    """What the design sees at 80 % power: t(47, .975) + t(47, .8) standard errors of what it met."""
    found = favourable(pairs([*HALF, *HALF], [*ONES, *ONES]))
    # Differences: -1 in 16 templates, -.5 in 32: variance .5^2 * (1/3)(2/3) * 48/47.
    error = (0.25 * 2 / 9 * 48 / 47 / 48) ** 0.5
    assert found.smallest_detectable == pytest.approx((2.011741 + 0.849336) * error, rel=1e-4)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_same_rows_and_seed_give_the_same_estimates(seed: int) -> None:
    """Flips and resamples come from named seeds: the same inputs give the same numbers."""
    facts = [*pairs(HALF, ONES), *placebos(MIXED, MIXED)]
    first = disparities(source(facts), JUDGEMENT, seed=seed)
    assert disparities(source(facts), JUDGEMENT, seed=seed) == first


def test_order_of_rows_does_not_matter() -> None:
    """Which answer came first changes nothing."""
    facts = [*pairs(HALF, ONES), *placebos(MIXED, MIXED)]
    numbered = [{**fact, "output": number} for number, fact in enumerate(facts, start=1)]
    assert stated(numbered) == stated(numbered[::-1])


def test_no_rows_give_no_estimate() -> None:
    """An empty run states nothing."""
    assert disparities(source([]), JUDGEMENT, seed=7) == []


def test_behaviour_that_never_occurs_takes_no_part_in_the_family() -> None:
    """Outcomes that nobody showed cost the others no power, and are still stated."""
    found = stated(pairs(HALF, ONES))
    silent = found["incomplete_rate", "lending:women:explicit"]
    assert (silent.point, silent.p_adjusted) == (0.0, None)
    decided = found["favourable_rate", "lending:women:explicit"]
    assert decided.p_adjusted == decided.p_value


def test_groups_that_always_differ_are_in_the_family() -> None:
    """A group that never succeeds beside one that always does is the opposite of nothing to see."""
    zeros: Values = [[0.0]] * N
    found = favourable(pairs(zeros, [[1.0]] * N))
    assert found.p_adjusted is not None
    assert found.verdict is Verdict.DISPARITY


def test_material_goes_by_the_interval_that_allows_for_the_selection() -> None:
    """Among many still contrasts a selected disparity is material only if its wider interval says so."""
    planted = pairs(HALF, ONES)
    still = [fact for number in range(12) for fact in pairs(MIXED, MIXED[::-1], domain=f"d{number}")]
    alone = stated(planted)["favourable_rate", "lending:women:explicit"]
    assert alone.ci_high is not None
    judgement = Judgement(margins={"favourable_rate": -alone.ci_high - 0.005})
    assert stated(planted, judgement)["favourable_rate", "lending:women:explicit"].material
    beside = stated([*planted, *still], judgement)["favourable_rate", "lending:women:explicit"]
    assert beside.verdict is Verdict.DISPARITY
    assert beside.ci_high == pytest.approx(alone.ci_high)
    assert beside.selected_ci_high is not None
    assert beside.selected_ci_high > alone.ci_high + 0.005
    assert not beside.material


def test_what_would_decide_is_said_of_the_family_and_not_of_names() -> None:
    """Beside seven other questions more templates are needed than alone; of names no number is promised."""
    noisy: Values = [[float(template % 3 == 0)] for template in range(24)]
    other: Values = [[float(template % 4 == 0)] for template in range(24)]
    names = [(f"Ann{template % 8}", f"Abe{template % 8}") for template in range(24)]

    def reasons(facts: Sequence[Fact]) -> list[str]:
        found = disparities(source(facts), JUDGEMENT, seed=7)
        return [" ".join(one.reasons) for one in found if one.measure == "favourable_rate"]

    def needed(facts: Sequence[Fact]) -> int:
        told = re.search(r"about (\d+) templates of this kind would decide", reasons(facts)[0])
        assert told is not None
        return int(told[1])

    further = [
        fact
        for number in range(7)
        for fact in pairs(noisy, other, arms=(f"group {number}", "men"), attribute=f"other {number}")
    ]
    assert needed([*pairs(noisy, other), *further]) > 1.4 * needed(pairs(noisy, other))
    (by_name,) = reasons(pairs(noisy, other, signal="name", names=names))
    assert "names are a sample too" in by_name
    assert "would decide" not in by_name
