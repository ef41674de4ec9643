"""The limit of calls in flight follows what the target can take."""

import asyncio

from audit.collection.rate_control import RateControl


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        """At zero."""
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_one_cut_a_burst() -> None:
    """A burst of refusals cuts the limit to three quarters once; a later burst cuts it again."""
    clock = Clock()
    pace = RateControl(8, clock)
    for _ in range(5):
        pace.refused(None)
    assert pace.limit == 6
    clock.now = 2.0
    pace.refused(None)
    assert pace.limit == 4


def test_never_below_one_nor_above_the_maximum() -> None:
    """However many refusals or successes come, the limit stays within its bounds."""
    clock = Clock()
    pace = RateControl(2, clock)
    for _ in range(9):
        clock.now += 2.0
        pace.refused(None)
    assert pace.limit == 1
    for _ in range(50):
        pace.succeeded()
    assert pace.limit == 2


def test_a_streak_raises_the_limit_by_one() -> None:
    """As many successes as the limit is high raise it by one; a refusal breaks the streak."""
    clock = Clock()
    pace = RateControl(8, clock)
    pace.refused(None)
    for _ in range(5):
        pace.succeeded()
    assert pace.limit == 6
    pace.refused(None)
    for _ in range(6):
        pace.succeeded()
    assert pace.limit == 7


def test_slots_respect_the_limit_and_the_pause() -> None:
    """No more calls run than the limit allows, and none starts within an asked-for pause."""

    async def crowd() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        pace = RateControl(3, loop.time)
        pace.refused(0.1)
        start = loop.time()
        first = float("inf")
        most = 0

        async def call() -> None:
            nonlocal first, most
            async with pace.slot():
                first = min(first, loop.time() - start)
                most = max(most, pace.in_flight)
                await asyncio.sleep(0.01)

        await asyncio.gather(*(call() for _ in range(10)))
        return most, first

    most, first = asyncio.run(crowd())
    assert most == 2
    assert first >= 0.1
