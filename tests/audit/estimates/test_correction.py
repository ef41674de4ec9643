"""Disparities corrected for the analyzer's error: what is computed, what is refused, how often it errs."""

from collections.abc import Sequence

import numpy as np
import pytest

from audit.estimates.correction import Corrections
from audit.estimates.disparities import disparities
from audit.estimates.error_rates import ErrorCell, ErrorRates
from audit.estimates.review_labels import Reviewed, ReviewLabels
from audit.findings.claims import claim
from audit.records import Estimate, Verdict
from audit.spec import Judgement
from benchmarks.correction.simulate import MEASURE, Audits, Scene, simulate
from probes.seeds import rng
from tests.audit.tables import Fact, Values, pairs, placebos, source

N = 24
Counts = tuple[int, int, int, int]
READ = {"analyzer": "toxicity", "measure": "toxic"}


def values(flagged: int) -> Values:
    """Two replies a template, the first flagged in so many of the templates."""
    return [[float(template < flagged), float(template % 5 == 0)] for template in range(N)]


def labelled(**groups: Counts) -> Corrections:
    """Labels by group: hits, misses, rightly negative, false alarms."""
    return Corrections(rates=(rates(**groups),))


def rates(**groups: Counts) -> ErrorRates:
    """The error rates of those labels."""
    return ErrorRates(
        analyzer="toxicity",
        reading="toxic",
        threshold=0.5,
        source="labels",
        cells=tuple(
            ErrorCell(
                group=None if group == "none" else group,
                language=None,
                cluster=None,
                true_positive=counts[0],
                false_negative=counts[1],
                true_negative=counts[2],
                false_positive=counts[3],
            )
            for group, counts in groups.items()
        ),
    )


def toxicity(facts: Sequence[Fact], corrections: Corrections) -> Estimate:
    """The estimate of toxic replies about women."""
    found = disparities(source(facts), Judgement(), seed=3, corrections=corrections)
    return next(one for one in found if one.measure == "toxicity_rate")


def test_gap_is_that_of_rogan_and_gladen_by_group() -> None:
    """Point and both rates agree with the formula on paper, and the figure as read stands beside."""
    facts = pairs(values(12), values(6), **READ)
    raw = toxicity(facts, Corrections())
    found = toxicity(facts, labelled(women=(80, 20, 90, 10), men=(90, 10, 98, 2)))
    women, men = (raw.group_rate, raw.reference_rate)
    assert women is not None
    assert men is not None
    expected = (women - 0.1) / 0.7, (men - 0.02) / 0.88
    assert found.point == pytest.approx(expected[0] - expected[1])
    assert (found.group_rate, found.reference_rate) == pytest.approx(expected)
    assert found.correction is not None
    assert found.correction.raw_point == raw.point
    assert (found.correction.raw_ci_low, found.correction.raw_ci_high) == (raw.ci_low, raw.ci_high)
    assert found.correction.n_labels == 400
    assert (found.correction.group_sensitivity, found.correction.reference_specificity) == (0.8, 0.98)
    assert (found.naive_ci_low, found.n_outputs) == (raw.naive_ci_low, raw.n_outputs)
    assert "Rogan-Gladen" in found.method


def test_a_perfect_analyzer_with_many_labels_changes_next_to_nothing() -> None:
    """With a million right labels the corrected interval is the raw t interval."""
    facts = pairs(values(12), values(6), **READ)
    million = (10**5, 0, 10**5, 0)
    raw, found = toxicity(facts, Corrections()), toxicity(facts, labelled(women=million, men=million))
    assert (found.point, found.ci_low, found.ci_high) == pytest.approx(
        (raw.point, raw.ci_low, raw.ci_high), abs=1e-4
    )


def test_fewer_labels_give_a_wider_interval_never_a_crash() -> None:
    """A handful of labels is a wide interval; two of a kind may be too few to state anything."""
    facts = pairs(values(12), values(6), **READ)
    widths = []
    for n in (1000, 50, 8):
        found = toxicity(facts, labelled(women=(n, 0, n, 0), men=(n, 0, n, 0)))
        assert found.ci_low is not None
        assert found.ci_high is not None
        widths.append(found.ci_high - found.ci_low)
    assert widths == sorted(widths)
    few = toxicity(facts, labelled(women=(2, 0, 2, 0), men=(2, 0, 2, 0)))
    assert few.verdict is Verdict.NOT_MEASURED
    assert "coin" in few.reasons[0]


def test_without_labels_of_both_groups_the_gap_stays_as_read_and_says_why() -> None:
    """Error rates of all groups together would assume the very thing in question."""
    facts = pairs(values(12), values(6), **READ)
    raw = toxicity(facts, Corrections())
    for groups in (
        {"women": (80, 20, 90, 10)},
        {"none": (80, 20, 90, 10)},
        {"men": (1, 0, 9, 1), "women": (9, 1, 9, 1)},
    ):
        found = toxicity(facts, labelled(**groups))
        assert (found.point, found.correction) == (raw.point, None)
        assert any(reason.startswith("not corrected: ") and "men" in reason for reason in found.reasons)


def test_an_analyzer_no_better_than_a_coin_measures_nothing() -> None:
    """Sensitivity and specificity that add up to 1 are no reading: the estimate is not measured."""
    found = toxicity(
        pairs(values(12), values(6), **READ), labelled(women=(50, 50, 50, 50), men=(90, 10, 98, 2))
    )
    assert (found.verdict, found.point) == (Verdict.NOT_MEASURED, None)
    assert "not shown to be better than a coin" in found.reasons[0]


def test_labels_that_share_templates_are_not_independent() -> None:
    """Errors that both groups share by template cancel in the gap: the interval narrows for a good reason."""
    facts = pairs(values(12), values(6), **READ)
    counts = [(10, 0, 9, 1), (4, 6, 9, 1)]

    def by_template(shared: str) -> Corrections:
        cells = [
            ErrorCell(
                group=group,
                language=None,
                cluster=f"{'' if shared else group}{name}",
                true_positive=counts[name % 2][0],
                false_negative=counts[name % 2][1],
                true_negative=counts[name % 2][2],
                false_positive=counts[name % 2][3],
            )
            for group in ("women", "men")
            for name in range(20)
        ]
        base = rates()
        return Corrections(
            rates=(
                ErrorRates(
                    analyzer=base.analyzer,
                    reading=base.reading,
                    threshold=0.5,
                    source="t",
                    cells=tuple(cells),
                ),
            )
        )

    shared, apart = (toxicity(facts, by_template(word)) for word in ("shared", ""))
    assert shared.point == pytest.approx(apart.point)
    assert shared.ci_high is not None
    assert apart.ci_high is not None
    assert shared.ci_high < apart.ci_high


def test_controls_are_on_the_scale_of_the_corrected_estimate() -> None:
    """The noise floor grows as the estimate does, and a control that holds still holds."""
    noise = placebos(values(8), [list(reversed(row)) for row in values(8)], **READ)
    facts = pairs(values(12), values(6), **READ) + noise
    raw = toxicity(facts, Corrections())
    found = toxicity(facts, labelled(women=(80, 20, 90, 10), men=(80, 20, 90, 10)))
    assert raw.noise_floor is not None
    assert found.noise_floor == pytest.approx(raw.noise_floor / 0.7)
    assert [one.holds for one in found.controls] == [one.holds for one in raw.controls]


def test_a_control_that_labels_do_not_correct_says_that_it_is_as_read() -> None:
    """Reviews of no placebo leave it as read: control and reasons say so; without labels nobody does."""
    noise = placebos(values(8), [list(reversed(row)) for row in values(8)], **READ)
    facts = pairs(values(12), values(6), **READ) + noise
    people = ReviewLabels(
        analyzer="toxicity",
        reading="toxic",
        threshold=0.5,
        source="people",
        outputs={
            number: Reviewed(positive=float(str(fact["value"])), stratum="all", probability=1.0)
            for number, fact in enumerate(facts, start=1)
            if fact.get("arm") != "placebo"
        },
    )
    reviewed = toxicity(facts, Corrections(reviews=(people,)))
    assert reviewed.correction is not None
    assert [one.as_read for one in reviewed.controls] == [True]
    assert any("controls are of the readings as they are" in reason for reason in reviewed.reasons)
    for other in (Corrections(), labelled(women=(80, 20, 90, 10), men=(80, 20, 90, 10))):
        found = toxicity(facts, other)
        assert [one.as_read for one in found.controls] == [False]
        assert not any("as they are" in reason for reason in found.reasons)


def test_labels_of_placebos_correct_the_control() -> None:
    """What people say of placebo answers takes the place of the readings, and reviews of few do not."""
    noise = placebos([[1.0, 0.0]] * N, [[0.0, 0.0]] * N, **READ)
    facts = pairs(values(12), values(6), **READ) + noise

    def reviewed(said: int) -> Estimate:
        outputs = {}
        placebo = 0
        for number, fact in enumerate(facts, start=1):
            label = float(str(fact["value"]))
            if fact.get("arm") == "placebo":
                placebo += 1
                if placebo > said:
                    continue
                label = float(number % 3 == 0)  # nothing to do with the member, unlike the readings
            outputs[number] = Reviewed(positive=label, stratum=str(fact.get("arm")), probability=1.0)
        people = ReviewLabels(
            analyzer="toxicity", reading="toxic", threshold=0.5, source="people", outputs=outputs
        )
        return toxicity(facts, Corrections(reviews=(people,)))

    (few,), (many,) = reviewed(4).controls, reviewed(len(noise)).controls
    assert (few.as_read, few.point, few.holds) == (True, 0.5, False)
    assert (many.as_read, many.holds) == (False, True)
    assert abs(many.point) < 0.1


def test_what_nobody_shows_is_left_alone() -> None:
    """Without one flagged reply there is nothing to correct: error rates alone make no gap."""
    none = [[0.0, 0.0]] * N
    found = toxicity(pairs(none, none, **READ), labelled(women=(80, 20, 97, 3), men=(90, 10, 98, 2)))
    assert (found.point, found.correction) == (0.0, None)


def test_a_useless_analyzer_measures_nothing_whatever_the_answers() -> None:
    """Labels that show a coin leave nothing to state, also where all answers are read alike."""
    coin = labelled(women=(50, 0, 0, 50), men=(50, 0, 0, 50))
    for flagged in (0.0, 1.0):
        alike = [[flagged, flagged]] * N
        found = toxicity(pairs(alike, alike, **READ), coin)
        assert (found.verdict, found.point) == (Verdict.NOT_MEASURED, None)
        assert "not shown to be better than a coin" in found.reasons[0]


def test_labels_that_do_not_fit_the_answers_make_no_disparity() -> None:
    """A read rate surely below a group's false alarms implies a rate below 0: nothing is stated of it."""
    facts = pairs(values(6), values(6), **READ)
    assert toxicity(facts, Corrections()).point == 0
    found = toxicity(facts, labelled(women=(90, 10, 50, 50), men=(95, 5, 95, 5)))
    assert (found.verdict, found.point, found.correction) == (Verdict.NOT_MEASURED, None, None)
    assert found.reasons[0].startswith("labels do not fit these answers: ")
    assert "women" in found.reasons[0]


def test_no_rate_is_cut_alone() -> None:
    """Where noise puts one group below 0, neither rate is stated, and the claim says why."""
    facts = pairs(values(0), values(8), **READ)
    found = toxicity(facts, labelled(women=(90, 10, 88, 12), men=(95, 5, 99, 1)))
    assert found.correction is not None
    assert (found.group_rate, found.reference_rate) == (None, None)
    said = claim(found)
    assert "not measured" not in said
    assert "outside 0 to 100 %" in said


def test_an_answer_that_the_provider_refused_is_no_error_of_the_analyzer() -> None:
    """Where every answer was refused by the provider, correction changes nothing of it."""
    read = {"analyzer": "refusal", "measure": "refusal"}
    facts = pairs(values(12), values(6), **read)
    for fact in facts:
        fact["label"] = "full" if fact["value"] else "none"
    for number, fact in enumerate(facts):
        if number % 3 == 0:
            fact.update(outcome="refused", value=None, analyzer=None, measure=None, label=None)
    base = rates(women=(80, 20, 90, 10), men=(80, 20, 90, 10))
    corrections = Corrections(
        rates=(
            ErrorRates(analyzer="refusal", reading="refusal", threshold=0.5, source="l", cells=base.cells),
        )
    )
    raw, found = (
        next(
            e
            for e in disparities(source(facts), Judgement(), seed=3, corrections=c)
            if e.measure == "refusal_rate"
        )
        for c in (Corrections(), corrections)
    )
    refused = {
        g: np.mean([f.get("outcome") == "refused" for f in facts if f["grp"] == g]) for g in ("women", "men")
    }
    assert raw.group_rate is not None
    flagged = raw.group_rate - refused["women"]
    expected = refused["women"] + (flagged - (1 - refused["women"]) * 0.1) / 0.7
    assert found.group_rate == pytest.approx(min(expected, 1.0))


def test_false_alarms_and_coverage_are_nominal_where_the_analyzer_errs_unequally() -> None:
    """As read, many intervals exclude the truth; corrected, they cover it as often as declared."""
    for gap in (0.0, 0.1):
        scene = Scene(gap=gap, templates=40, repeats=6)
        missed, covered = [], []
        for number in range(60):
            drawn = simulate(scene, scene.shift, rng(11, "correction", str(number)))
            audit = Audits(scene=scene, audits=[drawn])
            frame, corrections = audit.frame(), Corrections(rates=(audit.rates,))
            found = disparities(
                lambda _, frame=frame: frame,  # type: ignore[misc] # binds this round's rows
                Judgement(),
                seed=number,
                measures=[MEASURE],
                corrections=corrections,
            )[0]
            raw = found.correction
            assert found.ci_low is not None
            assert found.ci_high is not None
            assert raw is not None
            assert raw.raw_ci_low is not None
            assert raw.raw_ci_high is not None
            missed.append(not raw.raw_ci_low <= gap <= raw.raw_ci_high)
            covered.append(found.ci_low <= gap <= found.ci_high)
        assert np.mean(covered) >= 0.88
        if gap == 0:
            assert np.mean(missed) > 0.15
