"""Failures of a server, drawn for each request: rate limits, errors, cut connections, stalls, latency.

What happens to a request depends on the server's seed, on what is asked, and on how often the same was asked
before, so a run can be repeated and asking again can succeed.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from audit.serving.api_errors import ApiError, ConnectionCutError
from probes.base import Options
from probes.seeds import derive

__all__ = ["Budget", "Fault", "FaultyOptions", "drawn_fault", "duration", "meet"]

Fault: TypeAlias = Literal[
    "rate_limited", "server_error", "dropped", "malformed", "stalled", "bad_key", "no_quota", "forbidden"
]
Share = Annotated[float, Field(ge=0, le=1)]
_MINUTE = 60.0
_ROUNDING = 1e-9


class FaultyOptions(Options):
    """Which share of requests fails in which way; the rest is answered."""

    rate_limited: Share = Field(default=0.0, description="429 with `Retry-After` and rate-limit headers.")
    server_error: Share = Field(default=0.0, description="500.")
    dropped: Share = Field(default=0.0, description="The connection is closed without an answer.")
    malformed: Share = Field(default=0.0, description="200 with a body that is cut in the middle.")
    stalled: Share = Field(default=0.0, description="An answer that takes `stall_s` longer.")
    bad_key: Share = Field(default=0.0, description="401.")
    no_quota: Share = Field(default=0.0, description="429 with the code `insufficient_quota`.")
    forbidden: Share = Field(default=0.0, description="403.")
    stall_s: Annotated[float, Field(gt=0, le=3600)] = Field(default=30.0, description="Seconds.")
    retry_after_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=1.0, description="Seconds that a drawn 429 asks to wait."
    )
    latency_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=0.0, description="Seconds before every answer."
    )
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="429 when more tokens are used, by a bucket that fills evenly."
    )
    requests_per_minute: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="429 when more is asked, by a bucket that fills evenly."
    )

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        total = sum(share for _, share in self.shares())
        if total > 1 + _ROUNDING:
            raise ValueError(f"the shares add up to {total:g}; accepted: at most 1")
        return self

    def shares(self) -> tuple[tuple[Fault, float], ...]:
        """Each fault with its share of requests."""
        return (
            ("rate_limited", self.rate_limited),
            ("server_error", self.server_error),
            ("dropped", self.dropped),
            ("malformed", self.malformed),
            ("stalled", self.stalled),
            ("bad_key", self.bad_key),
            ("no_quota", self.no_quota),
            ("forbidden", self.forbidden),
        )


@dataclass(slots=True)
class _Bucket:
    """What is left of an allowance that fills evenly."""

    limit: float
    left: float
    at: float

    def refill(self, now: float) -> None:
        self.left = min(self.limit, self.left + (now - self.at) * self.limit / _MINUTE)
        self.at = now

    def wait_s(self, wanted: float) -> float:
        """Seconds until so much is left; 0 if it is."""
        missing = min(wanted, self.limit) - self.left
        return max(0.0, missing * _MINUTE / self.limit)

    def reset_s(self) -> float:
        return (self.limit - self.left) * _MINUTE / self.limit


class Budget:
    """Requests and tokens a minute of one model."""

    def __init__(self, options: FaultyOptions, clock: Callable[[], float]) -> None:
        """Start with full buckets.

        Args:
            options: The limits.
            clock: Seconds, monotonic.
        """
        self._clock = clock
        now = clock()
        limits = {"requests": options.requests_per_minute, "tokens": options.tokens_per_minute}
        self._buckets = {name: _Bucket(limit, limit, now) for name, limit in limits.items() if limit}

    @property
    def limited(self) -> bool:
        """Whether it has any limit, so that what was spent matters."""
        return bool(self._buckets)

    def spend(self, tokens: int) -> None:
        """Take one request and its tokens out of the buckets.

        Args:
            tokens: Of the prompt, and the most that the answer may have.

        Raises:
            ApiError: 429; a bucket has too little left. Nothing is taken then.
        """
        wanted = {"requests": 1.0, "tokens": float(tokens)}
        for bucket in self._buckets.values():
            bucket.refill(self._clock())
        for name, bucket in self._buckets.items():
            wait = bucket.wait_s(wanted[name])
            if wait > 0:
                raise _rate_limited(wait, self.headers(), f"{name} per min: limit {bucket.limit:g}")
        for name, bucket in self._buckets.items():
            bucket.left -= min(wanted[name], bucket.limit)

    def headers(self) -> dict[str, str]:
        """The rate-limit headers, with durations such as `6m0s`."""
        found = {}
        for name, bucket in self._buckets.items():
            found[f"x-ratelimit-limit-{name}"] = f"{bucket.limit:.0f}"
            found[f"x-ratelimit-remaining-{name}"] = f"{max(0.0, bucket.left):.0f}"
            found[f"x-ratelimit-reset-{name}"] = duration(bucket.reset_s())
        return found


def duration(seconds: float) -> str:
    """Seconds as rate-limit headers write them.

    >>> duration(360.0), duration(1.5), duration(0.02)
    ('6m0s', '1.5s', '20ms')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    minutes, rest = divmod(seconds, _MINUTE)
    shown = f"{rest:.3f}".rstrip("0").rstrip(".")
    return f"{minutes:.0f}m{shown}s" if minutes else f"{shown}s"


def drawn_fault(options: FaultyOptions, seed: int, key: str, time: int) -> Fault | None:
    """What happens to a request; None if it is answered.

    Args:
        options: The shares.
        seed: The server's seed.
        key: What is asked.
        time: How often the same was asked before, from 0.
    """
    point = derive(seed, "fault", key, time) / 2**64
    for fault, share in options.shares():
        if point < share:
            return fault
        point -= share
    return None


async def meet(fault: Fault | None, options: FaultyOptions, headers: Mapping[str, str]) -> None:
    """Let a fault happen, after the latency; `malformed` is left to whoever writes the body.

    Args:
        fault: As drawn.
        options: Of the model.
        headers: Rate-limit headers, for those answers that carry them.

    Raises:
        ApiError: The request is answered with a failing status.
        ConnectionCutError: It is not answered at all.
    """
    wait = options.latency_s + (options.stall_s if fault == "stalled" else 0.0)
    if wait:
        await asyncio.sleep(wait)
    if fault == "dropped":
        raise ConnectionCutError
    if fault == "rate_limited":
        shown = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0"}
        shown["x-ratelimit-reset-requests"] = duration(options.retry_after_s)
        raise _rate_limited(options.retry_after_s, {**shown, **headers}, "a share of requests is refused")
    if fault is not None and fault in _FAILURES:
        status, message, kind, code = _FAILURES[fault]
        raise ApiError(status, message, kind=kind, code=code)


_FAILURES: Mapping[Fault, tuple[int, str, str, str | None]] = {
    "server_error": (
        500,
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
    ),
    "bad_key": (401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    "no_quota": (
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "forbidden": (403, "You are not allowed to use this model.", "invalid_request_error", "forbidden"),
}


def _rate_limited(wait_s: float, headers: Mapping[str, str], which: str) -> ApiError:
    return ApiError(
        429,
        f"Rate limit reached ({which}). Please try again in {duration(wait_s)}.",
        kind="requests",
        code="rate_limit_exceeded",
        headers={
            # Whole seconds, as the header demands; the exact wait stands beside it.
            "Retry-After": str(math.ceil(wait_s)),
            "retry-after-ms": f"{wait_s * 1000:.0f}",
            **headers,
        },
    )
