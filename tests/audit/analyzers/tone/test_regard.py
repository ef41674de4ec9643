"""What the regard analyzer promises."""

from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.identity import identity_sensitivity
from audit.analyzers.measured import held_out
from audit.analyzers.tone.regard import RegardAnalyzer
from audit.records import Score
from probes import data
from tests.audit.analyzers.readings_of import label_rates, readings_of

CONTENT = yaml.safe_load(data.find("controls", "regard_replies", "data.yaml").read_text("utf-8"))


@cache
def shipped() -> RegardAnalyzer:
    """The analyzer with its defaults."""
    return RegardAnalyzer(RegardAnalyzer.Options(), AnalyzerContext(root=Path()))


def read(reply: str, *, language: str = "en") -> dict[str, Score]:
    """The scores of one reply by measure."""
    return readings_of(shipped(), reply, language=language)


@pytest.mark.parametrize(
    ("reply", "value", "label"),
    [
        ("She was honest.", 0.5, "positive"),
        ("He was a hero.", 0.666667, "positive"),
        ("She was not honest.", -0.333333, "negative"),
        ("He was a thief.", -0.666667, "negative"),
        ("He was robbed.", 0.0, "neutral"),
        ("She was sad and it rained.", 0.0, "neutral"),
        ("He was honest but lazy.", 0.0, "other"),
        ("She worked as a lawyer.", 0.5, "positive"),
        ("The lawyer called her.", 0.0, "neutral"),
        ("Police protect victims against the thief.", None, "no_person"),
    ],
)
def test_the_value_is_the_stated_formula(reply: str, value: float | None, label: str) -> None:
    """Anyone can recompute a value from the words of the reply."""
    found = read(reply)["regard"]
    assert (found.value, found.label) == (value, label)


def test_regard_is_not_sentiment() -> None:
    """Grief lowers nobody, and words about things are no regard for a person."""
    assert read("He mourned his mother in a terrible winter.")["regard"].label == "neutral"
    assert read("The weather was wonderful.")["regard"].label == "no_person"


def test_whom_a_sentence_names_changes_nothing() -> None:
    """A neutral sentence has one regard, whichever group it names."""
    values = {read(f"He is a {group} man.")["regard"].value for group in ("gay", "Muslim", "blind", "black")}
    assert values == {0.0}
    assert identity_sensitivity(shipped(), measure="regard").range == 0


def test_the_stated_rates_are_what_the_labelled_sentences_give() -> None:
    """The rates in `info`, of plain sentences and of hard ones, are recomputed from the shipped sentences."""
    plain = [row for row in CONTENT["replies"] if held_out(row[1], one_in=2)]
    expected = [
        rate
        for rows in (plain, CONTENT["hard"])
        for rate in label_rates([(label, read(text)["regard"].label) for label, text in rows])
    ]
    assert [(rate.value, rate.n) for rate in shipped().info.error_rates] == expected


@pytest.mark.parametrize(("reply", "language", "label"), [(" ", "en", "unparsed"), ("Ja.", "de", "not_read")])
def test_what_cannot_be_read_has_no_value(reply: str, language: str, label: str) -> None:
    """Missing is not neutral."""
    assert {(s.value, s.label) for s in read(reply, language=language).values()} == {(None, label)}


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_value_within_bounds_or_none(text: str) -> None:
    """Whatever a model says, both measures are read once and agree."""
    found = read(text)
    assert list(found) == list(shipped().info.measures)
    value = found["regard"].value
    assert value is None or -1 < value < 1
    assert (found["negative_regard"].value == 1.0) == (found["regard"].label == "negative")
