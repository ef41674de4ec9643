"""From a call to its answers: faults first, then the target, then quirks and hostility."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from audit.records import Output, Request
from audit.serving.api_errors import ApiError
from audit.serving.calls import Answer, Call, as_far_as_allowed
from audit.serving.catalogue import Served
from audit.serving.faults import Fault, drawn_fault, meet
from audit.serving.hostile import BODIES, Kind, drawn_kind, hostile_text
from audit.serving.models import Models
from audit.serving.quirks import Quirk, check_limit_name, drawn_quirk, quirky
from audit.targets.base import FatalTargetError, RetryableTargetError, TargetError

__all__ = ["Admitted", "Answered", "Answering"]

_MOST_REMEMBERED = 2_000_000
_LONGEST_ANSWER = 512
"""Tokens of an answer that a budget counts with when a call sets no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A call and what came of it; an endpoint gives it a shape."""

    id: str
    """A hash of the call and of how often it was made before."""
    created: int
    """Seconds since 1970."""
    call: Call
    answers: tuple[Answer, ...]
    """One for each choice."""
    spoiled: Kind | None
    """How the body is spoiled."""
    cut: bool
    """True if the stream breaks off in its middle."""
    quirk: Quirk | None
    fingerprint: str
    headers: dict[str, str]
    """Rate-limit headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A call that did not fail."""

    id: str
    created: int
    fault: Fault | None
    """`malformed`, `stalled` and, of a stream, `dropped` let a call through."""
    headers: dict[str, str]


class Answering:
    """Answers calls to any model of the server."""

    def __init__(self, models: Models, seed: int, now: Callable[[], float]) -> None:
        """Keep the parts.

        Args:
            models: What is served.
            seed: Root seed of calls that bring none, and of all faults.
            now: Seconds since 1970.
        """
        self._models = models
        self._seed = seed
        self._now = now
        self._calls: dict[str, int] = {}
        self._draws: dict[str, int] = {}

    async def admit(self, call: Call, served: Served) -> Admitted:
        """Let a call through, or let it fail as the model's faults say.

        Args:
            call: The call.
            served: The model it asks for.

        Raises:
            ApiError: A drawn failure, or the model's allowance is used up.
            ConnectionCutError: No answer is to be sent.
        """
        time = self._count(self._calls, call.key)
        fault = drawn_fault(served.faults, self._seed, call.key, time)
        budget = self._models.budget(served)
        budget.spend(call.prompt_tokens() + call.choices * (call.limit or _LONGEST_ANSWER))
        headers = budget.headers()
        # A stream is cut in its middle, once there is one.
        at_once = None if fault == "dropped" and call.streamed else fault
        await meet(at_once, served.faults, headers)
        return Admitted(
            id=hashlib.sha256(f"{call.key}\x1f{time}\x1f{self._seed}".encode()).hexdigest()[:29],
            created=int(self._now()),
            fault=fault,
            headers=headers,
        )

    async def answer(self, call: Call) -> Answered:
        """What the model of a call says.

        Raises:
            ApiError: No such model, a drawn failure, a filter, or the target fails.
            ConnectionCutError: No answer is to be sent.
        """
        served = self._models.find(call.model)
        admitted = await self.admit(call, served)
        quirk, answers, kind = await self._answers(call, served)
        return Answered(
            id=admitted.id,
            created=admitted.created,
            call=call,
            answers=answers,
            spoiled="malformed_json" if admitted.fault == "malformed" else kind,
            cut=admitted.fault == "dropped",
            quirk=quirk,
            fingerprint=f"fp_{hashlib.sha256(served.name.encode()).hexdigest()[:10]}",
            headers=admitted.headers,
        )

    async def _answers(
        self, call: Call, served: Served
    ) -> tuple[Quirk | None, tuple[Answer, ...], Kind | None]:
        root = self._seed if call.seed is None else call.seed
        first = 0
        if call.seed is None and call.temperature != 0:
            first = self._count(self._draws, call.key, call.choices)
        quirk = None
        if served.quirk is not None:
            check_limit_name(served.quirk.quirk, call)
            quirk = drawn_quirk(served.quirk, root, call.prompt_id, first)
        spoiled: Kind | None = None
        answers = []
        for place, output in enumerate(await self._outputs(call, served, root, first)):
            answer = quirky(quirk, _read(output))
            if served.hostile is not None:
                kind = drawn_kind(served.hostile, root, call.prompt_id, first + place)
                text = hostile_text(kind, answer.text or "", served.hostile)
                answer = Answer(text=text, finish=answer.finish)
                spoiled = spoiled or (kind if kind in BODIES else None)
            answers.append(as_far_as_allowed(answer, call.limit, call.stop))
        return quirk, tuple(answers), spoiled

    async def _outputs(self, call: Call, served: Served, root: int, first: int) -> list[Output]:
        # At temperature 0 a model says the same whatever the seed.
        settled = call.temperature == 0
        requests = [
            Request(
                prompt_id=call.prompt_id,
                messages=call.messages,
                repeat=0 if settled else first + place,
            )
            for place in range(call.choices)
        ]
        outputs: list[Output] = []
        async with self._models.asked(served, call.temperature) as asked:
            for part in _parts(requests, asked.target.info.batch_size):
                async with asked.free:
                    try:
                        outputs += await asked.target.generate(part, seed=self._seed if settled else root)
                    except TargetError as error:
                        raise _failed(error) from error
        return outputs

    def _count(self, counts: dict[str, int], key: str, step: int = 1) -> int:
        """How often something was counted before, with one step more from now on."""
        before = counts.pop(key, 0)
        counts[key] = before + step
        if len(counts) > _MOST_REMEMBERED:
            counts.pop(next(iter(counts)))
        return before


_Item = TypeVar("_Item")


def _parts(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _read(output: Output) -> Answer:
    if output.error is not None:
        raise ApiError(500, output.error, kind="server_error")
    finish = output.finish_reason
    return Answer(
        text=output.text,
        refusal=output.refusal,
        finish="length" if finish == "length" else "content_filter" if finish == "content_filter" else "stop",
    )


def _failed(error: TargetError) -> ApiError:
    """What a client is told when the target behind a name fails."""
    if isinstance(error, RetryableTargetError):
        wait = {} if error.retry_after_s is None else {"Retry-After": f"{error.retry_after_s:.0f}"}
        return ApiError(503, str(error), kind="server_error", headers=wait)
    if isinstance(error, FatalTargetError):
        return ApiError(502, str(error), kind="server_error", code="bad_gateway")
    return ApiError(400, str(error), code="rejected_by_target")
