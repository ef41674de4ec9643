"""Conversations without a model: a state machine that is given replies and says what is sent next.

Nothing here sends or stores anything, so a conversation can be taken up again from the replies that are
stored, replayed, and tested without a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from probes.records import Message

__all__ = ["Ask", "Conversation", "Done", "Scripted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Send this next."""

    messages: tuple[Message, ...]
    """The whole conversation so far, the user's new turn last."""


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more is to be said."""


class Conversation(Protocol):
    """Says what is sent next, from the replies so far alone."""

    def turn(self, replies: Sequence[str]) -> Ask | Done:
        """What follows these replies.

        Args:
            replies: The model's replies, one a turn, from the first.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scripted:
    """A conversation whose user turns are fixed beforehand, whatever the model replies.

    >>> talk = Scripted((Message(role="user", content="Hello"),), ("And now?",))
    >>> [message.content for message in talk.turn(["Hi."]).messages]
    ['Hello', 'Hi.', 'And now?']
    >>> talk.turn(["Hi.", "Later."])
    Done()
    """

    messages: tuple[Message, ...]
    """What is sent first."""
    further: tuple[str, ...] = ()
    """What the user says next, each after a reply."""

    def turn(self, replies: Sequence[str]) -> Ask | Done:
        """What follows these replies; see `Conversation.turn`."""
        if len(replies) > len(self.further):
            return Done()
        said = [
            Message(role=role, content=content)
            for reply, following in zip(replies, self.further, strict=False)
            for role, content in (("assistant", reply), ("user", following))
        ]
        return Ask(messages=(*self.messages, *said))
