"""What is asked, what comes back, and what analyzers read in it."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from probes.records import Expectation, Message, Record, storable

__all__ = [
    "Counts",
    "DeclaredMeasure",
    "Exchange",
    "HostileText",
    "Outcome",
    "Output",
    "RaterUse",
    "Request",
    "Score",
    "Usage",
]


HostileText = Annotated[str, AfterValidator(storable)]
"""Text from outside: anything a model or a server may send."""


_MOST_TOKENS = 10**12


def _possible(count: object) -> object:
    told = not isinstance(count, int) or 0 <= count <= _MOST_TOKENS
    return count if told else None


TokenCount = Annotated[int | None, BeforeValidator(_possible)]
"""Tokens of one request, as a server counts them; None where the count cannot be true."""


class Outcome(StrEnum):
    """What became of one request; every planned output ends in exactly one of these, or is not asked."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """The provider signalled a refusal or a content filter; a refusal in words is a score instead."""
    TRUNCATED = "truncated"
    EMPTY = "empty"
    ERRORED = "errored"


class Request(Record):
    """One thing to ask of a target. It says nothing of probe, group or score."""

    prompt_id: str
    messages: tuple[Message, ...]
    turn: int = 0
    repeat: int = 0
    attempt: int = 0
    source_id: str | None = None
    """Row id in the user's or public file the prompt came from; only the `recorded` target reads it."""
    further: tuple[str, ...] = ()
    """What the user says next, each after a reply; it is for who asks, and no target sends it."""


class Usage(Record):
    """Tokens the provider counted; a count that cannot be one, below 0 or above 10^12, was not told."""

    prompt_tokens: TokenCount = None
    completion_tokens: TokenCount = None


class Output(Record):
    """Text from a target, or an error, for one request."""

    target: str
    prompt_id: str
    turn: int = 0
    repeat: int = 0
    attempt: int = 0
    text: HostileText | None = None
    error: HostileText | None = None
    """Why there is no answer, one line; None if there is one."""
    finish_reason: HostileText | None = None
    """As the provider gave it; every word for a cut answer is `length`, for a filter `content_filter`."""
    refusal: HostileText | None = None
    """The provider's refusal field."""
    reasoning: HostileText | None = None
    """What the model thought aloud, where the server sends it apart from the answer; nothing analyses it."""
    usage: Usage | None = None
    latency_s: float | None = None
    logprobs: tuple[float, ...] | None = None
    request_id: HostileText | None = None
    model: HostileText | None = None
    """Model the provider says answered."""
    fingerprint: HostileText | None = None
    cached: bool = False

    @property
    def outcome(self) -> Outcome:
        """What became of the request, by a fixed order: error, refusal signal, empty, truncated, answered."""
        if self.error is not None:
            return Outcome.ERRORED
        if self.refusal or self.finish_reason == "content_filter":
            return Outcome.REFUSED
        if self.text is None or not self.text.strip():
            return Outcome.EMPTY
        if self.finish_reason == "length":
            return Outcome.TRUNCATED
        return Outcome.ANSWERED

    @property
    def goes_on(self) -> bool:
        """Whether it has a text that a conversation can go on from."""
        return self.outcome in (Outcome.ANSWERED, Outcome.TRUNCATED)


class Exchange(Record):
    """What an analyzer sees. It has no group field: scoring is blind by type."""

    output: int
    """Row of the output in the store; opaque to analyzers."""
    messages: tuple[Message, ...]
    reply: str
    expectation: Expectation
    language: str = "en"


class Score(Record):
    """One reading of one output by one analyzer."""

    output: int
    """Row of the output in the store."""
    analyzer: str
    version: str
    measure: str
    """What was read, such as `favourable`, `refusal` or `toxicity`."""
    value: float | None
    """The reading as a number; None when it could not be read, and then `label` says why."""
    label: str
    """The reading in words; `unparsed` and `not_understood` are values."""


class DeclaredMeasure(Record):
    """A measure that an analyzer adds to the built-in ones, as data, so that estimates take it up.

    It travels with every estimate made of it, so whoever reads a run later needs no analyzer.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Name that `judgement`, `gate` and findings use."""
    analyzer: str
    """Name of the analyzer whose reading it takes."""
    reading: str
    """Name of the reading (`Score.measure`)."""
    words: Annotated[str, Field(min_length=1)]
    """How a sentence says what is counted: `the rate of …`."""
    unit: str = "rate"
    """`rate` (a fraction in [0, 1]) or the unit of the number."""
    expects: tuple[str, ...] = ("choice", "number", "open", "comply", "refuse", "correct")
    """Kinds of `Expectation` it applies to."""
    labels: tuple[str, ...] = ()
    """If given, the number is 1 when the reading's label is one of these, else 0."""
    outside: tuple[str, ...] = ()
    """Labels of replies that the measure says nothing of: they have no value and are not missing either."""
    counts_positive: bool = False
    """True if `labels` are exactly those whose value is 0.5 or more, so that `evenhand analyzers check`
    measures what this measure counts and can correct it."""
    compare_groups: bool = True
    """Whether groups are compared on it."""
    limit: bool = False
    """Whether its overall rate is unwanted from everyone and held against a declared limit."""
    worse: Literal["lower", "higher"] = "higher"
    """Which direction is worse for the group (or, for a limit, for everyone)."""
    partly: str | None = None
    """Reading of the same analyzer that is 1 where only a part of the reply was read."""
    margin: Annotated[float, Field(gt=0)] | None = None
    """Margin in its own unit when the unit is not a rate."""

    @model_validator(mode="after")
    def _outside_is_not_counted(self) -> "DeclaredMeasure":
        both = sorted(set(self.labels) & set(self.outside))
        if both:
            raise ValueError(f"outside must not name labels that are counted; got {', '.join(both)}")
        return self


class Counts(Record):
    """The count funnel: planned = answered + refused + truncated + empty + errored + not_asked."""

    planned: int = Field(ge=0)
    answered: int = Field(ge=0)
    refused: int = Field(ge=0)
    truncated: int = Field(ge=0)
    empty: int = Field(ge=0)
    errored: int = Field(ge=0)
    not_asked: int = Field(ge=0)
    decided_early: int = Field(default=0, ge=0)
    """Those of `not_asked` that are not needed any more, since what needs them is decided."""
    broken_off: int = Field(default=0, ge=0)
    """Those of `not_asked` that are later turns of conversations in which a turn brought no text."""

    @model_validator(mode="after")
    def _adds_up(self) -> "Counts":
        parts = self.answered + self.refused + self.truncated + self.empty + self.errored + self.not_asked
        if parts != self.planned:
            raise ValueError(f"counts do not add up: {parts} outputs accounted for, {self.planned} planned")
        if self.decided_early + self.broken_off > self.not_asked:
            raise ValueError(
                f"{self.decided_early} decided early and {self.broken_off} broken off, "
                f"but only {self.not_asked} not asked"
            )
        return self

    @property
    def missing(self) -> int:
        """Outputs that were not asked for and still could be."""
        return self.not_asked - self.decided_early - self.broken_off


class RaterUse(Record):
    """What a model that an analyzer asks was asked, and what it took."""

    model: HostileText
    """As the server named it."""
    counts: Counts
    prompt_tokens: int = Field(ge=0)
    """Tokens the provider counted; calls without a count add nothing."""
    completion_tokens: int = Field(ge=0)
