"""What no example may touch, so that the second audit can tell a repair from a memory."""

from collections.abc import Mapping, Sequence

from audit.errors import InputError
from audit.retraining.records import HELD_OUT_KEYS, Example

__all__ = ["HeldOut", "parse_held_out"]


class HeldOut:
    """Values that are held out, by what they are values of."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        """Keep them.

        Args:
            values: Values by key, the keys out of `HELD_OUT_KEYS`.
        """
        self._values = {key: frozenset(listed) for key, listed in values.items()}
        self._met: set[tuple[str, str]] = set()

    def holds(self, key: str, value: str | None) -> bool:
        """Whether a value is held out."""
        if value is None or value not in self._values.get(key, frozenset()):
            return False
        self._met.add((key, value))
        return True

    @property
    def unmet(self) -> tuple[str, ...]:
        """Values that nothing asked about so far has had, as `KEY=VALUE`: perhaps they are misspelt."""
        listed = [(key, value) for key, values in self._values.items() for value in values]
        return tuple(f"{key}={value}" for key, value in sorted(listed) if (key, value) not in self._met)

    def touched(self, example: Example) -> str | None:
        """What an example touches that is held out; None: nothing."""
        origin = example.origin
        for key in HELD_OUT_KEYS:
            value = getattr(origin, key)
            # A crossing of attributes or groups touches each of them.
            for part in (value, *value.split("*")) if isinstance(value, str) else ():
                if self.holds(key, part):
                    return f"{key} {part} is held out"
        return None


def parse_held_out(text: str, where: str) -> dict[str, tuple[str, ...]]:
    """Values by key, from `attribute=age,technique=fiction`; a key may be given several times.

    Raises:
        InputError: A part is malformed or its key unknown.
    """
    found: dict[str, list[str]] = {}
    for part in (part.strip() for part in text.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (equals and value) or key not in HELD_OUT_KEYS:
            accepted = ", ".join(HELD_OUT_KEYS)
            raise InputError(f"{where}: accepted is KEY=VALUE with a key out of {accepted}; got {part!r}")
        found.setdefault(key, []).append(value)
    return {key: tuple(dict.fromkeys(values)) for key, values in sorted(found.items())}
