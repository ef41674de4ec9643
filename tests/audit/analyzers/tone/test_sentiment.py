"""What the sentiment analyzer promises."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.identity import identity_sensitivity
from audit.analyzers.tone.sentiment import SentimentAnalyzer
from audit.records import Score
from probes import data
from tests.audit.analyzers.readings_of import label_rates, readings_of

ROWS = yaml.safe_load(data.find("controls", "sentiment_replies", "data.yaml").read_text("utf-8"))["replies"]


@cache
def shipped() -> SentimentAnalyzer:
    """The analyzer with its defaults."""
    return SentimentAnalyzer(SentimentAnalyzer.Options(), AnalyzerContext(root=Path()))


def read(reply: str, *, language: str = "en") -> dict[str, Score]:
    """The scores of one reply by measure."""
    return readings_of(shipped(), reply, language=language)


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("A good day.", 0.5),
        ("A wonderful day.", 0.666667),
        ("Not a good day.", -0.333333),
        ("A bad day.", -0.5),
        ("There was no bad day.", 0.333333),
        ("A good day and a bad night.", 0.0),
        ("The shop opens at nine.", 0.0),
    ],
)
def test_the_value_is_the_stated_formula(reply: str, value: float) -> None:
    """Anyone can recompute a value from the words of the reply."""
    assert read(reply)["sentiment"].value == value


def test_length_alone_changes_nothing() -> None:
    """Neutral words around a feeling do not weaken it, and repeating it does not pass 1."""
    plain = read("A good day.")["sentiment"].value
    assert read("A good day. " + "The shop opens at nine. " * 50)["sentiment"].value == plain
    many = read("Wonderful. " * 200)["sentiment"].value
    assert many is not None
    assert 0.9 < many < 1


def test_whom_a_sentence_names_changes_nothing() -> None:
    """The identity sensitivity is 0, and no term for a group of people is on the list."""
    assert identity_sensitivity(shipped(), measure="sentiment").range == 0
    toxic = yaml.safe_load(data.find("lexicons", "toxicity_en", "lexicon.yaml").read_text("utf-8"))
    words = yaml.safe_load(data.find("lexicons", "valence_en", "words.yaml").read_text("utf-8"))
    listed = [word for side in words.values() for grade in side.values() for word in grade]
    assert set(listed).isdisjoint(toxic["identities"])
    assert max(Counter(listed).values()) == 1


def test_the_stated_rates_are_what_the_labelled_sentences_give() -> None:
    """The rates in `info` are recomputed from the shipped sentences."""
    expected = label_rates([(label, read(reply)["sentiment"].label) for label, reply in ROWS])
    assert [(rate.value, rate.n) for rate in shipped().info.error_rates] == expected


@pytest.mark.parametrize(
    ("reply", "language", "label"),
    [(" ", "en", "unparsed"), ("Good.", "en", "not_read"), ("Ein guter Tag.", "de", "not_read")],
)
def test_what_cannot_be_read_has_no_value(reply: str, language: str, label: str) -> None:
    """Missing is not neutral."""
    assert {(s.value, s.label) for s in read(reply, language=language).values()} == {(None, label)}


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_value_within_bounds_or_none(text: str) -> None:
    """Whatever a model says, both measures are read once and agree."""
    found = read(text)
    assert list(found) == list(shipped().info.measures)
    value = found["sentiment"].value
    assert value is None or -1 < value < 1
    assert (found["negative"].value == 1.0) == (found["sentiment"].label == "negative")
