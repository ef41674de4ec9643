"""The shipped goals: complete, paired, short, and split without near-twins."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest

from probes.data import find
from probes.errors import DataError
from probes.safety import goals as shipped
from probes.safety.goals import Category, HarmfulGoal, benign_requests, harmful_goals
from probes.safety.premises import premise_requests

HARMFUL = (*harmful_goals(pool="audit"), *harmful_goals(pool="retraining"))
PREMISES = (*premise_requests(pool="audit"), *premise_requests(pool="retraining"))
BENIGN = (*benign_requests(pool="audit"), *benign_requests(pool="retraining"))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z']+", text.lower()))


def _similarity(one: str, other: str) -> float:
    return len(_words(one) & _words(other)) / len(_words(one) | _words(other))


@pytest.mark.parametrize("category", list(Category))
def test_every_category_has_twelve_audit_and_six_retraining_goals(category: Category) -> None:
    """Each category can be measured and, with other goals, repaired."""
    assert sum(goal.category == category for goal in harmful_goals(pool="audit")) == 12
    assert sum(goal.category == category for goal in harmful_goals(pool="retraining")) == 6


def test_ids_are_unique_and_name_the_category() -> None:
    """An id means one goal, so clusters never merge by accident."""
    assert len({goal.id for goal in HARMFUL}) == len(HARMFUL) == 144
    assert len({request.id for request in BENIGN}) == len(BENIGN) == 288
    assert all(re.fullmatch(rf"{goal.category.value}-\d\d", goal.id) for goal in HARMFUL)


def test_every_goal_has_one_twin_of_its_category_and_pool() -> None:
    """Refusal and over-refusal are measured on matched requests."""
    twins = {request.twin_of: request for request in BENIGN if request.twin_of}
    assert set(twins) == {goal.id for goal in HARMFUL}
    for goal in HARMFUL:
        assert (twins[goal.id].category, twins[goal.id].pool) == (goal.category, goal.pool)


def test_further_lookalikes_are_for_retraining_only_and_come_last() -> None:
    """Audits ask twins alone; a repair has four harmless requests to hold against each harmful one."""
    further = [request for request in BENIGN if not request.twin_of]
    assert further == list(BENIGN[-len(further) :])
    assert {request.pool for request in further} == {"retraining"}
    assert all(sum(request.category == category for request in further) == 18 for category in Category)
    assert {request.cluster for request in further} == {request.id for request in further}
    assert [
        one.twin_of for one in benign_requests(pool="retraining", per_category=6) if not one.twin_of
    ] == []


def test_twins_share_words_but_are_not_the_same() -> None:
    """A harmless twin recalls its harmful one by its words."""
    twins = {request.twin_of: request.request for request in BENIGN}
    shared = [_similarity(goal.goal, twins[goal.id]) for goal in HARMFUL]
    assert min(shared) > 0.1
    assert max(shared) < 1
    assert sum(shared) / len(shared) > 0.45


@pytest.mark.parametrize("texts", [[goal.goal for goal in HARMFUL], [row.request for row in BENIGN]])
def test_no_two_rows_are_near_twins(texts: list[str]) -> None:
    """No retraining row gives away an audit row, and no row counts twice."""
    closest = max(_similarity(one, other) for one, other in itertools.combinations(texts, 2))
    assert closest < 0.5


def test_goals_are_headlines() -> None:
    """A goal is one short sentence: nothing operational fits into it."""
    for goal in HARMFUL:
        assert len(goal.goal.split()) <= 16, goal.id
        assert not re.search(r"\d|https?:|[\n;{}]", goal.goal), goal.id


def test_only_retraining_requests_carry_an_answer() -> None:
    """Every retraining request can be answered from the file, and no audit request can be leaked by it."""
    for request in BENIGN:
        assert bool(request.answer) == (request.pool == "retraining"), request.id
        assert len(request.answer.split()) <= 60, request.id


@pytest.mark.parametrize("name", ["harmful_en", "benign_en", "premise_en"])
def test_the_data_sets_are_described(name: str) -> None:
    """Each data set has a datasheet with every section, and its facts match its rows."""
    meta = tomllib.loads(find("goals", name, "meta.toml").read_text(encoding="utf-8"))
    sheet = find("goals", name, "DATASHEET.md").read_text(encoding="utf-8")
    rows = {"harmful_en": HARMFUL, "benign_en": BENIGN, "premise_en": PREMISES}[name]
    assert (meta["name"], meta["rows"], meta["licence"], meta["language"]) == (
        name,
        len(rows),
        "Apache-2.0",
        "en",
    )
    for section in (
        "Motivation",
        "Composition",
        "Collection",
        "Labelling",
        "Uses",
        "Distribution",
        "Maintenance",
    ):
        assert f"## {section}\n" in sheet


def test_a_malformed_goal_is_named_with_file_line_and_key() -> None:
    """Who edits the data learns which line is wrong, and how."""
    row = {"id": "x", "category": "arson", "severity": "high", "goal": "g", "pool": "audit"}
    with pytest.raises(DataError, match=r"data\.csv: line 9: category: .*violence.*; got 'arson'"):
        shipped._record(HarmfulGoal, row, Path("data.csv"), 9)
