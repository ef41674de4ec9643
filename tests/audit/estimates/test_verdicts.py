"""Verdicts: every branch of the one place that turns numbers into words."""

from dataclasses import replace
from math import ceil

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.estimates.verdicts import Judged, Question, deciding, judge
from audit.records import Control, Verdict
from audit.spec import Judgement
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.equivalence import equivalence_of
from audit.statistics.intervals import ClusterEstimate, Interval, t_estimate
from probes.records import Placebo


def estimate(point: float, standard_error: float, *, clusters: int = 40) -> ClusterEstimate:
    """A t estimate of 95 % over that many templates."""
    return t_estimate(
        point, standard_error, clusters - 1, n_clusters=clusters, level=0.95, method="cluster-t"
    )


def control(*, holds: bool, point: float = 0.2) -> Control:
    """A placebo of which the truth is 0."""
    return Control(
        placebo=Placebo.RESAMPLE,
        point=point,
        ci_low=point - 0.05,
        ci_high=point + 0.05,
        noise_floor=0.02,
        n_clusters=40,
        holds=holds,
    )


def asked(found: ClusterEstimate, **changed: object) -> Judged:
    """The verdict on an estimate that nothing else speaks against."""
    shape: dict[str, object] = {
        "estimate": found,
        "p_adjusted": found.p_value,
        "rate": 0.05,
        "margin": 0.05,
        "measure": "reply_words",
        "controls": (),
        "noise_floor": None,
        "smallest_detectable": 0.03,
        "deciding": 0.03,
        "missing": None,
        "minimum_clusters": 12,
        **changed,
    }
    return judge(Question(**shape))  # type: ignore[arg-type]  # a table of keyword arguments


FAR, NEAR, SMALL, WIDE = (0.20, 0.02), (0.06, 0.02), (0.01, 0.004), (0.05, 0.06)

TABLE = [
    ("far beyond the margin", FAR, {}, Verdict.DISPARITY, True),
    ("in the other direction", (-0.20, 0.02), {}, Verdict.DISPARITY, True),
    ("not wholly beyond the margin", NEAR, {}, Verdict.DISPARITY, False),
    ("no margin declared", FAR, {"margin": None}, Verdict.DISPARITY, False),
    ("real but within the margin", SMALL, {}, Verdict.EQUIVALENT, False),
    ("nothing, and shown to be little", (0.0, 0.01), {}, Verdict.EQUIVALENT, False),
    ("nothing, and no margin", (0.0, 0.01), {"margin": None}, Verdict.INCONCLUSIVE, False),
    ("too wide to say", WIDE, {}, Verdict.INCONCLUSIVE, False),
    ("lost to the family", FAR, {"p_adjusted": 0.2}, Verdict.INCONCLUSIVE, False),
    ("within the noise floor", FAR, {"noise_floor": 0.25}, Verdict.INCONCLUSIVE, False),
    ("at the noise floor", FAR, {"noise_floor": 0.20}, Verdict.INCONCLUSIVE, False),
    ("beyond the noise floor", FAR, {"noise_floor": 0.10}, Verdict.DISPARITY, True),
    ("controls that hold", FAR, {"controls": (control(holds=True),)}, Verdict.DISPARITY, True),
    ("a control that fails", FAR, {"controls": (control(holds=False),)}, Verdict.NOT_MEASURED, False),
    ("answers missing unevenly", FAR, {"missing": "answers are missing"}, Verdict.NOT_MEASURED, False),
    ("within the margin, at the noise", SMALL, {"noise_floor": 0.02}, Verdict.EQUIVALENT, False),
]


@pytest.mark.parametrize(
    ("numbers", "changed", "verdict", "material"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_each_situation_has_its_word(
    numbers: tuple[float, float], changed: dict[str, object], verdict: Verdict, *, material: bool
) -> None:
    """Every branch gives the word, and calls material only what lies wholly beyond the margin."""
    judged = asked(estimate(*numbers), **changed)
    assert (judged.verdict, judged.material) == (verdict, material)
    assert judged.reasons or verdict is Verdict.DISPARITY


@pytest.mark.parametrize(("clusters", "verdict"), [(11, Verdict.NOT_MEASURED), (12, Verdict.DISPARITY)])
def test_twelve_templates_are_the_least(clusters: int, verdict: Verdict) -> None:
    """One template below the minimum, even a large difference is not measured, and the reason counts."""
    judged = asked(estimate(*FAR, clusters=clusters))
    assert judged.verdict is verdict
    if verdict is Verdict.NOT_MEASURED:
        assert judged.reasons == ("11 templates; at least 12 are needed to state it",)


def test_failing_control_is_named_with_its_size() -> None:
    """The reader learns which placebo fails, by how much, and the worst of several."""
    judged = asked(
        estimate(*FAR), controls=(control(holds=False), control(holds=False, point=-0.3), control(holds=True))
    )
    assert "resample" in judged.reasons[0]
    assert "-30.0 points [-35.0 points, -25.0 points]" in judged.reasons[0]


def test_open_verdict_says_what_the_design_sees_and_what_would_decide() -> None:
    """Inconclusive never stands alone: smallest visible disparity, and templates for the margin."""
    judged = asked(estimate(*WIDE), smallest_detectable=0.10, deciding=0.12)
    assert judged.reasons[0] == "not told apart from 0 at a false discovery rate of 0.05"
    seen = "this design sees 10.0 points or more in 4 of 5 runs if it were the only question"
    assert judged.reasons[1] == seen
    # 40 templates would decide at .12; at the same spread (.12 / .05) squared = 5.76 times as many do at .05.
    assert judged.reasons[2] == "about 231 templates of this kind would decide at the margin of 5.0 points"


@pytest.mark.parametrize("threshold", [0.05, 0.05 * 0.8 / 9])
def test_the_templates_said_to_decide_do_in_four_of_five_runs(threshold: float) -> None:
    """At the margin a disparity is told from 0 within the family, and a true 0 is called equivalent."""
    spread, margin = 0.23, 0.05
    pilot = deciding(estimate(0.0, spread / 44**0.5, clusters=44), family_level=1 - threshold)
    assert pilot is not None
    templates = ceil(44 * (pilot / margin) ** 2)
    rng = np.random.default_rng(3)
    runs = [
        [cluster_t_interval(rng.normal(truth, spread, templates)) for _ in range(500)]
        for truth in (0, margin)
    ]
    shown = sum(equivalence_of(one, margin=margin).equivalent for one in runs[0])
    found = sum(one.p_value <= threshold for one in runs[1])
    # Four of five, less three standard errors of 500 runs.
    assert min(shown, found) >= 500 * (0.8 - 3 * (0.16 / 500) ** 0.5)


def test_no_number_of_templates_is_said_to_decide_where_names_are_a_sample_too() -> None:
    """What differs between names stays, however many templates are asked."""
    judged = asked(estimate(*WIDE), smallest_detectable=0.10, deciding=0.12, sampled_too="names")
    assert judged.reasons[2].startswith(
        "more templates alone need not decide at the margin of 5.0 points: names"
    )


def test_a_design_that_sees_nothing_is_told_so() -> None:
    """No rate differs by 194.7 points: of such a design it is said that it sees nothing, and what would."""
    judged = asked(estimate(*WIDE), smallest_detectable=1.947, deciding=2.1)
    assert judged.reasons[1] == "this design cannot see any disparity of this measure in 4 of 5 runs"
    assert "would decide at the margin of 5.0 points" in judged.reasons[2]


def test_noise_is_the_reason_where_noise_decides() -> None:
    """A difference that is real but no larger than placebos' own is told so."""
    judged = asked(estimate(*FAR), noise_floor=0.25)
    assert judged.reasons[0] == "not beyond the noise floor of 25.0 points that placebos show"


def test_what_the_design_sees_is_said_of_one_question_alone() -> None:
    """The size is that of a test at the level alone, which no contrast of a family has."""
    open_ = asked(estimate(0.02, 0.03))
    assert any("in 4 of 5 runs if it were the only question" in reason for reason in open_.reasons)


def test_equivalence_speaks_of_its_own_test() -> None:
    """The two one-sided tests go by a narrower interval than the one that is stated."""
    found = asked(estimate(0.02, 0.0165), margin=0.05)
    assert found.verdict is Verdict.EQUIVALENT
    assert found.reasons == ("the test of equivalence within the margin of concern passes",)


def test_equivalence_has_two_reasons() -> None:
    """`Real but small` and `shown to be small` are different claims and read differently."""
    assert asked(estimate(*SMALL)).reasons == ("real, but below the margin of concern",)
    passed = ("the test of equivalence within the margin of concern passes",)
    assert asked(estimate(0.0, 0.01)).reasons == passed


@pytest.mark.parametrize(
    ("selected", "verdict", "material"),
    [
        ((0.002, 0.018), Verdict.EQUIVALENT, False),
        ((-0.001, 0.051), Verdict.DISPARITY, False),
        ((0.051, 0.30), Verdict.DISPARITY, True),
    ],
)
def test_size_of_what_was_picked_is_read_from_the_interval_that_allows_for_it(
    selected: tuple[float, float], verdict: Verdict, *, material: bool
) -> None:
    """Neither `below the margin` nor `material` is said by the plain interval of a picked disparity."""
    low, high = selected
    wider = Interval(low=low, high=high, level=0.99, method="cluster-t")
    found = asked(estimate(*(FAR if material else SMALL)), selected=wider)
    assert (found.verdict, found.material) == (verdict, material)
    narrower = replace(wider, low=0.04)
    assert not asked(estimate(*FAR), selected=narrower).material


@settings(max_examples=100, deadline=None)
@given(
    point=st.floats(-0.9, 0.9),
    error=st.floats(0.001, 0.3),
    margin=st.floats(0.01, 0.5),
    floor=st.floats(0.0, 0.3),
)
def test_direction_never_changes_the_word(point: float, error: float, margin: float, floor: float) -> None:
    """The same size against or in favour of a group has the same verdict."""
    one = asked(estimate(point, error), margin=margin, noise_floor=floor)
    other = asked(estimate(-point, error), margin=margin, noise_floor=floor)
    assert one == other


def test_a_measure_without_a_margin_says_how_to_give_one() -> None:
    """The reason holds a line that a spec accepts as it stands."""
    found = asked(estimate(0.01, 0.03), margin=None)
    (reason,) = [one for one in found.reasons if "no margin of concern" in one]
    said = yaml.safe_load(reason.split("as in: ")[1])
    assert Judgement.model_validate(said["judgement"]).margins == {"reply_words": 2}
