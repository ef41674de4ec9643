"""The seam of targets: what every target, built in or third party, must offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypedDict, Unpack

from audit.records import Output, Request, Usage
from probes.base import Options

__all__ = [
    "Answer",
    "FatalTargetError",
    "RateRoom",
    "RetryableTargetError",
    "Target",
    "TargetContext",
    "TargetError",
    "TargetInfo",
    "output_for",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRoom:
    """What a provider says, with an answer, that it still takes; None where it says nothing."""

    requests: int | None = None
    """Requests left."""
    requests_reset_s: float | None = None
    """Seconds until all requests of the limit are there again."""
    tokens: int | None = None
    tokens_reset_s: float | None = None

    def tightest(self, wanted: int) -> tuple[int, float | None]:
        """How many of some wanted requests there is room for, and seconds until there is more.

        How many tokens a request takes nobody knows beforehand, so tokens count only when none is left.

        Args:
            wanted: Requests, at least 1.
        """
        if self.tokens == 0:
            return 0, self.tokens_reset_s
        if self.requests is None or self.requests >= wanted:
            return wanted, None
        return self.requests, self.requests_reset_s


class TargetError(Exception):
    """A request failed for good: it becomes an errored output with this message."""


class RetryableTargetError(TargetError):
    """A request failed, and asking again later may succeed (rate limit, timeout, server error)."""

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, unreachable: bool = False
    ) -> None:
        """Keep what the provider asked for.

        Args:
            message: One line: what went wrong.
            retry_after_s: Seconds the provider asked to wait, if it did.
            unreachable: True if no connection was made at all.
        """
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.unreachable = unreachable


class FatalTargetError(TargetError):
    """Every further request would fail too (wrong key, no quota, no such model): collection stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInfo:
    """What a target is and how it wants to be asked."""

    name: str
    """Name under which its outputs are stored."""
    deterministic: bool
    """True if the same requests and seed always give the same texts."""
    batch_size: int = 1
    """How many requests one `generate` call should hold."""
    max_in_flight: int = 8
    """How many `generate` calls may run at the same time."""
    hosts: tuple[str, ...] = ()
    """Every network host it can contact, as `host:port`."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What a reader of the report needs to identify it: model, address, file checksum …"""
    takes_seed: bool = True
    """Whether a seed is sent along; if not, nothing can be said of how it is honoured."""
    one_message: str | None = None
    """What to set so that it takes conversations of several messages; None if it takes them. A plan that has
    such prompts is refused with it."""
    no_system: str | None = None
    """Likewise, of system messages that come with a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetContext:
    """What the world gives a target, so that targets read no environment themselves."""

    name: str
    """Name under which the outputs are stored: `target` or `baseline`, or a name of the spec."""
    root: Path
    """Folder that relative paths of the spec are relative to."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Values of the environment variables that the spec names; never logged or stored."""


class Target(Protocol):
    """Answers requests; never sees a probe or a score.

    A plug-in is a class with these members, constructed as `Class(options, context)` and registered
    under the entry-point group `evenhand.targets`. Its class attribute `Options` is the subclass of
    `probes.base.Options` that validates its part of the spec. The constructor must not contact anything.
    A target that hears of its provider's limits keeps the last it heard in an attribute `room` (a
    `RateRoom`, or None); without one, only failures and growing waits slow the asking down.
    """

    info: TargetInfo

    @classmethod
    def secret_names(cls, options: Options) -> tuple[str, ...]:
        """Environment variables these options need, by name."""
        ...

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order.

        Args:
            requests: At most `info.batch_size` of them.
            seed: The run's root seed; a target that draws derives its numbers from it and from the request.

        Returns:
            Outputs with the key of their requests (prompt, turn, repeat, attempt).

        Raises:
            RetryableTargetError: Asking the same again later may work; the runner decides when.
            FatalTargetError: No further request can work.
            TargetError: These requests failed for good.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections and files."""
        ...


class Answer(TypedDict, total=False):
    """What a target may say of a request, besides which request it is."""

    text: str | None
    error: str | None
    finish_reason: str | None
    refusal: str | None
    reasoning: str | None
    usage: Usage | None
    latency_s: float | None
    logprobs: tuple[float, ...] | None
    request_id: str | None
    model: str | None
    fingerprint: str | None
    cached: bool


def output_for(request: Request, target: str, **answer: Unpack[Answer]) -> Output:
    """An output with the key of its request.

    Args:
        request: What was asked.
        target: Name under which the output is stored.
        answer: The other fields of the output.
    """
    return Output(
        target=target,
        prompt_id=request.prompt_id,
        turn=request.turn,
        repeat=request.repeat,
        attempt=request.attempt,
        **answer,
    )
