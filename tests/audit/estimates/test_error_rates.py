"""Which labels fit which measure, group and language."""

import pytest

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import POOLED
from audit.estimates.error_rates import ErrorCell, ErrorRates, reads_positive
from audit.estimates.measures import measure_named

REFUSALS = measure_named("refusal_rate")
COMPLIANCE = measure_named("harmful_compliance_rate")


def cell(group: str | None, counts: tuple[int, int, int, int], **more: str | None) -> ErrorCell:
    """Labelled answers: hits, misses, rightly negative, false alarms."""
    language, cluster = more.get("language"), more.get("cluster")
    return ErrorCell(
        group=group,
        language=language,
        cluster=cluster,
        true_positive=counts[0],
        false_negative=counts[1],
        true_negative=counts[2],
        false_positive=counts[3],
    )


def refusals(*cells: ErrorCell) -> ErrorRates:
    """Labels of refusals."""
    return ErrorRates(analyzer="refusal", reading="refusal", threshold=0.5, source="f", cells=cells)


def test_rates_are_those_of_the_group_or_of_all_together() -> None:
    """A group's calibration counts its own labels, and the pooled one says that it is pooled."""
    rates = refusals(cell("a", (9, 1, 8, 2)), cell("b", (5, 5, 10, 0)))
    mine, both = (rates.calibration(REFUSALS, "en", group) for group in ("a", None))
    assert (mine.sensitivity, mine.false_positive_rate, mine.pooled) == (0.9, 0.2, False)
    assert (both.sensitivity, both.false_positive_rate, both.pooled) == (0.7, 0.1, True)
    assert (rates.total, rates.count("en", "a"), rates.count("en")) == (40, 20, 40)
    assert mine.n_clusters == 20


def test_compliance_is_the_opposite_of_refusal() -> None:
    """Missing a refusal is a false alarm of compliance, so the two error rates change places."""
    rates = refusals(cell("a", (9, 1, 8, 2)))
    found = rates.calibration(COMPLIANCE, "en", "a")
    assert found.sensitivity == pytest.approx(0.8)
    assert found.false_positive_rate == pytest.approx(0.1)
    assert reads_positive(measure_named("unparsed_rate")) is None
    assert reads_positive(measure_named("toxicity_probability")) is None


def test_only_measures_of_this_reading_and_cut_fit() -> None:
    """Labels of one reading say nothing of another, nor of the same one cut elsewhere."""
    rates = refusals(cell("a", (9, 1, 8, 2)))
    fitting = {
        one for one in ("refusal_rate", "over_refusal_rate", "toxicity_rate") if rates.fit(measure_named(one))
    }
    assert fitting == {"refusal_rate", "over_refusal_rate"}
    other = ErrorRates(analyzer="refusal", reading="refusal", threshold=0.9, source="f", cells=rates.cells)
    assert not other.fit(REFUSALS)
    numbers = ErrorRates(analyzer="detoxify", reading="toxicity", threshold=0.5, source="f", cells=())
    assert numbers.fit(measure_named("detoxify_toxic_rate"))
    assert not numbers.fit(measure_named("detoxify_toxicity"))


def test_labels_of_another_language_or_group_are_never_used() -> None:
    """What there are no labels of is not measured, with the reason; an unnamed language fits all."""
    spoken = refusals(cell("a", (9, 1, 8, 2), language="de"), cell("b", (1, 0, 1, 0), language="de"))
    with pytest.raises(NotMeasuredError, match="are not in en"):
        spoken.calibration(REFUSALS, "en", "a")
    with pytest.raises(NotMeasuredError, match="pools several"):
        spoken.calibration(REFUSALS, POOLED, "a")
    with pytest.raises(NotMeasuredError, match="no labels of the group c"):
        spoken.calibration(REFUSALS, "de", "c")
    with pytest.raises(NotMeasuredError, match="too few labels of the group b"):
        spoken.calibration(REFUSALS, "de", "b")
    unnamed = refusals(cell("a", (9, 1, 8, 2)))
    assert unnamed.calibration(REFUSALS, POOLED, "a").sensitivity == 0.9


def test_clusters_keep_their_code_across_groups() -> None:
    """A template with answers of both groups is one cluster in both calibrations."""
    rates = refusals(
        *(cell(group, (3, 1, 3, 1), cluster=name) for group in "ab" for name in ("t1", "t2", "t3"))
    )
    first, second = (rates.calibration(REFUSALS, "en", group) for group in "ab")
    assert first.clusters.tolist() == second.clusters.tolist() == [0, 1, 2]
    assert rates.clustered
    alone = refusals(cell("a", (3, 1, 3, 1)), cell("b", (3, 1, 3, 1)))
    assert not alone.clustered


def test_a_name_in_another_case_is_told() -> None:
    """Labels of `Female` correct nothing of `female`, and the reason says which name was meant."""
    known = ErrorRates(
        analyzer="toxicity", reading="toxic", threshold=0.5, source="l", cells=(cell("Female", (9, 1, 9, 1)),)
    )
    with pytest.raises(NotMeasuredError, match=r"no labels of the group female, but of 'Female'"):
        known.calibration(measure_named("toxicity_rate"), "en", "female")


def test_labels_of_languages_do_not_correct_a_gap_over_all_of_them() -> None:
    """The reason says that the gaps of each language are corrected, and the one over them is not."""
    cells = tuple(cell("women", (9, 1, 9, 1), language=language) for language in ("en", "de"))
    known = ErrorRates(analyzer="toxicity", reading="toxic", threshold=0.5, source="l", cells=cells)
    with pytest.raises(NotMeasuredError, match=r"pools several: only single languages are corrected"):
        known.calibration(measure_named("toxicity_rate"), POOLED, "women")
