"""Which lines of a file of results name no request, and why: said, since what they held is lost otherwise."""

from audit.targets.batching.lines import why_no_result

__all__ = ["Unusable"]

_NAMED = 3
"""Lines that are named; of more it is said how many there are."""


class Unusable:
    """The lines that were noted, as far as they are of no use."""

    def __init__(self) -> None:
        """None yet."""
        self._count = 0
        self._named: list[str] = []

    def note(self, number: int, line: bytes) -> None:
        """Look at a line that gave no output.

        Args:
            number: Of the line in its file, from 1.
            line: The line; a blank one is no fault.
        """
        reason = why_no_result(line)
        if reason is None:
            return
        self._count += 1
        if len(self._named) < _NAMED:
            self._named.append(f"line {number} ({reason})")

    def words(self, file: str) -> str | None:
        """What there is to say of the file; None if every line was of use."""
        if not self._count:
            return None
        more = self._count - len(self._named)
        names = f"{self._count} line{'s name' if self._count > 1 else ' names'} no request"
        return f"{file}: {names}: {', '.join(self._named)}" + (f" and {more} more" if more else "")
