"""Plain prompts for tests that need some to ask, and do not care what they ask."""

from collections.abc import Sequence

from probes.records import Prompt

__all__ = ["open_questions"]


def open_questions(
    count: int, *, templates: int = 1, members: int = 0, further: Sequence[str] = ()
) -> list[Prompt]:
    """Prompts that expect free text, each with a question of its own.

    Args:
        count: How many.
        templates: Among how many templates they are dealt.
        members: Prompts of one set; 0 for none.
        further: What the user says after each reply.
    """
    return [
        Prompt.make(
            messages=[{"role": "user", "content": f"Question {number}"}],
            probe="p",
            template=f"t{number % templates}",
            domain="d",
            expectation={"kind": "open"},
            set_id=f"s{number // members}" if members else None,
            further=further,
        )
        for number in range(count)
    ]
