"""The `application` target: a Python application that is set up before it is asked and torn down after.

For retrieval over a store of documents, agents with tools and a memory: whatever has to be opened first
and cleaned up whatever happens. What the spec names is called and gives a context manager, plain or
asynchronous; entered, it gives a function from a prompt, or a list of messages, to a text.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from inspect import isawaitable
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, JsonValue

from audit.records import Output, Request
from audit.targets.base import (
    FatalTargetError,
    RetryableTargetError,
    TargetContext,
    TargetError,
    TargetInfo,
    output_for,
)
from audit.targets.python.loading import ObjectName, load_callable, raised
from audit.targets.python.threads import CallThreads, Outcome
from audit.targets.request_template import conversation, only_prompt, request_seed
from probes.base import Options as PluginOptions

__all__ = ["ApplicationOptions", "ApplicationTarget"]

_log = logging.getLogger(__name__)
_RUN, _PROMPT = "run", "prompt"


class ApplicationOptions(PluginOptions):
    """Which application is asked, and how long each of it lives."""

    open: ObjectName = Field(
        description="`module:name` of what gives a context manager when called; modules are looked up beside "
        "the spec first."
    )
    settings: dict[str, JsonValue] = Field(
        default_factory=dict, description="Arguments that it is called with, by name."
    )
    per: Literal["run", "conversation"] = Field(
        default="conversation",
        description="`run`: one for all requests. `conversation`: a new one for every request.",
    )
    takes: Literal["prompt", "messages"] = Field(
        default="prompt",
        description="`prompt`: the text of the only message. `messages`: a list of role and content.",
    )
    passes_seed: bool = Field(
        default=False, description="Also pass a number for this prompt and repeat, as the argument seed."
    )
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 300.0
    max_in_flight: Annotated[int, Field(ge=1, le=256)] = Field(
        default=1, description="Requests at the same time; 1 for an application that threads may not share."
    )
    deterministic: bool = Field(default=False, description="Set true if the same prompt gives the same text.")


class _FailedError(Exception):
    """The user's application raised something, or gave something else than it should; says so in one line."""


class _Opened(NamedTuple):
    manager: AbstractContextManager[object] | AbstractAsyncContextManager[object]
    ask: Callable[..., object]


class _Seat:
    """A thread for one conversation at a time, which the set-up, the asking and the tear-down share."""

    def __init__(self) -> None:
        self.busy = False
        self._thread = CallThreads(1)

    async def call(self, call: Callable[[], object]) -> Outcome:
        """Call something in the thread; it stays busy if nobody waits any more."""
        self.busy = True
        outcome = await self._thread.call(lambda _: call(), None)
        self.busy = False
        return outcome

    def close(self) -> None:
        """Let the thread end; a call that is still running is not waited for."""
        self._thread.close()


class ApplicationTarget:
    """Asks a Python application with set-up and tear-down.

    Constructing it imports the user's module, which runs its code. Do not use it for code you would not run.
    """

    Options: ClassVar[type[PluginOptions]] = ApplicationOptions

    def __init__(self, options: ApplicationOptions, context: TargetContext) -> None:
        """Find the application; it is not opened.

        Raises:
            InputError: The module does not import, or holds no such function or class.
        """
        self._options = options
        self._make = load_callable(options.open, context.root, key="open")
        self._room = asyncio.Semaphore(options.max_in_flight)
        self._seats: list[_Seat] = []
        self._opening = asyncio.Lock()
        self._shared: _Opened | None = None
        remedy = "takes: messages" if options.takes == "prompt" else None
        self.info = TargetInfo(
            name=context.name,
            deterministic=options.deterministic,
            max_in_flight=options.max_in_flight,
            one_message=remedy,
            no_system=remedy,
            facts={"type": "application", "open": options.open, "per": options.per, "takes": options.takes},
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None: the application finds its own."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order; a failing one is an errored output with its cause.

        Raises:
            FatalTargetError: With `per: run`, the set-up failed.
            RetryableTargetError: No answer in time.
        """
        return await asyncio.gather(*(self._ask(request, seed) for request in requests))

    async def aclose(self) -> None:
        """Tear down what `per: run` set up, and end the threads; a later `generate` sets up anew."""
        opened, self._shared = self._shared, None
        try:
            if opened is not None:
                async with self._seat() as seat:
                    await self._leave(opened, None, seat)
        except _FailedError as error:
            _log.warning("tear-down failed: %s", error)
        finally:
            seats, self._seats = self._seats, []
            for seat in seats:
                seat.close()

    async def _ask(self, request: Request, seed: int) -> Output:
        options = self._options
        try:
            argument: object = conversation(request, None)
            if options.takes == _PROMPT:
                argument = _prompt(request)
            further = {"seed": request_seed(seed, request)} if options.passes_seed else {}
            async with self._seat() as seat:
                begun = time.perf_counter()
                text = await self._answer(argument, further, seat)
                latency = time.perf_counter() - begun
        except (TargetError, _FailedError) as error:
            if isinstance(error, FatalTargetError | RetryableTargetError):
                raise
            return output_for(request, self.info.name, error=str(error))
        return output_for(request, self.info.name, text=text, latency_s=latency)

    async def _answer(self, argument: object, further: Mapping[str, int], seat: _Seat) -> str:
        if self._options.per == _RUN:
            async with self._opening:
                if self._shared is None:
                    try:
                        self._shared = await self._enter(seat)
                    except _FailedError as error:
                        raise FatalTargetError(f"set-up failed: {error}") from error
            return await self._said(self._shared, argument, further, seat)
        opened = await self._enter(seat)
        try:
            text = await self._said(opened, argument, further, seat)
        except BaseException as error:
            if not seat.busy:  # else its thread is in the application, which cannot be closed behind its back
                try:
                    await self._leave(opened, error, seat)
                except _FailedError as second:
                    _log.warning("tear-down failed too: %s", second)
            raise
        # A failure here is an error of this output too: the next conversation could meet what is left.
        await self._leave(opened, None, seat)
        return text

    async def _said(self, opened: _Opened, argument: object, further: Mapping[str, int], seat: _Seat) -> str:
        limit = self._options.timeout_s
        try:
            async with asyncio.timeout(limit):
                answer = await self._run(seat, lambda: opened.ask(argument, **further))
        except TimeoutError as error:
            raise RetryableTargetError(
                f"{self._options.open}: no answer within {limit:g} s (timeout_s)"
            ) from error
        if not isinstance(answer, str):
            raise _FailedError(f"{self._options.open}: gave {type(answer).__name__}; accepted: str")
        return answer

    async def _enter(self, seat: _Seat) -> _Opened:
        manager = await self._run(seat, lambda: self._make(**self._options.settings))
        if isinstance(manager, AbstractAsyncContextManager):
            ask: object = await self._run(seat, manager.__aenter__)
        elif isinstance(manager, AbstractContextManager):
            ask = await self._run(seat, manager.__enter__)
        else:
            raise _FailedError(
                f"{self._options.open}: gave {type(manager).__name__}; accepted: a context manager"
            )
        opened = _Opened(manager, ask if callable(ask) else lambda *_: None)
        if not callable(ask):
            await self._leave(opened, None, seat)
            raise _FailedError(
                f"{self._options.open}: entered, gave {type(ask).__name__}; accepted: a function"
            )
        return opened

    async def _leave(self, opened: _Opened, error: BaseException | None, seat: _Seat) -> None:
        kind, manager = None if error is None else type(error), opened.manager
        if isinstance(manager, AbstractAsyncContextManager):
            await self._run(seat, lambda: manager.__aexit__(kind, error, None))
        else:
            await self._run(seat, lambda: manager.__exit__(kind, error, None))

    async def _run(self, seat: _Seat, call: Callable[[], object]) -> object:
        """Run a step of the user's in the thread of its seat, and what it awaits in the event loop.

        Raises:
            _FailedError: It raised something.
        """
        answer, error = await seat.call(call)
        if error is None and isawaitable(answer):
            answer, error = await _awaited(answer)
        if error is not None:
            raise _FailedError(raised(self._options.open, error)) from error
        return answer

    @asynccontextmanager
    async def _seat(self) -> AsyncIterator[_Seat]:
        """One thread for one conversation; one that was left in the middle of a call is not used again."""
        async with self._room:
            seat = self._seats.pop() if self._seats else _Seat()
            try:
                yield seat
            finally:
                if seat.busy:
                    seat.close()
                else:
                    self._seats.append(seat)


def _prompt(request: Request) -> str:
    """The text of the only message.

    Raises:
        TargetError: There is another one, the system message included.
    """
    text = only_prompt(request, "takes: prompt holds one; set takes: messages")
    if len(request.messages) > 1:
        raise TargetError("there is a system message; set takes: messages")
    return text


async def _awaited(answer: Awaitable[object]) -> tuple[object, BaseException | None]:
    try:
        return await answer, None
    except asyncio.CancelledError as error:
        # Ours ends the call; one that the application raises itself is a failure like any other.
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        return None, error
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code may raise anything: it becomes a record
        return None, error
