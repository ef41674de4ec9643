"""The seam of trainers: what every trainer, built in or third party, must offer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from audit.retraining.records import Format, RetrainingFiles

__all__ = ["Trainer", "TrainerContext", "TrainerInfo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerInfo:
    """What a trainer is."""

    name: str
    version: str
    """Changes whenever the same files could give another target."""
    trains: tuple[str, ...]
    """Target types it can train."""
    reads: tuple[Format, ...]
    """File formats it reads."""
    method: str
    """How it learns, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerContext:
    """What the world gives a trainer."""

    root: Path
    """Folder that relative paths of the target are relative to."""
    out: Path
    """Folder for what the trainer makes; it may not exist yet."""


class Trainer(Protocol):
    """Trains a target on retraining files.

    A plug-in is a class with these members, constructed as `Class(options, context)` and registered
    under the entry-point group `evenhand.trainers`. Its class attribute `Options` is the subclass of
    `probes.base.Options` that validates what a user may set.
    """

    info: ClassVar[TrainerInfo]

    def train(self, base: Mapping[str, object], files: RetrainingFiles, *, seed: int) -> dict[str, object]:
        """A target that learned from the files.

        Args:
            base: The target to start from, as a spec names it: `type` and its options.
            files: What `write_retraining_files` wrote; the trainer reads the files themselves.
            seed: Root seed of anything drawn.

        Returns:
            The new target as a spec names it; the base target stays as it is.

        Raises:
            InputError: The base is of a type it cannot train, or a file is missing, changed or swapped.
        """
        ...
