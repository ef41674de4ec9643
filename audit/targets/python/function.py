"""The `function` target: a Python function of the user's own is what is audited.

The function takes a prompt (or the list of messages) and returns a text. A plain function runs in a
thread, a coroutine function in the event loop. Its exceptions become errored outputs.
"""

import asyncio
import inspect
import time
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from audit.records import Output, Request
from audit.targets.base import TargetContext, TargetInfo, output_for
from audit.targets.python.loading import ObjectName, load_callable, raised
from audit.targets.python.threads import CallThreads
from probes.base import Options as PluginOptions

__all__ = ["FunctionOptions", "FunctionTarget"]


class FunctionOptions(PluginOptions):
    """Which function is asked, and how."""

    call: ObjectName = Field(description="`module:function`; modules are looked up beside the spec first.")
    takes: Literal["prompt", "messages"] = Field(
        default="prompt",
        description="`prompt`: the text of the only message. `messages`: a list of role and content.",
    )
    deterministic: bool = Field(default=False, description="Set true if the same prompt gives the same text.")
    max_in_flight: Annotated[int, Field(ge=1, le=256)] = Field(
        default=8, description="Calls at the same time; set 1 for a function that threads may not share."
    )


class FunctionTarget:
    """Asks a Python function.

    Constructing it imports the user's module, which runs its code. Do not use it for code you would not run.
    """

    Options: ClassVar[type[PluginOptions]] = FunctionOptions

    def __init__(self, options: FunctionOptions, context: TargetContext) -> None:
        """Find the function.

        Raises:
            InputError: The module does not import, or holds no such function.
        """
        self._takes = options.takes
        self._call = options.call
        self._function = load_callable(options.call, context.root, key="call")
        self._threads: CallThreads | None = None
        remedy = "takes: messages" if options.takes == "prompt" else None
        self.info = TargetInfo(
            name=context.name,
            deterministic=options.deterministic,
            max_in_flight=options.max_in_flight,
            one_message=remedy,
            no_system=remedy,
            facts={"type": "function", "call": options.call, "takes": options.takes},
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None: the function finds its own."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:  # noqa: ARG002 - as above
        """One output for each request, in order; a failing call is an errored output with its cause."""
        return [await self._ask(request) for request in requests]

    async def aclose(self) -> None:
        """End the threads; a call that is still running is not waited for."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.close()

    async def _ask(self, request: Request) -> Output:
        text: str | None = None
        problem: str | None = None
        latency: float | None = None
        if self._takes == "prompt" and len(request.messages) != 1:
            problem = (
                f"{self._call} takes one prompt, but there are {len(request.messages)} messages; "
                "set takes: messages"
            )
        else:
            begun = time.perf_counter()
            text, problem = await self._answer(request)
            latency = time.perf_counter() - begun
        return output_for(request, self.info.name, text=text, error=problem, latency_s=latency)

    async def _answer(self, request: Request) -> tuple[str | None, str | None]:
        argument: object = request.messages[0].content
        if self._takes == "messages":
            argument = [{"role": m.role, "content": m.content} for m in request.messages]
        try:
            answer = await self._run(argument)
        except asyncio.CancelledError:
            # Ours ends the collection; one that the function raises itself is a failure like any other.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            return None, f"{self._call} raised CancelledError"
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's function may raise anything: it becomes a record
            return None, raised(self._call, error)
        if isinstance(answer, str):
            return answer, None
        return None, f"{self._call} returned {type(answer).__name__}; accepted: str"

    async def _run(self, argument: object) -> object:
        if inspect.iscoroutinefunction(self._function):
            return await self._function(argument)
        if self._threads is None:
            self._threads = CallThreads(self.info.max_in_flight)
        answer, error = await self._threads.call(self._function, argument)
        if error is not None:
            raise error
        return await answer if inspect.isawaitable(answer) else answer
