"""The `command` target: a program of this machine is what is audited, asked through its input and output.

With `protocol: text` or `json` it is started for every request; with `lines` it stays and answers one
JSON object a line with another, so that a model is loaded once. It is given by a list of arguments, which
no shell reads, and the prompt never stands among them.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.errors import InputError
from audit.records import Output, Request, Usage
from audit.targets.base import (
    FatalTargetError,
    RetryableTargetError,
    TargetContext,
    TargetError,
    TargetInfo,
    output_for,
)
from audit.targets.command.options import CommandOptions
from audit.targets.command.processes import (
    LONGEST_OUTPUT,
    Running,
    TooMuchError,
    read_tail,
    read_up_to,
    started,
)
from audit.targets.finish import finish_reason
from audit.targets.half_characters import whole_characters
from audit.targets.openai_api.errors import without_secrets
from audit.targets.request_template import conversation, only_prompt, request_seed
from probes.base import Options as PluginOptions

__all__ = ["CommandTarget"]

_TEXT, _LINES = "text", "lines"
_AGAIN = 75
"""Exit code by which a program says that asking again may work. Source: EX_TEMPFAIL of sysexits.h."""
_GRACE_S = 2.0
"""How long a process that stays may take to end once its input is closed, in seconds."""
_Count = Annotated[int, Field(ge=0)] | None


class _Answer(BaseModel):
    """What a program says; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    id: int | None = None
    text: str | None = None
    error: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    model: str | None = None


class CommandTarget:
    """Asks a program.

    The program inherits the environment. Do not use it for a program you would not run.
    """

    Options: ClassVar[type[PluginOptions]] = CommandOptions

    def __init__(self, options: CommandOptions, context: TargetContext) -> None:
        """Keep the options; nothing is started.

        Raises:
            InputError: The program is given as a path and is not there, or `system` cannot be told it.
        """
        program = options.argv[0]
        if "/" in program:
            program = str((context.root / program).absolute())
            if not Path(program).is_file():
                raise InputError(f"{program}: no such file (argv)")
        if options.system is not None and options.protocol == _TEXT:
            raise InputError("protocol: text has no place for system; accepted: json, lines")
        self._options = options
        self._argv = (program, *options.argv[1:])
        self._folder = context.root
        self._idle: list[_Speaker] = []
        self._room = asyncio.Semaphore(options.max_in_flight)
        remedy = "protocol: json or lines" if options.protocol == _TEXT else None
        self.info = TargetInfo(
            name=context.name,
            deterministic=options.deterministic,
            max_in_flight=options.max_in_flight,
            one_message=remedy,
            no_system=remedy,
            facts={
                "type": "command",
                "argv": json.dumps(options.argv),
                "protocol": options.protocol,
                **({} if options.system is None else {"system": options.system}),
            },
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None: the program inherits the environment."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order.

        Raises:
            RetryableTargetError: No answer in time, a process that stays ended, or exit code 75.
            FatalTargetError: The program cannot be run.
            TargetError: It failed, wrote too much, or its answer cannot be read.
        """
        return await asyncio.gather(*(self._ask(request, seed) for request in requests))

    async def aclose(self) -> None:
        """End the processes that stay; a later `generate` starts new ones."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(speaker.close() for speaker in idle))

    async def _ask(self, request: Request, seed: int) -> Output:
        options = self._options
        asked = {
            "messages": conversation(request, options.system),
            "seed": request_seed(seed, request),
            "repeat": request.repeat,
        }
        text = only_prompt(request, "protocol: text sends one; use json or lines") if self._plain else ""
        async with self._room:
            begun = time.perf_counter()
            if options.protocol == _LINES:
                answer = await self._say(asked)
            else:
                body = text if self._plain else json.dumps(asked, ensure_ascii=False)
                answer = await self._once(body.encode("utf-8", "replace"))
            latency = time.perf_counter() - begun
        if answer.error is not None:
            raise TargetError(f"{self._argv[0]}: {without_secrets(answer.error, ())}")
        counted = (answer.prompt_tokens, answer.completion_tokens)
        return output_for(
            request,
            self.info.name,
            text=answer.text,
            refusal=answer.refusal,
            reasoning=answer.reasoning,
            finish_reason=finish_reason(answer.finish_reason),
            usage=None
            if counted == (None, None)
            else Usage(prompt_tokens=counted[0], completion_tokens=counted[1]),
            latency_s=latency,
            model=answer.model,
        )

    @property
    def _plain(self) -> bool:
        return self._options.protocol == _TEXT

    async def _once(self, body: bytes) -> _Answer:
        """Start the program for one request and read its answer."""
        speaker = await self._start()
        try:
            async with asyncio.timeout(self._options.timeout_s):
                output = await speaker.whole(body)
        except TimeoutError as error:
            raise RetryableTargetError(self._timed_out(speaker)) from error
        except TooMuchError as error:
            raise TargetError(f"{self._argv[0]}: wrote more than {LONGEST_OUTPUT} bytes") from error
        finally:
            await speaker.kill()
        code = speaker.process.code
        if code:
            kind = RetryableTargetError if code == _AGAIN else TargetError
            raise kind(f"{self._argv[0]}: {_ended(code)}{speaker.said()}")
        if self._plain:
            text = output.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
            return _Answer(text=text)
        return self._read(output)

    async def _say(self, asked: dict[str, object]) -> _Answer:
        """Ask a process that stays; one that failed is ended, since what it says next cannot be trusted."""
        speaker = self._idle.pop() if self._idle else await self._start()
        kept = False
        try:
            async with asyncio.timeout(self._options.timeout_s):
                line = await speaker.line(asked)
            answer = self._read(line)
            if answer.id is not None and answer.id != speaker.asked:
                raise TargetError(f"{self._argv[0]}: answered id {answer.id}, and {speaker.asked} was asked")
            kept = True
        except TimeoutError as error:
            raise RetryableTargetError(self._timed_out(speaker)) from error
        except TooMuchError as error:
            raise TargetError(f"{self._argv[0]}: a line of more than {LONGEST_OUTPUT} bytes") from error
        except EOFError as error:
            await speaker.kill()
            ended = _ended(speaker.process.code)
            raise RetryableTargetError(
                f"{self._argv[0]}: {ended} instead of an answer{speaker.said()}",
                unreachable=speaker.answered == 0,
            ) from error
        finally:
            if kept:
                speaker.answered += 1
                self._idle.append(speaker)
            else:
                await speaker.kill()
        return answer

    async def _start(self) -> "_Speaker":
        try:
            return _Speaker(await started(self._argv, self._folder))
        except OSError as error:
            raise FatalTargetError(f"{self._argv[0]}: cannot be run: {error.strerror}; check argv") from error

    def _read(self, output: bytes) -> _Answer:
        try:
            return _Answer.model_validate_json(whole_characters(output))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in problem["loc"]) or "the answer"
            raise TargetError(
                f"{self._argv[0]}: malformed answer of {len(output)} bytes: {where}: {problem['msg']}"
            ) from error

    def _timed_out(self, speaker: "_Speaker") -> str:
        return f"{self._argv[0]}: no answer within {self._options.timeout_s:g} s (timeout_s){speaker.said()}"


class _Speaker:
    """One running process, its error output being read all the while."""

    def __init__(self, process: Running) -> None:
        self.process = process
        self.asked = 0
        self.answered = 0
        self._tail = bytearray()
        self._errors = asyncio.ensure_future(read_tail(process.stderr, self._tail))

    async def whole(self, body: bytes) -> bytes:
        """What the process writes until it ends, when given all of its input at once."""
        output = asyncio.ensure_future(read_up_to(self.process.stdout))
        written = asyncio.ensure_future(self._write(body, close=True))
        ended = asyncio.ensure_future(self.process.wait())
        try:
            await asyncio.wait((output, ended), return_when=asyncio.FIRST_COMPLETED)
            if output.done():
                output.result()  # raises if it was too much
            await ended
            await self.process.end_group()  # children that hold the pipes would keep them open
            return await output
        finally:
            for task in (output, written, ended):
                task.cancel()

    async def line(self, asked: dict[str, object]) -> bytes:
        """The line that the process answers with.

        Raises:
            EOFError: It ended instead.
            TooMuchError: The line is too long.
        """
        self.asked += 1
        body = json.dumps({"id": self.asked, **asked}, ensure_ascii=False)
        await self._write(body.encode("utf-8", "replace") + b"\n", close=False)
        try:
            return await self.process.stdout.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise EOFError from error
        except asyncio.LimitOverrunError as error:
            raise TooMuchError from error

    def said(self) -> str:
        """The last of its error output, for a message."""
        text = without_secrets(self._tail.decode("utf-8", "replace")[-300:], ())
        return f"; it said: {text}" if text else ""

    async def close(self) -> None:
        """Close its input, wait a little, and end it."""
        self.process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), _GRACE_S)
        await self.kill()

    async def kill(self) -> None:
        """End it and all of its group."""
        await self.process.end_group()
        await asyncio.wait((self._errors,), timeout=_GRACE_S)
        self._errors.cancel()
        self.process.close()

    async def _write(self, body: bytes, *, close: bool) -> None:
        """Give it its input; a program that does not read it may still answer."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.process.stdin.write(body)
            await self.process.stdin.drain()
        if close:
            self.process.stdin.close()


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by signal {-code}"
    return f"ended with code {code}"
