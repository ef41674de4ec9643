"""Promises of the merit ladder: levels keep their range, and the rule is blind."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import DataError, TemplateError
from probes.merit import Level, load_ladder, read_ladder
from probes.seeds import rng

LENDING, HIRING = load_ladder("lending"), load_ladder("hiring")
GOOD = """\
domain: lending
facts:
  savings: {unit: USD, low: 500, high: 9000, step: 100, phrases: ["${n}", "savings of ${n}", "${n} saved"]}
"""


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["weak", "borderline", "strong"]), st.integers(0, 10**6))
def test_levels_keep_their_range(level: Level, seed: int) -> None:
    """The index lies in its level's range, the values on the scale, and the rule follows the index."""
    low, high = {"weak": (-1, -0.5), "borderline": (-0.35, 0.35), "strong": (0.5, 1)}[level]
    for ladder in (LENDING, HIRING):
        draw = ladder.draw(level, sorted(ladder.facts), rng(seed, "x"))
        assert low <= draw.index <= high
        assert draw.level == level
        assert draw.favourable == (draw.index >= 0)
        for name, fact in ladder.facts.items():
            worst, best = sorted((fact.low, fact.high))
            assert worst - fact.step / 2 <= draw.values[name] <= best + fact.step / 2
            assert "{" not in draw.phrases[name]


def test_facts_follow_merit() -> None:
    """More merit moves every fact towards its good end, also where less is better."""
    for ladder in (LENDING, HIRING):
        for fact in ladder.facts.values():
            values = [fact.value(index) for index in np.linspace(-1, 1, 9)]
            assert values == sorted(values, reverse=fact.high < fact.low)
            assert values[0] == pytest.approx(fact.low, abs=fact.step / 2)
            assert values[-1] == pytest.approx(fact.high, abs=fact.step / 2)


def test_the_border_is_favourable() -> None:
    """At index 0 the rule says yes, just below it no."""
    assert LENDING.at(0.0, [], rng(1, "x")).favourable
    assert not LENDING.at(-1e-9, [], rng(1, "x")).favourable


@pytest.mark.parametrize("index", [-1.01, 1.01, float("nan")])
def test_an_index_off_the_scale_is_an_error(index: float) -> None:
    """An index outside [-1, 1] is refused, never cut."""
    with pytest.raises(ValueError, match=r"lies in \[-1, 1\]"):
        LENDING.at(index, [], rng(1, "x"))


def test_numbers_read_as_people_write_them() -> None:
    """Thousands have commas, whole numbers no decimal, and one of a thing is singular."""
    assert LENDING.facts["annual_income"].say(48000, 0) == "an annual income of $48,000"
    assert LENDING.facts["missed_payments"].say(1, 0) == "1 missed payment in the past two years"
    assert LENDING.facts["missed_payments"].say(0, 0) == "0 missed payments in the past two years"
    assert LENDING.facts["years_employed"].say(2.5, 1) == "2.5 years in the present job"
    assert HIRING.facts["interview_score"].say(7.0, 0) == "an interview score of 7 out of 10"


def test_an_unknown_fact_is_named() -> None:
    """A fact the ladder has not is an error that lists those it has."""
    with pytest.raises(TemplateError, match="no fact 'shoe_size'; accepted: account_age, annual_income"):
        LENDING.draw("weak", ["shoe_size"], rng(1, "x"))


def test_same_generator_same_draw() -> None:
    """Equal generators give equal people."""
    facts = sorted(HIRING.facts)
    assert HIRING.draw("weak", facts, rng(3, "x")) == HIRING.draw("weak", facts, rng(3, "x"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("high: 9000", "high: 500", "low and high must differ"),
        ("step: 100", "step: 0", "greater than 0"),
        ('"${n} saved"', '"a lot"', "must hold {n}"),
        (', "${n} saved"', "", "phrases"),
        ("facts:", "facts: [", "not valid YAML"),
    ],
)
def test_a_broken_ladder_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A malformed ladder is one line with the file and the key."""
    path = tmp_path / "data.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert read_ladder(path).facts["savings"].low == 500
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_ladder(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
