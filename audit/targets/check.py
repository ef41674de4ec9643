"""A few tiny requests, to see whether a target answers and what it can do before anything is spent on it."""

import time
from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from audit.records import Output, Request
from audit.targets.base import Target, TargetError
from probes.records import Message, Record

__all__ = ["Observed", "SeedCheck", "Silent", "TargetCheck", "check_target", "probe_call"]

_READY = "Reply with the single word: ready"
_WORDS = "Write six words that have nothing to do with each other."
SeedCheck = Literal["honoured", "not_honoured", "texts_do_not_vary", "not_sent", "not_tried"]


@runtime_checkable
class Observed(Protocol):
    """What a target may offer besides the seam: what it found out about its server."""

    def observed(self) -> Mapping[str, str]:
        """Quirks and limits, by name; what is not known is not there."""
        ...


@runtime_checkable
class Silent(Protocol):
    """What a target offers besides the seam that answers none but the questions of a plan."""

    def held(self) -> Mapping[str, str]:
        """What it answers from, or where its questions go, by name.

        Raises:
            InputError: That cannot be used.
        """
        ...


class TargetCheck(Record):
    """What a check of one target found."""

    target: str
    output: Output | None
    """What it answered, or the error that came instead; None of a target that was not asked, since it
    answers none but the questions of a plan."""
    seconds: float | None = Field(default=None, ge=0)
    """Time until it answered, loading included; None if it was not asked or did not answer."""
    seed: SeedCheck
    """Whether equal seeds gave equal texts: `texts_do_not_vary` if another seed gave the same text too,
    `not_tried` of targets that say they are deterministic or that did not answer."""
    observed: dict[str, str]
    """What the target found out about its server, or what it answers from."""


async def probe_call(target: Target, *, seed: int = 0) -> Output:
    """Ask a target for one word, as a real run would ask it.

    The caller closes the target. One that is `Silent` says that it has no answer.

    Args:
        target: Any target.
        seed: The root seed.

    Returns:
        Its output, which may be an error.

    Raises:
        RetryableTargetError: Asking again later may work.
        FatalTargetError: No request can work; the message says what to change.
        TargetError: The request was rejected.
    """
    return await _asked(target, _READY, 0, seed)


async def check_target(target: Target, *, seed: int = 0, once: bool = False) -> TargetCheck:
    """Ask a target for one word, and three times for six to see whether it honours seeds.

    Args:
        target: Any target; the caller closes it.
        seed: The root seed.
        once: True to ask for the one word only.

    Returns:
        What was found; an error is an output with its reason.

    Raises:
        InputError: What a target answers from cannot be used.
    """
    if isinstance(target, Silent):
        held = dict(target.held())
        return TargetCheck(target=target.info.name, output=None, seed="not_tried", observed=held)
    begun = time.perf_counter()
    seconds: float | None = None
    try:
        output = await probe_call(target, seed=seed)
        seconds = round(time.perf_counter() - begun, 3)
    except TargetError as error:
        output = Output(target=target.info.name, prompt_id="check", error=str(error))
    tried = not once and not target.info.deterministic and output.error is None
    return TargetCheck(
        target=target.info.name,
        output=output,
        seconds=None if output.error is not None else seconds,
        seed=await _seed_check(target, seed) if tried else "not_tried",
        observed=dict(target.observed()) if isinstance(target, Observed) else {},
    )


async def _seed_check(target: Target, seed: int) -> SeedCheck:
    """Whether the same repeat gives the same text, and another repeat another."""
    if not target.info.takes_seed:
        return "not_sent"
    try:
        outputs = [await _asked(target, _WORDS, repeat, seed) for repeat in (0, 0, 1)]
    except TargetError:
        return "not_tried"
    first, again, other = (output.text for output in outputs)
    if first is None or again is None or other is None:
        return "not_tried"
    if first != again:
        return "not_honoured"
    return "texts_do_not_vary" if first == other else "honoured"


async def _asked(target: Target, text: str, repeat: int, seed: int) -> Output:
    question = Message(role="user", content=text)
    request = Request(prompt_id="check", messages=(question,), repeat=repeat)
    return (await target.generate([request], seed=seed))[0]
