"""The seam of targets that take many requests in one file and answer later: submit and leave, then collect.

A batch is a file of JSON lines in the form that OpenAI's Batch API, `vllm run-batch` and most gateways
share; a result is a line that names its request by `custom_id`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from audit.records import Output, Request
from audit.targets.base import RetryableTargetError, TargetInfo

__all__ = ["BatchLimits", "BatchState", "BatchTarget", "NotTakenError"]


class NotTakenError(RetryableTargetError):
    """A batch was certainly not taken, and may be submitted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How large one batch may be."""

    requests: int
    """Most requests in it."""
    size: int
    """Most bytes in its file."""
    reply_tokens: int | None = None
    """Longest reply in tokens, if the target limits it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchState:
    """How far a batch is."""

    ended: bool
    """True if no more results will come than there are now."""
    readable: bool
    """True if there are results to read; before the end some targets have some, others none."""
    words: str
    """What the provider says of it, one line."""


@runtime_checkable
class BatchTarget(Protocol):
    """A target whose requests go as files; it is a `Target` besides, for single questions."""

    info: TargetInfo
    batch_limits: BatchLimits

    def line(self, request: Request, *, seed: int) -> bytes:
        """A request as a line of the file, with its line end."""
        ...

    async def submit(self, file: Path, tag: str) -> str:
        """Hand a file of such lines over.

        Args:
            file: The lines; this may move it.
            tag: Text that `find` will know the batch by.

        Returns:
            The id under which `state` and `fetch` know the batch.

        Raises:
            NotTakenError: It was not taken, and trying again may help.
            RetryableTargetError: It is not known whether it was taken; `find` tells.
            TargetError: It was not taken.
        """
        ...

    def submitted_words(self, batch: str) -> str:
        """What there is to say of a batch that was just handed over, without asking anybody."""
        ...

    async def find(self, tags: Mapping[str, float]) -> Mapping[str, str]:
        """Ids of the batches that were taken, by tag.

        Args:
            tags: Tags, each with the time when it was given, in seconds since 1970.

        Raises:
            TargetError: It cannot be said.
        """
        ...

    async def state(self, batch: str) -> BatchState:
        """How far a batch is.

        Raises:
            TargetError: It cannot be said.
        """
        ...

    async def fetch(self, batch: str, into: Path) -> Path:
        """A file of results, a line each.

        Args:
            batch: Id of the batch.
            into: A path that may be written; what lies there may be replaced.

        Raises:
            TargetError: They cannot be had.
        """
        ...

    def read(self, line: bytes) -> Output | None:
        """The output in a line of results; None if the line names no request."""
        ...
