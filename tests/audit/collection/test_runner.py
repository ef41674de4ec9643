"""Collection: everything is asked once, every stop is clean, and every failure has a name."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from audit.collection import CollectionPlan, CollectionResult, Progress, RetryPolicy, collect
from audit.errors import (
    AuditError,
    BudgetReachedError,
    IncompleteError,
    SpecError,
    StoreError,
    TargetUnreachableError,
)
from audit.records import Output, Request, Usage
from audit.spec import Limits
from audit.store.order import order_seed
from audit.store.store import Store
from audit.targets.base import FatalTargetError, RetryableTargetError, TargetError, TargetInfo
from probes.base import Options as PluginOptions
from probes.records import Prompt
from tests.audit.questions import open_questions

Reply = Callable[[Request, int], str]
"""Gives the text for a request, or raises; the number is how many requests came before."""
QUICK = RetryPolicy(base_s=0.001, longest_s=0.002, longest_asked_s=0.05)


class PlainTarget:
    """A target made of a function, which records what it was asked."""

    Options: ClassVar[type[PluginOptions]] = PluginOptions

    def __init__(self, reply: Reply, *, name: str = "target", delay_s: float = 0.0, **info: object) -> None:
        """Ready to be asked; `info` are further fields of `TargetInfo`."""
        self.info = TargetInfo(name=name, deterministic=True, **info)  # type: ignore[arg-type] # tests say which fields
        self.asked: list[Request] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._reply = reply
        self._delay_s = delay_s

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:  # noqa: ARG002 - as above
        """Reply to each."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self._delay_s)
            outputs = []
            for request in requests:
                before = len(self.asked)
                self.asked.append(request)
                outputs.append(self._output(request, self._reply(request, before)))
            return outputs
        finally:
            self.in_flight -= 1

    def _output(self, request: Request, text: str) -> Output:
        return Output(
            target=self.info.name,
            prompt_id=request.prompt_id,
            turn=request.turn,
            repeat=request.repeat,
            attempt=request.attempt,
            text=text,
            usage=Usage(prompt_tokens=5, completion_tokens=5),
        )

    async def aclose(self) -> None:
        """Nothing to give back."""


def echo(request: Request, _: int) -> str:
    """The question."""
    return request.messages[0].content


def absent(_request: Request, _before: int) -> str:
    """No connection, ever."""
    raise RetryableTargetError("connection refused", unreachable=True)


def long_text(_request: Request, _before: int) -> str:
    """More than a page of the store."""
    return "x" * 5000


def make_prompts(count: int) -> list[Prompt]:
    """Prompts of five templates."""
    return open_questions(count, templates=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a hundred prompts."""
    with Store.create(tmp_path / "run") as made:
        made.add_prompts(make_prompts(100))
        yield made


def run(store: Store, *targets: PlainTarget, repeats: int = 1, **plan: object) -> CollectionResult:
    """Collect from some targets."""
    made = CollectionPlan(repeats=repeats, seed=7, **{"retry": QUICK, **plan})  # type: ignore[arg-type] # tests say which fields
    return asyncio.run(collect(store, {target.info.name: target for target in targets}, made))


def failure(store: Store, target: PlainTarget, repeats: int = 1, **plan: object) -> AuditError:
    """The error a collection ends with."""
    with pytest.raises(AuditError) as raised:
        run(store, target, repeats=repeats, **plan)
    assert "\n" not in str(raised.value)
    return raised.value


def test_everything_is_asked_once(store: Store) -> None:
    """Each prompt is asked of each target as often as planned, and a second collection asks nothing."""
    targets = [PlainTarget(echo, name=name) for name in ("target", "baseline")]
    result = run(store, *targets, repeats=2)
    assert (result.progress.done, result.progress.answered, result.interrupted) == (400, 400, False)
    for target in targets:
        assert len({(r.prompt_id, r.repeat) for r in target.asked}) == len(target.asked) == 200
        assert store.counts(target.info.name, 2).answered == 200
    again = run(store, *targets, repeats=2)
    assert again.progress.done == 400
    assert sum(len(target.asked) for target in targets) == 400


def test_batches_and_calls_keep_the_targets_limits(store: Store) -> None:
    """No call holds more requests than batch_size, and no more calls run than max_in_flight."""
    sizes: list[int] = []

    class Counting(PlainTarget):
        async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
            sizes.append(len(requests))
            return await super().generate(requests, seed=seed)

    target = Counting(echo, delay_s=0.005, batch_size=8, max_in_flight=3)
    run(store, target)
    assert (max(sizes), sum(sizes), len(sizes)) == (8, 100, 13)
    assert target.most_in_flight == 3


def test_a_failing_request_is_sent_again(store: Store) -> None:
    """A request that fails in passing is answered in the end, and the retries are counted."""

    def reply(request: Request, before: int) -> str:
        if before % 3 == 0:
            raise RetryableTargetError("busy", retry_after_s=0.01)
        return echo(request, before)

    result = run(store, PlainTarget(reply, max_in_flight=4), retry=RetryPolicy(attempts=50, base_s=0.001))
    assert result.progress.answered == 100
    assert result.progress.retries == result.progress.requests - 100 > 20


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TargetError("not\nallowed\x1b[31m"), "not allowed [31m"),
        (RetryableTargetError("still busy"), "still busy"),
        (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug"),
    ],
)
def test_a_request_that_fails_for_good_is_an_errored_output(
    store: Store, error: Exception, message: str
) -> None:
    """It is stored with a one-line message, the others go on, and the next collection asks it again."""
    odd = make_prompts(100)[42].id

    def reply(request: Request, before: int) -> str:
        if request.prompt_id == odd and request.attempt == 0:
            raise error
        return echo(request, before)

    target = PlainTarget(reply)
    result = run(store, target)
    assert (result.progress.answered, result.progress.errored) == (99, 1)
    [(_, output)] = store.outputs("target", odd)
    assert output.error == message
    again = run(store, target)
    assert (again.progress.answered, again.progress.errored, again.progress.done) == (100, 0, 100)
    assert target.asked[-1].attempt == 1


def test_wrong_outputs_are_errors(store: Store) -> None:
    """A target that answers something else than it was asked is not believed."""

    class Mixed(PlainTarget):
        async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
            given = await super().generate(requests, seed=seed)
            return [output.model_copy(update={"repeat": 5}) for output in given]

    problem = failure(store, Mixed(echo))
    assert isinstance(problem, IncompleteError)
    assert "the target gave outputs" in str(problem)


def test_an_absent_target_stops_at_once(store: Store) -> None:
    """When nothing but the same connection failure comes, ten of them are enough."""
    target = PlainTarget(absent)
    problem = failure(store, target)
    assert isinstance(problem, TargetUnreachableError)
    assert "target: cannot be reached: connection refused" in str(problem)
    assert len(target.asked) < 30
    assert store.counts("target", 1).not_asked == 100


def test_a_small_run_on_an_absent_target_says_so(tmp_path: Path) -> None:
    """Fewer requests than the breaker needs end with the same error."""
    with Store.create(tmp_path) as store:
        store.add_prompts(make_prompts(1))
        assert isinstance(failure(store, PlainTarget(absent)), TargetUnreachableError)


def test_a_fatal_error_keeps_what_was_had(store: Store) -> None:
    """A wrong key stops everything; answers before it are stored, the rest is not asked."""

    def reply(request: Request, before: int) -> str:
        if before == 30:
            raise FatalTargetError("invalid key")
        return echo(request, before)

    target = PlainTarget(reply, max_in_flight=1)
    problem = failure(store, target)
    assert isinstance(problem, TargetUnreachableError)
    assert str(problem) == "target: invalid key"
    counts = store.counts("target", 1)
    assert (counts.answered, counts.errored, counts.not_asked) == (30, 0, 70)


def test_a_target_that_cancels_its_task_is_no_success(store: Store) -> None:
    """What was not asked is said, whatever a plug-in does to the task it runs in."""

    def reply(request: Request, before: int) -> str:
        if before == 30:
            raise asyncio.CancelledError
        return echo(request, before)

    problem = failure(store, PlainTarget(reply, max_in_flight=1))
    assert isinstance(problem, IncompleteError)
    assert "were not asked" in str(problem)
    assert store.counts("target", 1).answered == 30


def test_too_many_errors_stop_the_run(store: Store) -> None:
    """When a fifth of the last outputs errored, collection stops with an example, resumable."""

    def reply(request: Request, before: int) -> str:
        if before >= 40:
            raise TargetError(f"model crashed, {'oddly ' * (before % 2)}")
        return echo(request, before)

    problem = failure(store, PlainTarget(reply, max_in_flight=1), limits=Limits(error_rate=0.2))
    assert isinstance(problem, IncompleteError)
    assert "limits.error_rate: 11 of the last 51 outputs errored" in str(problem)
    assert "model crashed" in str(problem)
    assert run(store, PlainTarget(echo)).progress.answered == 100


def test_the_same_error_again_and_again_stops_the_run(store: Store) -> None:
    """Ten calls in a row with the same error, but for numbers in it, are enough, also after successes."""

    def reply(request: Request, before: int) -> str:
        if before >= 40:
            raise TargetError(f"request {before} failed: model crashed")
        return echo(request, before)

    target = PlainTarget(reply, max_in_flight=1)
    problem = failure(store, target, limits=Limits(error_rate=1.0))
    assert isinstance(problem, IncompleteError)
    assert "10 calls in a row ended in the same error: request 49 failed: model crashed" in str(problem)
    counts = store.counts("target", 1)
    assert (counts.answered, counts.errored, counts.not_asked) == (40, 10, 50)


def test_what_fails_last_of_those_begun_together_stops_nothing(store: Store) -> None:
    """Prompts that fail however often they are tried end in a row after all others: the run goes on."""

    def reply(request: Request, before: int) -> str:
        if int(request.messages[0].content.split()[-1]) % 3 == 0:
            raise RetryableTargetError("malformed response")
        return echo(request, before)

    result = run(store, PlainTarget(reply, max_in_flight=100), limits=Limits(error_rate=1.0))
    assert (result.progress.answered, result.progress.errored) == (66, 34)


def test_targets_of_one_model_share_its_limit(store: Store) -> None:
    """Target and baseline at one address and model together keep its limit; at two, each has its own."""
    in_flight = most = 0

    class Served(PlainTarget):
        async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
            nonlocal in_flight, most
            in_flight += 1
            most = max(most, in_flight)
            try:
                return await super().generate(requests, seed=seed)
            finally:
                in_flight -= 1

    for models, together in ((("m", "m"), 4), (("m", "n"), 8)):
        most = 0
        targets = [
            Served(
                echo,
                name=f"{name}{together}",
                delay_s=0.01,
                max_in_flight=4,
                hosts=("127.0.0.1:9",),
                facts={"base_url": "http://127.0.0.1:9/v1", "model": model},
            )
            for name, model in zip(("target", "baseline"), models, strict=True)
        ]
        result = run(store, *targets)
        assert result.progress.answered == 200
        assert result.progress.limit == most == together


@pytest.mark.parametrize(
    ("limits", "answered"),
    [(Limits(requests=30), {30}), (Limits(tokens=300), {30, 31}), (Limits(minutes=0.005), set(range(1, 99)))],
)
def test_a_limit_stops_cleanly_and_resumes(store: Store, limits: Limits, answered: set[int]) -> None:
    """At a limit the answers had are kept, the error names the limit, and the rest can be asked later."""
    target = PlainTarget(echo, max_in_flight=1, delay_s=0.01)
    problem = failure(store, target, limits=limits)
    assert isinstance(problem, BudgetReachedError)
    assert "limits." in str(problem)
    assert store.counts("target", 1).answered in answered
    assert len(target.asked) == store.counts("target", 1).answered
    assert run(store, target).progress.answered == 100
    assert len(target.asked) == 100


def test_a_limit_that_is_just_enough_is_not_reached(store: Store) -> None:
    """A plan that fits its limit exactly ends without an error, also in batches."""
    assert run(store, PlainTarget(echo, batch_size=7), limits=Limits(requests=100)).progress.answered == 100


def test_a_batch_is_cut_to_the_requests_left(store: Store) -> None:
    """A limit in requests is used up exactly, whatever the batch size."""
    failure(store, PlainTarget(echo, batch_size=8), limits=Limits(requests=30))
    assert store.counts("target", 1).answered == 30


def test_money_is_counted_where_the_price_is_known(store: Store) -> None:
    """A published price gives a cost; an unknown one gives None, and with a limit in money an error."""
    facts = {"model": "ft:gpt-4o-mini-2024-07-18:org::id", "base_url": "https://api.openai.com/v1"}
    priced = PlainTarget(echo, hosts=("api.openai.com:443",), facts=facts, max_in_flight=1)
    problem = failure(store, priced, limits=Limits(usd=0.0001))
    assert isinstance(problem, BudgetReachedError)
    assert "limits.usd: 0.0001 reached" in str(problem)
    assert store.counts("target", 1).answered == 27  # 5 times $0.15 and 5 times $0.60 a million tokens each
    facts = {"model": "my-ft", "base_url": "http://127.0.0.1:8000/v1"}
    local = PlainTarget(echo, hosts=("127.0.0.1:8000",), facts=facts)
    problem = failure(store, local, limits=Limits(usd=5))
    assert isinstance(problem, SpecError)
    assert "limits.usd: got 5.0, but no price is known for model 'my-ft' of target" in str(problem)
    assert run(store, local).progress.usd is None


def test_tokens_are_estimated_where_they_are_not_counted(store: Store) -> None:
    """Without usage, tokens are a labelled estimate."""

    class Silent(PlainTarget):
        def _output(self, request: Request, text: str) -> Output:
            return super()._output(request, text).model_copy(update={"usage": None})

    last = run(store, Silent(echo)).progress
    assert last.tokens_estimated
    assert last.tokens == 600  # "Question 7" is 10 or 11 characters, so 3 tokens, twice


def test_progress_is_told_and_adds_up(store: Store) -> None:
    """Reports come while collecting, never fall back, and end with everything done."""
    reports: list[Progress] = []
    run(store, PlainTarget(echo, delay_s=0.03, max_in_flight=4), progress=reports.append)
    assert 3 <= len(reports) <= 15
    assert [r.done for r in reports] == sorted(r.done for r in reports)
    assert reports[-1].done == reports[-1].planned == 100
    assert any(r.in_flight == 4 and r.oldest_waiting_s is not None for r in reports)
    assert any(r.left_s is not None and 0 < r.left_s < 5 for r in reports[:-1])
    assert all(r.limit == 4 for r in reports)


def test_a_stopped_run_keeps_where_it_was(tmp_path: Path) -> None:
    """What was asked page by page is kept, with what it took, so that going on need not look at it again."""
    with Store.create(tmp_path) as store:
        store.add_prompts(make_prompts(1200))
        store.keep_order(order_seed(7))
        failure(store, PlainTarget(echo), limits=Limits(requests=700))
        assert json.loads(store.get_meta("asked") or "{}") == {"targets": ["target"], "places": [512]}
        assert json.loads(store.get_meta("use.target") or "{}")["sums"]["outputs"] == 700
        assert run(store, PlainTarget(echo)).progress.answered == 1200


def interrupt_after(seconds: Sequence[float], number: signal.Signals = signal.SIGINT) -> None:
    """Send Ctrl-C, or another signal, to this process after each of some times."""
    for second in seconds:
        threading.Timer(second, os.kill, (os.getpid(), number)).start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_for_what_is_in_flight(store: Store, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM take no new work, store what was in flight, and restore the handler."""
    before = signal.getsignal(number)
    target = PlainTarget(echo, delay_s=0.3, max_in_flight=4)
    interrupt_after([0.4], number)
    result = run(store, target)
    assert result.interrupted
    assert store.counts("target", 1).answered == len(target.asked) == 8
    assert signal.getsignal(number) is before
    assert run(store, PlainTarget(echo)).progress.answered == 100


def test_the_callers_handler_comes_back(store: Store) -> None:
    """A Ctrl-C handler that was there before a collection is there after it."""

    def own(_signal: int, _frame: object) -> None:
        """Stand in for an application's handler."""

    async def around() -> object:
        before = signal.signal(signal.SIGINT, own)
        try:
            await collect(store, {"target": PlainTarget(echo)}, CollectionPlan(repeats=1, seed=7))
            return signal.getsignal(signal.SIGINT)
        finally:
            signal.signal(signal.SIGINT, before)

    assert asyncio.run(around()) is own


def test_a_second_interrupt_ends_at_once(store: Store) -> None:
    """The second Ctrl-C gives up what is in flight, and keeps what was answered."""
    target = PlainTarget(echo, delay_s=30, max_in_flight=4)
    interrupt_after([0.2, 0.5])
    result = run(store, target)
    assert result.interrupted
    assert result.progress.elapsed_s < 5
    assert store.counts("target", 1).not_asked == 100


def test_the_grace_ends(store: Store) -> None:
    """A call that hangs is not waited for longer than the grace."""
    interrupt_after([0.2])
    result = run(store, PlainTarget(echo, delay_s=30), grace_s=0.3)
    assert result.interrupted
    assert result.progress.elapsed_s < 5


def test_a_full_disk_stops_the_run(store: Store) -> None:
    """A disk that refuses stops collection with its own error; what was acknowledged stays."""
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    problem = failure(store, PlainTarget(long_text, max_in_flight=1, delay_s=0.01))
    assert isinstance(problem, StoreError)
    assert "the disk is full" in str(problem)


def test_a_failing_display_is_not_hidden(store: Store) -> None:
    """A fault in the progress callback comes out, after the answers had were stored."""

    def broken(_: Progress) -> None:
        raise LookupError("display broke")

    target = PlainTarget(echo, delay_s=0.05, max_in_flight=2)
    with pytest.raises(LookupError, match="display broke"):
        run(store, target, progress=broken)
    assert store.counts("target", 1).answered >= 2


def test_collecting_outside_the_main_thread_works(store: Store) -> None:
    """Where no signal can be handled, collection runs all the same."""
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(run(store, PlainTarget(echo)).progress.done))
    thread.start()
    thread.join()
    assert done == [100]


def test_concurrency_falls_when_the_target_is_overrun(store: Store) -> None:
    """Refusals for being too fast lower the limit in flight, and everything is answered all the same."""
    limits: list[int] = []

    def reply(request: Request, before: int) -> str:
        if before >= 40 and before % 2:
            raise RetryableTargetError("429", retry_after_s=0.01)
        return echo(request, before)

    target = PlainTarget(reply, delay_s=0.05, max_in_flight=8)
    retry = RetryPolicy(attempts=100, base_s=0.001)
    result = run(store, target, retry=retry, progress=lambda progress: limits.append(progress.limit))
    assert result.progress.answered == 100
    assert min(limits) < limits[0] == 8


def test_cut_and_empty_answers_are_warned_of_while_running(store: Store) -> None:
    """Once twenty outputs are done, a twentieth of them cut or empty is said, and not before or below."""

    class Cut(PlainTarget):
        def _output(self, request: Request, text: str) -> Output:
            number = int(text.rsplit(maxsplit=1)[-1])
            update = {"finish_reason": "length"} if number % 10 == 0 else {}
            return super()._output(request, "" if number % 11 == 1 else text).model_copy(update=update)

    reports: list[Progress] = []
    last = run(store, Cut(echo, delay_s=0.03, max_in_flight=4), progress=reports.append).progress
    cut, empty = last.warnings
    assert cut.startswith(f"{last.truncated} of 100 outputs are cut at the limit of tokens")
    assert empty.startswith(f"{last.empty} of 100 outputs are empty")
    assert any(report.warnings for report in reports if report.done < 100)
    assert not any(report.warnings for report in reports if report.done < 20)
    assert Progress(planned=100, done=100, answered=95, truncated=5).warnings == ()


def test_sets_and_targets_are_interleaved_in_time(tmp_path: Path) -> None:
    """Members of a set are asked one after the other, and a slow baseline stays close to the target."""
    sets, members = 60, 3
    order: list[tuple[str, str]] = []

    class Noting(PlainTarget):
        async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
            order.extend((self.info.name, request.prompt_id) for request in requests)
            return await super().generate(requests, seed=seed)

    prompts = open_questions(sets * members, templates=5, members=members)
    set_of = {prompt.id: prompt.set_id for prompt in prompts}
    with Store.create(tmp_path) as store:
        store.add_prompts(prompts)
        run(
            store,
            Noting(echo, name="target", delay_s=0.001, max_in_flight=4),
            Noting(echo, name="baseline", delay_s=0.01, max_in_flight=4),
        )
    for name in ("target", "baseline"):
        mine = [set_of[prompt] for asked, prompt in order if asked == name]
        spans = [len(mine) - mine[::-1].index(one) - mine.index(one) for one in set(mine)]
        assert max(spans) == members
    place = {one: number for number, one in enumerate(order)}
    apart = [abs(place["target", prompt.id] - place["baseline", prompt.id]) for prompt in prompts]
    # Two queues of twice the calls in flight, and the calls themselves.
    assert max(apart) <= 2 * 3 * 4 + members
