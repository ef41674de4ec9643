"""Standard output and error where they are closed, full, or read by nobody.

What is said to people may be lost without harm: no audit ends because its progress cannot be read. What is
printed for programs may not: a document that is cut is worse than none.
"""

import io
import os
import sys
from contextlib import suppress

from audit.errors import AuditError

__all__ = ["abandon_output", "settle_streams", "write_out"]

_STANDARD = range(3)
_AGAIN = "let it go elsewhere, and give the command again"


def settle_streams() -> None:
    """Make writing to standard error harmless, and keep files from taking the place of a closed stream."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # Gets the lowest number that is free: this one.
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(_Lenient()), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )


def write_out(text: str) -> None:
    """Write all of a text to standard output, or say that it could not be written.

    Raises:
        AuditError: The stream is closed or its disk is full.
        BrokenPipeError: Whoever read it has gone.
    """
    if sys.stdout is None:
        raise AuditError("standard output: is closed", next_step=_AGAIN)
    try:
        sys.stdout.flush()
        if (buffer := getattr(sys.stdout, "buffer", None)) is None:
            sys.stdout.write(text)
        else:
            left = memoryview(text.encode())
            while left:  # Without a buffer of its own the stream may take a part only.
                left = left[buffer.write(left) or 0 :]
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_output()
        raise AuditError(f"standard output: {error.strerror}", next_step=_AGAIN) from error


def abandon_output() -> None:
    """Let what is still buffered for standard output go nowhere, or it would fail again at the very end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class _Lenient(io.RawIOBase):
    """Standard error, which takes everything; what cannot be written is gone."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return os.isatty(2)

    def fileno(self) -> int:
        return 2

    def write(self, given: "memoryview | bytes", /) -> int:  # type: ignore[override] # any buffer
        left = memoryview(given).cast("B")
        with suppress(OSError):
            while left:
                left = left[os.write(2, left) :]
        return len(given)
