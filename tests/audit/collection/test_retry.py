"""When a failed request is sent again."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.collection.retry import RetryPolicy, ask_with_retry
from audit.targets.base import RetryableTargetError
from probes.seeds import rng


@given(failures=st.integers(1, 10_000), asked=st.none() | st.floats(-10, 1e9), seed=st.integers(0, 99))
def test_waits_stay_within_their_caps(failures: int, asked: float | None, seed: int) -> None:
    """A wait is at least what the provider asked for, up to a cap, plus a jitter below its own cap."""
    policy = RetryPolicy()
    wait = policy.wait_s(failures, asked, rng(seed, "retry"))
    least = min(max(asked or 0.0, 0.0), policy.longest_asked_s)
    assert least <= wait <= least + min(policy.longest_s, policy.base_s * 2 ** min(failures - 1, 20))


def test_the_jitter_is_full_and_named() -> None:
    """Waits spread over the whole range, and the same names give the same wait."""
    policy = RetryPolicy()
    waits = [policy.wait_s(4, None, rng(7, "retry", n)) for n in range(200)]
    assert min(waits) < 0.4
    assert max(waits) > 3.6
    assert waits[3] == policy.wait_s(4, None, rng(7, "retry", 3))


@pytest.mark.parametrize(("policy", "tries"), [(RetryPolicy(), 5), (RetryPolicy(total_s=0.0), 1)])
def test_tries_and_time_are_capped(policy: RetryPolicy, tries: int) -> None:
    """After the last try, or when the time is up, the last failure comes out."""
    sent = 0

    async def ask() -> str:
        nonlocal sent
        sent += 1
        raise RetryableTargetError(f"failure {sent}")

    async def no_wait(error: RetryableTargetError, seconds: float) -> None:
        """Wait for nothing."""

    with pytest.raises(RetryableTargetError, match=f"failure {tries}"):
        asyncio.run(ask_with_retry(ask, policy, lambda: rng(7, "retry"), clock=lambda: 0.0, wait=no_wait))
    assert sent == tries
