"""What a program is told of a collection, a line of JSON each: that it began, how far it is, how it ended."""

from typing import Literal, TextIO

from pydantic import Field

from audit.collection.progress import Progress
from audit.errors import AuditError, BatchesWaitingError, BudgetReachedError
from audit.planned_run import Run
from probes.records import Record

__all__ = ["Ended", "Reason", "Reported", "Started", "announce", "ended", "started"]

Reason = Literal["finished", "interrupted", "limit reached", "batches waiting", "stopped"]


class Started(Record):
    """A collection begins, or goes on."""

    event: Literal["started"] = "started"
    run: str
    """Folder of the run."""
    name: str
    """What the spec calls the audit."""
    planned: int = Field(ge=0)
    """Outputs planned, over all targets."""
    limits: dict[str, float]
    """Limits of the spec, over the whole run; those it does not set are left out."""


class Reported(Record):
    """How far it is."""

    event: Literal["progress"] = "progress"
    progress: Progress


class Ended(Record):
    """A collection has ended, for now or for good."""

    event: Literal["ended"] = "ended"
    run: str
    reason: Reason
    message: str | None = None
    """What was wrong, in one line; None if nothing was."""
    next_step: str | None = None
    """The command that goes on; None if it is finished."""


def started(made: Run) -> Started:
    """The first line of a collection.

    Args:
        made: The run.
    """
    return Started(
        run=str(made.folder.path),
        name=made.spec.name,
        planned=made.plan.requests,
        limits=dict(made.spec.limits.given),
    )


def ended(made: Run, *, interrupted: bool = False, error: AuditError | None = None) -> Ended:
    """The last line of a collection.

    Args:
        made: The run.
        interrupted: Whether a person stopped it.
        error: What stopped it, if anything did.
    """
    on = f"evenhand resume {made.folder.path}"
    if error is None:
        return Ended(
            run=str(made.folder.path),
            reason="interrupted" if interrupted else "finished",
            next_step=on if interrupted else None,
        )
    reason: Reason = "stopped"
    if isinstance(error, BudgetReachedError):
        reason = "limit reached"
    elif isinstance(error, BatchesWaitingError):
        reason = "batches waiting"
    return Ended(
        run=str(made.folder.path), reason=reason, message=str(error), next_step=error.next_step or on
    )


def announce(event: Started | Reported | Ended, stream: TextIO) -> None:
    """Write an event as one line.

    Args:
        event: What happened.
        stream: Where to, usually standard error.
    """
    stream.write(f"{event.model_dump_json()}\n")
    stream.flush()
