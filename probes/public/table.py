"""A user's own prompts from a table: one row, one prompt, of one turn or several."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, Field

from probes.base import Options
from probes.errors import DataError
from probes.public.files import Row, provenance, read_rows, text_of
from probes.public.marking import Marks, check_same_set, columns_of, marked
from probes.records import Message, ProbeInfo, Prompt

__all__ = ["TableOptions", "TableProbe"]


class TableOptions(Marks):
    """What the spec may say of `public/table`: which column holds what, and what holds for all rows.

    Without `template` every set, or else every row, is its own cluster. Rows of one set follow each other.
    """

    path: Path
    """A CSV, JSONL or Parquet file."""
    prompt: str
    """Column of the text to send."""
    further: tuple[str, ...] = ()
    """Columns of what the user says next, each after the model's own reply; an empty cell ends the row's
    conversation."""
    judged: int | None = Field(default=None, ge=0)
    """The turn whose reply is judged, 0 for the reply to `prompt`; without it the last of each row."""
    id: str | None = None
    """Column of the row's id; without it the row's number is used."""


class _Members(BaseModel):
    """The set that is being read."""

    first: Prompt
    row: int
    groups: list[str]


class TableProbe:
    """One prompt a row of the user's file, in its order.

    A set must name each group once and hold its reference group; the rows of a set follow each other.
    """

    Options: ClassVar[type[Options]] = TableOptions
    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="public/table",
        version="1",
        measures="Whatever the user's own prompts ask.",
        harms=("as the user's table",),
        languages=("as the user's table",),
        source="A file of the user, loaded by reference.",
        licence="As the user's file; stated in the spec.",
        cannot_show="A noise floor: a table has no placebo sets, so a disparity is judged by its interval "
        "alone. Nor whether the members of a set differ in the attribute only: the wording is not checked.",
    )

    def __init__(self, options: TableOptions) -> None:
        """Check the file and take its checksum.

        Args:
            options: The validated options.

        Raises:
            DataError: There is no such file, or its format is not accepted.
        """
        self._options = options
        self.attack = options.kind == "refuse"
        """Whether the rows ask for harm, as the options say: the spec must then say `authorised_by`."""
        self.provenance: dict[str, str] = provenance(
            options.path, source="user file", licence=options.licence
        )

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """The table's prompts in its order.

        Args:
            rng: Not drawn from: nothing here is random.

        Yields:
            Prompts whose `source_id` is the row's id, or its number from 1.

        Raises:
            DataError: A column is missing, a cell is empty, an id is doubled or a set is incomplete.
        """
        del rng
        path = self._options.path
        ids: set[str] = set()
        sets: set[str] = set()
        current: _Members | None = None
        for index, row in enumerate(read_rows(path, columns=self._columns()), start=1):
            prompt = self._prompt(row, index)
            if str(prompt.source_id) in ids:
                raise DataError(f"{path}: row {row.number}: id {prompt.source_id!r} occurs twice")
            ids.add(str(prompt.source_id))
            current = self._follow(current, prompt, row, sets)
            yield prompt
        if current is not None:
            self._close(current)
        if not ids:
            raise DataError(f"{path}: the table has no rows")

    def _columns(self) -> list[str]:
        o = self._options
        return [name for name in (o.prompt, o.id, *o.further, *columns_of(o)) if name is not None]

    def _follow(self, current: _Members | None, prompt: Prompt, row: Row, sets: set[str]) -> _Members | None:
        """The set that this row belongs to, after checking it against the rows before."""
        path = self._options.path
        if prompt.set_id is None or prompt.group is None:
            return None
        if current is None or current.first.set_id != prompt.set_id:
            if current is not None:
                self._close(current)
            if prompt.set_id in sets:
                raise DataError(
                    f"{path}: row {row.number}: set {prompt.set_id!r} goes on after another set; sort by set"
                )
            sets.add(prompt.set_id)
            return _Members(first=prompt, row=row.number, groups=[prompt.group])
        check_same_set(path, (current.row, current.first), (row.number, prompt))
        if prompt.group in current.groups:
            raise DataError(
                f"{path}: row {row.number}: set {prompt.set_id!r} has group {prompt.group!r} twice"
            )
        return current.model_copy(update={"groups": [*current.groups, prompt.group]})

    def _close(self, members: _Members) -> None:
        first = members.first
        if len(members.groups) < 2 or first.reference not in members.groups:  # noqa: PLR2004 - a pair is the least
            raise DataError(
                f"{self._options.path}: row {members.row}: set {first.set_id!r} needs the reference group "
                f"{first.reference!r} and another; groups present: {', '.join(members.groups)}"
            )

    def _turns(self, row: Row) -> dict[str, object]:
        """What is asked after the first reply, and which reply is judged."""
        o = self._options
        filled = [column for column in o.further if str(row.cells.get(column) or "").strip()]
        if filled != list(o.further[: len(filled)]):
            gap = next(column for column in o.further if column not in filled)
            raise DataError(
                f"{o.path}: row {row.number}: {gap} is empty and {filled[-1]} is not; "
                "a conversation ends at its first empty turn"
            )
        if o.judged is not None and o.judged > len(filled):
            raise DataError(
                f"{o.path}: row {row.number}: judged must be a turn from 0 to {len(filled)}; got {o.judged}"
            )
        return {"further": [text_of(o.path, row, column) for column in filled], "judged": o.judged}

    def _prompt(self, row: Row, index: int) -> Prompt:
        o = self._options
        key = str(index) if o.id is None else text_of(o.path, row, o.id)
        return Prompt.make(
            messages=(Message(role="user", content=text_of(o.path, row, o.prompt)),),
            **self._turns(row),
            probe=self.info.name,
            source_id=key,
            **marked(o, o.path, row, template=key),
        )
