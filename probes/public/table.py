"""A user's own prompts from a table: one row, one prompt."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, Field, field_validator, model_validator

from probes.base import Options
from probes.errors import DataError
from probes.public.files import Row, provenance, read_rows, text_of
from probes.records import Arm, Expectation, Message, Norm, ProbeInfo, Prompt, Signal

__all__ = ["Fixed", "TableOptions", "TableProbe"]

_SETS = ("attribute", "group", "reference", "set")
_TEXTS = ("attribute", "domain", "reference", "language", "favourable", "answer")


class Fixed(Options):
    """Facts that hold for every row, given in the spec instead of in a column."""

    attribute: str | None = None
    """Protected attribute that varies within a set."""
    reference: str | None = None
    """Group the others of a set are compared with."""
    domain: str | None = None
    language: str | None = None
    """BCP 47 tag."""
    options: tuple[str, ...] = ()
    """Accepted answers; quote `"yes"` and `"no"` in YAML."""
    favourable: str | None = None
    """The option that is good for the person concerned."""
    answer: str | None = None
    """The option that a rule blind to the attribute gives."""
    signal: Signal | None = None
    """How the prompts convey the group."""
    norm: Norm | None = None
    """Whether a difference between groups is allowed."""

    @field_validator("options", mode="before")
    @classmethod
    def _no_booleans(cls, value: object) -> object:
        if isinstance(value, list | tuple) and any(isinstance(item, bool) for item in value):
            raise ValueError('YAML reads yes and no without quotes as true and false: write "yes" and "no"')
        return value


class TableOptions(Options):
    """What the spec may say of `public/table`: which column holds what, and what holds for all rows."""

    path: Path
    """A CSV, JSONL or Parquet file."""
    prompt: str
    """Column of the text to send."""
    template: str | None = None
    """Column of the cluster: rows worded alike. Without it every set, or else every row, is its own."""
    id: str | None = None
    """Column of the row's id; without it the row's number is used."""
    set: str | None = None
    """Column of the counterfactual set; the rows of one set follow each other."""
    group: str | None = None
    """Column of the row's group."""
    attribute: str | None = None
    """Column of the protected attribute."""
    reference: str | None = None
    """Column of the reference group."""
    domain: str | None = None
    """Column of the domain; without it, and without `fixed.domain`, the domain is `general`."""
    language: str | None = None
    """Column of the BCP 47 tag; without it, and without `fixed.language`, it is `en`."""
    options: str | None = None
    """Column of the accepted answers: a list (JSONL, Parquet), a JSON list, or texts joined by `|`."""
    favourable: str | None = None
    """Column of the favourable option."""
    answer: str | None = None
    """Column of the right option; where a cell is empty there is none."""
    ordered: bool = False
    """Whether the options stand in order, the least first."""
    fixed: Fixed = Field(default_factory=Fixed)
    """Facts that hold for every row."""
    kind: Literal["choice", "open", "refuse", "comply"] | None = None
    """What is expected of a reply; without it `choice` if there are options, else `open`."""
    licence: str = "not stated"
    """Licence of the file, for the record."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        twice = [name for name in (*_TEXTS, "options") if getattr(self, name) and getattr(self.fixed, name)]
        if twice:
            raise ValueError(f"{twice[0]} is given as a column and under fixed: give one of them")
        has = {name: bool(getattr(self, name) or getattr(self.fixed, name, None)) for name in _SETS}
        if any(has.values()) and not all(has.values()):
            missing = ", ".join(name for name in _SETS if not has[name])
            raise ValueError(f"attribute, group, reference and set go together; missing: {missing}")
        if self.kind == "choice" and not (self.options or self.fixed.options):
            raise ValueError("kind choice needs options, as a column or under fixed")
        return self


class _Members(BaseModel):
    """The set that is being read."""

    set_id: str
    row: int
    groups: list[str]
    reference: str


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
        named = (o.prompt, o.template, o.id, o.set, o.group, o.attribute, o.reference, o.domain, o.language)
        return [name for name in (*named, o.options, o.favourable, o.answer) if name is not None]

    def _follow(self, current: _Members | None, prompt: Prompt, row: Row, sets: set[str]) -> _Members | None:
        """The set that this row belongs to, after checking it against the rows before."""
        path = self._options.path
        if prompt.set_id is None or prompt.group is None or prompt.reference is None:
            return None
        if current is None or current.set_id != prompt.set_id:
            if current is not None:
                self._close(current)
            if prompt.set_id in sets:
                raise DataError(
                    f"{path}: row {row.number}: set {prompt.set_id!r} goes on after another set; sort by set"
                )
            sets.add(prompt.set_id)
            return _Members(
                set_id=prompt.set_id, row=row.number, groups=[prompt.group], reference=prompt.reference
            )
        if prompt.reference != current.reference:
            raise DataError(
                f"{path}: row {row.number}: set {prompt.set_id!r} has two reference groups, "
                f"{current.reference!r} and {prompt.reference!r}"
            )
        if prompt.group in current.groups:
            raise DataError(
                f"{path}: row {row.number}: set {prompt.set_id!r} has group {prompt.group!r} twice"
            )
        return current.model_copy(update={"groups": [*current.groups, prompt.group]})

    def _close(self, members: _Members) -> None:
        if len(members.groups) < 2 or members.reference not in members.groups:  # noqa: PLR2004 - a pair is the least
            raise DataError(
                f"{self._options.path}: row {members.row}: set {members.set_id!r} needs the reference group "
                f"{members.reference!r} and another; groups present: {', '.join(members.groups)}"
            )

    def _prompt(self, row: Row, index: int) -> Prompt:
        o = self._options
        key = self._text(row, o.id) or str(index)
        set_id = self._text(row, o.set)
        fields: dict[str, object] = {
            "messages": (Message(role="user", content=text_of(o.path, row, o.prompt)),),
            "probe": self.info.name,
            "template": self._text(row, o.template) or set_id or key,
            "domain": self._text(row, o.domain) or o.fixed.domain or "general",
            "language": self._text(row, o.language) or o.fixed.language or "en",
            "expectation": self._expectation(row),
            "source_id": key,
        }
        if set_id is not None:
            fields |= {
                "set_id": set_id,
                "arm": Arm.COUNTERFACTUAL,
                "attribute": self._text(row, o.attribute) or o.fixed.attribute,
                "group": self._text(row, o.group),
                "reference": self._text(row, o.reference) or o.fixed.reference,
                "signal": o.fixed.signal,
                "norm": o.fixed.norm,
            }
        return Prompt.make(**fields)

    def _text(self, row: Row, column: str | None) -> str | None:
        return None if column is None else text_of(self._options.path, row, column)

    def _expectation(self, row: Row) -> Expectation:
        o = self._options
        options = o.fixed.options if o.options is None else _choices(o.path, row, o.options)
        favourable = self._text(row, o.favourable) or o.fixed.favourable
        answer = o.fixed.answer
        if o.answer is not None and row.cells[o.answer] not in (None, ""):
            answer = text_of(o.path, row, o.answer)
        for name, value in (("favourable", favourable), ("answer", answer)):
            if value is not None and options and value not in options:
                raise DataError(
                    f"{o.path}: row {row.number}: {name} must be one of {', '.join(options)}; got {value!r}"
                )
        kind = o.kind or ("choice" if options else "open")
        return Expectation(
            kind=kind, options=options, ordered=o.ordered, favourable=favourable, answer=answer
        )


def _choices(path: Path, row: Row, column: str) -> tuple[str, ...]:
    """The accepted answers of one row."""
    value: object = row.cells[column]
    if isinstance(value, str):
        value = _split(path, row, column, value)
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise DataError(f"{path}: row {row.number}: {column} must be a list of texts; got {value!r}")
    options = tuple(item.strip() for item in value)
    if len(options) < 2 or len(set(options)) != len(options):  # noqa: PLR2004 - a choice has at least two
        raise DataError(
            f"{path}: row {row.number}: {column} needs two or more different texts; got {value!r}"
        )
    return options


def _split(path: Path, row: Row, column: str, text: str) -> object:
    if not text.lstrip().startswith("["):
        return text.split("|")
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: row {row.number}: {column} is no JSON list: {error.msg}; got {text}"
        ) from error
    return value
