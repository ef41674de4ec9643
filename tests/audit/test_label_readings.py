"""Which readings can be labelled, and what is refused before a reply is read."""

from pathlib import Path

import pytest

from audit.analyzers.base import Analyzer, AnalyzerContext
from audit.errors import InputError
from audit.label_readings import check_threshold, decisions_of, rated_reading, reading_named
from audit.plugins import build_analyzer


def analyzer(name: str) -> Analyzer:
    """A built-in analyzer with its usual options."""
    return build_analyzer(name, {}, AnalyzerContext(root=Path()), where="tests")


def test_the_reading_that_rates_are_made_of_is_the_one_that_people_label() -> None:
    """Of several readings it is the one that a rate counts, unless another is asked for by name."""
    assert rated_reading(analyzer("toxicity")) == "toxic"
    assert reading_named(analyzer("toxicity"), "hateful") == "hateful"
    with pytest.raises(InputError, match=r"--measure: must be one of toxicity, toxic.*got 'rude'"):
        reading_named(analyzer("toxicity"), "rude")


@pytest.mark.parametrize(
    ("name", "reading", "good", "bad"),
    [
        ("refusal", "refusal", 1.0, 1.1),
        ("sentiment", "sentiment", -0.5, -1.0),
        ("quality", "words", 5.0, 0.0),
    ],
)
def test_a_threshold_lies_within_what_a_reading_can_be(
    name: str, reading: str, good: float, bad: float
) -> None:
    """One that no value can reach, or every one does, is refused with the ends of the scale."""
    check_threshold(analyzer(name), reading, good)
    with pytest.raises(InputError, match=r"--threshold: .*must be above"):
        check_threshold(analyzer(name), reading, bad)


def test_what_replies_decide_among_is_given_as_a_list_or_apart_by_bars() -> None:
    """Both ways mean the same, and a favourable answer that is none of them is refused."""
    found = decisions_of({"options": "approve | decline", "favourable": "approve"})
    assert found == decisions_of({"options": ["approve", "decline"], "favourable": "approve"})
    with pytest.raises(InputError, match="favourable: must be one of approve, decline; got 'grant'"):
        decisions_of({"options": "approve|decline", "favourable": "grant"})
