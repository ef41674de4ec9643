"""The seam of trainers: what every trainer, built in or third party, must offer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from audit.retraining.records import Format, RetrainingFiles

__all__ = ["Trainer", "TrainerContext", "TrainerInfo"]


def _nobody(line: str) -> None:  # noqa: ARG001 - nobody listens
    return


def _always(question: str) -> bool:  # noqa: ARG001 - a program that starts a training means it
    return True


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
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables, of which a trainer reads those that the target names."""
    told: Callable[[str], None] = _nobody
    """Called with a line on how training goes."""
    agreed: Callable[[str], bool] = _always
    """Asked with a question before something is spent; False: nothing is done."""


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
