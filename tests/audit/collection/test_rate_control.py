"""The limit of calls in flight follows what the target can take."""

import asyncio
import heapq
from collections.abc import Iterator
from itertools import count, repeat

import pytest

from audit.collection.rate_control import RateControl
from audit.targets.base import RateRoom
from probes.seeds import rng


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
    """As many successes as the limit is high raise it by one; a cut starts the count again."""
    clock = Clock()
    pace = RateControl(8, clock)
    pace.refused(None)
    for _ in range(5):
        pace.succeeded()
    assert pace.limit == 6
    clock.now = 2.0
    pace.refused(None)
    assert pace.limit == 4
    for _ in range(3):
        pace.succeeded()
    assert pace.limit == 4
    pace.succeeded()
    assert pace.limit == 5


def test_failures_that_no_load_causes_do_not_hold_the_limit_down() -> None:
    """A fifth of failures, a hundred calls a second: the limit stays above a third of its maximum."""
    clock = Clock()
    pace = RateControl(20, clock)
    lowest = 20
    for number in range(6000):
        clock.now += 0.01
        if number % 5:
            pace.succeeded()
        else:
            pace.refused(None)
        lowest = min(lowest, pace.limit)
    assert lowest > 6


@pytest.mark.parametrize(
    ("every", "too_much", "held"), [(25, True, True), (6, False, True), (6, True, False)]
)
def test_rare_failures_cost_a_retry_and_no_speed(every: int, *, too_much: bool, held: bool) -> None:
    """Of slow answers 4 % refusals or 17 % other failures leave the limit alone, and 17 % refusals do not."""
    clock = Clock()
    pace = RateControl(100, clock)
    for number in range(1, 3000):
        clock.now += 0.1
        if number % every:
            pace.succeeded()
        else:
            pace.refused(None, too_much=too_much)
    assert (pace.limit == 100) == held


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
            await pace.enter()
            first = min(first, loop.time() - start)
            most = max(most, pace.in_flight)
            await asyncio.sleep(0.01)
            pace.leave()

        await asyncio.gather(*(call() for _ in range(10)))
        return most, first

    most, first = asyncio.run(crowd())
    assert most == 2
    assert first >= 0.1


def test_headers_keep_the_calls_to_what_is_left() -> None:
    """With three requests left no more than three run, and with none left nothing starts before the reset."""

    async def crowd() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        pace = RateControl(10, loop.time)
        pace.succeeded(0.01, RateRoom(requests=3, requests_reset_s=9.0))
        most = 0

        async def call() -> None:
            nonlocal most
            await pace.enter()
            most = max(most, pace.in_flight)
            await asyncio.sleep(0.01)
            pace.leave()

        await asyncio.gather(*(call() for _ in range(10)))
        pace.succeeded(0.01, RateRoom(requests=0, requests_reset_s=0.1))
        start = loop.time()
        await call()
        return most, loop.time() - start

    most, waited = asyncio.run(crowd())
    assert most == 3
    assert waited >= 0.1


def answers(pace: RateControl, clock: Clock, latency_s: float, count: int, rate: float) -> None:
    """Answers that come at a rate a second and took so long."""
    for _ in range(count):
        clock.now += 1 / rate
        pace.succeeded(latency_s)


def test_growing_waits_cut_the_limit_where_nothing_is_lost() -> None:
    """Waits of four times the smallest cut the limit step by step while throughput stays."""
    clock = Clock()
    pace = RateControl(64, clock, watch_latency=True)
    answers(pace, clock, 0.1, 200, rate=200)
    assert pace.limit == 64
    answers(pace, clock, 0.4, 600, rate=200)
    assert pace.limit < 40
    assert [limit for _, limit in pace.changes] == sorted((limit for _, limit in pace.changes), reverse=True)
    before = pace.limit
    answers(pace, clock, 0.1, 600, rate=200)
    assert pace.limit > before


def test_a_cut_that_costs_throughput_is_taken_back() -> None:
    """A server that works on many requests together keeps them, and is not tried again soon."""
    clock = Clock()
    pace = RateControl(64, clock, watch_latency=True)
    answers(pace, clock, 0.1, 200, rate=200)
    for _ in range(12):  # As many answers a second as there are calls in flight, times a constant.
        answers(pace, clock, 0.4, 64, rate=3.0 * pace.limit)
    limits = [limit for _, limit in pace.changes]
    assert min(limits) < 64
    assert pace.limit == 64
    assert len(limits) < 5


def closed_loop(pace: RateControl, clock: Clock, waits: Iterator[tuple[float, bool]], calls: int) -> None:
    """As many calls in flight as the limit allows, each sent when there is room, until so many came back."""
    back: list[tuple[float, float, bool]] = []
    for _ in range(calls):
        while len(back) < pace.limit:
            wait, served = next(waits)
            heapq.heappush(back, (clock.now + wait, wait, served))
        clock.now, wait, served = heapq.heappop(back)
        if served:
            pace.succeeded(wait)
        else:
            pace.refused(None, waited_s=wait)


@pytest.mark.parametrize("served", [True, False])
@pytest.mark.parametrize("maximum", [8, 100])
def test_calls_that_stall_now_and_then_do_not_make_a_server_slow(maximum: int, *, served: bool) -> None:
    """One call in 25 takes half a minute, answered then or refused: as many run at the end as may."""
    clock, draws = Clock(), rng(7, "stalls")
    pace = RateControl(maximum, clock, watch_latency=True)
    stalling = ((30.0, served) if draws.random() < 0.04 else (0.05, True) for _ in count())
    closed_loop(pace, clock, stalling, 5000)
    assert min(limit for _, limit in pace.changes) >= 0.75 * maximum
    assert clock.now < 1.5 * 5000 * 0.04 * 30 / maximum


def test_refusals_that_come_late_cut_the_limit_where_all_sent_then_are_refused() -> None:
    """A server that lets everything wait half a minute and then refuses it is asked less."""
    clock = Clock()
    pace = RateControl(64, clock)
    closed_loop(pace, clock, repeat((0.05, True)), 2000)
    assert pace.limit == 64
    closed_loop(pace, clock, repeat((30.0, False)), 400)
    assert pace.limit < 32


def test_waits_do_not_count_where_headers_speak() -> None:
    """A provider that says what it takes is believed instead of its waiting times."""
    clock = Clock()
    pace = RateControl(64, clock, watch_latency=True)
    pace.succeeded(0.1, RateRoom(requests=1000))
    answers(pace, clock, 0.1, 200, rate=200)
    answers(pace, clock, 0.9, 600, rate=200)
    assert pace.limit == 64


def test_the_history_of_the_limit_is_bounded() -> None:
    """However often the limit changes, its first and last values are kept and memory stays bounded."""
    clock = Clock()
    pace = RateControl(100, clock)
    for _ in range(3000):
        clock.now += 2.0
        pace.refused(None)
        for _ in range(200):
            pace.succeeded()
    assert pace.changes[0] == (0.0, 100)
    assert pace.changes[-1][1] == pace.limit
    assert len(pace.changes) <= 512


def test_a_cancelled_wait_gives_its_turn_to_another() -> None:
    """No room is lost with a task that was woken and cancelled at the same moment."""

    async def scene() -> int:
        pace = RateControl(1, asyncio.get_running_loop().time)
        await pace.enter()
        first, second = (asyncio.create_task(pace.enter()) for _ in range(2))
        await asyncio.sleep(0)
        pace.leave()
        first.cancel()
        await asyncio.wait_for(second, 1.0)
        return pace.in_flight

    assert asyncio.run(scene()) == 1


def test_who_waits_is_not_passed_by_who_comes_back() -> None:
    """With every place taken, a newcomer is next, however quickly the others ask again."""

    async def run() -> list[str]:
        pace, order = RateControl(2, Clock()), list[str]()

        async def worker() -> None:
            for _ in range(5):
                await pace.enter()
                order.append("worker")
                await asyncio.sleep(0)
                pace.leave()

        async def newcomer() -> None:
            await asyncio.sleep(0)
            await pace.enter()
            order.append("newcomer")
            pace.leave()

        await asyncio.gather(worker(), worker(), newcomer())
        assert pace.in_flight == 0
        return order

    assert asyncio.run(run()).index("newcomer") <= 4


def test_room_that_was_given_to_somebody_who_left_goes_to_the_next() -> None:
    """A call that is cancelled while it waits, or just as it is its turn, holds no place."""

    async def run() -> None:
        pace = RateControl(1, Clock())
        await pace.enter()
        first, second, third = (asyncio.ensure_future(pace.enter()) for _ in range(3))
        await asyncio.sleep(0)
        first.cancel()
        pace.leave()  # The second has its turn now, and is gone before it takes it.
        second.cancel()
        await asyncio.wait_for(third, 1.0)
        assert pace.in_flight == 1
        pace.leave()
        await asyncio.wait_for(pace.enter(), 1.0)

    asyncio.run(run())
