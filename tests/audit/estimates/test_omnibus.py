"""Attributes as a whole: any group at all, and each group against the mean of all."""

from collections.abc import Sequence

import pytest

from audit.estimates.omnibus import omnibus
from audit.records import Omnibus
from audit.spec import Judgement
from tests.audit.tables import Fact, pairs, source

TEMPLATES = 24
MIXED = [[float(template % 2)] for template in range(TEMPLATES)]
OTHER = [[float(template % 3 == 0)] for template in range(TEMPLATES)]
WORSE = [[float(template % 8 == 1)] for template in range(TEMPLATES)]


def found(*blocks: Sequence[Fact]) -> list[Omnibus]:
    """The favourable decisions of these rows, attribute by attribute."""
    facts = [fact for block in blocks for fact in block]
    listed = omnibus(source(facts), Judgement(), seed=3)
    return [one for one in listed if one.measure == "favourable_rate"]


def three(first: list[list[float]], second: list[list[float]], **changed: object) -> list[Fact]:
    """Women and nonbinary people, each paired with men."""
    return [
        *pairs(first, MIXED, arms=("women", "men"), **changed),
        *pairs(second, MIXED, arms=("nonbinary", "men"), **changed),
    ]


def test_deviations_from_the_mean_of_all_add_up_to_nothing() -> None:
    """The reference group has a deviation too, and together they cancel."""
    (whole,) = found(three(WORSE, MIXED))
    assert [group.group for group in whole.groups] == ["men", "nonbinary", "women"]
    assert sum(group.point for group in whole.groups) == pytest.approx(0.0, abs=1e-12)
    by_group = {group.group: group for group in whole.groups}
    assert by_group["women"].point == pytest.approx(2 / 3 * (3 / 24 - 12 / 24))
    assert by_group["women"].ci_high < 0
    assert whole.p_value < 0.01


def test_groups_that_differ_by_chance_only_are_not_told_apart() -> None:
    """Answers that differ at random have a large p and intervals that hold 0."""
    (whole,) = found(three(OTHER, [[1.0 - value for value in row] for row in OTHER]))
    assert whole.p_value > 0.05
    assert all(group.ci_low < 0 < group.ci_high for group in whole.groups)


def test_domains_and_languages_weigh_alike() -> None:
    """The whole is pooled as its contrasts are: over domains, then over languages."""
    (whole,) = found(
        three(WORSE, MIXED), three(MIXED, WORSE, domain="hiring"), three(MIXED, MIXED, language="de")
    )
    assert (whole.domain, whole.language, whole.n_clusters) == ("all", "all", 3 * TEMPLATES)
    by_group = {group.group: group.point for group in whole.groups}
    assert by_group["women"] == pytest.approx(by_group["nonbinary"])


def test_two_groups_names_and_equal_answers_have_no_whole() -> None:
    """One contrast is its own whole, names need two-way errors, and what never differs says nothing."""
    assert found(pairs(WORSE, MIXED)) == []
    assert found(three(WORSE, MIXED, signal="name", names=[("Ana", "Jan")] * TEMPLATES)) == []
    assert found(three(MIXED, MIXED)) == []


def test_same_seed_gives_the_same_numbers() -> None:
    """Resampling draws from the seed by name."""
    assert found(three(WORSE, OTHER)) == found(three(WORSE, OTHER))


def test_templates_that_lack_a_group_are_left_out_for_all() -> None:
    """Only templates that know every group tell them apart, and the count says how many do."""
    missing: Sequence[Sequence[float | None]] = [[None], *WORSE[1:]]
    (whole,) = found(pairs(missing, MIXED, arms=("women", "men")), pairs(WORSE, MIXED, arms=("other", "men")))
    assert whole.n_clusters == TEMPLATES - 1


def test_where_labels_correct_the_contrasts_the_whole_says_that_it_is_as_read() -> None:
    """The table is of the readings as they are, and marks itself so; its figures stay."""
    rows = source(three(WORSE, MIXED))
    (plain,) = (one for one in omnibus(rows, Judgement(), seed=3) if one.measure == "favourable_rate")
    marked = omnibus(rows, Judgement(), seed=3, labelled=lambda measure: measure.name == "favourable_rate")
    assert {one.measure: one.as_read for one in marked}["favourable_rate"]
    assert sum(one.as_read for one in marked) == 1
    assert plain.model_copy(update={"as_read": True}) in marked


def test_domains_are_paired_by_name() -> None:
    """Groups that were asked in different domains are compared in those that all know, and it is said."""
    facts = [
        *pairs(WORSE, MIXED, arms=("women", "men"), domain="banking"),
        *pairs(OTHER, MIXED, arms=("nonbinary", "men"), domain="lending"),
        *three(WORSE, MIXED, domain="hiring"),
        *three(MIXED, WORSE, domain="schooling"),
    ]
    (whole,) = found(facts)
    assert (whole.domain, whole.n_clusters) == ("all", 2 * TEMPLATES)
    by_group = {group.group: group.point for group in whole.groups}
    assert by_group["women"] == pytest.approx(by_group["nonbinary"])
    assert whole.method.endswith("not asked of every group: banking, lending")
    assert found(facts[: 4 * TEMPLATES]) == []


def test_languages_are_paired_too() -> None:
    """A domain that one group lacks in one language is left out in that language only."""
    facts = [
        *three(WORSE, MIXED, domain="hiring"),
        *pairs(WORSE, MIXED, arms=("women", "men")),
        *three(WORSE, MIXED, domain="hiring", language="de"),
        *three(MIXED, WORSE, language="de"),
    ]
    (whole,) = found(facts)
    assert (whole.language, whole.n_clusters) == ("all", 3 * TEMPLATES)
