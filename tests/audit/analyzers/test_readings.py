"""What the frame that analyzers share promises."""

import pytest

from audit.analyzers.base import AnalyzerInfo
from audit.analyzers.readings import no_english, scored, unscored, yes_or_no
from tests.audit.analyzers.readings_of import open_exchange

INFO = AnalyzerInfo(
    name="sheep", version="3", measures=("wool", "bells"), reads="Sheep.", languages=("en",), validity="None."
)


def test_scores_carry_the_analyzer_and_the_output_in_the_order_of_the_readings() -> None:
    """What was read can be told by whom and of which reply."""
    found = scored(INFO, open_exchange("Baa."), [("wool", 0.5, "some"), yes_or_no("bells", holds=True)])
    assert {(one.output, one.analyzer, one.version) for one in found} == {(2, "sheep", "3")}
    assert [(one.measure, one.value, one.label) for one in found] == [
        ("wool", 0.5, "some"),
        ("bells", 1.0, "yes"),
    ]


def test_what_cannot_be_read_has_no_value_in_any_measure() -> None:
    """Missing is never 0, whichever measure is looked at."""
    found = unscored(INFO, open_exchange("Baa."), "not_read")
    assert [(one.measure, one.value, one.label) for one in found] == [
        ("wool", None, "not_read"),
        ("bells", None, "not_read"),
    ]


@pytest.mark.parametrize(
    ("reply", "language", "why"),
    [
        ("Baa.", "en", None),
        ("Baa.", "en-GB", None),
        (" \n", "en", "unparsed"),
        ("Baa.", "de", "not_read"),
        ("<think>Shall I say baa?</think>\n", "en", "unparsed"),
        ("<think>Shall I say", "en", "unparsed"),
        ("<think>Baa?</think>Baa.", "en", None),
    ],
)
def test_only_english_replies_with_text_are_read(reply: str, language: str, why: str | None) -> None:
    """An empty reply, reasoning without an answer among them, and another language are told apart."""
    assert no_english(open_exchange(reply, language=language)) == why
