"""Collecting in rounds: what is asked next may depend on what has been answered."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Round", "Rounds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What may be asked until the next round."""

    prompts: Collection[str]
    """Ids of the prompts; those that have an answer are not asked again. Empty at the end."""
    skipped: int
    """Outputs of the plan, over all targets, that are known by now not to be asked for."""


class Rounds(Protocol):
    """Says what to ask, round by round."""

    def following(self) -> Round:
        """The next round; without prompts if nothing more is to be asked.

        Called in a thread while nothing is asked and every answer so far is stored, so it may use the store.
        """
        ...
