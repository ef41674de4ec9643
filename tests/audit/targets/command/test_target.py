"""The command target against real programs: every way to misbehave ends as a record or a clear error."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.records import Outcome, Output, Request, Usage
from audit.targets.base import FatalTargetError, RetryableTargetError, TargetContext, TargetError
from audit.targets.command.options import CommandOptions
from audit.targets.command.target import CommandTarget
from audit.targets.request_template import request_seed
from probes.records import Message
from tests.audit.targets.openai_asking import outputs_of

Ask = Callable[..., Request]
_LINES = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    said = asked["messages"][-1]["content"]
    {body}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def target(context: TargetContext) -> Callable[..., CommandTarget]:
    """Makes a target of a Python program."""

    def make(program: str, **options: object) -> CommandTarget:
        given = {"argv": [sys.executable, "-c", program], **options}
        return CommandTarget(CommandOptions.model_validate(given), context)

    return make


def lines(body: str) -> str:
    """A program that answers line by line; `body` makes `answer` of `asked` and `said`."""
    return _LINES.format(body=body)


def gone(process: int) -> bool:
    """Whether a process ends within two seconds; one that is dead and not yet reaped counts as ended."""
    stop = time.monotonic() + 2
    while time.monotonic() < stop:
        try:
            state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in {"Z", "X"}:
            return True
        time.sleep(0.02)
    return False


def test_prompt_goes_in_and_text_comes_out(target: Callable[..., CommandTarget], ask: Ask) -> None:
    """By the plain protocol a program reads the prompt and prints the answer; no shell reads either."""
    program = "import sys; print('got ' + sys.stdin.read())"
    (output,) = outputs_of(target(program), [ask("$(touch x) `ls` ü\n; rm -rf", repeat=2)])
    assert output.text == "got $(touch x) `ls` ü\n; rm -rf"
    assert (output.repeat, output.outcome) == (2, Outcome.ANSWERED)
    assert output.latency_s is not None


def test_json_carries_the_conversation_and_the_seed(target: Callable[..., CommandTarget], ask: Ask) -> None:
    """By the json protocol messages, seed and repeat go in, and refusal, tokens and model come out."""
    program = (
        "import json, sys; a = json.load(sys.stdin);"
        "print(json.dumps({'text': json.dumps(a), 'finish_reason': 'max_tokens', 'prompt_tokens': 3,"
        "'model': 'mine', 'more': 1}))"
    )
    turns = (Message(role="user", content="a"), Message(role="assistant", content="b"))
    request = ask("x", repeat=1).model_copy(update={"messages": (*turns, turns[0])})
    (output,) = outputs_of(target(program, protocol="json", system="Be brief."), [request])
    said = json.loads(output.text or "")
    roles = [message["role"] for message in said["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert (said["seed"], said["repeat"]) == (request_seed(7, request), 1)
    assert output.outcome is Outcome.TRUNCATED
    assert output.usage == Usage(prompt_tokens=3, completion_tokens=None)
    assert output.model == "mine"


def test_a_process_that_stays_is_started_once(target: Callable[..., CommandTarget], ask: Ask) -> None:
    """By the lines protocol one process answers request after request, and ends when the target closes."""
    made = target(lines("answer = {'id': asked['id'], 'text': f'{os.getpid()} {said}'}"), protocol="lines")

    async def run() -> list[Output]:
        found = [(await made.generate([ask(str(i))], seed=1))[0] for i in range(3)]
        found += await made.generate([ask("a"), ask("b"), ask("c"), ask("d")], seed=1)
        await made.aclose()
        return found

    outputs = asyncio.run(run())
    said = [(output.text or "").split() for output in outputs]
    assert [words[1] for words in said] == ["0", "1", "2", "a", "b", "c", "d"]
    assert len({words[0] for words in said[:3]}) == 1
    assert len({words[0] for words in said}) == made.info.max_in_flight == 2
    assert all(gone(int(words[0])) for words in said)


@pytest.mark.parametrize(
    ("program", "options", "kind", "said"),
    [
        ("import sys; sys.exit('bad \\x1b[31m luck')", {}, TargetError, "code 1; it said: bad"),
        ("import sys; sys.exit(75)", {}, RetryableTargetError, "code 75"),
        ("import os; os.kill(os.getpid(), 9)", {}, TargetError, "signal 9"),
        ("import time; time.sleep(60)", {"timeout_s": 0.5}, RetryableTargetError, "timeout_s"),
        ("while True: print('a' * 9999)", {}, TargetError, "more than 4194304 bytes"),
        ("print('no json')", {"protocol": "json"}, TargetError, "malformed answer"),
        ("print('[' * 100_000)", {"protocol": "json"}, TargetError, "malformed answer"),
        ("print('{\"text\": 1}')", {"protocol": "json"}, TargetError, "text: "),
        ('print(\'{"error": "no\\\\u001b luck"}\')', {"protocol": "json"}, TargetError, "no luck"),
        ("import sys; sys.exit('gone')", {"protocol": "lines"}, RetryableTargetError, "code 1 instead"),
        (lines("answer = {'id': 7, 'text': 'x'}"), {"protocol": "lines"}, TargetError, "id 7, and 1"),
        (lines("answer = 'a' * 5_000_000"), {"protocol": "lines"}, TargetError, "a line of more than"),
        (
            lines("import time; time.sleep(60); answer = 1"),
            {"protocol": "lines", "timeout_s": 0.5},
            RetryableTargetError,
            "timeout_s",
        ),
    ],
)
def test_failures_are_mapped(
    program: str,
    options: dict[str, object],
    kind: type[TargetError],
    said: str,
    target: Callable[..., CommandTarget],
    ask: Ask,
) -> None:
    """Each failure has the kind that tells the runner what to do, in one printable line."""
    with pytest.raises(TargetError, match=said) as raised:
        outputs_of(target(program, **options), [ask("hello")])
    assert type(raised.value) is kind
    assert str(raised.value).isprintable()


def test_what_a_program_prints_by_the_way_does_not_block_it(
    target: Callable[..., CommandTarget], ask: Ask
) -> None:
    """Error output of any length is drained, input that is not read does no harm, bytes may be no text."""
    program = "import sys; sys.stderr.write('e' * 3_000_000); sys.stdout.buffer.write(b'ol\\xe9 \\x00')"
    (output,) = outputs_of(target(program), [ask("a" * 1_000_000)])
    assert output.text == "ol\ufffd \x00"


def test_children_end_with_the_answer_and_with_the_timeout(
    target: Callable[..., CommandTarget], ask: Ask, tmp_path: Path
) -> None:
    """The whole group is ended, whether the program answered or not: nothing is left behind."""
    child = (
        "import subprocess, sys; c = subprocess.Popen(['sleep', '60']);"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(c.pid)); print('done', flush=True)"
    )
    (output,) = outputs_of(target(child, timeout_s=20), [ask("hello")])
    assert output.text == "done"
    assert gone(int((tmp_path / "pid").read_text(encoding="utf-8")))
    with pytest.raises(RetryableTargetError):
        outputs_of(target(f"{child}; c.wait()", timeout_s=1.5), [ask("hello")])
    assert gone(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_a_cancelled_call_ends_its_process(
    target: Callable[..., CommandTarget], ask: Ask, tmp_path: Path
) -> None:
    """When a run is stopped, the program it waits for is stopped too."""
    note = tmp_path / "pid"
    program = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    made = target(program)

    async def stop() -> Sequence[Output] | None:
        call = asyncio.ensure_future(made.generate([ask("hello")], seed=1))
        while not (note.is_file() and note.read_text(encoding="utf-8")):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
        call.cancel()
        (found,) = await asyncio.gather(call, return_exceptions=True)
        assert isinstance(found, asyncio.CancelledError)
        return None

    asyncio.run(stop())
    assert gone(int(note.read_text(encoding="utf-8")))


def test_a_process_that_failed_is_replaced(
    target: Callable[..., CommandTarget], ask: Ask, tmp_path: Path
) -> None:
    """After a broken line the next request is answered by a fresh process."""
    flag = tmp_path / "flag"
    body = (
        f"first = not os.path.exists({str(flag)!r}); open({str(flag)!r}, 'w').close();"
        "answer = ['broken'] if first else {'text': said}"
    )
    made = target(lines(body), protocol="lines", max_in_flight=1)

    async def run() -> Output:
        try:
            with pytest.raises(TargetError, match="malformed"):
                await made.generate([ask("a")], seed=1)
            return (await made.generate([ask("b")], seed=1))[0]
        finally:
            await made.aclose()

    assert asyncio.run(run()).text == "b"


def test_a_program_that_never_answers_counts_as_absent(
    target: Callable[..., CommandTarget], ask: Ask
) -> None:
    """A process that stays and ends before its first answer trips the runner's circuit breaker."""
    with pytest.raises(RetryableTargetError) as raised:
        outputs_of(target("raise SystemExit(3)", protocol="lines"), [ask("hello")])
    assert raised.value.unreachable


def test_conversations_need_a_protocol_that_holds_them(
    target: Callable[..., CommandTarget], ask: Ask
) -> None:
    """By the plain protocol several messages are an error, not the last one alone."""
    turns = (Message(role="user", content="a"), Message(role="assistant", content="b"))
    with pytest.raises(TargetError, match="use json or lines"):
        outputs_of(target("print(1)"), [ask("x").model_copy(update={"messages": (*turns, turns[0])})])


def test_programs_that_are_not_there(context: TargetContext, ask: Ask, tmp_path: Path) -> None:
    """A missing path is told before the run, a missing program at its first request."""
    with pytest.raises(InputError, match="no such file"):
        CommandTarget(CommandOptions(argv=("./absent",)), context)
    with pytest.raises(InputError, match="no place for system"):
        CommandTarget(CommandOptions(argv=("cat",), system="s"), context)
    with pytest.raises(FatalTargetError, match="cannot be run: No such file"):
        outputs_of(CommandTarget(CommandOptions(argv=("no-such-program-4711",)), context), [ask("x")])
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh\ncat\n", encoding="utf-8")
    with pytest.raises(FatalTargetError, match="Permission denied"):
        outputs_of(CommandTarget(CommandOptions(argv=("./tool",)), context), [ask("x")])
    script.chmod(0o755)
    (output,) = outputs_of(CommandTarget(CommandOptions(argv=("./tool",)), context), [ask("x")])
    assert output.text == "x"
    assert CommandTarget.secret_names(CommandOptions(argv=("cat",))) == ()
