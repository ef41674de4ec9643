"""What is written: every text that must not be kept is replaced, whichever field it stands in."""

from audit.collection.writing import screened
from audit.records import Outcome, Output


def screen(text: str) -> str | None:
    """Replaces what is forbidden."""
    return "[withheld]" if "forbidden" in text else None


def test_reasoning_is_screened_apart_from_the_answer() -> None:
    """A forbidden thought is replaced and its answer stays; a forbidden answer counts as filtered."""
    output = Output(target="target", prompt_id="p", text="fine", reasoning="forbidden")
    kept = screened(output, screen)
    assert (kept.text, kept.reasoning, kept.outcome) == ("fine", "[withheld]", Outcome.ANSWERED)
    kept = screened(output.model_copy(update={"text": "forbidden", "reasoning": "fine"}), screen)
    assert (kept.text, kept.reasoning, kept.outcome) == (None, "fine", Outcome.REFUSED)
    empty = screened(output.model_copy(update={"text": None}), screen)
    assert (empty.text, empty.reasoning, empty.outcome) == (None, "[withheld]", Outcome.EMPTY)
