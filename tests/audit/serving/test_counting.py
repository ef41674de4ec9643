"""Counts that start again do not lose what is being served."""

from audit.serving.counting import Counting


def test_what_is_in_flight_when_counts_are_forgotten_still_is() -> None:
    """It is never below 0, and the most in flight begins with what is there."""
    counting = Counting()
    with counting.in_flight("POST /v1/chat/completions"):
        counting.forget()
        assert (counting.shown()["in_flight"], counting.shown()["most_in_flight"]) == (1, 1)
    assert counting.shown()["in_flight"] == 0
