"""Records keep what targets send storable, and the count funnel exact."""

import pytest
from pydantic import ValidationError

from audit.records import Counts, Outcome, Output, Usage


@pytest.mark.parametrize("text", ["yes \ud800 no", "\udfff", "a\ud83d"])
def test_lone_surrogates_are_replaced_so_that_every_answer_can_be_stored(text: str) -> None:
    """An answer with broken Unicode is kept, with the broken part marked."""
    output = Output(target="target", prompt_id="p", text=text)
    assert output.text is not None
    assert output.text.encode("utf-8")
    assert "\ufffd" in output.text


def test_whole_characters_beyond_the_basic_plane_stay_as_they_are() -> None:
    """Only broken Unicode is touched."""
    assert Output(target="target", prompt_id="p", text="yes 👍").text == "yes 👍"


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"text": "yes"}, Outcome.ANSWERED),
        ({"text": "yes", "finish_reason": "length"}, Outcome.TRUNCATED),
        ({"text": " \n"}, Outcome.EMPTY),
        ({"text": None}, Outcome.EMPTY),
        ({"text": None, "refusal": "no"}, Outcome.REFUSED),
        ({"text": "yes", "finish_reason": "content_filter"}, Outcome.REFUSED),
        ({"text": "yes", "error": "timeout"}, Outcome.ERRORED),
    ],
)
def test_every_output_has_exactly_one_outcome(fields: dict[str, str | None], outcome: Outcome) -> None:
    """Error before refusal signal before empty before truncated before answered."""
    assert Output.model_validate({"target": "target", "prompt_id": "p", **fields}).outcome is outcome


def test_a_funnel_that_does_not_add_up_is_refused() -> None:
    """Nothing is lost between planned and its parts."""
    with pytest.raises(ValidationError, match="counts do not add up"):
        Counts(planned=3, answered=1, refused=0, truncated=0, empty=0, errored=0, not_asked=1)


@pytest.mark.parametrize("count", [-1, 10**12 + 1, 2**63, 10**25])
def test_counts_that_cannot_be_true_were_not_told(count: int) -> None:
    """A count below 0, or beyond what a store can hold, is missing: neither 0 nor an error."""
    assert Usage(prompt_tokens=count, completion_tokens=7) == Usage(completion_tokens=7)
