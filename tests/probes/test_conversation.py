"""Conversations: what is sent next follows from the replies alone, and a prompt's id covers its turns."""

import pytest
from pydantic import ValidationError

from probes.conversation import Ask, Done, Scripted
from probes.records import Message, Prompt


def made(**fields: object) -> Prompt:
    """A prompt of three turns."""
    return Prompt.make(
        messages=[{"role": "user", "content": "One"}],
        probe="p",
        template="t",
        domain="d",
        expectation={"kind": "open"},
        **{"further": ["Two", "Three"], **fields},
    )


def test_each_turn_is_sent_with_all_that_was_said_before() -> None:
    """The replies stand between the user's turns, in order, and after the last reply nothing is sent."""
    talk = Scripted((Message(role="user", content="One"),), ("Two", "Three"))
    sent = [talk.turn(["a", "b", "c"][:replies]) for replies in range(4)]
    said = [[(m.role, m.content) for m in one.messages] for one in sent if isinstance(one, Ask)]
    assert said[0] == [("user", "One")]
    assert said[1] == [("user", "One"), ("assistant", "a"), ("user", "Two")]
    assert said[2] == [*said[1], ("assistant", "b"), ("user", "Three")]
    assert sent[3] == Done()


def test_the_id_covers_the_turns_and_which_is_judged() -> None:
    """Another script or another judged turn is another prompt; the last turn by name or by default is one."""
    ids = {made().id, made(further=[]).id, made(further=["Two"]).id, made(judged=0).id}
    assert len(ids) == 4
    assert made(judged=2).id == made().id
    assert (made().turns, made().judged_turn, made(judged=1).judged_turn) == (3, 2, 1)


def test_an_id_of_one_turn_is_what_it_always_was() -> None:
    """Runs that were planned before there were conversations keep their prompts."""
    assert made(further=[]).id == "c3126faa0d7156c85a29"


def test_a_judged_turn_that_is_not_there_is_refused() -> None:
    """Nothing can be judged that is never said."""
    with pytest.raises(ValidationError, match="judged must be a turn from 0 to 2; got 3"):
        made(judged=3)
