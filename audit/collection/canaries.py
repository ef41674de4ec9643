"""Asking a few fixed prompts at the start, now and then, and at the end, to see whether an endpoint changes.

The answers stand in a file of their own, one JSON line each, and count as nothing of the plan; their
requests, tokens and price count towards the limits. A round belongs to a share of the whole run's work, so a
process that goes on asks those whose share is still to come, and adds them to the same file.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from audit.collection.asking import Asker
from audit.errors import StoreError
from audit.records import Request
from audit.records.canaries import CANARY_PROMPTS, CanaryAnswer
from probes.records import Message

__all__ = ["CANARY_FILE", "Canaries", "CanaryPlan", "read_canaries"]

CANARY_FILE = "canaries.jsonl"
_TICK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryPlan:
    """When to ask them."""

    rounds: int
    """In the whole run, first and last included; at least 2."""
    path: Path
    """File of the answers."""


class Canaries:
    """The canaries of one invocation."""

    def __init__(
        self, plan: CanaryPlan, askers: Mapping[str, Asker], done: Callable[[], tuple[int, int]]
    ) -> None:
        """Go on after the rounds that are in the file.

        Args:
            plan: When to ask.
            askers: By role; only targets with a host are asked, since nothing else can change.
            done: Gives outputs of the run of which nothing is to be asked any more, and all of the run.

        Raises:
            StoreError: The file cannot be read.
        """
        self._plan = plan
        self._askers = {name: asker for name, asker in askers.items() if asker.info.hosts}
        self._done = done
        self._over = False
        earlier = read_canaries(plan.path)
        self._next = 1 + max((one.round for one in earlier), default=-1)

    async def begin(self) -> None:
        """The first round of a run, which a later process of it does not ask again.

        Raises:
            StoreError: The file cannot be written.
        """
        if self._next == 0:
            await self.ask()

    async def ask(self) -> None:
        """One round: every prompt of every target; what a stop keeps from being asked is not noted.

        Raises:
            StoreError: The file cannot be written.
        """
        if not self._askers:
            return
        number, self._next = self._next, self._next + 1
        done, _ = self._done()
        answers = await asyncio.gather(
            *(
                self._one(name, asker, number, prompt, done)
                for name, asker in self._askers.items()
                for prompt in range(len(CANARY_PROMPTS))
            )
        )
        asked = [answer for answer in answers if answer is not None]
        if asked:
            await asyncio.to_thread(_append, self._plan.path, asked)

    def over(self) -> None:
        """All of the plan was asked: rounds that are still to come wait no longer."""
        self._over = True

    async def watch(self) -> None:
        """Ask the rounds between the first and the last, each when its share of the work is done."""
        while self._askers and self._next < self._plan.rounds - 1:
            done, planned = self._done()
            if self._over or done >= planned * self._next / (self._plan.rounds - 1):
                await self.ask()
            else:
                await asyncio.sleep(_TICK_S)

    async def _one(self, name: str, asker: Asker, number: int, prompt: int, done: int) -> CanaryAnswer | None:
        message = Message(role="user", content=CANARY_PROMPTS[prompt])
        output = await asker.aside(Request(prompt_id=f"canary-{prompt}", messages=(message,)))
        if output is None:
            return None
        usage = output.usage
        return CanaryAnswer(
            target=name,
            round=number,
            prompt=prompt,
            done=done,
            text=output.text,
            error=output.error,
            model=output.model,
            fingerprint=output.fingerprint,
            latency_s=output.latency_s,
            prompt_tokens=None if usage is None else usage.prompt_tokens,
            completion_tokens=None if usage is None else usage.completion_tokens,
        )


def read_canaries(path: Path) -> list[CanaryAnswer]:
    """The answers in a file, in order; none if there is no file.

    Raises:
        StoreError: It cannot be read. A last line that a killed process left unfinished is passed over.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error
    found = []
    for place, line in enumerate(lines):
        try:
            if line:
                found.append(CanaryAnswer.model_validate_json(line))
        except ValidationError as error:
            if place < len(lines) - 1:
                raise StoreError(f"{path}: line {place + 1} is damaged") from error
    return found


def _append(path: Path, answers: Sequence[CanaryAnswer]) -> None:
    text = "".join(json.dumps(one.model_dump(mode="json"), ensure_ascii=True) + "\n" for one in answers)
    try:
        with path.open("ab+") as file:
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)  # A killed process may have left half a line.
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
