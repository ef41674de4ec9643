"""Canaries tell when an endpoint changes, and only then."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.collection import CollectionPlan, collect
from audit.collection.canaries import CanaryPlan, read_canaries
from audit.comparing import _apart
from audit.drift import drift_of
from audit.errors import BudgetReachedError, StoreError
from audit.findings.document import RunDocument
from audit.records import Output, Request
from audit.records.canaries import CANARY_PROMPTS, CanaryAnswer
from audit.spec import Limits
from audit.store.store import Store
from probes.seeds import rng
from tests.audit.collection.test_runner import PlainTarget, echo, make_prompts

WORDS = [
    "calm",
    "bright",
    "street",
    "early",
    "light",
    "quiet",
    "rain",
    "leaves",
    "door",
    "step",
    "cat",
    "bread",
    "shop",
    "bell",
    "cold",
    "air",
]


def rounds(count: int, text: Callable[[int, int], str], **more: Callable[[int], str]) -> list[CanaryAnswer]:
    """Answers of some rounds; further fields by round."""
    return [
        CanaryAnswer(
            target="target",
            round=number,
            prompt=prompt,
            done=number,
            text=text(number, prompt),
            prompt_tokens=3,
            completion_tokens=4,
            **{name: of(number) for name, of in more.items()},
        )
        for number in range(count)
        for prompt in range(len(CANARY_PROMPTS))
    ]


def drawn(number: int, prompt: int, words: list[str] = WORDS) -> str:
    """An answer of a model that draws its words."""
    return " ".join(rng(5, "drawn", number, prompt).choice(words, size=30))


def test_another_model_is_a_change() -> None:
    """A name that is another from some round on is a change; ones that alternate or never repeat are none."""
    changed = drift_of(rounds(4, drawn, model=lambda number: f"m{number // 2}"), deterministic=False, seed=7)
    assert changed.drifted is True
    assert "the model changed after 2 of 4 rounds: 'm0' before, 'm1' after" in changed.reasons[0]
    for name in (lambda number: f"m{number % 2}", lambda number: f"m{number}"):
        assert drift_of(rounds(12, drawn, model=name), deterministic=False, seed=7).drifted is False


@pytest.mark.parametrize(
    ("name", "notice"),
    [
        (lambda number: f"fp{number // 6}", "the fingerprint changed after 6 of 12 rounds: 'fp0' before, "),
        (lambda number: f"fp{number}", None),
        (lambda number: f"fp{number % 3}", None),
    ],
)
@pytest.mark.parametrize("deterministic", [False, True])
def test_a_fingerprint_alone_is_no_change(
    name: Callable[[int], str], notice: str | None, *, deterministic: bool
) -> None:
    """One that changed for good is a notice; a new one a round, or some in turn, not even that."""

    def same(_: int, prompt: int) -> str:
        return f"answer {prompt}"

    answers = rounds(12, same if deterministic else drawn, fingerprint=name)
    found = drift_of(answers, deterministic=deterministic, seed=7)
    assert found.drifted is False
    assert [one.startswith(notice or "?") for one in found.notices] == ([True] if notice else [])


def test_at_temperature_0_texts_must_stay() -> None:
    """Answers that change for good are a change; a prompt that flickers is none, nor are equal ones."""
    for count, text, drifted in (
        (6, lambda number, _: f"answer {number // 3}", True),
        (6, lambda number, prompt: f"answer {number % 2 if prompt == 0 else 0}", False),
        (6, lambda _, prompt: f"answer {prompt}", False),
        (2, lambda _, prompt: f"answer {prompt}", False),
        (2, lambda number, _: f"answer {number}", None),
    ):
        assert drift_of(rounds(count, text), deterministic=True, seed=7).drifted is drifted


@pytest.mark.parametrize("count", [2, 4, 6, 12])
def test_a_server_that_flickers_between_two_texts_is_no_other_one(count: int) -> None:
    """At temperature 0 answers vary by chance on many servers: false alarms stay below 2 % of runs."""
    draws = rng(7, "flicker")
    alarms = 0
    for _ in range(300):
        texts = draws.integers(2, size=(count, len(CANARY_PROMPTS)))
        answers = rounds(count, lambda number, prompt, of=texts: str(of[number, prompt]))  # type: ignore[misc]
        alarms += drift_of(answers, deterministic=True, seed=7).drifted is True
    assert alarms <= 6


def test_answers_that_are_drawn_are_tested_as_a_whole() -> None:
    """Other words from the middle on are found; the same words throughout are not, nor in too few rounds."""
    steady = drift_of(rounds(12, drawn), deterministic=False, seed=7)
    assert (steady.drifted, steady.answers, steady.prompt_tokens) == (False, 48, 144)
    assert steady.p_value is not None
    assert steady.p_value > 0.01
    moved = rounds(12, lambda number, prompt: drawn(number, prompt, WORDS[:8] if number < 6 else WORDS[5:]))
    found = drift_of(moved, deterministic=False, seed=7)
    assert found.drifted is True
    assert "changed after 6 of 12 rounds" in found.reasons[0]
    few = drift_of(rounds(3, drawn), deterministic=False, seed=7)
    assert few.drifted is None
    assert few.reasons == ("too few rounds to say: 3 with all answers",)


def test_a_run_whose_endpoint_changed_is_not_comparable() -> None:
    """Whichever of two runs it is, the reason names it; steady runs are comparable."""
    steady, changed = (
        RunDocument(
            run="r",
            seed=7,
            spec_sha256="s",
            prompts_sha256="p",
            analyzers={},
            targets={},
            counts={},
            versions={},
            estimates=(),
            group_rates=(),
            findings=(),
            drift={"target": drift_of(rounds(2, drawn, model=of), deterministic=False, seed=7)},
        )
        for of in (lambda _: "m", lambda number: f"m{number}")
    )
    assert _apart(steady, steady, "after") is None
    for before, after, name in ((steady, changed, "after"), (changed, steady, "before")):
        reason = _apart(before, after, "after")
        assert reason is not None
        assert f"the endpoint of the target of the run {name} changed meanwhile: the model changed" in reason


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a hundred prompts."""
    made = Store.create(tmp_path / "run")
    made.add_prompts(make_prompts(100))
    return made


def served() -> PlainTarget:
    """A target with a host, so that it may change."""
    return PlainTarget(echo, hosts=("127.0.0.1:9",), delay_s=0.02, max_in_flight=4)


def test_canaries_are_asked_beside_the_plan(store: Store, tmp_path: Path) -> None:
    """Rounds come at the start, in between and at the end, are no outputs, and go on in a later process."""
    canaries = CanaryPlan(rounds=4, path=tmp_path / "canaries.jsonl")
    target, local = served(), PlainTarget(echo, name="local")
    plan = CollectionPlan(repeats=1, seed=7, canaries=canaries)
    with store:
        result = asyncio.run(collect(store, {"target": target, "local": local}, plan))
        assert result.progress.answered == 200
        assert result.progress.requests == 200 + 16
        assert store.counts("target", 1).answered == 100
        answers = read_canaries(canaries.path)
        assert [(one.round, one.prompt) for one in answers] == [(r, p) for r in range(4) for p in range(4)]
        assert {one.target for one in answers} == {"target"}
        assert {answer.text for answer in answers} == set(CANARY_PROMPTS)
        done = [answers[4 * number].done for number in range(4)]
        assert done[0] == 0
        assert done == sorted(done)
        assert 0 < done[1] < done[3] == 200
        asyncio.run(collect(store, {"target": target}, plan))
        assert len(read_canaries(canaries.path)) == 16, "nothing was left to ask, so nothing can have changed"


def test_canaries_count_towards_the_limits(store: Store, tmp_path: Path) -> None:
    """A limit in requests holds with canaries, and those without room are errors, not answers."""
    canaries = CanaryPlan(rounds=3, path=tmp_path / "canaries.jsonl")
    plan = CollectionPlan(repeats=1, seed=7, canaries=canaries, limits=Limits(requests=30))
    target = served()
    with store, pytest.raises(BudgetReachedError):
        asyncio.run(collect(store, {"target": target}, plan))
    assert len(target.asked) == 30


def test_a_failing_canary_is_an_error_and_stops_nothing(store: Store, tmp_path: Path) -> None:
    """Whatever a canary meets is kept as its error."""

    class Odd(PlainTarget):
        def _output(self, request: Request, text: str) -> Output:
            if request.prompt_id.startswith("canary"):
                raise ZeroDivisionError("odd\nerror")
            return super()._output(request, text)

    canaries = CanaryPlan(rounds=2, path=tmp_path / "canaries.jsonl")
    plan = CollectionPlan(repeats=1, seed=7, canaries=canaries)
    with store:
        result = asyncio.run(collect(store, {"target": Odd(echo, hosts=("127.0.0.1:9",))}, plan))
    assert result.progress.answered == 100
    assert {one.error for one in read_canaries(canaries.path)} == {"ZeroDivisionError: odd error"}


def test_half_a_line_is_passed_over_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    """What a killed process left unfinished costs nothing; damage elsewhere is said."""
    path = tmp_path / "canaries.jsonl"
    line = json.dumps(rounds(1, drawn)[0].model_dump(mode="json"))
    path.write_text(f"{line}\n{line[:20]}", encoding="utf-8")
    assert len(read_canaries(path)) == 1
    path.write_text(f"{line[:20]}\n{line}\n", encoding="utf-8")
    with pytest.raises(StoreError, match="line 1 is damaged"):
        read_canaries(path)
