"""The one retry layer: how often, and after how long, a failed request is sent again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from audit.targets.base import RetryableTargetError

__all__ = ["RetryPolicy", "ask_with_retry"]

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to send a failed request again.

    Source: full jitter, Brooker (2015), "Exponential Backoff and Jitter", AWS Architecture Blog.
    """

    attempts: int = 5
    """Most often a request is sent, the first time included; at least 1."""
    total_s: float = 300.0
    """Longest time between the first sending and the last, in seconds."""
    base_s: float = 0.5
    """Upper end of the first wait, in seconds; it doubles with every failure."""
    longest_s: float = 30.0
    """Upper end of any wait of our own, in seconds."""
    longest_asked_s: float = 120.0
    """Longest wait a provider may ask for, in seconds; it is cut to this."""

    def wait_s(self, failures: int, retry_after_s: float | None, rng: np.random.Generator) -> float:
        """Seconds to wait before sending again.

        Args:
            failures: How often this request has failed, at least 1.
            retry_after_s: Seconds the provider asked to wait, if it did.
            rng: Source of the jitter.

        Returns:
            A draw from [0, min(longest_s, base_s * 2**(failures - 1))), and on top of what the provider
            asked for if it did: all requests refused together must not come back together.
        """
        jitter = rng.uniform(0.0, min(self.longest_s, self.base_s * 2.0 ** min(failures - 1, 60)))
        asked = 0.0 if retry_after_s is None else min(max(retry_after_s, 0.0), self.longest_asked_s)
        return asked + float(jitter)


async def ask_with_retry(
    ask: Callable[[], Awaitable[Answer]],
    policy: RetryPolicy,
    rng: Callable[[], np.random.Generator],
    *,
    clock: Callable[[], float],
    wait: Callable[[RetryableTargetError, float], Awaitable[None]],
) -> Answer:
    """The answer, after as many tries as the policy allows.

    Args:
        ask: Sends the request once.
        policy: When to send it again.
        rng: Gives the source of the jitter; called at the first failure, since most requests have none.
        clock: Seconds that only grow.
        wait: Called with the failure and the seconds to wait; it may raise to give up.

    Raises:
        RetryableTargetError: The last failure, once tries or time are used up.
    """
    start = clock()
    failures = 0
    draws: np.random.Generator | None = None
    while True:
        try:
            return await ask()
        except RetryableTargetError as error:
            failures += 1
            draws = rng() if draws is None else draws
            seconds = policy.wait_s(failures, error.retry_after_s, draws)
            if failures >= policy.attempts or clock() - start + seconds > policy.total_s:
                raise
            await wait(error, seconds)
