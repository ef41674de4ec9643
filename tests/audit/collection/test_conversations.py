"""Conversations are asked turn after turn, taken up where they stopped, and counted turn by turn."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from audit.collection import CollectionPlan, CollectionResult, RetryPolicy, collect
from audit.collection.caching import keep_answers, take_answers
from audit.collection.use import UseCounter, target_uses
from audit.errors import AuditError, BudgetReachedError
from audit.records import Exchange, Output, Request, Score, Usage
from audit.response_cache import ResponseCache
from audit.spec import Limits
from audit.store.store import Store
from audit.targets.base import TargetError, TargetInfo
from probes.base import Options as PluginOptions
from probes.records import Prompt

TALKS = 6
TURNS = 3


class Talker:
    """A target that says how many messages it was sent, and remembers them."""

    Options: ClassVar[type[PluginOptions]] = PluginOptions

    def __init__(self, reply: Callable[[Request], str | None] | None = None, **info: object) -> None:
        """Ready; `info` are further fields of `TargetInfo`."""
        self.info = TargetInfo(name="target", deterministic=True, **info)  # type: ignore[arg-type] # tests say which fields
        self.asked: list[Request] = []
        self._reply = reply or (lambda request: f"{len(request.messages)} messages")

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:  # noqa: ARG002 - as above
        """Reply to each."""
        await asyncio.sleep(0)
        self.asked += requests
        return [
            Output(
                target="target",
                prompt_id=request.prompt_id,
                turn=request.turn,
                repeat=request.repeat,
                attempt=request.attempt,
                text=text,
                refusal=None if text is not None else "no",
                usage=Usage(prompt_tokens=5, completion_tokens=5),
            )
            for request in requests
            for text in [self._reply(request)]
        ]

    async def aclose(self) -> None:
        """Nothing to give back."""


def talks(**fields: object) -> list[Prompt]:
    """Conversations of three turns, and as many prompts of one."""
    return [
        Prompt.make(
            messages=[{"role": "user", "content": f"Question {number}"}],
            probe="p",
            template=f"t{number % 2}",
            domain="d",
            expectation={"kind": "open"},
            **(fields if number < TALKS else {}),
        )
        for number in range(2 * TALKS)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A plan of conversations and single prompts."""
    with Store.create(tmp_path / "run") as made:
        made.add_prompts(talks(further=["And then?", "Why?"]))
        yield made


def run(store: Store, target: Talker, *, repeats: int = 1, **plan: object) -> CollectionResult:
    """Collect from a target."""
    how = {"retry": RetryPolicy(attempts=1), **plan}
    made = CollectionPlan(repeats=repeats, seed=7, **how)  # type: ignore[arg-type] # tests say which fields
    return asyncio.run(collect(store, {"target": target}, made))


def said(request: Request) -> list[str]:
    """What was sent, as texts."""
    return [message.content for message in request.messages]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_every_turn_is_asked_once_with_the_replies_in_between(store: Store, batch_size: int) -> None:
    """Within a repeat the second turn holds the first reply, the third both; nothing is asked twice."""
    target = Talker(batch_size=batch_size, max_in_flight=2)
    result = run(store, target, repeats=2)
    planned = 2 * (TALKS * TURNS + TALKS)
    assert Counter((r.prompt_id, r.turn, r.repeat) for r in target.asked).most_common(1)[0][1] == 1
    assert len(target.asked) == planned == store.counts("target", 2).answered
    assert (result.progress.planned, result.progress.requests >= planned / batch_size) == (planned, True)
    last = [said(request) for request in target.asked if request.turn == 2]
    assert {tuple(one[1:]) for one in last} == {("1 messages", "And then?", "3 messages", "Why?")}
    assert len(last) == 2 * TALKS


def test_whole_conversations_come_first_when_a_limit_ends_the_run(store: Store) -> None:
    """Budgets count every turn; a run that stops holds whole conversations, not beginnings of all."""
    target = Talker(max_in_flight=1)
    with pytest.raises(BudgetReachedError):
        run(store, target, limits=Limits(requests=10))
    counts = store.counts("target", 1)
    assert (counts.answered, counts.missing) == (10, TALKS * TURNS + TALKS - 10)
    ended = Counter(request.prompt_id for request in target.asked)
    assert sum(1 for asked in ended.values() if asked == TURNS) >= 2


def test_a_run_goes_on_in_the_middle_of_a_conversation(store: Store) -> None:
    """However often it is stopped, no stored turn is asked again and every history is the stored one."""
    asked: list[Request] = []
    for stops in range(30):
        target = Talker(lambda request: f"reply {request.turn} to {request.prompt_id}", max_in_flight=2)
        try:
            run(store, target, limits=Limits(requests=2 + stops % 3))
        except BudgetReachedError:
            asked += target.asked
            continue
        asked += target.asked
        break
    assert Counter((r.prompt_id, r.turn) for r in asked).most_common(1)[0][1] == 1
    assert len(asked) == TALKS * TURNS + TALKS
    for request in asked:
        replies = [message.content for message in request.messages if message.role == "assistant"]
        assert replies == [f"reply {turn} to {request.prompt_id}" for turn in range(request.turn)]


def test_a_conversation_that_breaks_off_is_counted_and_is_complete(store: Store) -> None:
    """After a refusal later turns are not asked, by anybody, and the run counts them apart."""
    target = Talker(lambda request: None if request.turn == 1 else "yes")
    result = run(store, target)
    counts = store.counts("target", 1)
    assert (counts.refused, counts.not_asked, counts.broken_off, counts.missing) == (TALKS, TALKS, TALKS, 0)
    assert (result.progress.broken_off, result.progress.left_s) == (TALKS, 0.0)
    again = Talker()
    run(store, again)
    assert again.asked == []


def test_a_turn_that_errored_is_asked_again_and_the_rest_after_it(store: Store) -> None:
    """An error ends a conversation for this invocation only."""

    def failing(request: Request) -> str:
        if request.turn == 1:
            raise TargetError("no")
        return "fine"

    with pytest.raises(AuditError, match=r"limits\.error_rate"):
        run(store, Talker(failing))
    before = store.counts("target", 1)
    assert (before.errored, before.broken_off, before.not_asked) == (TALKS, 0, TALKS)
    target = Talker()
    run(store, target)
    assert Counter((r.turn, r.attempt) for r in target.asked) == {(1, 1): TALKS, (2, 0): TALKS}
    assert store.counts("target", 1).answered == TALKS * TURNS + TALKS


def test_what_is_screened_is_never_said_again(store: Store) -> None:
    """A reply that must not be stored ends the conversation instead of becoming its history."""
    target = Talker(lambda request: "forbidden" if request.turn == 0 else "fine")
    run(store, target, screen=lambda text: "withheld" if "forbidden" in text else None)
    assert {request.turn for request in target.asked} == {0}
    assert store.counts("target", 1).broken_off == TALKS * (TURNS - 1)


@pytest.mark.parametrize(
    ("judged", "replies", "reply"), [(None, 2, "reply 2"), (0, 0, "reply 0"), (1, 1, "reply 1")]
)
def test_analyzers_see_the_history_and_the_reply_that_is_judged(
    tmp_path: Path, judged: int | None, replies: int, reply: str
) -> None:
    """One reply of a conversation is scored, with all said before it; the frame has one row of it."""
    with Store.create(tmp_path / "run") as store:
        store.add_prompts(talks(further=["And then?", "Why?"], judged=judged))
        run(store, Talker(lambda request: f"reply {request.turn}"))
        seen: list[Exchange] = [one for page in store.exchanges("a", "1") for one in page]
        assert len(seen) == 2 * TALKS
        longest = max(seen, key=lambda one: len(one.messages))
        assert [one.role for one in longest.messages] == ["user", *["assistant", "user"] * replies]
        judged_ones = [one for one in seen if one.reply == reply]
        assert store.exchange(judged_ones[0].output) == judged_ones[0]
        scores = [
            Score(output=one.output, analyzer="a", version="1", measure="m", value=1.0, label="x")
            for one in seen
        ]
        store.add_scores("a", "1", [one.output for one in seen], scores)
        frame = store.frame("target")
        assert len(frame) == 2 * TALKS == frame["value"].sum()


def test_a_conversation_that_broke_off_is_one_row_without_a_score(store: Store) -> None:
    """It stays countable by how it ended; one that is still going on is not asked yet."""
    run(store, Talker(lambda request: None if request.turn == 1 else "yes"))
    assert [len(page) for page in store.exchanges("a", "1")] == [TALKS]
    frame = store.frame("target")
    assert Counter(frame["outcome"]) == {"refused": TALKS, "answered": TALKS}


def test_a_cache_gives_back_whole_conversations(tmp_path: Path) -> None:
    """A turn is found by its history, so a second run asks nothing at all."""
    target, plan = Talker(hosts=("h",)), CollectionPlan(repeats=1, seed=7)
    with ResponseCache.open(tmp_path / "cache") as cache:
        for name in ("one", "two"):
            with Store.create(tmp_path / name) as store:
                store.add_prompts(talks(further=["And then?", "Why?"]))
                found = take_answers(store, {"target": target}, plan, cache)
                run(store, target)
                keep_answers(store, {"target": target}, plan, cache)
    assert found == TALKS * TURNS + TALKS
    assert len(target.asked) == TALKS * TURNS + TALKS


def test_tokens_nobody_counted_are_estimated_with_the_history(tmp_path: Path) -> None:
    """What is sent grows with every turn, and so does the estimate of a run without counts."""

    class Uncounted(Talker):
        """A server that counts nothing."""

        async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
            """Reply without a count."""
            outputs = await super().generate(requests, seed=seed)
            return [output.model_copy(update={"usage": None}) for output in outputs]

    with Store.create(tmp_path / "run") as store:
        store.add_prompts(talks(further=["x" * 400])[:1])
        run(store, Uncounted(lambda _: "y" * 400))
    (use,) = target_uses(tmp_path / "run" / "run.sqlite", UseCounter({"target": Talker().info}, {})).values()
    assert use.prompt_tokens == 3 + (10 + 400 + 400 + 3) // 4
