"""Errors of `audit`, as one tree.

    AuditError                  anything a user can cause and mend; the command line prints it in one line
    ├── SpecError               the spec file is malformed or asks for something that does not exist (exit 2)
    ├── InputError              another file or argument is missing or malformed (exit 2)
    │   └── NothingToRepairError no finding of a run can be repaired (exit 2)
    ├── ExtraMissingError       an optional library is not installed; the message says how to get it (exit 2)
    ├── StoreError              a run folder cannot be read or written, or belongs to another spec (exit 2)
    ├── TargetUnreachableError  the target cannot be reached or rejects the credentials (exit 2)
    ├── IncompleteError         collection or a judge stopped before every output was had or read (exit 3)
    │   └── BatchesWaitingError outputs wait in batches; `evenhand resume` gathers them (exit 3)
    ├── BudgetReachedError      a limit of the spec was reached; the run can be resumed (exit 4)
    └── NotMeasuredError        there is too little data to state a number (never reported as 0)

A message says what was wrong, the value received, what is accepted, and where (file and key).
"""

from typing import ClassVar

__all__ = [
    "AuditError",
    "BatchesWaitingError",
    "BudgetReachedError",
    "ExtraMissingError",
    "IncompleteError",
    "InputError",
    "NotMeasuredError",
    "NothingToRepairError",
    "SpecError",
    "StoreError",
    "TargetUnreachableError",
]


class AuditError(Exception):
    """Anything a user can cause and mend."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        """Keep the message and, apart from it, the command or change that gets the user on.

        Args:
            message: One line: what was wrong, value received, values accepted, where.
            next_step: What to type or change next, one line.
        """
        super().__init__(message)
        self.next_step = next_step


class SpecError(AuditError):
    """The spec file is malformed or asks for something that does not exist."""


class InputError(AuditError):
    """A file or argument other than the spec is missing or malformed."""


class NothingToRepairError(InputError):
    """No finding of a run can be repaired; the message says why of each."""


class ExtraMissingError(AuditError):
    """An optional library is not installed."""


class StoreError(AuditError):
    """A run folder cannot be read or written, or belongs to another spec."""


class TargetUnreachableError(AuditError):
    """The target cannot be reached, or it rejects the credentials."""


class IncompleteError(AuditError):
    """Collection, or a judge, stopped before every planned output was had or read."""

    exit_code = 3


class BatchesWaitingError(IncompleteError):
    """Outputs wait in batches that were submitted and have not ended."""


class BudgetReachedError(AuditError):
    """A limit of the spec was reached; the run can be resumed."""

    exit_code = 4

    def __init__(self, message: str, *, next_step: str | None = None, reached: object = None) -> None:
        """Keep which limit it was, where one of the run's own was.

        Args:
            message: One line.
            next_step: What to type next.
            reached: The limit as this invocation met it, an `audit.limits.ReachedLimit`; None of others.
        """
        super().__init__(message, next_step=next_step)
        self.reached = reached


class NotMeasuredError(AuditError):
    """There is too little data to state a number."""

    exit_code = 3
