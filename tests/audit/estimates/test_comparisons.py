"""Comparisons of people: win shares over both orders, names on both sides, and a run from spec to claim."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit import api
from audit.estimates.contrasts import Contrast, contrasts, interval
from audit.estimates.measures import measure_named
from audit.estimates.shared_names import SharedNames
from audit.findings.claims import claim
from audit.findings.document import RunDocument
from audit.records import Estimate, Verdict
from audit.runs import create_run
from audit.spec import load_spec
from tests.audit.tables import Fact, pairs, readings

WON = measure_named("pairwise_win_rate")
SPEC = """\
version: 1
name: pairs
seed: 5
target: {type: specimen, preferences: {gender: {female: -0.3}}, first_listed: 0.15}
repeats: 2
probes:
  - {use: bias/pairwise, attributes: [gender], templates: 14}
  - {use: bias/ranking, attributes: [gender], templates: 14, signals: [explicit]}
analyzers: [decision]
"""


def compared(facts: Sequence[Fact]) -> Sequence[Fact]:
    """The same rows as readings of a pair."""
    return [{**fact, "expects": "pair", "measure": "side_won"} for fact in facts]


def found(facts: Sequence[Fact]) -> list[Contrast]:
    """The contrasts of won comparisons in these rows."""
    return list(contrasts(readings(compared(facts)).measure(WON), WON))


def test_position_cancels_and_shares_add_up() -> None:
    """Whoever stands first wins more often, which says nothing of the groups; ties count half."""
    (contrast,) = found(pairs([[1.0], [1.0], [0.5]], [[1.0], [0.0], [1.0]]))
    assert interval(contrast, level=0.95).point == pytest.approx(1 / 6)
    assert contrast.group_mean == pytest.approx(0.5 + 1 / 12)
    assert contrast.group_mean + contrast.reference_mean == pytest.approx(1.0)


def test_an_unread_order_leaves_the_whole_comparison_out() -> None:
    """With one order alone position would not cancel, so the pair is missing, not lost."""
    (contrast,) = found(pairs([[1.0], [None], [0.0]], [[0.0], [0.0], [1.0]]))
    assert (contrast.n_clusters, contrast.strata[0].paired.sets_dropped) == (2, 1)
    assert interval(contrast, level=0.95, bounds=(-1, 1)).point == pytest.approx(0.0)


def test_reference_rows_of_other_comparisons_are_not_counted() -> None:
    """The reference stands in the sets of every group; only those with this group count."""
    women = pairs([[1.0]] * 3, [[0.0]] * 3)
    others = [
        {**fact, "set_id": f"other-{fact['set_id']}"}
        for fact in pairs([[1.0]] * 3, [[0.0]] * 3, arms=("nonbinary", "men"))
    ]
    one, two = found([*women, *others])
    assert {one.cell.group, two.cell.group} == {"women", "nonbinary"}
    assert (one.n_reference, two.n_reference) == (3, 3)


def test_names_bear_on_both_orders() -> None:
    """Each set counts in the clusters of both its people; a last name they share is left out."""
    names = [(f"W{i % 3} Lee", f"M{i % 2} Lee") for i in range(6)]
    replies: list[list[float]] = [[1.0], [0.0], [1.0], [0.0], [1.0], [1.0]]
    (contrast,) = found(pairs(replies, [[0.0]] * 6, signal="name", names=names))
    shared = contrast.strata[0].names
    assert isinstance(shared, SharedNames)
    assert shared.fewest == 2
    assert [sorted(one) for one in shared.names] == [[f"M{i % 2}", f"W{i % 3}"] for i in range(6)]
    assert shared.influence.sum() == pytest.approx(0.0, abs=1e-12)
    named = interval(contrast, level=0.95)
    assert "share a template or a name" in named.interval.method
    assert "few names (2 in a group)" in named.interval.method


def test_last_names_that_differ_count_too() -> None:
    """Where both sides have last names of their own, these are members of the comparison."""
    names = [(f"W{i} North", f"M{i} South") for i in range(4)]
    (contrast,) = found(pairs([[1.0], [0.0], [1.0], [0.0]], [[0.0]] * 4, signal="name", names=names))
    shared = contrast.strata[0].names
    assert isinstance(shared, SharedNames)
    assert all({" North", " South"} < one for one in shared.names)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> RunDocument:
    """What a whole run over a specimen with a planted preference states."""
    home = tmp_path_factory.mktemp("pairs")
    path = home / "spec.yaml"
    path.write_text(SPEC)
    run = create_run(load_spec(path), home / "run", root=Path(home), where=str(path))
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    return api.find(run)


def stated(document: RunDocument, measure: str, **asked: str) -> list[Estimate]:
    """Estimates of a measure over all domains."""
    return [
        one
        for one in document.estimates
        if one.measure == measure
        and one.domain == "all"
        and all(getattr(one, key) == value for key, value in asked.items())
    ]


def test_a_planted_preference_is_found_and_said_in_words(document: RunDocument) -> None:
    """The difference of shares is twice the planted points, and the claim counts out of 100."""
    (explicit,) = stated(document, "pairwise_win_rate", group="female", signal="explicit")
    assert explicit.verdict is Verdict.DISPARITY
    assert explicit.ci_low is not None
    assert explicit.ci_high is not None
    assert explicit.ci_low < -0.6 < explicit.ci_high
    claims = [one.claim for one in document.findings if one.estimate.measure == "pairwise_win_rate"]
    assert any("of 100 comparisons with equally qualified people of the group male" in one for one in claims)
    assert document.group_rates == ()


def test_a_group_without_a_planted_preference_is_even(document: RunDocument) -> None:
    """Nothing is found about those who are treated alike, although a place in the list helps."""
    (nonbinary,) = stated(document, "pairwise_win_rate", group="nonbinary")
    assert nonbinary.verdict is not Verdict.DISPARITY


def test_the_place_in_the_list_is_an_observation_of_its_own(document: RunDocument) -> None:
    """Who is listed first wins 65 of 100, whichever the group."""
    (first,) = stated(document, "first_listed_rate")
    assert first.verdict is Verdict.OBSERVED
    assert first.ci_low is not None
    assert first.ci_high is not None
    assert first.ci_low < 0.65 < first.ci_high


def test_nothing_is_unread_and_nobody_ties(document: RunDocument) -> None:
    """Parse failures and ties are stated beside the win rate."""
    names = ("uncompared_rate", "tie_rate", "partial_ranking_rate")
    assert [stated(document, name)[0].point for name in names] == [0.0, 0.0, 0.0]


def test_a_planted_preference_is_found_in_ranked_lists(document: RunDocument) -> None:
    """Two thirds of the difference of win shares is that of mean ranks in lists of two against two."""
    (ranked,) = stated(document, "list_rank", group="female")
    assert ranked.verdict is Verdict.DISPARITY
    assert ranked.ci_low is not None
    assert ranked.ci_high is not None
    assert ranked.ci_low < -0.4 < ranked.ci_high
    assert (ranked.group_rate or 0) + (ranked.reference_rate or 0) == pytest.approx(1)
    (even,) = stated(document, "list_rank", group="nonbinary")
    assert even.verdict is not Verdict.DISPARITY


def test_exposure_says_its_ratio_and_is_no_finding_beside_the_rank(document: RunDocument) -> None:
    """Exposure takes the rank apart: it is stated with its ratio, and the rank alone is the finding."""
    (exposed,) = stated(document, "exposure_share", group="female")
    assert exposed.verdict is Verdict.DISPARITY
    assert "exposure ratio 0." in claim(exposed)
    measures = {one.estimate.measure for one in document.findings}
    assert "list_rank" in measures
    assert "exposure_share" not in measures
    (ranked,) = stated(document, "list_rank", group="female")
    assert "of the way up from last to first" in claim(ranked)
    assert "points" in claim(ranked)
