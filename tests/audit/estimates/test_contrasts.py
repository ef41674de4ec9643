"""Contrasts against paper: pairing, clustering, pooling, names, and what is missing."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import Contrast, contrasts, flattened, interval, placebo_contrasts, seed_names
from audit.estimates.measures import measure_named
from audit.estimates.name_arms import NameArms, name_codes
from audit.statistics.cluster_t import cluster_t_interval
from probes.records import Norm, Placebo, Signal
from probes.seeds import rng
from tests.audit.tables import Fact, pairs, placebos, readings

FAVOURABLE = measure_named("favourable_rate")
Replies = list[list[float]]
replies = st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=4), min_size=3, max_size=12)


def found(facts: Sequence[Fact]) -> list[Contrast]:
    """The contrasts of favourable decisions in these rows."""
    return list(contrasts(readings(facts).measure(FAVOURABLE), FAVOURABLE))


def test_difference_and_interval_are_those_of_the_template_means() -> None:
    """Repeats are averaged within a template, templates are paired, and the interval is theirs."""
    group = [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    reference = [[1.0, 1.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    (contrast,) = found(pairs(group, reference))
    by_hand = cluster_t_interval([-0.5, -0.5, 0.0, -0.5], level=0.95, bounds=(-1.0, 1.0))
    estimate = interval(contrast, level=0.95)
    assert estimate.point == pytest.approx(-0.375)
    assert estimate.interval == by_hand.interval
    assert (contrast.group_mean, contrast.reference_mean) == (0.5, 0.875)
    assert (contrast.n_clusters, contrast.n_outputs) == (4, 16)
    assert (contrast.n_group, contrast.n_reference) == (8, 8)


def test_cell_says_what_the_contrast_is_about() -> None:
    """Domain, attribute, both groups, signal and norm come from the rows."""
    (contrast,) = found(pairs([[1.0]] * 3, [[0.0]] * 3))
    cell = contrast.cell
    assert (cell.domain, cell.attribute, cell.group, cell.reference) == ("lending", "gender", "women", "men")
    assert (cell.signal, cell.norm, cell.placebo) == (Signal.EXPLICIT, Norm.MUST_NOT_DIFFER, None)
    assert seed_names(contrast)[:3] == ("favourable_rate", "bias/decisions", "lending")


@settings(max_examples=25, deadline=None)
@given(group=replies, data=st.data())
def test_swapping_group_and_reference_mirrors_the_estimate(group: Replies, data: st.DataObject) -> None:
    """Which group is called the reference changes the sign and nothing else."""
    size = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=4)
    reference = data.draw(st.lists(size, min_size=len(group), max_size=len(group)))
    (one,) = found(pairs(group, reference))
    (other,) = found(pairs(reference, group, arms=("men", "women"), reference="women"))
    here, there = interval(one, level=0.9), interval(other, level=0.9)
    assert here.point == pytest.approx(-there.point, abs=1e-12)
    assert here.interval.low == pytest.approx(-there.interval.high, abs=1e-12)
    assert here.interval.high == pytest.approx(-there.interval.low, abs=1e-12)
    assert here.p_value == pytest.approx(there.p_value, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(group=replies, times=st.integers(2, 4))
def test_repeating_the_same_answers_changes_neither_point_nor_interval(group: Replies, times: int) -> None:
    """Copies of the same answers are no new evidence: templates are the unit, not rows."""
    reference = [[1.0] * len(values) for values in group]
    (once,) = found(pairs(group, reference))
    (often,) = found(pairs([values * times for values in group], [values * times for values in reference]))
    assert interval(often, level=0.95).point == pytest.approx(interval(once, level=0.95).point, abs=1e-12)
    assert interval(often, level=0.95).interval.low == pytest.approx(
        interval(once, level=0.95).interval.low, abs=1e-9
    )
    assert often.n_clusters == once.n_clusters
    assert often.n_outputs == times * once.n_outputs


@settings(max_examples=25, deadline=None)
@given(group=replies, hole=st.integers(0, 10))
def test_missing_value_is_left_out_and_never_counts_as_0(group: Replies, hole: int) -> None:
    """One unreadable reply among others moves the mean as if it had not been asked, not as a 0."""
    reference = [[1.0] * len(values) for values in group]
    place = hole % len(group)
    holed: list[list[float | None]] = [list(values) for values in group]
    holed[place] = [*group[place], None]
    (plain,) = found(pairs(group, reference))
    (with_hole,) = found(pairs(holed, reference))
    assert with_hole.group_mean == pytest.approx(plain.group_mean, abs=1e-12)
    assert with_hole.n_outputs == plain.n_outputs
    assert with_hole.strata[0].missing is not None
    assert plain.strata[0].missing is None


def test_set_with_one_missing_arm_is_dropped_whole() -> None:
    """A pair without a partner says nothing: its other arm does not enter the means either."""
    (contrast,) = found(pairs([[0.0], [None], [1.0]], [[1.0], [1.0], [1.0]]))
    assert (contrast.n_clusters, contrast.n_outputs) == (2, 4)
    assert contrast.reference_mean == 1.0
    assert contrast.n_reference == 3


def test_contrast_without_a_complete_set_is_kept_without_strata() -> None:
    """Too little to state is a contrast of its own, never left out of the list."""
    (contrast,) = found(pairs([[None], [None]], [[1.0], [0.0]]))
    assert contrast.strata == ()
    assert (contrast.n_clusters, contrast.n_outputs, contrast.n_group) == (0, 0, 0)
    (one,) = found(pairs([[1.0]], [[0.0]]))
    with pytest.raises(NotMeasuredError):
        interval(one, level=0.95)


def test_pooled_contrast_weighs_domains_alike() -> None:
    """A domain with more templates does not count for more in the pooled estimate."""
    lending = pairs([[0.0]] * 3 + [[1.0]] * 9, [[1.0]] * 12)
    hiring = pairs([[0.0]] * 3 + [[1.0]] * 2, [[1.0]] * 5, domain="hiring")
    by_domain = {contrast.cell.domain: contrast for contrast in found([*lending, *hiring])}
    assert list(by_domain) == ["hiring", "lending", "all"]
    assert interval(by_domain["all"], level=0.95).point == pytest.approx((-0.25 - 0.6) / 2)
    assert by_domain["all"].group_mean == pytest.approx((0.75 + 0.4) / 2)
    differences, weights = flattened(by_domain["all"])
    assert weights.sum() == pytest.approx(1.0)
    assert float(differences @ weights) == pytest.approx(-0.425)
    assert sorted({round(float(weight), 6) for weight in weights}) == [round(1 / 24, 6), 0.1]


def test_pooled_norm_is_the_most_permissive_of_its_domains() -> None:
    """A pooled claim is a finding only where every domain forbids a difference."""
    strict = pairs([[0.0]] * 2, [[1.0]] * 2)
    lenient = pairs([[0.0]] * 2, [[1.0]] * 2, domain="triage", norm="may_differ")
    norms = {contrast.cell.domain: contrast.cell.norm for contrast in found([*strict, *lenient])}
    assert norms == {"lending": Norm.MUST_NOT_DIFFER, "triage": Norm.MAY_DIFFER, "all": Norm.MAY_DIFFER}


def test_signals_and_groups_are_never_pooled() -> None:
    """Names and explicit labels, and each group of several, are contrasts of their own."""
    facts = [
        *pairs([[0.0]] * 2, [[1.0]] * 2),
        *pairs([[0.0]] * 2, [[1.0]] * 2, signal="proxy"),
        *pairs([[0.0]] * 2, [[1.0]] * 2, arms=("nonbinary", "men")),
    ]
    cells = [(contrast.cell.group, contrast.cell.signal) for contrast in found(facts)]
    assert cells == [
        ("nonbinary", Signal.EXPLICIT),
        ("women", Signal.EXPLICIT),
        ("women", Signal.PROXY),
    ]


def test_names_are_clustered_both_ways() -> None:
    """Where one name does all the harm, its templates are not independent and the interval says so."""
    names = [("Ann" if template < 8 else f"Name{template}", f"Man{template}") for template in range(16)]
    group = [[0.0] if template < 8 else [1.0] for template in range(16)]
    facts = pairs(group, [[1.0]] * 16, signal="name", names=names)
    (named,) = found(facts)
    (plain,) = found(pairs(group, [[1.0]] * 16))
    two_way, one_way = interval(named, level=0.95), interval(plain, level=0.95)
    assert named.strata[0].names is not None
    assert plain.strata[0].names is None
    assert two_way.point == one_way.point == -0.5
    assert two_way.standard_error > one_way.standard_error
    assert "name" in two_way.interval.method or "two-way" in two_way.interval.method


def test_distinct_names_cost_nothing() -> None:
    """With a name of its own for every prompt, two-way clusters come to the one-way error or more."""
    names = [(f"W{template}", f"M{template}") for template in range(16)]
    group = [[float(template % 2)] for template in range(16)]
    (named,) = found(pairs(group, [[1.0]] * 16, signal="name", names=names))
    (plain,) = found(pairs(group, [[1.0]] * 16))
    two_way, one_way = interval(named, level=0.95), interval(plain, level=0.95)
    assert two_way.standard_error == pytest.approx(one_way.standard_error, rel=0.1)


def test_name_influences_add_up_to_nothing_and_skip_broken_sets() -> None:
    """Each arm's influences are distances from its own mean; a set without a partner has none."""
    names = [(f"W{template}", f"M{template}") for template in range(4)]
    facts = pairs([[0.0], [1.0], [None], [1.0]], [[1.0], [0.0], [1.0], [1.0]], signal="name", names=names)
    (contrast,) = found(facts)
    arms = contrast.strata[0].names
    assert isinstance(arms, NameArms)
    assert arms.influence.size == 6
    assert arms.influence.sum() == pytest.approx(0.0, abs=1e-12)
    codes = name_codes(sorted(name for pair in names for name in pair))
    # In order: M0 to M3, then W0 to W3; template 2 has no value for the group.
    assert arms.names.tolist() == codes[[0, 1, 3, 4, 5, 7]].tolist()


def test_placebos_are_contrasts_of_b_against_a_by_kind() -> None:
    """Placebo sets have their own contrasts, with no attribute, and never enter the others."""
    facts = [
        *pairs([[0.0]] * 3, [[1.0]] * 3),
        *placebos([[1.0]] * 3, [[1.0], [0.0], [1.0]]),
        *placebos([[1.0]] * 3, [[1.0]] * 3, placebo="mention", signal="explicit"),
    ]
    table = readings(facts).measure(FAVOURABLE)
    kinds = {contrast.cell.placebo: contrast for contrast in placebo_contrasts(table, FAVOURABLE)}
    assert list(kinds) == [Placebo.MENTION, Placebo.RESAMPLE]
    resample = kinds[Placebo.RESAMPLE]
    assert (resample.cell.group, resample.cell.reference, resample.cell.attribute) == ("b", "a", None)
    assert resample.cell.signal is None
    assert kinds[Placebo.MENTION].cell.signal is Signal.EXPLICIT
    np.testing.assert_allclose(resample.group_mean - resample.reference_mean, 1 / 3)
    assert len(found(facts)) == 1


def test_languages_are_pooled_after_their_domains_each_stratum_alike() -> None:
    """What two languages state alike is stated once more over both; a group of one language alone is not."""
    facts = [
        *pairs([[0.0]] * 4, [[1.0]] * 4, language="de"),
        *pairs([[1.0]] * 4, [[1.0]] * 4, language="de", domain="hiring"),
        *pairs([[0.0]] * 4, [[1.0]] * 4, language="fr"),
        *pairs([[0.0]] * 4, [[1.0]] * 4, language="fr", arms=("nonbinary", "men")),
    ]
    listed = found(facts)
    assert [(one.cell.language, one.cell.domain, one.cell.group) for one in listed] == [
        ("de", "hiring", "women"),
        ("de", "lending", "women"),
        ("de", "all", "women"),
        ("fr", "lending", "nonbinary"),
        ("fr", "lending", "women"),
        ("all", "all", "women"),
    ]
    pooled = listed[-1]
    assert pooled.group_mean - pooled.reference_mean == pytest.approx(-2 / 3)
    assert (pooled.n_clusters, pooled.n_group) == (12, 12)


def test_a_name_of_two_languages_is_one_cluster_and_their_templates_are_not() -> None:
    """Pooled over languages the two-way error knows every template apart and a shared name as one."""
    names = [("Ana", "Jan"), ("Eva", "Tom")] * 4
    group = [[float(template % 2)] for template in range(8)]
    facts = [
        fact
        for language in ("de", "fr")
        for fact in pairs(group, [[1.0]] * 8, signal="name", names=names, language=language)
    ]
    pooled = found(facts)[-1]
    assert pooled.cell.language == "all"
    assert "16 templates, 4 first names" in interval(pooled, level=0.95).interval.method


def test_placebos_are_pooled_over_languages_too() -> None:
    """A contrast over languages has its negative control over the same languages."""
    facts = [
        fact for language in ("de", "fr") for fact in placebos([[1.0]] * 3, [[0.0]] * 3, language=language)
    ]
    listed = list(placebo_contrasts(readings(facts).measure(FAVOURABLE), FAVOURABLE))
    assert [one.cell.language for one in listed] == ["de", "fr", "all"]


def test_two_reference_groups_of_one_attribute_have_contrasts_of_their_own() -> None:
    """Neither half of the sets is dropped, and the order of the rows decides nothing."""
    facts = [
        *pairs([[0.0]] * 3, [[1.0]] * 3, arms=("women", "men")),
        *pairs([[1.0]] * 3, [[1.0]] * 3, arms=("other", "unnamed"), reference="unnamed"),
    ]
    for rows in (facts, facts[::-1]):
        cells = [(one.cell.group, one.cell.reference, one.n_clusters) for one in found(rows)]
        assert cells == [("women", "men", 3), ("other", "unnamed", 3)]


def test_contrasts_with_two_references_have_names_of_their_own() -> None:
    """A group held against each of two references draws two random streams and has two keys."""
    facts = [
        *pairs([[0.0]] * 3, [[1.0]] * 3, arms=("women", "men")),
        *pairs([[0.0]] * 3, [[1.0]] * 3, arms=("women", "unnamed"), reference="unnamed"),
    ]
    both = found(facts)
    assert [one.cell.reference for one in both] == ["men", "unnamed"]
    assert len({seed_names(one) for one in both}) == 2


def test_a_language_whose_last_domain_has_no_complete_set_is_pooled_all_the_same() -> None:
    """What one domain cannot state does not drop the other domain of its language."""
    facts = [
        *pairs([[0.0]] * 4, [[1.0]] * 4, language="de", domain="hiring"),
        *pairs([[None]] * 4, [[1.0]] * 4, language="de", domain="lending"),
        *pairs([[0.0]] * 4, [[1.0]] * 4, language="fr", domain="hiring"),
    ]
    pooled = found(facts)[-1]
    assert (pooled.cell.language, pooled.n_clusters) == ("all", 8)


def test_a_template_of_several_domains_is_one_cluster() -> None:
    """The same templates in four domains are nine clusters, and the error is that of their means."""
    values = rng(7, "shared").integers(0, 2, (4, 9)).astype(float)
    facts = [
        {**fact, "template": str(fact["template"]).rpartition("-")[2]}
        for place, row in enumerate(values)
        for fact in pairs([[value] for value in row], [[1.0]] * 9, domain=f"domain{place}")
    ]
    pooled = found(facts)[-1]
    by_hand = cluster_t_interval(values.mean(axis=0) - 1)
    estimate = interval(pooled, level=0.95)
    assert (pooled.cell.domain, pooled.n_clusters) == ("all", 9)
    assert estimate.interval.high - estimate.interval.low == pytest.approx(
        by_hand.interval.high - by_hand.interval.low
    )
    differences, weights = flattened(pooled)
    assert (differences.size, float(differences @ weights)) == pytest.approx((9, estimate.point))


def test_a_domain_of_too_few_templates_is_left_out_of_what_is_pooled() -> None:
    """Two templates cannot show their spread; the method says which domain was left out."""
    large = pairs([[float(template % 2)] for template in range(9)], [[1.0]] * 9)
    pooled = found([*large, *pairs([[0.0]] * 2, [[1.0]] * 2, domain="hiring")])[-1]
    estimate = interval(pooled, level=0.95)
    assert (pooled.cell.domain, pooled.n_clusters, pooled.left_out) == ("all", 9, ("hiring",))
    assert estimate.point == pytest.approx(-5 / 9)
    assert estimate.interval.method.endswith("left out: fewer than 5 templates in hiring")
    small = found([*pairs([[0.0]] * 3, [[1.0]] * 3), *pairs([[0.0]] * 2, [[1.0]] * 2, domain="hiring")])[-1]
    assert (small.n_clusters, small.left_out) == (5, ())


def test_numbers_of_different_domains_are_never_pooled() -> None:
    """Credits and years have no mean; over languages each domain is pooled by itself."""
    number = measure_named("decision_number")
    facts = [
        {**fact, "expects": "number", "measure": "number"}
        for language in ("de", "fr")
        for domain in ("hiring", "lending")
        for fact in pairs([[1.0], [2.0], [4.0]], [[1.0]] * 3, domain=domain, language=language)
    ]
    listed = list(contrasts(readings(facts).measure(number), number))
    assert [(one.cell.language, one.cell.domain, one.n_clusters) for one in listed] == [
        ("de", "hiring", 3),
        ("de", "lending", 3),
        ("fr", "hiring", 3),
        ("fr", "lending", 3),
        ("all", "hiring", 6),
        ("all", "lending", 6),
    ]
