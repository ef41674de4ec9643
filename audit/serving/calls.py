"""What a client asks of a model, whichever endpoint it came through, and the answer to it."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from probes.records import Message

__all__ = ["Answer", "Call", "LimitName", "as_far_as_allowed", "count_tokens", "split_tokens"]

LimitName: TypeAlias = Literal["max_tokens", "max_completion_tokens", "max_output_tokens"]

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s]|\s+)")
_FRAME = 4
"""Tokens that a message costs beside its words: role and separators, as chat models count them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to one model."""

    model: str
    """The name as the client gave it, options included."""
    messages: tuple[Message, ...]
    choices: int = 1
    limit: int | None = None
    """Longest answer in tokens."""
    limit_name: LimitName | None = None
    """Under which name the limit was sent."""
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    seed: int | None = None
    """None draws another answer each time the same is asked."""
    streamed: bool = False

    @property
    def prompt_id(self) -> str:
        """A hash of what was said so far: the same for every model, seed and time."""
        said = json.dumps([[message.role, message.content] for message in self.messages])
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    @property
    def key(self) -> str:
        """A hash of everything that tells this call from another; a stream is no other call."""
        sent = (self.choices, self.limit, self.limit_name, self.stop, self.temperature, self.seed)
        told = json.dumps([self.model, self.prompt_id, *sent])
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def prompt_tokens(self) -> int:
        """Tokens of the messages, by this server's own count."""
        return sum(_FRAME + count_tokens(message.content) for message in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model says, before an endpoint gives it a shape."""

    text: str | None
    refusal: str | None = None
    """Sent in the field for refusals."""
    reasoning: str | None = None
    """Sent beside the content."""
    finish: Literal["stop", "length", "content_filter"] = "stop"

    def completion_tokens(self) -> int:
        """Tokens of all that was said, reasoning included."""
        said = (self.text, self.refusal, self.reasoning)
        return sum(count_tokens(part) for part in said if part is not None)


def split_tokens(text: str) -> list[str]:
    """The text in the pieces this server counts and streams: words and marks with the blanks before them.

    >>> split_tokens("Yes. It holds.")
    ['Yes', '.', ' It', ' holds', '.']
    """
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """Number of pieces of a text; no tokenizer of a real model counts exactly so."""
    return len(split_tokens(text))


def as_far_as_allowed(answer: Answer, limit: int | None, stop: Sequence[str]) -> Answer:
    """The answer up to the first stop sequence and the limit of tokens.

    Reasoning is spent first, as reasoning models do: a low limit leaves no content at all.

    Args:
        answer: All that the model would say.
        limit: Most tokens, None for any number.
        stop: Texts before which the answer ends.
    """
    text = answer.text
    if text is not None and stop:
        ends = [place for word in stop if word and (place := text.find(word)) >= 0]
        text = text[: min(ends)] if ends else text
    left = limit
    reasoning, left, cut = _within(answer.reasoning, left)
    text, left, cut_text = _within(text, left)
    finish = "length" if cut or cut_text else answer.finish
    return replace(answer, text=text, reasoning=reasoning, finish=finish)


def _within(text: str | None, left: int | None) -> tuple[str | None, int | None, bool]:
    """As much of a text as is left, what is left then, and whether it was cut."""
    if text is None or left is None:
        return text, left, False
    pieces = split_tokens(text)
    if len(pieces) <= left:
        return text, left - len(pieces), False
    return "".join(pieces[:left]), 0, True
