"""The application target with real applications in a module: set up, asked and torn down whatever happens."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.records import Outcome, Request
from audit.targets.base import FatalTargetError, RetryableTargetError, TargetContext
from audit.targets.python.application import ApplicationOptions, ApplicationTarget
from audit.targets.request_template import request_seed
from probes.records import Message
from tests.audit.targets.openai_asking import outputs_of

Ask = Callable[..., Request]
_SOURCE = '''
import asyncio, json, sqlite3, threading, time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

def note(log, word):
    with Path(log).open("a") as file:
        file.write(word + "\\n")

@contextmanager
def store(log, documents=()):
    """Retrieval over a database that only its own thread may use, as SQLite wants it."""
    note(log, "open")
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE documents(text)")
    base.executemany("INSERT INTO documents VALUES (?)", [[one] for one in documents])
    def ask(prompt):
        if prompt == "fail":
            raise KeyError("no such\\ncustomer")
        found = base.execute("SELECT text FROM documents WHERE ? LIKE '%' || text || '%'", [prompt])
        return "found: " + ", ".join(row[0] for row in found)
    try:
        yield ask
    finally:
        base.close()
        note(log, "close")

@asynccontextmanager
async def agent(log):
    """An agent with a memory."""
    await asyncio.sleep(0)
    memory = []
    note(log, "open")
    async def ask(messages, seed=None):
        memory.append(messages[-1]["content"])
        if memory[-1] == "hang":
            await asyncio.sleep(60)
        return json.dumps({"memory": memory, "seed": seed, "roles": [m["role"] for m in messages]})
    try:
        yield ask
    finally:
        note(log, "close")

@contextmanager
def untidy(log):
    yield str.upper
    raise RuntimeError("left something behind")

@contextmanager
def closed(log):
    raise OSError("no store")
    yield

@contextmanager
def slow(log):
    yield lambda prompt: time.sleep(30)

@contextmanager
def counting(log):
    yield len

@contextmanager
def nothing(log):
    yield 3

def plain(log):
    return 3
'''


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the applications note what was opened and closed; the module lies beside it."""
    (tmp_path / "an_application.py").write_text(_SOURCE, encoding="utf-8")
    return tmp_path / "log"


@pytest.fixture
def target(log: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ApplicationTarget]]:
    """Makes a target of an application of the module."""
    import sys  # noqa: PLC0415 - its table of modules is put back below

    before = sys.modules.pop("an_application", None)

    def make(name: str, **options: object) -> ApplicationTarget:
        settings = {"log": str(log), **options.pop("settings", {})}  # type: ignore[dict-item] # a mapping
        given = {"open": f"an_application:{name}", "settings": settings, **options}
        return ApplicationTarget(
            ApplicationOptions.model_validate(given), TargetContext(name="target", root=log.parent)
        )

    yield make
    sys.modules.pop("an_application", None)
    if before is not None:
        monkeypatch.setitem(sys.modules, "an_application", before)


def noted(log: Path) -> list[str]:
    """What was opened and closed, in order."""
    return log.read_text(encoding="utf-8").split()


def many(ask: Ask, *texts: str) -> list[Request]:
    """One request a text."""
    return [ask(text, prompt_id=f"p{place}") for place, text in enumerate(texts)]


def test_a_store_is_set_up_once_a_run(target: Callable[..., ApplicationTarget], log: Path, ask: Ask) -> None:
    """By `per: run` one store, used from one thread, answers all, and is closed when the target is."""
    made = target("store", per="run", settings={"documents": ["loan", "visa"]})
    outputs = outputs_of(made, many(ask, "a loan and a visa", "a job", "fail", "a loan"))
    assert [output.text for output in outputs] == ["found: loan, visa", "found: ", None, "found: loan"]
    assert outputs[2].error == "an_application:store raised KeyError: 'no such\\ncustomer'"
    assert noted(log) == ["open", "close"]


def test_no_conversation_meets_the_state_of_another(
    target: Callable[..., ApplicationTarget], log: Path, ask: Ask
) -> None:
    """By `per: conversation` an agent with a memory starts every request with an empty one."""
    made = target("agent", takes="messages", passes_seed=True, max_in_flight=3)
    requests = many(ask, "a", "b", "c", "d")
    said = [json.loads(output.text or "") for output in outputs_of(made, requests)]
    assert [one["memory"] for one in said] == [["a"], ["b"], ["c"], ["d"]]
    assert [one["seed"] for one in said] == [request_seed(7, request) for request in requests]
    assert sorted(noted(log)) == ["close"] * 4 + ["open"] * 4


def test_a_conversation_is_torn_down_when_it_fails_or_hangs(
    target: Callable[..., ApplicationTarget], log: Path, ask: Ask
) -> None:
    """What was opened is closed after an error, and after a coroutine that was ended for its time."""
    outputs_of(target("store"), [ask("fail")])
    with pytest.raises(RetryableTargetError, match="timeout_s"):
        outputs_of(target("agent", takes="messages", timeout_s=0.2), [ask("hang")])
    assert noted(log) == ["open", "close"] * 2


def test_a_call_that_hangs_in_its_thread_holds_nobody_up(
    target: Callable[..., ApplicationTarget], ask: Ask
) -> None:
    """A plain function that does not come back is left behind, and the next request is answered."""
    made = target("slow", timeout_s=0.2)

    async def twice() -> None:
        for _ in range(2):
            with pytest.raises(RetryableTargetError, match="no answer within"):
                await made.generate([ask("x")], seed=1)
        await made.aclose()

    asyncio.run(twice())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("untidy", "RuntimeError: left something behind"),
        ("closed", "OSError: no store"),
        ("counting", "gave int; accepted: str"),
        ("nothing", "entered, gave int; accepted: a function"),
        ("plain", "gave int; accepted: a context manager"),
    ],
)
def test_what_an_application_does_wrong_is_recorded(
    name: str, said: str, target: Callable[..., ApplicationTarget], ask: Ask
) -> None:
    """A set-up, answer or tear-down that fails makes an errored output with its cause."""
    (output,) = outputs_of(target(name), [ask("x")])
    assert output.outcome is Outcome.ERRORED
    assert said in (output.error or "")


def test_a_run_whose_setup_fails_stops(
    target: Callable[..., ApplicationTarget], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """By `per: run` there is nothing to ask without the set-up; a failing tear-down is told in the log."""
    with pytest.raises(FatalTargetError, match="set-up failed: an_application:closed raised OSError"):
        outputs_of(target("closed", per="run"), [ask("x")])
    (output,) = outputs_of(target("untidy", per="run"), [ask("x")])
    assert output.text == "X"
    assert "left something behind" in caplog.text


def test_conversations_are_handed_over_whole(target: Callable[..., ApplicationTarget], ask: Ask) -> None:
    """Turns of the assistant reach an application that takes messages; others say so and drop nothing."""
    turns = (Message(role="user", content="a"), Message(role="assistant", content="b"))
    request = ask("x").model_copy(update={"messages": (*turns, turns[0])})
    (output,) = outputs_of(target("agent", takes="messages"), [request])
    assert json.loads(output.text or "")["roles"] == ["user", "assistant", "user"]
    assert output.latency_s is not None
    (output,) = outputs_of(target("store"), [request])
    assert "set takes: messages" in (output.error or "")
    told = ask("x").model_copy(update={"messages": (Message(role="system", content="s"), turns[0])})
    (output,) = outputs_of(target("store"), [told])
    assert "there is a system message" in (output.error or "")


def test_an_application_that_is_not_there_is_told_before_the_run(
    target: Callable[..., ApplicationTarget],
) -> None:
    """A wrong name is an error of the spec."""
    with pytest.raises(InputError, match="open: 'an_application' has no 'absent'"):
        target("absent")
    assert isinstance(target("store").info.facts, dict)
