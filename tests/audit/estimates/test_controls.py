"""Negative controls: placebos, where the truth is 0, judged as one strict family."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from audit.estimates.contrasts import Contrast, Corrected, contrasts, placebo_contrasts
from audit.estimates.controls import controls_of, floor_of, placebo_controls
from audit.estimates.measures import measure_named
from probes.records import Placebo
from tests.audit.tables import Fact, Values, pairs, placebos, readings

FAVOURABLE = measure_named("favourable_rate")
LIKE: Values = [[float(template % 2)] for template in range(24)]
UNLIKE: Values = [[float((template + 1) % 2)] for template in range(24)]
ALL: Values = [[1.0]] * 24
NONE: Values = [[0.0]] * 24


def placebo_rows(facts: Sequence[Fact]) -> list[Contrast]:
    """The placebo contrasts of these rows."""
    return list(placebo_contrasts(readings(facts).measure(FAVOURABLE), FAVOURABLE))


def contrast_of(facts: Sequence[Fact]) -> Contrast:
    """The only real contrast of these rows."""
    (found,) = contrasts(readings(facts).measure(FAVOURABLE), FAVOURABLE)
    return found


def reviewed(contrast: Contrast, raw: Contrast, *, labels: int) -> Contrast:
    """A contrast that so many labels of the run's answers corrected, from what was read."""
    done = Corrected(raw=raw, source="review", method="by review", labels="people", n_labels=labels)
    return replace(contrast, correction=done)


def test_noisy_placebo_holds_and_has_a_noise_floor() -> None:
    """Templates that flip either way are noise: the control holds, and its floor is above 0."""
    (found,) = placebo_controls(placebo_rows(placebos(LIKE, UNLIKE)), level=0.95, seed=7)
    assert found.control.holds
    assert found.control.point == 0.0
    # 24 differences of +-1: the standard error is 1 / sqrt(24) = .204, and 1.96 of it .40.
    assert found.control.noise_floor == pytest.approx(0.40, abs=0.06)
    assert found.control.n_clusters == 24


def test_placebo_that_always_flips_one_way_fails() -> None:
    """An instrument that finds a difference where there is none is not believed."""
    (found,) = placebo_controls(placebo_rows(placebos(ALL, NONE)), level=0.95, seed=7)
    assert not found.control.holds
    assert (found.control.point, found.control.noise_floor) == (1.0, 1.0)


def test_identical_placebo_holds_with_a_floor_of_0() -> None:
    """A deterministic target asked twice shows no noise at all."""
    (found,) = placebo_controls(placebo_rows(placebos(ALL, ALL)), level=0.95, seed=7)
    assert found.control.holds
    assert found.control.noise_floor == 0.0
    assert found.control.ci_low < 0 < found.control.ci_high


def test_placebo_with_too_few_templates_is_no_control() -> None:
    """Eleven templates neither clear nor void a result."""
    assert placebo_controls(placebo_rows(placebos(ALL[:11], NONE[:11])), level=0.95, seed=7) == []
    assert placebo_controls([], level=0.95, seed=7) == []


def test_family_is_judged_by_holm() -> None:
    """A placebo that alone would fail holds among many: one false alarm would void a sound result."""
    tilted: Values = [[1.0] if template < 17 else [0.0] for template in range(24)]
    opposite: Values = [[0.0] if template < 17 else [1.0] for template in range(24)]
    alone = placebo_controls(placebo_rows(placebos(tilted, opposite)), level=0.90, seed=7)
    others = [
        fact
        for number in range(8)
        for fact in placebos(LIKE, UNLIKE, domain=f"d{number}", placebo="mention", signal="explicit")
    ]
    family = placebo_controls(placebo_rows([*placebos(tilted, opposite), *others]), level=0.90, seed=7)
    resample = [one.control for one in family if one.control.placebo is Placebo.RESAMPLE]
    assert not alone[0].control.holds
    assert resample[0].holds


def test_controls_that_cannot_fail_make_no_other_harder_to_fail() -> None:
    """What nobody showed in a placebo holds whatever the target does, so it is no test of the family."""
    tilted: Values = [[1.0] if template < 20 else [0.0] for template in range(24)]
    opposite: Values = [[0.0] if template < 20 else [1.0] for template in range(24)]
    inert = [fact for number in range(60) for fact in placebos(NONE, NONE, domain=f"d{number}")]
    found = placebo_controls(placebo_rows([*placebos(tilted, opposite), *inert]), level=0.95, seed=7)
    by_domain = {one.contrast.cell.domain: one.control.holds for one in found}
    assert len(by_domain) == 62
    assert not by_domain.pop("lending")
    assert by_domain["d0"]


def test_controls_belong_to_their_signal_domain_and_measure() -> None:
    """Name swaps measure the noise of names, mentions that of labels, repeats that of both."""
    facts = [
        *pairs(LIKE, UNLIKE),
        *placebos(LIKE, UNLIKE),
        *placebos(LIKE, UNLIKE, placebo="mention", signal="explicit"),
        *placebos(LIKE, UNLIKE, placebo="name_swap", signal="name"),
        *placebos(LIKE, UNLIKE, domain="hiring", placebo="paraphrase"),
    ]
    controls = placebo_controls(placebo_rows(facts), level=0.95, seed=7)
    mine = controls_of(contrast_of(facts), controls)
    assert [one.control.placebo for one in mine] == [Placebo.MENTION, Placebo.RESAMPLE]


def test_same_seed_gives_the_same_controls() -> None:
    """Noise floors and sign flips are drawn from named seeds only."""
    rows = placebo_rows(placebos(LIKE, UNLIKE))
    first = placebo_controls(rows, level=0.95, seed=7)[0].control
    assert placebo_controls(rows, level=0.95, seed=7)[0].control == first


def test_floor_is_the_largest_control_at_the_level_of_the_estimate() -> None:
    """Placebos of fewer templates are noisier: their floor is brought to the templates of the estimate."""
    (found,) = placebo_controls(placebo_rows(placebos(LIKE, UNLIKE)), level=0.95, seed=7)
    same, four = (contrast_of(pairs([*LIKE] * times, [*UNLIKE] * times)) for times in (1, 4))
    assert floor_of(same, [found]) == found.control.noise_floor
    assert floor_of(four, [found]) == pytest.approx(found.control.noise_floor / 2)
    assert floor_of(same, []) is None


def test_floor_of_a_reviewed_placebo_is_brought_to_the_labels_of_the_estimate() -> None:
    """Placebos have fewer labels than the groups: what those add to the floor is not laid on the groups."""
    (noisy,), (quiet,) = (placebo_rows(placebos(LIKE, other)) for other in (UNLIKE, LIKE))
    (found,) = placebo_controls([reviewed(noisy, quiet, labels=10)], level=0.95, seed=7)
    raw = contrast_of(pairs(LIKE, UNLIKE))
    floors = [floor_of(reviewed(raw, raw, labels=labels), [found]) for labels in (10, 40)]
    assert found.control.noise_floor > 0.3
    assert floors == pytest.approx([found.control.noise_floor, found.control.noise_floor / 2])
    assert floor_of(raw, [found]) == 0.0


def test_floor_of_a_reviewed_placebo_keeps_the_noise_of_answers() -> None:
    """More labels take away what they add, never the noise that the readings show."""
    (noisy,) = placebo_rows(placebos(LIKE, UNLIKE))
    (found,) = placebo_controls([reviewed(noisy, noisy, labels=10)], level=0.95, seed=7)
    gap = reviewed(contrast_of(pairs(LIKE, UNLIKE)), noisy, labels=10_000)
    assert floor_of(gap, [found]) == pytest.approx(found.control.noise_floor)


@pytest.mark.parametrize(
    ("name", "held"), [("favourable_rate", 1), ("expected_maximum_toxicity", 1), ("reply_words", 0)]
)
def test_placebo_that_never_moves_stops_nothing(name: str, held: int) -> None:
    """Where no placebo reply differs, a unit with bounds has a control, and one without has none."""
    measure = measure_named(name)
    reading = {"analyzer": measure.analyzer, "measure": measure.reading, "expects": measure.expects[-1]}
    twice: Values = [[0.0, 0.0]] * 24
    frame = readings(placebos(twice, twice, **reading)).measure(measure)
    found = placebo_controls(placebo_contrasts(frame, measure), level=0.95, seed=7)
    assert len(found) == held
    assert all(one.control.holds and one.control.noise_floor == 0.0 for one in found)
