"""The function target with real modules in a folder: found beside the spec, every failure a record."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from audit.errors import InputError
from audit.records import Output, Request
from audit.targets.base import Target, TargetContext
from audit.targets.python.function import FunctionOptions, FunctionTarget
from probes.records import Message

Ask = Callable[..., Request]

_SOURCE = """
import sys
import threading
import time
from own_part import suffix

sys.path.append("changed by the module")
threads = set()

def shout(prompt):
    threads.add(threading.get_ident())
    return prompt.upper() + suffix

async def later(prompt):
    return prompt + suffix

def roles(messages):
    return " ".join(message["role"] for message in messages)

def broken(prompt):
    raise KeyError("no such\\ncustomer")

def number(prompt):
    return 3

def leave(prompt):
    sys.exit("no more")

def run_dry(prompt):
    return next(iter(()))

class _Mute(Exception):
    def __str__(self):
        raise ValueError

def mute(prompt):
    raise _Mute

async def give_up(prompt):
    import asyncio
    raise asyncio.CancelledError

def slow(prompt):
    time.sleep(0.2)
    return prompt

class Model:
    @staticmethod
    def answer(prompt):
        return "from a class"

not_callable = 7
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[str]:
    """A module of the user's beside the spec, with a name of its own for each test."""
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(_SOURCE, encoding="utf-8")
    (tmp_path / "own_part.py").write_text("suffix = '!'\n", encoding="utf-8")
    yield name
    for loaded in (name, "own_part"):
        sys.modules.pop(loaded, None)


def outputs_of(target: Target, requests: Sequence[Request]) -> Sequence[Output]:
    """What a target answers, in an event loop of its own."""

    async def run() -> Sequence[Output]:
        try:
            return await target.generate(requests, seed=7)
        finally:
            await target.aclose()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "text"), [("shout", "HI!"), ("later", "hi!"), ("Model.answer", "from a class")]
)
def test_plain_and_coroutine_functions_answer(
    name: str, text: str, module: str, context: TargetContext, ask: Ask
) -> None:
    """A function beside the spec is found with its own imports, and the search path is as before."""
    before = list(sys.path)
    target = FunctionTarget(FunctionOptions(call=f"{module}:{name}", deterministic=True), context)
    assert sys.path == before
    assert target.info.deterministic
    (output,) = outputs_of(target, [ask("hi", repeat=2)])
    assert (output.text, output.error, output.repeat) == (text, None, 2)


def test_plain_function_runs_off_the_event_loop(module: str, context: TargetContext, ask: Ask) -> None:
    """A blocking function runs in a thread, so several calls overlap."""
    target = FunctionTarget(FunctionOptions(call=f"{module}:slow", max_in_flight=4), context)

    async def run() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(target.generate([ask("hi")], seed=7) for _ in range(4)))
        await target.aclose()
        return time.perf_counter() - started

    assert asyncio.run(run()) < 0.7
    (output,) = outputs_of(target, [ask("hi")])
    assert 0.2 <= (output.latency_s or 0) < 0.7
    shout = FunctionTarget(FunctionOptions(call=f"{module}:shout"), context)
    outputs_of(shout, [ask("hi")])
    assert threading.get_ident() not in sys.modules[module].threads


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "raised KeyError: 'no such\\ncustomer'"),
        ("number", "returned int; accepted: str"),
        ("leave", "raised SystemExit: no more"),
        ("run_dry", "raised RuntimeError: coroutine raised StopIteration"),
        ("mute", "raised _Mute: (its message cannot be shown)"),
        ("give_up", "raised CancelledError"),
    ],
)
def test_failures_of_the_function_are_records(
    name: str, said: str, module: str, context: TargetContext, ask: Ask
) -> None:
    """An exception or a value that is no text is an errored output with its cause, in one line."""
    target = FunctionTarget(FunctionOptions(call=f"{module}:{name}"), context)
    (output,) = outputs_of(target, [ask("hi")])
    assert output.text is None
    assert output.error == f"{module}:{name} {said}"


def test_a_call_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    """After an interruption the command ends, whatever the user's function is doing."""
    (tmp_path / "sleeper.py").write_text("import time\ndef hang(_): time.sleep(600)\n", encoding="utf-8")
    program = """
import asyncio, sys
from pathlib import Path
from audit.records import Request
from audit.targets.base import TargetContext
from audit.targets.python.function import FunctionOptions, FunctionTarget
from probes.records import Message
context = TargetContext(name="target", root=Path(sys.argv[1]), secrets={})
target = FunctionTarget(FunctionOptions(call="sleeper:hang"), context)
request = Request(prompt_id="p", messages=(Message(role="user", content="hi"),))
async def main():
    try:
        await asyncio.wait_for(target.generate([request], seed=0), 0.2)
    except TimeoutError:
        await target.aclose()
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], timeout=60, check=False)
    assert ended.returncode == 0


def test_conversations_go_to_functions_that_take_messages(module: str, context: TargetContext) -> None:
    """A conversation is passed as messages or is an error, and never cut down to one of them."""
    messages = (Message(role="system", content="s"), Message(role="user", content="u"))
    request = Request(prompt_id="p", messages=messages)
    takes = FunctionTarget(FunctionOptions(call=f"{module}:roles", takes="messages"), context)
    assert outputs_of(takes, [request])[0].text == "system user"
    plain = FunctionTarget(FunctionOptions(call=f"{module}:shout"), context)
    assert "takes: messages" in (outputs_of(plain, [request])[0].error or "")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("no_such_module_here:f", "does not import"),
        ("{module}:absent", "has no 'absent'"),
        ("{module}:not_callable", "is a int"),
    ],
)
def test_what_cannot_be_called_is_named(call: str, said: str, module: str, context: TargetContext) -> None:
    """A module or function that is not there is one line of error before the run starts."""
    with pytest.raises(InputError, match=said) as raised:
        FunctionTarget(FunctionOptions(call=call.format(module=module)), context)
    assert "\n" not in str(raised.value)


def test_a_module_of_the_same_name_elsewhere_is_not_taken_for_it(
    tmp_path: Path, context: TargetContext
) -> None:
    """A file beside the spec that is hidden by a loaded module is an error, not the wrong audit."""
    (tmp_path / "json.py").write_text("def f(prompt): return ''\n", encoding="utf-8")
    with pytest.raises(InputError, match="already loaded"):
        FunctionTarget(FunctionOptions(call="json:f"), context)


@pytest.mark.parametrize("call", ["module", "module:", ":f", "a b:c"])
def test_malformed_call_is_refused(call: str) -> None:
    """Anything but module:function is refused when the spec is read."""
    with pytest.raises(ValidationError):
        FunctionOptions(call=call)
