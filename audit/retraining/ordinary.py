"""Ordinary rows of the user's own, mixed into the files so that what the model could do is kept."""

import heapq
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from audit.retraining.layouts.rows import Row
from audit.retraining.layouts.table import LAYOUTS, layout
from audit.retraining.reading import valid_rows
from audit.retraining.records import Example, Format, Kind, Origin, RetrainingOptions, Shape, SourceKind
from probes.records import Expectation
from probes.seeds import derive

__all__ = ["OrdinaryRows"]

_CONVERSATIONS = frozenset(one.format for one in LAYOUTS if one.shape is Shape.SFT)
"""Formats that have a supervised file, all of them of the same keys."""
_BUCKETS = 20
"""Parts into which rows are dealt for the split, as templates are for examples that are made."""


class OrdinaryRows:
    """A drawn part of a JSONL file of dialogues, each `{"messages": […]}` with the answer last."""

    def __init__(self, path: Path, budget: int, options: RetrainingOptions) -> None:
        """Read the file once, checking every row, and draw rows from it.

        Args:
            path: The file.
            budget: How many rows at most.
            options: For the seed and the licence of the rows.

        Raises:
            InputError: The file is missing or empty, or a row is malformed; names file and line.
        """
        self._path = path
        self._options = options
        keys = ((derive(options.seed, "ordinary", at), at) for at, _ in enumerate(self._rows()))
        self._chosen = frozenset(at for _, at in heapq.nsmallest(budget, keys))

    def __len__(self) -> int:
        """How many rows were drawn."""
        return len(self._chosen)

    def examples(self) -> Iterator[Example]:
        """The drawn rows in the file's order, none for any finding, nothing rejected."""
        for at, row in enumerate(self._rows()):
            if at in self._chosen:
                yield self._example(row)

    def _rows(self) -> Iterator[Row]:
        # By the strictest of the wanted formats: the message is to name this file, not one written from it.
        wanted = [layout(one, Shape.SFT) for one in self._options.formats if one in _CONVERSATIONS]
        strictest = max(wanted, key=lambda one: one.alternating, default=layout(Format.TRL_SFT, Shape.SFT))
        yield from valid_rows(self._path, replace(strictest, least_rows=1))

    def _example(self, row: Row) -> Example:
        bucket = derive(0, "bucket", *(message.content for message in row.prompt)) % _BUCKETS
        return Example.make(
            row.prompt,
            answer=row.answer.content,
            rejected=None,
            expectation=Expectation(kind="open"),
            origin=Origin(
                findings=(),
                kind=Kind.REPLAY,
                strategy="replay_file",
                strategy_version="1",
                probe="own rows",
                probe_version="1",
                template=f"own rows {bucket:02}",
                domain="own rows",
                source=SourceKind.USER_ROW,
                seed=self._options.seed,
                licence=self._options.replay_licence,
            ),
        )
