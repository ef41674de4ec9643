"""Examples between gates and files: any number of them on disk, with a few bytes each in memory."""

import tempfile
from array import array
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from audit.atomic import NEXT_STEP
from audit.errors import InputError
from audit.retraining.records import Example, RetrainingOptions, Split
from probes.seeds import derive

__all__ = ["Spool"]


class Spool:
    """Keeps examples in a file without a name, and gives them back split by split in a mixed order.

    Used as a context manager; the file is gone when the block ends, or the process. In memory are, for each
    example, where it stands (8 bytes), its place in the mixed order (8), its template (4) and whether it has
    a rejected answer (1).
    """

    def __init__(self, folder: Path, options: RetrainingOptions) -> None:
        """Open the file.

        Args:
            folder: Where there is room for it; made if missing.
            options: Seed of the order and of the split, and the share held out.

        Raises:
            InputError: The folder cannot be written.
        """
        self._options = options
        self._folder = folder
        self._places = array("Q", [0])
        self._order = array("Q")
        self._templates = array("I")
        self._pairs = array("B")
        self._codes: dict[tuple[str, str, str], int] = {}
        with self._failures():
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed when the block ends

    def __enter__(self) -> Self:
        """The spool itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the file go, with what did not get into it."""
        with suppress(OSError):
            self._file.close()

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self._order)

    def add(self, example: Example) -> None:
        """Take one example.

        Raises:
            InputError: The disk is full.
        """
        content = example.model_dump_json().encode()
        with self._failures():
            self._file.write(content)
        origin = example.origin
        self._places.append(self._places[-1] + len(content))
        self._order.append(derive(self._options.seed, "row", example.id))
        self._templates.append(
            self._codes.setdefault((origin.probe, origin.domain, origin.template), len(self._codes))
        )
        self._pairs.append(example.rejected is not None)

    def count(self, split: Split) -> tuple[int, int]:
        """Examples of a split, and how many of them have a rejected answer."""
        chosen = self._chosen(split)
        return len(chosen), int(np.frombuffer(self._pairs, dtype=np.uint8)[chosen].sum())

    def examples(self, split: Split) -> Iterator[Example]:
        """The examples of a split, their origin saying so, in an order that only seed and content decide.

        A trainer that reads in order meets every kind early.

        Raises:
            InputError: The disk is full.
        """
        with self._failures():
            self._file.flush()
        chosen = self._chosen(split)
        order = np.frombuffer(self._order, dtype=np.uint64)[chosen]
        for at in chosen[np.argsort(order, kind="stable")]:
            start, end = self._places[int(at)], self._places[int(at) + 1]
            self._file.seek(start)
            example = Example.model_validate_json(self._file.read(end - start))
            if split == "train":
                yield example
            else:
                origin = example.origin.model_copy(update={"split": split})
                yield example.model_copy(update={"origin": origin})

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"{self._folder}: cannot be written: {error.strerror or error} (examples, before the files)",
                next_step=NEXT_STEP,
            ) from error

    def _chosen(self, split: Split) -> npt.NDArray[np.intp]:
        """Places of the examples of a split: whole templates are held out, never single rows."""
        if not self._order:
            return np.zeros(0, dtype=np.intp)
        held_out = np.zeros(len(self._codes), dtype=bool)
        held_out[self._held_out()] = True
        templates = np.frombuffer(self._templates, dtype=np.uint32)
        chosen: npt.NDArray[np.intp] = np.flatnonzero(held_out[templates] == (split == "validation"))
        return chosen

    def _held_out(self) -> list[int]:
        """Codes of the templates held out: a share of each probe and domain; train keeps one at least."""
        templates: dict[tuple[str, str], list[str]] = defaultdict(list)
        for probe, domain, template in self._codes:
            templates[probe, domain].append(template)
        found: list[int] = []
        for key in sorted(templates):
            names = sorted(templates[key], key=lambda template: derive(self._options.seed, "split", template))
            share = min(round(self._options.validation_share * len(names)), len(names) - 1)
            found += [self._codes[(*key, template)] for template in names[:share]]
        return found
